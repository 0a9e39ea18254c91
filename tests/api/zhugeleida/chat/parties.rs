//! 2.5: between whom a call is, and who may make it.

use serde_json::json;

use super::{Q, Talk, is_form_refusal, is_refusal, is_sent, is_success, texts};

#[tokio::test]
async fn each_side_may_call_in_the_style_of_the_enterprise() {
    let talk = Talk::start().await;
    let (e, c) = (talk.card.id, talk.customer.id);
    // The enterprise user, named by the query or by the body.
    let body = json!({ "customer_id": c, "content": "1" });
    is_sent(&talk.send(&talk.card, &body).await);
    let body = json!({ "customer_id": c, "user_id": e, "content": "2", "send_type": 1 });
    is_sent(&talk.send(&talk.card, &body).await);
    // The customer, who names the enterprise user in the body.
    let body =
        json!({ "customer_id": c.to_string(), "user_id": e, "content": "3", "send_type": "2" });
    is_sent(&talk.send(&talk.customer, &body).await);
    // And in the style of the mini-program, where the query names the customer.
    let body = json!({ "uid": e, "content": "4" });
    is_sent(&talk.send(&talk.customer, &body).await);
    let more = format!("customer_id={c}");
    let history = talk.get(&talk.card, "", &more).await;
    assert_eq!(texts(&history), ["4", "3", "2", "1"]);
    let types: Vec<_> = history.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["send_type"].as_i64().unwrap())
        .collect();
    assert_eq!(types, [2, 2, 1, 1]);
}

#[tokio::test]
async fn a_customer_may_write_the_enterprise_user_where_there_is_no_body() {
    let talk = Talk::start().await;
    talk.chat(1).await;
    // As the example address has it: `user_id` is the enterprise user, the signature the customer's.
    let signature = talk.house.signature(&talk.customer);
    let signature = signature.replacen(
        &format!("user_id={}", talk.customer.id),
        &format!("user_id={}", talk.card.id),
        1,
    );
    let path = format!("{Q}/getmsg/0?{signature}&customer_id={}", talk.customer.id);
    let reply = talk.house.get(&path).send().await;
    assert_eq!(texts(&reply), ["c1", "e1"]);
    assert_eq!(
        (talk.cursor("customer").await, talk.cursor("card").await),
        (1, 0)
    );
}

#[tokio::test]
async fn whoever_is_no_party_is_told_nothing() {
    let talk = Talk::start().await;
    talk.chat(1).await;
    let stranger = talk.house.customer("d").await;
    let colleague = talk.house.enterprise(talk.company).await;
    let illegal = "非法请求";
    let both = format!("customer_id={}", talk.customer.id);
    for signer in [&stranger, &colleague] {
        // Under their own id they are another pair, which is none that they may name otherwise.
        let body =
            json!({ "customer_id": talk.customer.id, "user_id": talk.card.id, "content": "x" });
        is_refusal(&talk.send(signer, &body).await, 404, illegal);
    }
    let reply = talk.get(&stranger, "/getmsg/0", &both).await;
    is_refusal(&reply, 404, illegal);
    // Somebody else's signature under the right name.
    let forged = talk.house.signature(&stranger).replacen(
        &format!("user_id={}", stranger.id),
        &format!("user_id={}", talk.card.id),
        1,
    );
    let path = format!("{Q}/getmsg/0?{forged}&{both}");
    is_refusal(&talk.house.get(&path).send().await, 404, illegal);
    // None at all, and half of one.
    for half in ["", "&timestamp=1528871213546", "&rand_str=00"] {
        let path = format!("{Q}?user_id={}&{both}{half}", talk.card.id);
        is_refusal(&talk.house.get(&path).send().await, 404, illegal);
    }
    // The side that is said to write must have signed.
    let as_card = json!({ "customer_id": talk.customer.id, "user_id": talk.card.id, "content": "x", "send_type": 1 });
    is_refusal(&talk.send(&talk.customer, &as_card).await, 404, illegal);
    let as_customer = json!({ "customer_id": talk.customer.id, "content": "x", "send_type": 2 });
    is_refusal(&talk.send(&talk.card, &as_customer).await, 404, illegal);
    let as_card = json!({ "u_id": talk.card.id, "content": "x", "send_type": 1 });
    is_refusal(&talk.send(&talk.customer, &as_card).await, 404, illegal);
    let neither = json!({ "u_id": talk.card.id, "content": "x", "send_type": 3 });
    let reply = talk.send(&talk.customer, &neither).await;
    is_form_refusal(&reply, &[("send_type", "is out of bounds")]);
    assert_eq!(talk.history("").await.len(), 2);
}

#[tokio::test]
async fn the_other_side_must_be_named_and_there() {
    let talk = Talk::start().await;
    for body in [
        json!({ "content": "x" }),
        json!({ "customer_id": "x", "content": "x" }),
        json!({ "u_id": {}, "content": "x" }),
    ] {
        is_refusal(&talk.send(&talk.card, &body).await, 301, "数据类型验证失败");
    }
    let missing = "对应ID不存在";
    let body = json!({ "u_id": 999, "content": "x" });
    is_refusal(&talk.send(&talk.customer, &body).await, 302, missing);
    let body = json!({ "customer_id": talk.customer.id, "user_id": 999, "content": "x" });
    is_refusal(&talk.send(&talk.customer, &body).await, 302, missing);
    let body = json!({ "customer_id": 999, "content": "x" });
    is_refusal(&talk.send(&talk.card, &body).await, 302, missing);
}

#[tokio::test]
async fn who_is_disabled_says_nothing_but_may_be_written_to() {
    let talk = Talk::start().await;
    talk.disable("customer").await;
    is_refusal(&talk.customer_says("x").await, 306, "账户未启用");
    let more = format!("u_id={}", talk.card.id);
    is_refusal(
        &talk.get(&talk.customer, "", &more).await,
        306,
        "账户未启用",
    );
    is_sent(&talk.card_says("回来吧").await);
    let to = format!("Customer/{}", talk.customer.id);
    talk.house.done(&to, json!({ "EnableCustomer": {} })).await;
    assert_eq!(talk.news(&talk.customer).await, ["回来吧"]);

    talk.disable("card").await;
    is_refusal(&talk.card_says("x").await, 306, "账户未启用");
    is_refusal(&talk.customer_says("x").await, 306, "账户未启用");
    for path in ["", "/getmsg/0"] {
        is_refusal(
            &talk.get(&talk.customer, path, &more).await,
            306,
            "账户未启用",
        );
    }
}

#[tokio::test]
async fn a_rotated_token_signs_no_more() {
    let talk = Talk::start().await;
    let to = format!("Card/{}", talk.card.id);
    let data = talk.house.done(&to, json!({ "RotateCardToken": {} })).await;
    is_refusal(&talk.card_says("x").await, 404, "非法请求");
    let mut fresh = talk.card.clone();
    data["token"].as_str().unwrap().clone_into(&mut fresh.token);
    let body = json!({ "customer_id": talk.customer.id, "content": "x" });
    is_success(
        &talk.send(&fresh, &body).await,
        "send msg successful",
        &json!({}),
    );
}
