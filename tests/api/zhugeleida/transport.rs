//! `contract/zhugeleida.md` 2.1, 2.3: how requests come in, and how the surface words what is none of its endpoints'.

use axum::http::Method;
use serde_json::json;

use super::{House, X, is_refusal};

#[tokio::test]
async fn a_slash_at_the_end_may_be_there_or_not() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let signature = house.signature(&customer);
    for path in ["/mingpian/all", "/mingpian/all/"] {
        let reply = house.get(&format!("{X}{path}?{signature}")).send().await;
        assert_eq!(reply.json()["code"], 200, "{path}");
    }
    let reply = house
        .service
        .post(&format!("{X}/login/send_form_id/?{signature}"));
    let reply = reply.json(&json!({ "formId": "f" })).send().await;
    assert_eq!(reply.json()["code"], 200);
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_have_words_of_this_surface() {
    let house = House::start().await;
    for path in [
        "/zhugeleida",
        "/zhugeleida/",
        "/zhugeleida/x",
        "/zhugeleida/xiaochengxu/mingpian/all//",
    ] {
        let reply = house.get(path).send().await;
        let expected = json!({ "code": 404, "msg": "非法请求", "data": {} });
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (404, expected),
            "{path}"
        );
    }
    for path in ["/mingpian", "/mingpian/", "/login"] {
        let reply = house.service.post(&format!("{X}{path}")).send().await;
        is_refusal(&reply, 402, "请求方式异常");
    }
    let reply = house.get(&format!("{X}/login/send_form_id")).send().await;
    is_refusal(&reply, 402, "请求方式异常");
    let reply = house
        .service
        .call(Method::OPTIONS, &format!("{X}/mingpian"))
        .send()
        .await;
    is_refusal(&reply, 402, "请求方式异常");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_or_is_too_large() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let post = || house.post(&customer, "/login/send_form_id");
    for body in ["[]", "7", "{", "{\"formId\":"] {
        let reply = post().header("content-type", "application/json").body(body);
        is_refusal(&reply.send().await, 301, "数据类型验证失败");
    }
    let reply = post()
        .header("content-type", "multipart/form-data")
        .body("x");
    is_refusal(&reply.send().await, 301, "数据类型验证失败");
    let large = format!("{{\"formId\":\"{}\"}}", "x".repeat(1 << 20));
    let reply = post()
        .header("content-type", "application/json")
        .body(large)
        .send()
        .await;
    let expected = json!({ "code": 413, "msg": "请求内容过大", "data": {} });
    assert_eq!((reply.status.as_u16(), reply.json()), (413, expected));
    // Some clients say nothing about what they send.
    for body in ["{\"formId\": \"f1\"}", "formId=f2"] {
        assert_eq!(post().body(body).send().await.json()["code"], 200, "{body}");
    }
}

#[tokio::test]
async fn a_query_is_answered_at_or_after_the_position_it_carries() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let path = format!("{X}/mingpian/all?{}", house.signature(&customer));
    let reply = house.get(&path).header("x-position", "1-1").send().await;
    assert_eq!(reply.json()["code"], 200);
    let reply = house
        .get(&path)
        .header("x-position", "nonsense")
        .send()
        .await;
    assert_eq!(reply.json()["code"], 303);
}
