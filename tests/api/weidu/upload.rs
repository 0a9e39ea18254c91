//! Uploading files of cases, and serving them.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::Gallery;
use crate::api::node::{Answer, answer};

fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        Rgb([x % 251, y % 241, 90].map(|value| u8::try_from(value).unwrap()))
    });
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::from(picture);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn form(bytes: &[u8], name: &str) -> Form {
    let part = Part::bytes(bytes.to_vec()).file_name(name.to_owned());
    Form::new().part("file", part)
}

impl Gallery {
    async fn upload(&self, case: &str, form: Form) -> Answer {
        self.upload_with(case, form, &[]).await
    }

    async fn upload_with(&self, case: &str, form: Form, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/admin/showcases/{case}/files");
        let mut request = self.node.request(Method::POST, &path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.bearer_auth(&self.clerk.token).multipart(form)).await
    }

    /// What is served under a path of the list.
    async fn fetch(&self, method: Method, path: &str, known: &str) -> reqwest::Response {
        let request = self.node.request(method, &format!("/{path}"));
        let request = request.header("if-none-match", known);
        request.send().await.unwrap()
    }
}

#[tokio::test]
async fn a_picture_is_measured_shown_small_and_served_as_it_was_sent() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let day = shiji::commands::showcase::day(gallery.node.app.now());
    for (number, (format, name, mime)) in (0..).zip([
        (ImageFormat::Jpeg, "fabu 1.JPEG", "image/jpeg"),
        (ImageFormat::Png, "发布.png", "image/png"),
        (ImageFormat::Gif, "a.gif", "image/gif"),
        (ImageFormat::WebP, "a#100%.webp", "image/webp"),
    ]) {
        let bytes = picture(format, 600, 300);
        let answered = gallery.upload(&case, form(&bytes, name)).await;
        let data = &answered.body["data"];
        let file_id = data["file_id"].as_str().unwrap();
        let folder = format!("{day}/task/{case}/users/{author}/{file_id}");
        let (stem, extension) = name.rsplit_once('.').unwrap();
        let (path, preview_path) = (
            format!("{folder}/{name}"),
            format!("{folder}/{stem}_preview.jpg"),
        );
        assert_eq!(
            answered.body,
            json!({"code": 0, "msg": "ok", "error": "", "data": {
                "aggregate": "Showcase", "id": case, "version": 2 + number, "events": ["ShowcaseFileAdded"],
                "file_id": file_id, "path": path, "preview_path": preview_path
            }})
        );
        assert!(!answered.header("x-position").is_empty());
        let file = gallery.shown().await["files"][number].clone();
        let created = file["create_time"].as_i64().unwrap();
        assert_eq!(
            file,
            json!({
                "id": file_id, "task_id": case, "user_id": author, "create_time": created, "update_time": created,
                "path": path, "preview_path": preview_path, "name": name,
                "extension": extension.to_ascii_lowercase(), "size": bytes.len(), "mime_type": mime,
                "width": 600, "height": 300, "has_pre_img": true
            })
        );

        let link = path.replace('%', "%25").replace('#', "%23");
        let served = gallery.fetch(Method::GET, &link, "").await;
        assert_eq!(served.status(), 200, "{path}");
        let header = |name: &str| served.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), mime);
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(
            header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        let tag = header("etag");
        assert_eq!(served.bytes().await.unwrap(), bytes);
        assert_eq!(gallery.fetch(Method::GET, &link, &tag).await.status(), 304);
        let head = gallery.fetch(Method::HEAD, &link, "").await;
        let length = head.headers()["content-length"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            (head.status().as_u16(), length),
            (200, bytes.len().to_string())
        );

        let link = preview_path.replace('%', "%25").replace('#', "%23");
        let served = gallery.fetch(Method::GET, &link, &tag).await;
        assert_eq!(served.status(), 200);
        assert_eq!(served.headers()["content-type"], "image/jpeg");
        let preview = image::load_from_memory(&served.bytes().await.unwrap()).unwrap();
        assert_eq!((preview.width(), preview.height()), (480, 240));
    }
}

#[tokio::test]
async fn who_supplies_a_file_and_its_name_can_be_said() {
    let gallery = Gallery::start().await;
    let (author, helper) = (gallery.author("甲").await, gallery.author("乙").await);
    let case = gallery.case(&author, 1).await;
    let bytes = picture(ImageFormat::Png, 3, 2);
    let long = format!("{}.png", "长".repeat(196));
    let said = form(&bytes, "C:\\tmp\\x.png")
        .text("user_id", helper.clone())
        .text("name", long);
    let answered = gallery.upload(&case, said).await;
    assert_eq!(answered.body["code"], 0, "{}", answered.body);
    let file = gallery.shown().await["files"][0].clone();
    // No file system takes 200 Chinese characters.
    assert_eq!(file["name"], format!("{}.png", "长".repeat(76)));
    assert_eq!(file["user_id"], helper);
    assert_eq!((&file["width"], &file["height"]), (&json!(3), &json!(2)));
    let path = file["path"].as_str().unwrap();
    assert_eq!(gallery.fetch(Method::GET, path, "").await.status(), 200);
    let answered = gallery.upload(&case, form(&bytes, "C:\\tmp\\x.png")).await;
    assert!(
        answered.body["data"]["path"]
            .as_str()
            .unwrap()
            .ends_with("/x.png")
    );
    let nobody = form(&bytes, "x.png").text("user_id", "szasc68seig9jrhqw4eaj9gu3h");
    assert_eq!(
        gallery.upload(&case, nobody).await.refusal(),
        (302, "not_found")
    );
    // The bytes of what was refused are not kept.
    assert_eq!(kept(&gallery), 4);
}

/// How many files the store holds.
fn kept(gallery: &Gallery) -> usize {
    gallery.node.service.stored_files()
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let png = picture(ImageFormat::Png, 100, 100);
    for (form, field) in [
        (form(b"a picture", "a.png"), "file"),
        (
            form(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"),
            "file",
        ),
        (form(&png[..60], "a.png"), "file"),
        (form(b"", "a.png"), "file"),
        (Form::new().text("name", "a.png"), "file"),
        (
            form(&png, "a.png").part("file", Part::bytes(png.clone())),
            "file",
        ),
        (form(&png, "noextension"), "name"),
        (Form::new().part("file", Part::bytes(png.clone())), "name"),
    ] {
        let answered = gallery.upload(&case, form).await;
        assert_eq!(answered.refusal(), (303, "validation"), "{}", answered.body);
        assert!(answered.body["data"][field].is_array(), "{}", answered.body);
    }
    let unknown = "szasc68seig9jrhqw4eaj9gu3h";
    for other in [unknown, "7"] {
        let answered = gallery.upload(other, form(&png, "a.png")).await;
        assert_eq!(answered.refusal(), (302, "not_found"), "{other}");
    }
    let path = format!("/admin/showcases/{case}/files");
    let json = gallery.node.request(Method::POST, &path).json(&json!({}));
    let answered = answer(json.bearer_auth(&gallery.clerk.token)).await;
    assert_eq!(answered.refusal(), (400, "malformed_command"));
    let stranger = gallery.node.staff("stranger", 0, 0).await;
    for (token, code, error) in [
        ("x", 401, "not_logged_in"),
        (&*stranger.token, 403, "forbidden"),
    ] {
        let request = gallery.node.request(Method::POST, &path);
        let request = request.multipart(form(&png, "a.png"));
        let answered = answer(request.bearer_auth(token)).await;
        assert_eq!(answered.refusal(), (code, error));
    }
    assert_eq!(gallery.shown().await["files"], json!([]));
    assert_eq!(kept(&gallery), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_above_the_limit_is_refused() {
    let service = crate::support::service::Service::with(|s| s.upload_max_bytes = 1000).await;
    service.staff("clerk", 0, 64).await;
    let token = service.log_in("clerk").await;
    let send = async |path: String, command: Value| {
        let sent = service
            .post(&path)
            .token(&token)
            .json(&command)
            .send()
            .await;
        sent.json()["data"]["id"].as_str().unwrap().to_owned()
    };
    let open = json!({"OpenAccount": {"username": "甲"}});
    let author = send("/admin/commands/Account/weidu:new".to_owned(), open).await;
    let author = author.strip_prefix("weidu:").unwrap();
    let publish = json!({"PublishShowcase": {"user_id": author, "industry_type": 1}});
    let case = send("/admin/commands/Showcase/new".to_owned(), publish).await;
    let path = format!("/admin/showcases/{case}/files");
    let png = picture(ImageFormat::Png, 2, 2);
    for size in [1001, 1 << 20] {
        let mut bytes = png.clone();
        bytes.resize(size, 0);
        let reply = service
            .post(&path)
            .token(&token)
            .file("file", &bytes)
            .send()
            .await;
        let said = (reply.status.as_u16(), reply.json()["error"].clone());
        assert_eq!(said, (413, json!("body_too_large")));
    }
}

#[tokio::test]
async fn a_case_takes_a_hundred_files() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let add = json!({"AddShowcaseFile": {"name": "a.png", "size": 1, "mime_type": "image/png"}});
    let to = format!("Showcase/{case}");
    for _ in 0..99 {
        gallery.done(&to, add.clone()).await;
    }
    let png = picture(ImageFormat::Png, 2, 2);
    let upload = || gallery.upload(&case, form(&png, "a.png"));
    assert_eq!(upload().await.body["code"], 0);
    assert_eq!(upload().await.refusal(), (409, "conflict"));
    gallery.refused(&to, add, 409, "conflict").await;
    assert_eq!(
        gallery.shown().await["files"].as_array().unwrap().len(),
        100
    );
    assert_eq!(kept(&gallery), 2);
}

#[tokio::test]
async fn a_repeated_key_answers_the_first_file_and_keeps_no_other() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let (png, gif) = (
        picture(ImageFormat::Png, 2, 2),
        picture(ImageFormat::Gif, 2, 2),
    );
    let key = [("idempotency-key", "k")];
    let first = gallery.upload_with(&case, form(&png, "a.png"), &key).await;
    assert_eq!(first.body["code"], 0, "{}", first.body);
    let again = gallery.upload_with(&case, form(&png, "a.png"), &key).await;
    assert_eq!(again.body, first.body);
    for other in [form(&gif, "a.png"), form(&png, "b.png")] {
        let refused = gallery.upload_with(&case, other, &key).await;
        assert_eq!(refused.refusal(), (409, "idempotency_conflict"));
    }
    let stale = [("if-match", "\"1\"")];
    let refused = gallery
        .upload_with(&case, form(&png, "a.png"), &stale)
        .await;
    assert_eq!(refused.refusal(), (409, "conflict"));
    assert_eq!(gallery.shown().await["files"].as_array().unwrap().len(), 1);
    assert_eq!(kept(&gallery), 2);
}

#[tokio::test]
async fn a_removed_file_is_gone_and_that_of_a_withdrawn_case_hidden() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let to = format!("Showcase/{case}");
    let png = picture(ImageFormat::Png, 2, 2);
    let data = gallery.upload(&case, form(&png, "a.png")).await.body["data"].clone();
    let links = ["path", "preview_path"].map(|field| data[field].as_str().unwrap().to_owned());
    let statuses = async || {
        let mut statuses = Vec::new();
        for link in &links {
            statuses.push(gallery.fetch(Method::GET, link, "").await.status().as_u16());
        }
        statuses
    };
    assert_eq!(statuses().await, [200, 200]);
    gallery.done(&to, json!({"WithdrawShowcase": {}})).await;
    assert_eq!(statuses().await, [404, 404]);
    gallery.done(&to, json!({"RestoreShowcase": {}})).await;
    assert_eq!(statuses().await, [200, 200]);
    for strange in [
        links[0].replace("a.png", "b.png"),
        links[0].replace("/a.png", "/..%2Fa.png"),
        links[0].replace(&links[0][..8], "20200101"),
        links[0].replace(&author, &case),
    ] {
        let refused = gallery.fetch(Method::GET, &strange, "").await;
        assert_eq!(refused.status(), 404, "{strange}");
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["result"], "接口不存在");
    }
    // What is only described has no bytes here.
    let described =
        json!({"AddShowcaseFile": {"name": "x.png", "size": 1, "mime_type": "image/png"}});
    gallery.done(&to, described).await;
    let path = gallery.shown().await["files"][1]["path"].clone();
    let missing = gallery.fetch(Method::GET, path.as_str().unwrap(), "").await;
    assert_eq!(missing.status(), 404);

    let remove = json!({"RemoveShowcaseFile": {"file_id": data["file_id"]}});
    gallery.done(&to, remove).await;
    assert_eq!(statuses().await, [404, 404]);
    assert_eq!(kept(&gallery), 0);
}
