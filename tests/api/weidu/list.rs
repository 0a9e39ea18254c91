//! The list: pages, filters, order, bounds, and what stands around it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Gallery, LIST};
use crate::api::node::answer;

fn ids(list: &[Value]) -> Vec<&str> {
    list.iter()
        .map(|case| case["task_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn nothing_is_an_empty_list() {
    let gallery = Gallery::start().await;
    let expected = json!({"result": "ok", "code": 200, "data": [], "total": 0});
    let answered = gallery.get(&[]).await;
    assert_eq!((answered.status, &answered.body), (200, &expected));
    // A GET has no body, whatever it says of one.
    let request = gallery.node.request(Method::GET, LIST);
    let answered = answer(request.header("content-type", "application/json")).await;
    assert_eq!((answered.status, &answered.body), (200, &expected));
}

#[tokio::test]
async fn pages_go_on_where_the_last_ended_whatever_their_size() {
    let gallery = Gallery::start().await;
    let author = gallery.author("作者").await;
    let mut published = Vec::new();
    for number in 0..7 {
        published.push(gallery.case(&author, 1 + number % 2).await);
    }
    published.reverse();
    let (all, total) = gallery.list(&[]).await;
    assert_eq!(
        (ids(&all), total),
        (published.iter().map(String::as_str).collect(), 7)
    );
    let mut pages = Vec::new();
    for page in ["1", "2", "3"] {
        let (list, total) = gallery.list(&[("per_page", "3"), ("page", page)]).await;
        assert_eq!(total, 7);
        pages.extend(list);
    }
    assert_eq!(pages, all);
    for first in ["0", "1", "", "+1"] {
        let (list, _) = gallery.list(&[("per_page", "3"), ("page", first)]).await;
        assert_eq!(list, all[..3], "{first}");
    }
    // Behind the end, near and far.
    for page in ["4", "60", "9223372036854775807"] {
        let (list, total) = gallery.list(&[("per_page", "3"), ("page", page)]).await;
        assert_eq!((list, total), (vec![], 7), "{page}");
    }

    let (odd, total) = gallery.list(&[("industry_type", "2")]).await;
    assert_eq!((odd.len(), total), (3, 3));
    let (second, total) = gallery
        .list(&[("industry_type", "2"), ("per_page", "2"), ("page", "2")])
        .await;
    assert_eq!((&second[..], total), (&odd[2..], 3));
    for every in ["0", ""] {
        let (list, total) = gallery.list(&[("industry_type", every)]).await;
        assert_eq!((list.len(), total), (7, 7), "{every}");
    }
    let (none, total) = gallery.list(&[("industry_type", "6")]).await;
    assert_eq!((none, total), (vec![], 0));
}

#[tokio::test]
async fn a_page_far_down_is_like_one_near_the_top() {
    let gallery = Gallery::start().await;
    let author = gallery.author("作者").await;
    for _ in 0..103 {
        gallery.case(&author, 3).await;
    }
    let (top, total) = gallery.list(&[("per_page", "1000")]).await;
    assert_eq!((top.len(), total), (100, 103));
    let (rest, total) = gallery.list(&[("per_page", "101"), ("page", "2")]).await;
    assert_eq!((rest.len(), total), (3, 103));
    // Page 34 of three crosses the edge.
    let third = [("per_page", "3"), ("page", "34"), ("industry_type", "3")];
    let (across, _) = gallery.list(&third).await;
    assert_eq!(ids(&across), [ids(&top)[99], ids(&rest)[0], ids(&rest)[1]]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() {
    let gallery = Gallery::start().await;
    for (field, value) in [
        ("industry_type", "7"),
        ("industry_type", "-1"),
        ("industry_type", "游戏"),
        ("industry_type", "1.5"),
        ("per_page", "0"),
        ("per_page", "-5"),
        ("per_page", "many"),
        ("page", "-1"),
        ("page", "x"),
        ("page", "9223372036854775808"),
    ] {
        let answered = gallery.get(&[(field, value)]).await;
        let expected =
            json!({"result": format!("参数错误: {field}"), "code": 400, "data": [], "total": 0});
        assert_eq!(
            (answered.status, &answered.body),
            (200, &expected),
            "{field} {value}"
        );
    }
    let request = gallery.node.request(Method::GET, LIST);
    let answered = answer(request.header("x-position", "here")).await;
    assert_eq!(answered.body["code"], 400);
}

#[tokio::test]
async fn other_methods_and_paths_have_the_envelope_too() {
    let gallery = Gallery::start().await;
    let failure =
        |code: u16, result: &str| json!({"result": result, "code": code, "data": [], "total": 0});
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let answered = answer(gallery.node.request(method, LIST)).await;
        let expected = failure(405, "请求方式错误");
        assert_eq!((answered.status, &answered.body), (405, &expected));
    }
    for path in [
        "/weidu",
        "/weidu/",
        "/weidu/api/v1/cases",
        "/20210203/task/x",
    ] {
        let answered = answer(gallery.node.request(Method::GET, path)).await;
        let expected = failure(404, "接口不存在");
        assert_eq!(
            (answered.status, &answered.body),
            (404, &expected),
            "{path}"
        );
    }
    let options = answer(gallery.node.request(Method::OPTIONS, LIST)).await;
    assert_eq!(
        (options.status, options.header("allow")),
        (204, "GET, HEAD, OPTIONS")
    );
    let head = answer(gallery.node.request(Method::HEAD, LIST)).await;
    assert_eq!((head.status, &head.body), (200, &json!("")));
    assert_eq!(
        head.header("content-type"),
        "application/json; charset=utf-8"
    );
}
