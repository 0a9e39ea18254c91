//! 3.5, 3.8, 3.9: the history, what is new, how much was not read.

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::{Value, json};
use shiji::ledger::Clock;

use super::{Q, Talk, X, is_refusal, is_success, texts};
use crate::support::service::Reply;

/// Rows without their times, which must be of this minute.
#[track_caller]
fn rows(reply: &Reply, msg: &str) -> Value {
    let mut json = reply.json();
    assert_eq!((&json["code"], &json["msg"]), (&json!(200), &json!(msg)));
    assert_eq!(json.as_object().unwrap().len(), 3, "{json}");
    let mut rows = json["data"].take();
    for row in rows.as_array_mut().unwrap() {
        let text = row["dateTime"].take().as_str().unwrap().to_owned();
        row.as_object_mut().unwrap().remove("dateTime");
        assert_eq!(text.len(), "2018-06-14T16:54:43.513".len());
        let wall = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.3f").unwrap();
        let age = Clock::system().now().naive_utc() + TimeDelta::hours(8) - wall;
        assert!(age.abs() < TimeDelta::minutes(1), "{text}");
    }
    rows
}

#[tokio::test]
async fn both_sides_see_one_history_newest_first() {
    let talk = Talk::start().await;
    talk.card_says(r#"{"info_type":1,"msg":"您好"}"#).await;
    talk.customer_says(json!({ "info_type": "4", "url": "statics/p.png", "name": "x", "size": 3 }))
        .await;
    let (customer_id, user_id) = (talk.customer.id, talk.card.id);
    let src = "http://shiji.test/statics/imgs/setAvator.jpg";
    let expected = json!([
        { "customer_id": customer_id, "user_id": user_id, "src": src, "name": "", "msg": "",
          "send_type": 2, "info_type": 4, "url": "statics/p.png", "size": 3 },
        { "customer_id": customer_id, "user_id": user_id, "src": src, "name": "", "msg": "您好",
          "send_type": 1, "info_type": 1 },
    ]);
    let msg = "分页获取聊天消息成功";
    let uid = format!("u_id={user_id}");
    let mini = talk.get(&talk.customer, "", &uid).await;
    assert_eq!(rows(&mini, msg), expected);
    let customer = format!("customer_id='{customer_id}'");
    let enterprise = talk.get(&talk.card, "", &customer).await;
    assert_eq!(rows(&enterprise, msg), expected);
    assert!(enterprise.header("x-as-of").is_some());

    // Name and picture are those of the customer, whoever wrote.
    let profile = json!({
        "username": "奥利奥", "headimgurl": "statics/h.jpg", "city": "", "country": "", "province": "", "language": ""
    });
    let post = talk.house.post(&talk.customer, "/login/send_user_info");
    is_success(&post.json(&profile).send().await, "保存成功", &json!({}));
    let shown = rows(&talk.get(&talk.card, "", &customer).await, msg);
    for row in shown.as_array().unwrap() {
        assert_eq!(
            (&row["src"], &row["name"]),
            (&json!("statics/h.jpg"), &json!("奥利奥"))
        );
    }
}

#[tokio::test]
async fn the_history_has_pages_and_the_first_one_is_read_then() {
    let talk = Talk::start().await;
    assert_eq!(talk.history("").await, [""; 0]);
    talk.chat(3).await;
    assert_eq!(talk.unread().await, 3);
    assert_eq!(talk.history("&current_page=2&length=4").await, ["c1", "e1"]);
    assert_eq!(talk.history("&current_page=3&length=4").await, [""; 0]);
    assert_eq!(
        (talk.unread().await, talk.cursor("customer").await),
        (json!(3), 0)
    );
    assert_eq!(talk.history("&length=2").await, ["c3", "e3"]);
    // Up to the newest that was shown, not only what was on the page.
    assert_eq!(
        (talk.unread().await, talk.cursor("customer").await),
        (json!(0), 1)
    );
    assert_eq!(talk.history("&current_page=0").await.len(), 6);
    assert_eq!(talk.cursor("customer").await, 1);
    assert_eq!(talk.cursor("card").await, 0);
}

#[tokio::test]
async fn a_long_history_reads_the_same_from_all_its_pages() {
    let talk = Talk::start().await;
    for time in 0..115 {
        let sent = talk.customer_says(time.to_string()).await;
        assert_eq!(sent.json()["code"], 200);
    }
    let expected: Vec<String> = (0..115).rev().map(|time| time.to_string()).collect();
    let mut read = Vec::new();
    for page in 1..=5 {
        read.extend(
            talk.history(&format!("&length=25&current_page={page}"))
                .await,
        );
    }
    assert_eq!(read, expected);
    assert_eq!(talk.history("&length=500").await, expected[..100]);
    // What the other side was not shown yet: a hundred at most.
    assert_eq!(talk.news(&talk.card).await, expected[..100]);
    assert_eq!(talk.news(&talk.card).await, [""; 0]);
}

#[tokio::test]
async fn what_is_new_is_shown_once_to_each_side_own_messages_included() {
    let talk = Talk::start().await;
    talk.chat(1).await;
    let more = format!("u_id={}", talk.card.id);
    let reply = talk.get(&talk.customer, "/getmsg/0", &more).await;
    let shown = rows(&reply, "实时获取-最新聊天记录成功");
    let kinds = |index: usize| (&shown[index]["send_type"], &shown[index]["msg"]);
    assert_eq!(kinds(0), (&json!(2), &json!("c1")));
    assert_eq!(kinds(1), (&json!(1), &json!("e1")));
    assert!(reply.header("x-position").is_some());
    let again = talk.get(&talk.customer, "/getmsg/0", &more).await;
    is_success(&again, "实时获取-最新聊天记录成功", &json!([]));
    assert_eq!(talk.news(&talk.card).await, ["c1", "e1"]);
    talk.card_says("e2").await;
    assert_eq!(talk.unread().await, 1);
    assert_eq!(talk.news(&talk.customer).await, ["e2"]);
    assert_eq!(
        (talk.unread().await, talk.cursor("customer").await),
        (json!(0), 2)
    );
    // The enterprise user wrote it, and it is new for them all the same.
    assert_eq!(talk.news(&talk.card).await, ["e2"]);
}

#[tokio::test]
async fn an_idempotency_key_does_not_hold_a_cursor_back() {
    let talk = Talk::start().await;
    let read = async || {
        let signature = talk.house.signature(&talk.customer);
        let call = talk
            .house
            .get(&format!("{Q}/getmsg/0?{signature}&u_id={}", talk.card.id));
        texts(&call.header("idempotency-key", "k").send().await)
    };
    talk.card_says("1").await;
    assert_eq!(read().await, ["1"]);
    talk.card_says("2").await;
    assert_eq!(read().await, ["2"]);
    assert_eq!(talk.unread().await, 0);
}

#[tokio::test]
async fn a_products_page_says_how_much_was_not_read() {
    let talk = Talk::start().await;
    let product = talk.product(talk.company, &json!([])).await.to_string();
    talk.chat(2).await;
    let uid = talk.card.id.to_string();
    let more = [("uid", uid.as_str()), ("product_id", product.as_str())];
    let reply = talk
        .house
        .signed(&talk.customer, "/product/product_single/", &more);
    assert_eq!(reply.await.json()["data"]["chatinfo_count"], 2);
}

#[tokio::test]
async fn the_number_of_unread_messages_belongs_to_the_pair() {
    let talk = Talk::start().await;
    talk.card_says("1").await;
    let other = talk.house.enterprise(talk.company).await;
    let stranger = talk.house.customer("d").await;
    for (customer, card, count) in [
        (&talk.customer, &talk.card, 1),
        (&talk.customer, &other, 0),
        (&stranger, &talk.card, 0),
    ] {
        let uid = card.id.to_string();
        let more = [("u_id", uid.as_str())];
        let reply = talk
            .house
            .signed(customer, "/chat/query_num/7", &more)
            .await;
        is_success(&reply, "查询成功", &json!({ "chatinfo_count": count }));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_said() {
    let talk = Talk::start().await;
    let uid = talk.card.id;
    let ask = async |path: &str, more: &str| talk.get(&talk.customer, path, more).await;
    let wrong_type = "数据类型验证失败";
    for (path, more) in [
        ("", format!("u_id={uid}&current_page=x")),
        ("", "u_id=x".to_owned()),
        ("", String::new()),
        ("/getmsg/x", format!("u_id={uid}")),
    ] {
        is_refusal(&ask(path, &more).await, 301, wrong_type);
    }
    let flaw = ask("", &format!("u_id={uid}&length=0")).await.json();
    assert_eq!(
        (&flaw["code"], &flaw["data"]),
        (&json!(303), &json!({ "length": ["is out of bounds"] }))
    );
    for path in ["", "/getmsg/0"] {
        is_refusal(&ask(path, "u_id=999").await, 302, "对应ID不存在");
    }
    let count = async |path: &str, more: &[(&str, &str)]| {
        talk.house.signed(&talk.customer, path, more).await
    };
    is_refusal(&count("/chat/query_num/0", &[]).await, 301, wrong_type);
    is_refusal(
        &count("/chat/query_num/0", &[("uid", "x")]).await,
        301,
        wrong_type,
    );
    let known = uid.to_string();
    is_refusal(
        &count("/chat/query_num/x", &[("uid", &known)]).await,
        301,
        wrong_type,
    );
    is_refusal(
        &count("/chat/query_num/0", &[("uid", "999")]).await,
        302,
        "对应ID不存在",
    );
    let unsigned = format!(
        "{X}/chat/query_num/0?user_id={}&uid={uid}",
        talk.customer.id
    );
    is_refusal(&talk.house.get(&unsigned).send().await, 404, "非法请求");

    talk.disable("card").await;
    is_refusal(
        &count("/chat/query_num/0", &[("uid", &known)]).await,
        306,
        "账户未启用",
    );
    talk.disable("customer").await;
    is_refusal(
        &count("/chat/query_num/0", &[("uid", &known)]).await,
        306,
        "账户未启用",
    );
}

#[tokio::test]
async fn the_number_in_a_path_may_be_any_or_none() {
    let talk = Talk::start().await;
    talk.card_says("1").await;
    let uid = format!("u_id={}", talk.card.id);
    for path in ["/getmsg", "/getmsg/", "/getmsg/-7", "/getmsg/0/"] {
        let more = format!("customer_id={}", talk.customer.id);
        let reply = talk.get(&talk.card, path, &more).await;
        assert_eq!(reply.json()["code"], 200, "{path}");
        let reply = talk.get(&talk.customer, path, &uid).await;
        assert_eq!(reply.json()["code"], 200, "{path}");
    }
    for path in ["/chat/query_num", "/chat/query_num/", "/chat/query_num/12"] {
        let number = talk.card.id.to_string();
        let more = [("u_id", number.as_str())];
        let reply = talk.house.signed(&talk.customer, path, &more).await;
        assert_eq!(reply.json()["code"], 200, "{path}");
    }
}
