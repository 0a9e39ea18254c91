//! Images: ids, storing, serving, the small one.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;
use uuid::Uuid;

use super::{assert_answer, assert_invalid, assert_refused};
use crate::support::service::{Member, Reply, Service};

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(width, height, Rgb([200, 30, 30]));
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

async fn media_id(service: &Service, member: &Member) -> String {
    let reply = service.function(member, "get_media_id", json!({})).await;
    let id = reply.json()["media_id"].as_str().unwrap().to_owned();
    assert_answer(&reply, &json!({ "media_id": id, "code": 0 }));
    assert_eq!(id.parse::<Uuid>().unwrap().to_string(), id);
    id
}

async fn put(service: &Service, member: &Member, id: &str, bytes: &[u8]) -> Reply {
    let call = service.put(&format!("/media/{id}")).token(&member.token);
    call.body(bytes.to_vec()).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_stored_under_its_id_and_served_large_and_small() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let id = media_id(&service, &member).await;
    let bytes = picture(960, 240, ImageFormat::Png);
    let reply = put(&service, &member, &id, &bytes).await;
    let (image, small) = (format!("{id}.png"), format!("{id}.thumb.jpg"));
    assert_answer(
        &reply,
        &json!({ "image": image, "thumbnail": small, "code": 0 }),
    );
    assert_eq!(
        service.events("Media", &id).await,
        ["MediaIdIssued", "MediaStored"]
    );

    let served = service.get(&format!("/media/{image}")).send().await;
    assert_eq!(
        (served.status.as_u16(), &served.body[..]),
        (200, &bytes[..])
    );
    assert_eq!(served.header("content-type"), Some("image/png"));
    assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(served.header("content-disposition"), None);
    let cached = "public, max-age=31536000, immutable";
    assert_eq!(served.header("cache-control"), Some(cached));
    let tag = served.header("etag").unwrap();
    let again = service
        .get(&format!("/media/{image}"))
        .header("if-none-match", tag);
    assert_eq!(again.send().await.status, 304);

    let served = service.get(&format!("/media/{small}")).send().await;
    assert_eq!(served.header("content-type"), Some("image/jpeg"));
    assert_ne!(served.header("etag").unwrap(), tag);
    let read = image::load_from_memory(&served.body).unwrap();
    assert_eq!((read.width(), read.height()), (480, 120));

    // It is a name that profiles take.
    let update = json!({ "avatar": image });
    let reply = service
        .function(&member, "my_user_info_update", update)
        .await;
    assert_eq!(reply.json()["code"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_and_a_token_in_the_query_do_as_well() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    for (format, extension, content_type) in [
        (ImageFormat::Jpeg, "jpg", "image/jpeg"),
        (ImageFormat::Gif, "gif", "image/gif"),
        (ImageFormat::WebP, "webp", "image/webp"),
    ] {
        let id = media_id(&service, &member).await;
        let bytes = picture(8, 8, format);
        let path = format!("/media/{id}?token={}", member.token);
        let reply = service.put(&path).file("file", &bytes).send().await;
        assert_eq!(
            reply.json()["image"],
            format!("{id}.{extension}"),
            "{reply:?}"
        );
        let served = service
            .get(&format!("/media/{id}.{extension}"))
            .send()
            .await;
        assert_eq!(served.header("content-type"), Some(content_type));
        assert_eq!(&served.body[..], &bytes[..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_stored_once_and_by_whom_the_id_was_given_to() {
    let service = Service::start().await;
    let (a, b) = (service.member("甲").await, service.member("乙").await);
    let id = media_id(&service, &a).await;
    let (one, two) = (
        picture(8, 8, ImageFormat::Png),
        picture(9, 9, ImageFormat::Png),
    );
    assert_refused(&put(&service, &b, &id, &one).await, 403);
    let unknown = Uuid::new_v4().to_string();
    assert_refused(&put(&service, &a, &unknown, &one).await, 404);
    assert_refused(&put(&service, &a, "x", &one).await, 404);
    let nobody = service
        .put(&format!("/media/{id}"))
        .body(one.clone())
        .send()
        .await;
    assert_refused(&nobody, 401);

    let keyed = async || {
        let call = service.put(&format!("/media/{id}")).token(&a.token);
        call.header("idempotency-key", "k")
            .body(one.clone())
            .send()
            .await
    };
    let first = keyed().await;
    assert_eq!(first.json()["code"], 0);
    assert_refused(&put(&service, &a, &id, &two).await, 409);
    assert_refused(&put(&service, &a, &id, &one).await, 409);
    assert_eq!(keyed().await.json(), first.json());
    // Whoever came later left no trace in the file.
    let served = service.get(&format!("/media/{id}.png")).send().await;
    assert_eq!(&served.body[..], &one[..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_images_under_one_id_the_one_recorded_is_the_one_served() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let id = media_id(&service, &member).await;
    let images: Vec<Vec<u8>> = (1..=6)
        .map(|side| picture(side, side, ImageFormat::Png))
        .collect();
    let puts = images
        .iter()
        .map(|bytes| put(&service, &member, &id, bytes));
    let replies = futures::future::join_all(puts).await;
    let done: Vec<usize> = (0..6)
        .filter(|at| replies[*at].json()["code"] == 0)
        .collect();
    assert_eq!(done.len(), 1, "{replies:?}");
    let served = service.get(&format!("/media/{id}.png")).send().await;
    assert_eq!(&served.body[..], &images[done[0]][..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_images_within_the_limit_are_taken() {
    let service = Service::with(|settings| settings.upload_max_bytes = 4_096).await;
    let member = service.member("甲").await;
    let id = media_id(&service, &member).await;
    assert_invalid(&put(&service, &member, &id, b"").await, "file");
    assert_invalid(
        &put(&service, &member, &id, b"<svg xmlns='x'/>").await,
        "file",
    );
    let call = service.put(&format!("/media/{id}")).token(&member.token);
    assert_invalid(&call.file("other", b"GIF89a").send().await, "file");
    for size in [4_097, 100_000] {
        let mut large = b"GIF89a".to_vec();
        large.resize(size, 0);
        let reply = put(&service, &member, &id, &large).await;
        assert_eq!(reply.status, 413);
        assert_eq!(reply.json(), json!({ "code": 413, "msg": "请求内容过大" }));
    }
    assert_eq!(service.events("Media", &id).await, ["MediaIdIssued"]);
    // What is recognized but cannot be read is kept, without a small one.
    let reply = put(&service, &member, &id, b"GIF89a.....").await;
    let expected = json!({ "image": format!("{id}.gif"), "thumbnail": null, "code": 0 });
    assert_answer(&reply, &expected);
    let small = service.get(&format!("/media/{id}.thumb.jpg")).send().await;
    assert_eq!(small.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_stored_is_not_served() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let id = media_id(&service, &member).await;
    for name in [
        format!("{id}.png"),
        id,
        "x.png".to_owned(),
        "..%2fx".to_owned(),
        "%ff.png".to_owned(),
    ] {
        let reply = service.get(&format!("/media/{name}")).send().await;
        assert_eq!(reply.status, 404, "{name}");
        assert_eq!(reply.json(), json!({ "code": 404, "msg": "内容不存在" }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_ids_an_hour_are_given_out() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    for _ in 0..100 {
        media_id(&service, &member).await;
    }
    assert_refused(
        &service.function(&member, "get_media_id", json!({})).await,
        429,
    );
    service.sleep(std::time::Duration::from_secs(3600));
    media_id(&service, &member).await;
}
