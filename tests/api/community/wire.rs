//! What all functions have in common: methods, token, parameters, paging, headers.

use reqwest::Method;
use serde_json::json;

use super::{API, assert_answer, assert_done, assert_invalid, assert_refused, call};
use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_is_told_to_anybody_by_either_method() {
    let service = Service::start().await;
    for method in [Method::GET, Method::POST] {
        let before = service.app.now().timestamp_millis();
        let reply = service
            .call(method, &format!("{API}/current_time"))
            .send()
            .await;
        let time = reply.json()["time"].as_i64().unwrap();
        assert!((before..=service.app.now().timestamp_millis()).contains(&time));
        assert_answer(&reply, &json!({ "time": time, "code": 0 }));
        assert!(reply.header("x-as-of").is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_taken_from_body_query_or_header() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let token = json!({ "token": member.token });
    let path = format!("{API}/my_user_info");
    let in_body = call(&service, "my_user_info").json(&token).send().await;
    let in_header = call(&service, "my_user_info")
        .token(&member.token)
        .send()
        .await;
    let in_query = service
        .get(&format!("{path}?token={}", member.token))
        .send()
        .await;
    for reply in [&in_body, &in_header, &in_query] {
        assert_eq!(reply.json()["my_user_info"]["uid"], member.uid, "{reply:?}");
    }
    // A POST has its parameters in its body, a GET none there.
    let elsewhere = service.post(&format!("{path}?token={}", member.token));
    assert_refused(&elsewhere.send().await, 401);
    assert_refused(&service.get(&path).json(&token).send().await, 401);
    for none in [
        json!({}),
        json!({ "token": 7 }),
        json!({ "token": "" }),
        json!({ "token": "0a" }),
    ] {
        assert_refused(
            &call(&service, "my_user_info").json(&none).send().await,
            401,
        );
    }
    // A token of another realm opens nothing here.
    let staff = service.logged_in("admin").await;
    assert_refused(
        &call(&service, "my_user_info").token(&staff).send().await,
        401,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_refused_first_and_parameters_last() {
    let service = Service::start().await;
    let bad_body = call(&service, "user_follow").body("[]").send().await;
    assert_invalid(&bad_body, "body");
    // Who calls goes before what is wrong with the parameters.
    let nobody = json!({ "to_uid": 7 });
    assert_refused(
        &call(&service, "user_follow").json(&nobody).send().await,
        401,
    );
    let member = service.member("甲").await;
    let reply = service.function(&member, "user_follow", nobody).await;
    assert_invalid(&reply, "to_uid");
    let odd_key = call(&service, "user_logout")
        .token(&member.token)
        .header("idempotency-key", "a b");
    assert_invalid(&odd_key.send().await, "Idempotency-Key");
    let odd_position = call(&service, "my_user_info")
        .token(&member.token)
        .header("x-position", "x");
    assert_invalid(&odd_position.send().await, "X-Position");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_posted_and_nothing_else() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let head = service.head().await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS] {
        let path = format!("{API}/user_logout?token={}", member.token);
        let reply = service.call(method.clone(), &path).send().await;
        assert_eq!(reply.status, 405, "{method}");
        if method != Method::HEAD {
            assert_eq!(reply.json(), json!({ "code": 405, "msg": "请求方式错误" }));
        }
    }
    let unknown = call(&service, "user_dance")
        .token(&member.token)
        .send()
        .await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json(), json!({ "code": 404, "msg": "内容不存在" }));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 20));
    let large = call(&service, "my_user_info").body(large).send().await;
    assert_eq!(large.status, 413);
    assert_eq!(large.json()["code"], 413);
    assert_eq!(service.head().await, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_gives_the_first_answer_again_and_is_for_one_request() {
    let service = Service::start().await;
    let (a, b, c) = (
        service.member("a").await,
        service.member("b").await,
        service.member("c").await,
    );
    let follow = |to: &str| {
        let call = call(&service, "user_follow").token(&a.token);
        call.header("idempotency-key", "k1")
            .json(&json!({ "to_uid": to }))
    };
    let first = follow(&b.uid).send().await;
    assert_done(&first);
    let body = json!({ "to_uid": b.uid });
    assert_done(&service.function(&a, "user_unfollow", body).await);
    let head = service.head().await;
    let again = follow(&b.uid).send().await;
    assert_done(&again);
    assert_eq!(again.header("x-position"), first.header("x-position"));
    assert_refused(&follow(&c.uid).send().await, 409);
    assert_eq!(service.head().await, head);
    // Another member has keys of its own.
    let theirs = call(&service, "user_follow")
        .token(&c.token)
        .header("idempotency-key", "k1");
    assert_done(&theirs.json(&json!({ "to_uid": b.uid })).send().await);
}
