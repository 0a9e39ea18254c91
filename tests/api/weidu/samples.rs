//! The document's own example, reproduced by the demo data.

use serde_json::{Value, json};
use shiji::cli::demo::showcases;

use super::Gallery;

/// The document's `data`; times are left out, because they are those of the telling.
fn documented() -> Vec<Value> {
    let case = |user: &str, name: &str, counts: [i64; 3], task: &str, file: Value| {
        let [views, likes, comments] = counts;
        json!({
            "user_id": user, "username": name, "view_cnt": views, "like_cnt": likes,
            "comment_cnt": comments, "score": 90, "task_id": task, "files": [file],
        })
    };
    let file =
        |user: &str, task: &str, id: &str, (stem, extension): (&str, &str), numbers: [i64; 3]| {
            let [size, width, height] = numbers;
            let folder = format!("20210203/task/{task}/users/{user}/{id}");
            json!({
                "id": id, "task_id": task, "user_id": user,
                "path": format!("{folder}/{stem}.{extension}"),
                "preview_path": format!("{folder}/{stem}_preview.jpg"),
                "name": format!("{stem}.{extension}"), "extension": extension, "size": size,
                "mime_type": "image/jpeg", "width": width, "height": height, "has_pre_img": true,
            })
        };
    let (a, b, c, d) = (
        "szasc68seig9jrhqw4eaj9gu3h",
        "esbng8qjsfn5jr355ikcr4aajr",
        "bjg5k3er6inf8ce16onhnhb8we",
        "b1onnbw3ebbjtenaco9fxa16ke",
    );
    let (ta, tb, tc, td) = (
        "5trb5tu7tj8kfe7gwk7qakfpac",
        "ofargqanbpeeinswoigjae9rpe",
        "x6xnpntqb3n58n6445wnzjg94h",
        "bnk7w8bhg7br5jp8xuep1to4se",
    );
    let (fabu, timg, zhizuo) = (("fabu", "jpg"), ("timg", "jpeg"), ("zhizuo", "jpeg"));
    vec![
        case(
            a,
            "1356941364390006784",
            [6, 3, 2],
            ta,
            file(a, ta, "kspnaeba8tr37jit7s5ingnnwr", fabu, [13237, 500, 375]),
        ),
        case(
            b,
            "1356941491057987584",
            [0, 0, 0],
            tb,
            file(
                b,
                tb,
                "eft1p6e73benbpxs6urnxetnkc",
                timg,
                [403_482, 800, 1084],
            ),
        ),
        case(
            c,
            "1356941446602559488",
            [0, 0, 0],
            tc,
            file(
                c,
                tc,
                "aa9jz17gapr17psnatuf4p5toa",
                zhizuo,
                [29608, 700, 483],
            ),
        ),
        case(
            d,
            "1356932923411927040",
            [1, 0, 1],
            td,
            file(d, td, "9epzckzagtau7qgtnexuxae4ba", fabu, [13237, 500, 375]),
        ),
    ]
}

/// Takes a time out of an object.
fn taken(object: &mut Value, field: &str) -> i64 {
    let value = object.as_object_mut().unwrap().remove(field);
    value.unwrap().as_i64().unwrap()
}

#[tokio::test]
async fn the_documents_example_is_answered_field_by_field() {
    let gallery = Gallery::start().await;
    let began = gallery.node.app.now().timestamp_millis();
    let sent = showcases::fill(gallery.node.app.desk()).await.unwrap();
    assert_eq!(sent.cases, 39);

    let call = [("industry_type", "1"), ("per_page", "5")];
    let answered = gallery.get(&call).await;
    assert_eq!(answered.status, 200);
    let json = "application/json; charset=utf-8";
    assert_eq!(answered.header("content-type"), json);
    assert_eq!(answered.header("cache-control"), "no-store");
    assert!(!answered.header("x-as-of").is_empty());
    let mut body = answered.body;
    let mut times = Vec::new();
    for case in body["data"].as_array_mut().unwrap() {
        let updated = taken(case, "update_time");
        for file in case["files"].as_array_mut().unwrap() {
            let created = taken(file, "create_time");
            assert_eq!(created, taken(file, "update_time"));
            // As in the document: files come later and do not touch their case.
            assert!(created >= updated && updated >= began);
        }
        times.push(updated);
    }
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let expected = json!({"code": 200, "data": documented(), "result": "ok", "total": 4});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn told_again_nothing_is_sent() {
    let gallery = Gallery::start().await;
    let desk = gallery.node.app.desk();
    let sent = showcases::fill(desk).await.unwrap();
    assert!(sent.commands > 200, "{sent:?}");
    let (before, total) = gallery.list(&[("per_page", "100")]).await;
    assert_eq!((before.len(), total), (39, 39));
    let again = showcases::fill(desk).await.unwrap();
    assert_eq!((again.cases, again.commands), (0, 0));
    assert_eq!(gallery.list(&[("per_page", "100")]).await.0, before);
}
