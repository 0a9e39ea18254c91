//! Taking images and serving them.

use axum::http::Method;
use serde_json::{Value, json};
use shiji::commands::media::MediaCommand;
use shiji::events::Media;

use super::{TASK, UPLOAD, assert_answer, failure};
use crate::support::service::{Reply, Service};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR a picture";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 a picture";

async fn upload(service: &Service, token: &str, bytes: &[u8]) -> Reply {
    let call = service.post(UPLOAD).token(token);
    call.file("file", bytes).send().await
}

fn refused(code: u16, msg: &str, error: &str) -> Value {
    let mut body = failure(code, msg, error);
    body["uri"] = json!("");
    body["full_uri"] = json!("");
    body
}

fn no_file() -> Value {
    refused(400, "参数错误", "invalid_parameter: file")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_stored_and_served_to_anybody() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let before = service.head().await;
    let reply = upload(&service, &token, PNG).await;
    let uri = reply.json()["uri"].as_str().unwrap().to_owned();
    assert_answer(
        &reply,
        &json!({
            "code": 0, "msg": "", "error": "", "uri": uri, "full_uri": format!("http://shiji.test{uri}"),
        }),
    );
    let events = service.since(before).await;
    let types: Vec<&str> = events.iter().map(|e| e.event_type.as_str()).collect();
    assert_eq!(types, ["MediaIdIssued", "MediaStored"]);
    let id = &events[0].stream.id;
    let east = chrono::FixedOffset::east_opt(8 * 3600).unwrap();
    let day = service.app.now().with_timezone(&east).format("%Y%m%d");
    assert_eq!(uri, format!("/upload/{day}/{id}.png"));

    let reply = service.get(&uri).send().await;
    assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, PNG));
    assert_eq!(reply.header("content-type"), Some("image/png"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        reply.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    let tag = reply.header("etag").unwrap();
    let known = service.get(&uri).header("if-none-match", tag).send().await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let head = service.call(Method::HEAD, &uri).send().await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(PNG.len().to_string().as_str())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_full_link_begins_as_it_was_set() {
    let service =
        Service::with(|s| s.public_base_url = Some("https://cdn.example".to_owned())).await;
    let token = service.logged_in("admin").await;
    let answer = upload(&service, &token, JPEG).await.json();
    let uri = answer["uri"].as_str().unwrap();
    assert_eq!(std::path::Path::new(uri).extension(), Some("jpg".as_ref()));
    assert_eq!(answer["full_uri"], format!("https://cdn.example{uri}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_one_image_within_the_limit_is_refused() {
    let service = Service::with(|s| s.upload_max_bytes = 1000).await;
    let token = service.logged_in("admin").await;
    let before = service.head().await;
    let not_an_image = refused(415, "只支持图片", "unsupported_media_type");
    assert_answer(&upload(&service, &token, b"a picture").await, &not_an_image);
    assert_answer(
        &upload(&service, &token, b"<svg xmlns='x'/>").await,
        &not_an_image,
    );
    assert_answer(&upload(&service, &token, b"").await, &no_file());
    let form = |files: &[(&str, &[u8])]| service.post(UPLOAD).token(&token).form(files).send();
    assert_answer(&form(&[]).await, &no_file());
    assert_answer(&form(&[("image", PNG)]).await, &no_file());
    assert_answer(&form(&[("file", PNG), ("file", PNG)]).await, &no_file());
    let json = service.post(UPLOAD).token(&token).json(&json!({}));
    assert_answer(&json.send().await, &no_file());
    let broken = service.post(UPLOAD).token(&token);
    let broken = broken.header("content-type", "multipart/form-data; boundary=x");
    assert_answer(&broken.body("--x\r\nnonsense").send().await, &no_file());
    let anonymous = service.post(UPLOAD).file("file", PNG).send().await;
    assert_answer(&anonymous, &refused(401, "请先登录", "not_logged_in"));

    let too_large = refused(413, "文件过大", "file_too_large");
    for size in [1001, 1 << 20] {
        let mut bytes = PNG.to_vec();
        bytes.resize(size, 0);
        let reply = upload(&service, &token, &bytes).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (413, too_large.clone())
        );
    }
    assert_eq!(service.head().await, before);
    let mut largest = PNG.to_vec();
    largest.resize(1000, 0);
    assert_eq!(upload(&service, &token, &largest).await.json()["code"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_upload_answers_the_first_link() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let keyed = |bytes: &[u8]| {
        let call = service.post(UPLOAD).token(&token);
        call.header("idempotency-key", "k")
            .file("file", bytes)
            .send()
    };
    let first = keyed(PNG).await.json();
    let before = service.head().await;
    assert_eq!(keyed(PNG).await.json(), first);
    assert_answer(
        &keyed(JPEG).await,
        &refused(409, "请重试", "idempotency_conflict"),
    );
    assert_eq!(service.head().await, before);
    let other = upload(&service, &token, PNG).await.json();
    assert_ne!(other["uri"], first["uri"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_file_is_gone_and_strange_links_were_never_there() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let answer = upload(&service, &token, PNG).await.json();
    let uri = answer["uri"].as_str().unwrap();
    let id = uri.split(['/', '.']).nth(3).unwrap();
    let request = service.system();
    let desk = service.app.desk();
    desk.execute::<Media>(&request, id, MediaCommand::Delete)
        .await
        .unwrap();
    let missing = failure(404, "对应ID不存在", "not_found");
    for path in [
        uri,
        "/upload/20240102/00000000-0000-4000-8000-000000000000.png",
        "/upload/20240102/%00.png",
        "/upload/..%2f..%2f/etc.png",
        "/upload/x",
    ] {
        let reply = service.get(path).send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (404, missing.clone())
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    let reply = service.post(uri).token(&token).send().await;
    assert_eq!(reply.status, 405);
    let reply = service.get(TASK).send().await;
    assert_eq!(reply.json()["code"], 401);
}
