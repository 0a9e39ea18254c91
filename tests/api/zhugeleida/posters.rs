//! Posters of cards (`contract/zhugeleida.md` 3.18): where they are, what they show, and who wins.

use serde_json::json;

use super::House;
use crate::support::service::Reply;

fn at(uid: i64) -> String {
    format!("/statics/zhugeleida/imgs/xiaochengxu/user_poster/{uid}_poster.png")
}

async fn poster(house: &House, uid: i64) -> Reply {
    house.get(&at(uid)).send().await
}

fn size(reply: &Reply) -> (u32, u32) {
    assert_eq!(reply.status, 200, "{reply:?}");
    let picture = image::load_from_memory(&reply.body).unwrap();
    (picture.width(), picture.height())
}

#[tokio::test]
async fn the_link_of_a_poster_leads_to_its_picture() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let data = house
        .shown(&customer, "/mingpian/save_poster", uid, "请求成功")
        .await;
    let link = format!("/{}", data["poster_url"].as_str().unwrap());
    assert_eq!(link, at(uid));
    let first = house.get(&link).send().await;
    assert_eq!(size(&first).0, 1080);
    assert_eq!(first.header("content-type"), Some("image/png"));
    assert_eq!(first.header("cache-control"), Some("public, no-cache"));
    // Drawn once, kept, and known again.
    assert_eq!(house.service.stored_files(), 1);
    let tag = first.header("etag").unwrap();
    let again = house.get(&link).header("if-none-match", tag).send().await;
    assert_eq!(again.status, 304);
    let head = house
        .service
        .call(reqwest::Method::HEAD, &link)
        .send()
        .await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    // Another name: another picture under the same link, and the old one is gone.
    let edit = json!({ "EditCard": { "username": "王喆", "sign": "今天也要加油" } });
    house.done(&format!("Card/{uid}"), edit).await;
    let changed = house.get(&link).header("if-none-match", tag).send().await;
    assert_ne!(size(&changed), size(&first));
    assert_eq!(house.service.stored_files(), 1);
}

#[tokio::test]
async fn who_is_forgotten_is_on_no_poster_any_more() {
    let house = House::start().await;
    let (uid, other) = (house.some_card().await, house.some_card().await);
    for uid in [uid, other] {
        assert_eq!(size(&poster(&house, uid).await).0, 1080);
    }
    assert_eq!(house.service.stored_files(), 2);
    house.service.staff("personnel", 0, 256).await;
    let personnel = house.service.log_in("personnel").await;
    let erase = format!("/admin/persons/Card:{uid}/erase");
    let erased = house
        .service
        .post(&erase)
        .token(&personnel)
        .send()
        .await
        .json();
    assert_eq!(erased["data"]["posters"], 1, "{erased}");
    assert_eq!(house.service.stored_files(), 1);
    assert_eq!(poster(&house, uid).await.status, 404);
    assert_eq!(poster(&house, other).await.status, 200);
}

#[tokio::test]
async fn who_has_no_picture_of_their_own_is_shown_one_that_is_there() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let data = house.shown(&customer, "/mingpian", uid, "查询成功").await;
    let avatar = data["ret_data"][0]["avatar"].as_str().unwrap();
    let picture = house.get(&format!("/{avatar}")).send().await;
    assert_eq!(size(&picture), (300, 300));
    assert_eq!(picture.header("content-type"), Some("image/jpeg"));
}

#[tokio::test]
async fn a_poster_shows_the_picture_that_staff_uploaded() {
    let house = House::start().await;
    let (uid, other) = (house.some_card().await, house.some_card().await);
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(40, 30, image::Rgb([200, 30, 30]))
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let upload = house.service.post("/backend/api/v1/upload");
    let upload = upload.token(&house.clerk).file("file", png.get_ref());
    let upload = upload.send().await.json();
    let uri = upload["uri"].as_str().unwrap();
    for (uid, avatar) in [
        (uid, uri.to_owned()),
        (other, format!("https://other.example{uri}")),
    ] {
        let edit = json!({ "EditCard": { "mingpian_avatar": avatar } });
        house.done(&format!("Card/{uid}"), edit).await;
    }
    let red = async |uid| {
        let picture = image::load_from_memory(&poster(&house, uid).await.body).unwrap();
        let picture = picture.into_rgb8();
        picture.pixels().filter(|it| it.0 == [200, 30, 30]).count()
    };
    // A circle of that size.
    assert!(red(uid).await > 50_000);
    assert_eq!(red(other).await, 0);
}

#[tokio::test]
async fn a_stored_poster_wins() {
    let house = House::start().await;
    let uid = house.some_card().await;
    for (stored, location) in [
        ("statics/zhugeleida/a.png", "/statics/zhugeleida/a.png"),
        ("https://cdn.example/a.png", "https://cdn.example/a.png"),
    ] {
        let edit = json!({ "EditCard": { "poster_url": stored } });
        house.done(&format!("Card/{uid}"), edit).await;
        let reply = poster(&house, uid).await;
        assert_eq!(reply.status, 302);
        assert_eq!(reply.header("location"), Some(location));
    }
    // Its own link, stored on it, is no other one.
    let own = at(uid);
    let edit = json!({ "EditCard": { "poster_url": own.trim_start_matches('/') } });
    house.done(&format!("Card/{uid}"), edit).await;
    size(&poster(&house, uid).await);
}

#[tokio::test]
async fn nobody_has_a_poster_who_has_no_card() {
    let house = House::start().await;
    let disabled = house.some_card().await;
    house
        .done(&format!("Card/{disabled}"), json!({ "DisableCard": {} }))
        .await;
    for path in [at(disabled), at(999_999), at(-1), at(1).replace(".png", "")] {
        let reply = house.get(&path).send().await;
        let expected = json!({ "code": 404, "msg": "非法请求", "data": {} });
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (404, expected),
            "{path}"
        );
    }
    assert_eq!(house.service.stored_files(), 0);
}
