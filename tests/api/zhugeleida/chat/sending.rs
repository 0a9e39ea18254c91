//! 2.6, 3.6, 3.7, 3.22, and what staff sends for enterprise users.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Customer, IV, PHONE, Q, Talk, X, is_form_refusal, is_refusal, is_sent, is_success};
use crate::support::service::Reply;

const FORM: &str = "application/x-www-form-urlencoded";

/// The newest row of the history.
async fn newest(talk: &Talk) -> Value {
    let more = format!("u_id={}&length=1", talk.card.id);
    let mut json = talk.get(&talk.customer, "", &more).await.json();
    let mut row = json["data"][0].take();
    for key in ["dateTime", "src", "name", "customer_id", "user_id"] {
        row.as_object_mut().unwrap().remove(key);
    }
    row
}

#[tokio::test]
async fn a_message_is_sent_as_a_form_as_the_document_has_it() {
    let talk = Talk::start().await;
    let head = talk.house.service.head().await;
    let signature = talk.house.signature(&talk.card);
    let call = talk
        .house
        .service
        .post(&format!("{Q}/send_msg/0?{signature}"));
    let content = "%7B%22msg%22%3A%22%E6%82%A8%E5%A5%BD%22%2C%22info_type%22%3A1%7D";
    let (user_id, customer_id) = (talk.card.id, talk.customer.id);
    let body = format!("user_id={user_id}&customer_id={customer_id}&content={content}&send_type=1");
    let reply = call.header("content-type", FORM).body(body).send().await;
    is_sent(&reply);
    assert!(reply.header("x-position").is_some());
    let expected = json!({ "msg": "您好", "send_type": 1, "info_type": 1 });
    assert_eq!(newest(&talk).await, expected);
    let events = talk.house.service.since(head).await;
    let payload: Value = serde_json::from_str(&events[0].payload).unwrap();
    let payload = &payload["MessageSent"];
    assert_eq!(
        (events[0].event_type.as_str(), &payload["info_type"]),
        ("MessageSent", &json!(1))
    );
    assert_eq!(payload["from"], format!("card:{user_id}"));
    assert_eq!(payload["to"], format!("customer:{customer_id}"));
    assert!(events[0].metadata.contains(&format!("card:{user_id}")));
}

#[tokio::test]
async fn contents_are_kept_as_they_are_sent() {
    let talk = Talk::start().await;
    let product = json!({
        "info_type": 2, "product_cover_url": "", "product_name": "门票", "product_price": "1", "more": [1]
    });
    for (sent, shown) in [
        (json!("你好"), json!({ "msg": "你好", "info_type": 1 })),
        (
            json!({ "msg": " 你好 " }),
            json!({ "msg": " 你好 ", "info_type": 1 }),
        ),
        (
            product,
            json!({ "msg": "", "info_type": 2, "product_cover_url": "", "product_name": "门票",
                          "product_price": "1", "more": [1] }),
        ),
        (
            json!({ "info_type": 3, "msg": "可以给我|您的手机号吗" }),
            json!({ "msg": "可以给我|您的手机号吗", "info_type": 3 }),
        ),
        (
            json!({ "info_type": 5, "url": "v.mp4", "send_type": 9, "dateTime": "x" }),
            json!({ "msg": "", "info_type": 5, "url": "v.mp4" }),
        ),
    ] {
        is_sent(&talk.customer_says(sent.clone()).await);
        let mut expected = shown;
        expected["send_type"] = json!(2);
        assert_eq!(newest(&talk).await, expected, "{sent}");
    }
}

#[tokio::test]
async fn what_cannot_be_said_is_a_flaw_of_the_content() {
    let talk = Talk::start().await;
    for (content, flaw) in [
        (Value::Null, "is missing"),
        (json!([1]), "must be a JSON object, or a text"),
        (json!({}), "info_type must be 1 to 5"),
        (
            json!({ "info_type": 6, "msg": "a" }),
            "info_type must be 1 to 5",
        ),
        (
            json!({ "info_type": 1, "msg": " " }),
            "msg must be a text of 1 to 2000 characters",
        ),
        (
            json!({ "info_type": 4, "msg": "a" }),
            "url must be a text of 1 to 512 characters",
        ),
        (
            json!({ "msg": "a", "x": "y".repeat(4096) }),
            "must be at most 4096 bytes",
        ),
        (json!({ "msg": "a\u{0}" }), "must not contain U+0000"),
    ] {
        is_form_refusal(&talk.customer_says(content).await, &[("content", flaw)]);
    }
    assert_eq!(talk.history("").await, [""; 0]);
}

#[tokio::test]
async fn a_key_sends_once_and_without_one_everything_is_sent() {
    let talk = Talk::start().await;
    let send = async |key: Option<&str>, text: &str| {
        talk.house.service.sleep(Duration::from_secs(1));
        let signature = talk.house.signature(&talk.customer);
        let mut call = talk
            .house
            .service
            .post(&format!("{Q}/send_msg/0?{signature}"));
        if let Some(key) = key {
            call = call.header("idempotency-key", key);
        }
        call.json(&json!({ "u_id": talk.card.id, "content": text }))
            .send()
            .await
    };
    is_sent(&send(Some("k"), "1").await);
    is_sent(&send(Some("k"), "1").await);
    is_refusal(&send(Some("k"), "2").await, 409, "请重试");
    is_sent(&send(None, "3").await);
    is_sent(&send(None, "3").await);
    assert_eq!(talk.history("").await, ["3", "3", "1"]);
}

async fn hand_over(talk: &Talk, customer: &Customer, body: Value) -> Reply {
    let call = talk.house.post(customer, "/chat/encrypted_phone_number/0");
    call.json(&body).send().await
}

#[tokio::test]
async fn a_phone_number_is_kept_and_shown_in_the_chat_once() {
    let talk = Talk::start().await;
    let head = talk.house.service.head().await;
    let body = json!({ "u_id": talk.card.id, "encryptedData": PHONE, "iv": IV });
    let reply = hand_over(&talk, &talk.customer, body.clone()).await;
    is_success(&reply, "查询成功", &json!({}));
    let events = talk.house.service.since(head).await;
    let types: Vec<&str> = events.iter().map(|e| e.event_type.as_str()).collect();
    assert_eq!(types, ["CustomerPhoneCaptured", "MessageSent"]);
    let captured: Value = serde_json::from_str(&events[0].payload).unwrap();
    let captured = &captured["CustomerPhoneCaptured"];
    assert_eq!(captured["uid"], talk.card.id);
    assert!(captured.to_string().contains("13800138000"));
    let expected = json!({ "msg": "13800138000", "send_type": 2, "info_type": 3 });
    assert_eq!(newest(&talk).await, expected);

    // Again, as a form whose `+` arrive as blanks: the same number is nothing new.
    let head = talk.house.service.head().await;
    let form = format!("u_id={}&encryptedData={PHONE}&iv={IV}", talk.card.id);
    let call = talk
        .house
        .post(&talk.customer, "/chat/encrypted_phone_number/0");
    let reply = call.header("content-type", FORM).body(form).send().await;
    is_success(&reply, "查询成功", &json!({}));
    assert_eq!(talk.house.service.head().await, head);

    // Another enterprise user has not been given it.
    let other = talk.house.enterprise(talk.company).await;
    let head = talk.house.service.head().await;
    let body = json!({ "u_id": other.id, "encryptedData": PHONE, "iv": IV });
    hand_over(&talk, &talk.customer, body).await;
    assert_eq!(talk.house.service.since(head).await.len(), 2);
}

#[tokio::test]
async fn a_phone_number_that_does_not_open_or_arrive_is_refused() {
    let talk = Talk::start().await;
    let uid = talk.card.id;
    let good = json!({ "u_id": uid, "encryptedData": PHONE, "iv": IV });
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    let hand = async |body: Value| hand_over(&talk, &talk.customer, body).await;
    let flaw = "it does not open with the session key of the last login";
    let foreign = with("iv", json!("AAAAAAAAAAAAAAAAAAAAAA=="));
    is_form_refusal(&hand(foreign).await, &[("encryptedData", flaw)]);
    let cut = with("encryptedData", json!(PHONE[..64]));
    is_form_refusal(&hand(cut).await, &[("encryptedData", flaw)]);
    for key in ["encryptedData", "iv"] {
        is_form_refusal(&hand(with(key, Value::Null)).await, &[(key, "is missing")]);
        is_form_refusal(
            &hand(with(key, json!(""))).await,
            &[(key, "is out of bounds")],
        );
        is_form_refusal(
            &hand(with(key, json!("A".repeat(4097)))).await,
            &[(key, "is out of bounds")],
        );
    }
    is_refusal(
        &hand(with("u_id", Value::Null)).await,
        301,
        "数据类型验证失败",
    );
    is_refusal(
        &hand(with("u_id", json!("x"))).await,
        301,
        "数据类型验证失败",
    );
    is_refusal(&hand(with("u_id", json!(999))).await, 302, "对应ID不存在");
    let unsigned = format!(
        "{X}/chat/encrypted_phone_number/0?user_id={}",
        talk.customer.id
    );
    let reply = talk.house.service.post(&unsigned).json(&good).send().await;
    is_refusal(&reply, 404, "非法请求");

    // An official account has no session key.
    let login = format!("{X}/login?code=o&source=1&user_type=1");
    let data = talk.house.get(&login).send().await.json()["data"].clone();
    let reply = hand_over(&talk, &Customer::of(&data), good.clone()).await;
    is_refusal(&reply, 401, "账号密码错误");

    talk.disable("card").await;
    is_refusal(&hand(good.clone()).await, 306, "账户未启用");
    talk.disable("customer").await;
    is_refusal(&hand(good).await, 306, "账户未启用");
    let id = talk.customer.id;
    let events = talk.house.service.events("Customer", id).await;
    assert!(!events.iter().any(|name| name == "CustomerPhoneCaptured"));
}

async fn consult(talk: &Talk, uid: i64, product: i64) -> Reply {
    let (uid, product) = (uid.to_string(), product.to_string());
    let more = [("uid", uid.as_str()), ("product_id", product.as_str())];
    talk.house
        .signed(&talk.customer, "/mallManage/consult_product", &more)
        .await
}

#[tokio::test]
async fn a_question_about_a_product_is_counted_and_told_once_a_minute() {
    let talk = Talk::start().await;
    let cover = json!([{ "type": "title", "data": ["x"] }, { "type": "picture_url", "data": ["a.png", "b.png"] }]);
    let product = talk.product(talk.company, &cover).await;
    let head = talk.house.service.head().await;
    is_success(
        &consult(&talk, talk.card.id, product).await,
        "咨询产品成功",
        &json!({}),
    );
    let types = async || -> Vec<String> {
        let events = talk.house.service.since(head).await;
        events.into_iter().map(|event| event.event_type).collect()
    };
    assert_eq!(types().await, ["ProductConsulted", "MessageSent"]);
    is_success(
        &consult(&talk, talk.card.id, product).await,
        "咨询产品成功",
        &json!({}),
    );
    talk.house.service.sleep(Duration::from_secs(58));
    is_success(
        &consult(&talk, talk.card.id, product).await,
        "咨询产品成功",
        &json!({}),
    );
    assert_eq!(types().await.len(), 2);
    talk.house.service.sleep(Duration::from_secs(3));
    is_success(
        &consult(&talk, talk.card.id, product).await,
        "咨询产品成功",
        &json!({}),
    );
    assert_eq!(types().await.len(), 4);
    let expected = json!({
        "msg": "", "send_type": 2, "info_type": 2, "product_id": product, "product_cover_url": "a.png",
        "product_name": "门票2", "product_price": "280-1280"
    });
    assert_eq!(newest(&talk).await, expected);
    let (_, consulted) =
        shiji::projections::products::counts(talk.house.service.app.reads(), product)
            .await
            .unwrap();
    assert_eq!(consulted, 2);

    let bare = talk.product(talk.company, &json!([])).await;
    consult(&talk, talk.card.id, bare).await;
    assert_eq!(newest(&talk).await["product_cover_url"], "");
}

#[tokio::test]
async fn nobody_asks_about_what_is_not_on_the_shelf() {
    let talk = Talk::start().await;
    let missing = "对应ID不存在";
    let product = talk.product(talk.company, &json!([])).await;
    let other = talk.house.company("y").await;
    let foreign = talk.product(other, &json!([])).await;
    is_refusal(&consult(&talk, talk.card.id, 999).await, 302, missing);
    is_refusal(&consult(&talk, talk.card.id, foreign).await, 302, missing);
    is_refusal(&consult(&talk, 999, product).await, 302, missing);
    let to = format!("Product/{product}");
    talk.house.done(&to, json!({ "WithdrawProduct": {} })).await;
    is_refusal(&consult(&talk, talk.card.id, product).await, 302, missing);
    talk.house.done(&to, json!({ "PublishProduct": {} })).await;
    let uid = talk.card.id.to_string();
    for more in [
        vec![("uid", uid.as_str())],
        vec![("product_id", "1")],
        vec![("uid", "x"), ("product_id", "1")],
    ] {
        let reply = talk
            .house
            .signed(&talk.customer, "/mallManage/consult_product", &more);
        is_refusal(&reply.await, 301, "数据类型验证失败");
    }
    let unsigned =
        format!("{X}/mallManage/consult_product?user_id=1&uid={uid}&product_id={product}");
    is_refusal(&talk.house.get(&unsigned).send().await, 404, "非法请求");
    talk.disable("card").await;
    is_refusal(
        &consult(&talk, talk.card.id, product).await,
        306,
        "账户未启用",
    );
    assert_eq!(talk.house.service.events("Message", 1).await, [""; 0]);
}

#[tokio::test]
async fn staff_writes_for_an_enterprise_user() {
    let talk = Talk::start().await;
    let (e, c) = (talk.card.id, talk.customer.id);
    let message = |from: Value, to: Value, content: Value| {
        json!({ "SendMessage": {
            "from_kind": "card", "from_id": from, "to_kind": "customer", "to_id": to, "content": content
        } })
    };
    let send = async |from: Value, to: Value, content: Value| {
        talk.house
            .send("Message/new", message(from, to, content))
            .await
            .json()
    };
    let data = talk
        .house
        .done(
            "Message/new",
            message(json!(e), json!(c.to_string()), json!("您好")),
        )
        .await;
    let expected = json!({
        "aggregate": "Message", "id": data["id"], "version": 1, "events": ["MessageSent"]
    });
    assert_eq!(data, expected);
    assert_eq!(
        newest(&talk).await,
        json!({ "msg": "您好", "send_type": 1, "info_type": 1 })
    );
    assert_eq!(talk.news(&talk.card).await, ["您好"]);

    for (from, to, content, field) in [
        (json!("x"), json!(c), json!("a"), "from_id"),
        (json!(0), json!(c), json!("a"), "from_id"),
        (Value::Null, json!(c), json!("a"), "from_id"),
        (json!(e), json!("0f"), json!("a"), "to_id"),
        (json!(e), json!(c), json!({ "info_type": 4 }), "content"),
        (json!(e), json!(c), json!(7), "content"),
    ] {
        let refused = send(from, to, content).await;
        assert_eq!(refused["error"], "validation", "{refused}");
        assert!(refused["data"][field].is_array(), "{refused}");
    }
    for (from, to) in [(999, c), (e, 999)] {
        assert_eq!(send(json!(from), json!(to), json!("a")).await["code"], 302);
    }
    // To a member it is the community's, and takes another bit.
    let foreign = json!({ "SendMessage": {
        "from_kind": "customer_service", "to_kind": "user", "to_id": "0f".repeat(16), "content": "a"
    } });
    let refused = talk.house.send("Message/new", foreign).await.json();
    assert_eq!(refused["error"], "forbidden");
    let mixed = json!({ "SendMessage": {
        "from_kind": "card", "from_id": e, "to_kind": "user", "to_id": "0f".repeat(16), "content": "a"
    } });
    let refused = talk.house.send("Message/new", mixed).await.json();
    assert_eq!(refused["data"]["to_kind"], json!(["must be customer"]));
    let taken = talk
        .house
        .send(
            &format!("Message/{}", data["id"].as_str().unwrap()),
            message(json!(e), json!(c), json!("a")),
        )
        .await
        .json();
    assert_eq!(taken["error"], "conflict");
    talk.disable("card").await;
    assert_eq!(
        send(json!(e), json!(c), json!("a")).await["error"],
        "account_disabled"
    );
}
