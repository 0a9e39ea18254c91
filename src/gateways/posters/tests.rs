use image::{Rgb, RgbImage};

use super::*;

/// How far a pixel may be off before it counts, a colour.
const PIXEL_SLACK: u8 = 24;
/// Pixels in a thousand that may be off: the edges of letters, on another processor.
const PIXELS_SLACK: usize = 2;

fn poster() -> Poster {
    Poster {
        uid: 7,
        username: "赵欣鹏".to_owned(),
        position: "销售总监".to_owned(),
        company: "北京打铁的信息科技有限公司".to_owned(),
        phone: "138 0013 8002".to_owned(),
        sign: "有事您说话".to_owned(),
        link: "https://example.com/zhugeleida/xiaochengxu/mingpian?uid=7".to_owned(),
        avatar: None,
        qr_code: None,
    }
}

fn drawn(poster: &Poster) -> RgbImage {
    let png = Posters::new(None).inner.draw(poster).unwrap();
    image::load_from_memory(&png).unwrap().into_rgb8()
}

/// A photo: four colours, one a quarter.
fn photo() -> Bytes {
    let colour = |x: u32, y: u32| match (x < 100, y < 100) {
        (true, true) => Rgb([220, 60, 40]),
        (false, true) => Rgb([250, 200, 60]),
        (true, false) => Rgb([60, 160, 90]),
        (false, false) => Rgb([90, 70, 160]),
    };
    let picture = RgbImage::from_fn(200, 200, colour);
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner().into()
}

/// What a phone reads from it.
fn scanned(picture: &RgbImage) -> Vec<String> {
    let grey = image::DynamicImage::from(picture.clone()).into_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        let (x, y) = (u32::try_from(x).unwrap(), u32::try_from(y).unwrap());
        grey.get_pixel(x, y).0[0]
    });
    let grids = seen.detect_grids();
    grids.iter().map(|grid| grid.decode().unwrap().1).collect()
}

/// Compares with the committed picture; `SHIJI_GOLDEN=write` writes it anew, to be looked at.
#[track_caller]
fn looks_like(name: &str, picture: &RgbImage) {
    let place = format!(
        "{}/tests/fixtures/posters/{name}.png",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var("SHIJI_GOLDEN").as_deref() == Ok("write") {
        picture.save(&place).unwrap();
    }
    let golden = image::open(&place).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), golden.dimensions(), "{name}");
    let differs = |(a, b): &(&Rgb<u8>, &Rgb<u8>)| {
        let off = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b));
        off.max() > Some(PIXEL_SLACK)
    };
    let pixels = picture.pixels().zip(golden.pixels());
    let off = pixels.filter(differs).count();
    let may = picture.pixels().len() * PIXELS_SLACK / 1000;
    assert!(off <= may, "{name}: {off} pixels are off, {may} may be");
}

#[test]
fn a_card_with_everything_looks_as_it_did() {
    let picture = drawn(&Poster {
        avatar: Some(photo()),
        ..poster()
    });
    looks_like("full", &picture);
    assert_eq!(scanned(&picture), [poster().link]);
}

#[test]
fn a_card_with_little_looks_as_it_did() {
    let picture = drawn(&Poster {
        position: String::new(),
        phone: String::new(),
        sign: String::new(),
        ..poster()
    });
    looks_like("bare", &picture);
    assert_eq!(scanned(&picture), [poster().link]);
}

#[test]
fn long_texts_stay_on_the_sheet() {
    let picture = drawn(&Poster {
        username: "Wolfeschlegelsteinhausenbergerdorff".to_owned(),
        position: "首席".repeat(32),
        company: "有限责任公司".repeat(10),
        phone: "1380013800213800138002138001380021".to_owned(),
        sign: "一二三四五，六七八九十。".repeat(16),
        ..poster()
    });
    looks_like("long", &picture);
    assert_eq!(scanned(&picture), [poster().link]);
}

#[test]
fn a_code_made_elsewhere_and_a_picture_that_is_none() {
    let made = drawn(&Poster {
        qr_code: Some(photo()),
        avatar: Some(Bytes::from_static(b"no picture")),
        ..poster()
    });
    assert_eq!(scanned(&made), [""; 0]);
    let red = made.pixels().filter(|it| it.0 == [220, 60, 40]).count();
    assert!(red > 200 * 200, "{red}");
    // A code that cannot be read is none.
    let picture = drawn(&Poster {
        qr_code: Some(Bytes::from_static(b"no picture")),
        ..poster()
    });
    assert_eq!(scanned(&picture), [poster().link]);
}

#[test]
fn whatever_shows_has_a_tag_of_its_own() {
    let text = |change: fn(&mut Poster)| {
        let mut changed = poster();
        change(&mut changed);
        changed.tag()
    };
    let tags = [
        poster().tag(),
        text(|it| it.username.push('x')),
        text(|it| it.position.push('x')),
        text(|it| it.company.push('x')),
        text(|it| it.phone.push('x')),
        text(|it| it.sign.push('x')),
        text(|it| it.link.push('x')),
        text(|it| it.avatar = Some(Bytes::new())),
        text(|it| it.qr_code = Some(Bytes::new())),
    ];
    let different: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(different.len(), tags.len());
    assert_eq!(poster().tag(), poster().tag());
}

#[tokio::test]
async fn a_card_has_one_poster_kept_and_it_is_drawn_once() {
    let folder = tempfile::tempdir().unwrap();
    let files = FileStore::local(folder.path()).unwrap();
    let posters = Posters::new(None);
    let (first, other) = (
        poster(),
        Poster {
            uid: 70,
            ..poster()
        },
    );
    for one in [&first, &other] {
        posters.keep(&files, one.clone()).await.unwrap();
    }
    // Not drawn again: what lies there stays.
    let mark = Bytes::from_static(b"kept");
    files.put(&first.key(), mark.clone()).await.unwrap();
    posters.keep(&files, first.clone()).await.unwrap();
    assert_eq!(files.open(&first.key()).await.unwrap().unwrap().size, 4);
    // Another name, another poster, and the old one is gone.
    let renamed = Poster {
        username: "赵鹏".to_owned(),
        ..first.clone()
    };
    posters.keep(&files, renamed.clone()).await.unwrap();
    assert!(files.has(&renamed.key()).await.unwrap());
    assert!(!files.has(&first.key()).await.unwrap());
    // That of a card whose number begins the same is another's.
    assert!(files.has(&other.key()).await.unwrap());
    forget(&files, first.uid, None).await.unwrap();
    assert!(!files.has(&renamed.key()).await.unwrap());
    assert!(files.has(&other.key()).await.unwrap());
}
