//! Private messages: sending, reading, throwing away; the message centre.

use std::time::Duration;

use serde_json::{Value, json};
use shiji::commands::member::member_account;
use shiji::events::AccountEvent;
use shiji::ledger::StreamId;

use super::shelf::{IMAGE, Shelf, ids};
use super::{assert_answer, assert_done, assert_invalid, assert_refused, record, with};
use crate::support::service::{Member, Reply, Service};

/// Sends a message by one of the functions, later than every one before; answers its id.
pub async fn send(service: &Service, by: &Member, function: &str, to: Value, content: &str) -> i64 {
    service.sleep(Duration::from_millis(5));
    let body = with(&json!({ "content": content }), &to);
    let reply = service.function(by, function, body).await;
    let id = reply.json()["message_id"].as_i64();
    let id = id.unwrap_or_else(|| panic!("{reply:?}"));
    assert_answer(&reply, &json!({ "code": 0, "message_id": id }));
    id
}

pub async fn to_user(service: &Service, by: &Member, to: &Member, content: &str) -> i64 {
    let to = json!({ "to_uid": to.uid });
    send(service, by, "send_message_to_user", to, content).await
}

async fn with_peer(service: &Service, by: &Member, to_id: &str, page: Value) -> Reply {
    let body = with(&json!({ "to_id": to_id }), &page);
    service.function(by, "my_message", body).await
}

async fn center(service: &Service, by: &Member, body: Value) -> Reply {
    service.function(by, "my_message_center", body).await
}

/// The types and last messages of the centre.
#[track_caller]
fn lasts(reply: &Reply) -> Vec<(String, i64)> {
    let body = reply.json();
    assert_eq!(body["code"], 0, "{body}");
    let rows = body["my_message_center"].as_array().unwrap().iter();
    rows.map(|row| {
        let last = row["last_message"]["message_id"].as_i64().unwrap();
        (row["type"].as_str().unwrap().to_owned(), last)
    })
    .collect()
}

fn pairs(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    let owned = |(kind, id): &(&str, i64)| ((*kind).to_owned(), *id);
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn members_write_to_each_other_and_both_read_it() {
    let service = Service::start().await;
    let (me, you) = (service.member("春风").await, service.member("秋月").await);
    let change = json!({ "gender": 1, "city": "杭州", "avatar": IMAGE });
    let changed = service.function(&you, "my_user_info_update", change).await;
    assert_eq!(changed.json()["code"], 0);
    let asked = to_user(&service, &me, &you, " 在吗\n").await;
    let answered = to_user(&service, &you, &me, "在").await;
    assert_eq!(service.events("Message", asked).await, ["MessageSent"]);

    let mine = with_peer(&service, &me, &you.uid, json!({})).await;
    let body = mine.json();
    let row = |place: usize, id: i64, from: &Member, to: &Member, content: &str| {
        json!({
            "message_id": id, "from_id": from.uid, "to_id": to.uid, "content": content,
            "created_at": body["my_message"][place]["created_at"],
        })
    };
    let rows = json!([
        row(0, answered, &you, &me, "在"),
        row(1, asked, &me, &you, "在吗")
    ]);
    let card = json!({
        "uid": you.uid, "nickname": "秋月", "avatar": IMAGE, "gender": 1, "country": "86", "province": null,
        "city": "杭州", "birthday": null, "intro": null, "created_at": body["other_side"]["created_at"],
    });
    assert_answer(
        &mine,
        &json!({ "code": 0, "my_message": rows, "other_side": card }),
    );
    let yours = with_peer(&service, &you, &me.uid, json!({})).await.json();
    assert_eq!(yours["my_message"], rows);
    assert_eq!(yours["other_side"]["uid"], me.uid);
    let page = with_peer(&service, &me, &you.uid, json!({ "limit": 1, "offset": 1 })).await;
    assert_eq!(ids(&page, "my_message", "message_id"), [asked]);

    // Without a type only masters are listed.
    assert_answer(
        &center(&service, &me, json!({})).await,
        &json!({ "code": 0, "my_message_center": [] }),
    );
    assert_answer(
        &center(&service, &me, json!({ "types": ["user"] })).await,
        &json!({ "code": 0, "my_message_center": [
            { "type": "user", "uid": you.uid, "user": card, "last_message": rows[0] },
        ] }),
    );
    // Nobody else has any of it.
    let third = service.member("夏雨").await;
    let none = with_peer(&service, &third, &me.uid, json!({})).await.json();
    assert_eq!(
        (
            &none["code"],
            &none["my_message"],
            &none["other_side"]["nickname"]
        ),
        (&json!(0), &json!([]), &json!("春风"))
    );
    // What is in the log cannot be read there.
    let stored = service.stored().await;
    assert!(!stored.iter().any(|stored| stored.contains("在吗")));
}

#[tokio::test]
async fn masters_merchants_and_the_customer_service_are_written_to() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let me = service.member("春风").await;
    let master = shelf
        .master(json!({ "intro": "达人简介", "address": "杭州", "birthday": "1990-01-02", "avatar": IMAGE }))
        .await;
    let merchant = shelf
        .merchant(json!({ "phone": "0571-1", "email": "a@b.cn", "logo": IMAGE }))
        .await;
    let to_master = json!({ "master_id": master });
    let to_merchant = json!({ "merchant_id": merchant });
    let one = send(
        service,
        &me,
        "send_message_to_master",
        to_master,
        "还有票吗",
    )
    .await;
    let two = send(
        service,
        &me,
        "send_message_to_merchant",
        to_merchant,
        "有大码吗",
    )
    .await;
    let service_function = "send_message_to_customer_service";
    let three = send(service, &me, service_function, json!({}), "如何退票").await;

    let whole = center(service, &me, json!({ "types": ["all"] })).await;
    let body = whole.json();
    let rows = &body["my_message_center"];
    let last = |place: usize, id: i64, to: &str, content: &str| {
        json!({
            "message_id": id, "from_id": me.uid, "to_id": to, "content": content,
            "created_at": rows[place]["last_message"]["created_at"],
        })
    };
    let master_card = json!({
        "master_id": master, "name": "达人0", "avatar": IMAGE, "intro": "达人简介", "address": "杭州",
        "birthday": "1990-01-02", "created_at": rows[2]["master"]["created_at"],
    });
    let merchant_card = json!({
        "merchant_id": merchant, "name": "商户9", "logo": IMAGE, "intro": "", "address": "", "phone": "0571-1",
        "email": "a@b.cn", "created_at": rows[1]["merchant"]["created_at"],
    });
    let customer_service = json!({ "customer_service_id": "customer_service", "name": "客服" });
    let expected = [
        json!({
            "type": "customer_service", "customer_service_id": "customer_service", "customer_service": customer_service,
            "last_message": last(0, three, "customer_service", "如何退票"),
        }),
        json!({
            "type": "merchant", "merchant_id": merchant, "merchant": merchant_card,
            "last_message": last(1, two, &merchant, "有大码吗"),
        }),
        json!({
            "type": "master", "master_id": master, "master": master_card,
            "last_message": last(2, one, &master, "还有票吗"),
        }),
    ];
    assert_answer(&whole, &json!({ "code": 0, "my_message_center": expected }));
    assert_answer(
        &center(service, &me, json!({})).await,
        &json!({ "code": 0, "my_message_center": [expected[2]] }),
    );
    let some = json!({ "types": "merchant,customer_service", "limit": 1, "offset": 1 });
    assert_eq!(
        lasts(&center(service, &me, some).await),
        pairs(&[("merchant", two)])
    );
    for (to_id, card, message) in [
        (master.as_str(), &master_card, one),
        (merchant.as_str(), &merchant_card, two),
        ("customer_service", &customer_service, three),
    ] {
        let reply = with_peer(service, &me, to_id, json!({})).await;
        assert_eq!(reply.json()["other_side"], *card);
        assert_eq!(ids(&reply, "my_message", "message_id"), [message]);
    }

    // Who is withdrawn cannot be written to, nor seen.
    shelf
        .put("WithdrawMaster", &format!("Master/{master}"))
        .await;
    let body = json!({ "master_id": master, "content": "在吗" });
    let refused = service.function(&me, "send_message_to_master", body);
    assert_refused(&refused.await, 404);
    assert_refused(&with_peer(service, &me, &master, json!({})).await, 404);
    assert!(lasts(&center(service, &me, json!({})).await).is_empty());
    shelf
        .put("RestoreMaster", &format!("Master/{master}"))
        .await;
    assert_eq!(
        lasts(&center(service, &me, json!({})).await),
        pairs(&[("master", one)])
    );
}

#[tokio::test]
async fn what_cannot_be_sent_or_read_is_refused() {
    let service = Service::start().await;
    let (me, you) = (service.member("春风").await, service.member("秋月").await);
    let nobody = "0".repeat(32);
    let head = service.head().await;
    for (function, field) in [
        ("send_message_to_user", "to_uid"),
        ("send_message_to_master", "master_id"),
        ("send_message_to_merchant", "merchant_id"),
    ] {
        let call = async |body: Value| service.function(&me, function, body).await;
        let unknown = json!({ field: nobody, "content": "在吗" });
        assert_refused(&call(unknown).await, 404);
        assert_invalid(&call(json!({ "content": "在吗" })).await, field);
        let odd = json!({ field: "7", "content": "在吗" });
        assert_invalid(&call(odd).await, field);
        assert_invalid(&call(json!({ field: you.uid })).await, "content");
        // A member is no master and no merchant.
        if field != "to_uid" {
            let member = json!({ field: you.uid, "content": "在吗" });
            assert_refused(&call(member).await, 404);
        }
    }
    let to_you = async |content: &str| {
        let body = json!({ "to_uid": you.uid, "content": content });
        service.function(&me, "send_message_to_user", body).await
    };
    for bad in ["", " \n", "a\u{0}b", &"字".repeat(2_001)] {
        assert_invalid(&to_you(bad).await, "content");
    }
    let oneself = json!({ "to_uid": me.uid, "content": "在吗" });
    let oneself = service.function(&me, "send_message_to_user", oneself);
    assert_invalid(&oneself.await, "to_uid");
    let call = service.function(&me, "send_message_to_customer_service", json!({}));
    assert_invalid(&call.await, "content");

    assert_refused(&with_peer(&service, &me, &nobody, json!({})).await, 404);
    assert_invalid(&with_peer(&service, &me, "7", json!({})).await, "to_id");
    let zero = json!({ "limit": 0 });
    assert_invalid(&with_peer(&service, &me, &you.uid, zero).await, "limit");
    for types in [json!(["masters"]), json!("member"), json!([7])] {
        let body = json!({ "types": types });
        assert_invalid(&center(&service, &me, body).await, "types");
    }
    let negative = json!({ "offset": -1 });
    assert_invalid(&center(&service, &me, negative).await, "offset");
    assert_eq!(service.head().await, head);
    to_user(&service, &me, &you, &"字".repeat(2_000)).await;
}

#[tokio::test]
async fn each_side_throws_away_its_own_copies() {
    let service = Service::start().await;
    let (me, you) = (service.member("春风").await, service.member("秋月").await);
    let third = service.member("夏雨").await;
    let mut sent = Vec::new();
    for content in ["一", "二", "三"] {
        sent.push(to_user(&service, &me, &you, content).await);
    }
    let foreign = to_user(&service, &you, &third, "密").await;
    let delete = async |by: &Member, ids: Value| {
        let body = json!({ "message_id_list": ids });
        service.function(by, "message_del", body).await
    };
    let left = async |by: &Member, peer: &Member| {
        let reply = with_peer(&service, by, &peer.uid, json!({})).await;
        ids(&reply, "my_message", "message_id")
    };
    let types = || json!({ "types": ["user"] });
    let head = service.head().await;
    assert_refused(&delete(&me, json!([sent[0], foreign])).await, 403);
    for bad in [json!([]), json!(null), json!((1..=101).collect::<Vec<_>>())] {
        assert_invalid(&delete(&me, bad).await, "message_id_list");
    }
    assert_eq!(service.head().await, head);

    assert_done(&delete(&me, json!([sent[2], 999])).await);
    assert_done(&delete(&me, json!(sent[2].to_string())).await);
    let events = ["MessageSent", "MessageDeleted"];
    assert_eq!(service.events("Message", sent[2]).await, events);
    assert_eq!(left(&me, &you).await, [sent[1], sent[0]]);
    assert_eq!(left(&you, &me).await, [sent[2], sent[1], sent[0]]);
    // The last one moves back on one side only.
    let mine = center(&service, &me, types()).await;
    assert_eq!(lasts(&mine), pairs(&[("user", sent[1])]));
    let yours = center(&service, &you, types()).await;
    assert_eq!(
        lasts(&yours),
        pairs(&[("user", foreign), ("user", sent[2])])
    );
    // Emptied, a conversation leaves the centre, until somebody writes again.
    assert_done(&delete(&me, json!([sent[0], sent[1]])).await);
    assert!(left(&me, &you).await.is_empty());
    assert!(lasts(&center(&service, &me, types()).await).is_empty());
    let again = to_user(&service, &you, &me, "还在吗").await;
    let mine = center(&service, &me, types()).await;
    assert_eq!(lasts(&mine), pairs(&[("user", again)]));
    assert_eq!(left(&me, &you).await, [again]);
    let yours = center(&service, &you, types()).await;
    assert_eq!(lasts(&yours), pairs(&[("user", again), ("user", foreign)]));
}

#[tokio::test]
async fn sixty_messages_a_minute_and_no_more_whoever_they_are_for() {
    let service = Service::start().await;
    let (me, you) = (service.member("春风").await, service.member("秋月").await);
    let nobody = json!({ "master_id": "0".repeat(32), "content": "在吗" });
    // What nobody receives counts, too: else one could try ids for nothing.
    let refused = service.function(&me, "send_message_to_master", nobody);
    assert_refused(&refused.await, 404);
    for number in 0..29 {
        to_user(&service, &me, &you, &number.to_string()).await;
        let function = "send_message_to_customer_service";
        send(&service, &me, function, json!({}), "如何退票").await;
    }
    to_user(&service, &me, &you, "第六十条").await;
    let more = async |by: &Member, to: &Member| {
        let body = json!({ "to_uid": to.uid, "content": "再来" });
        service.function(by, "send_message_to_user", body).await
    };
    let head = service.head().await;
    assert_refused(&more(&me, &you).await, 429);
    assert_eq!(service.head().await, head);
    // Others are not held back by it, and it ends.
    assert_eq!(more(&you, &me).await.json()["code"], 0);
    service.sleep(Duration::from_secs(61));
    assert_eq!(more(&me, &you).await.json()["code"], 0);
}

#[tokio::test]
async fn a_retry_under_one_key_sends_once() {
    let service = Service::start().await;
    let (me, you) = (service.member("春风").await, service.member("秋月").await);
    let send = |content: &str| {
        let call = service.post("/community/api/v1/send_message_to_user");
        let call = call.token(&me.token).header("idempotency-key", "m-1");
        call.json(&json!({ "to_uid": you.uid, "content": content }))
            .send()
    };
    let first = send("在吗").await;
    assert_eq!(send("在吗").await.json(), first.json());
    assert_refused(&send("不在").await, 409);
    let shown = with_peer(&service, &you, &me.uid, json!({})).await;
    assert_eq!(
        ids(&shown, "my_message", "message_id"),
        [first.json()["message_id"].clone()]
    );
}

#[tokio::test]
async fn what_an_erased_member_wrote_is_empty_and_its_articles_stay() {
    let service = Service::start().await;
    let (gone, you) = (service.member("春风").await, service.member("秋月").await);
    let article = super::articles::article(&service, &gone, "公开的").await;
    let sent = to_user(&service, &gone, &you, "悄悄话").await;
    let back = to_user(&service, &you, &gone, "知道了").await;
    let account = StreamId::new("Account", member_account(&gone.uid));
    record(&service, vec![(account, AccountEvent::PersonErased {})]).await;
    // What is answered next is as of now.
    to_user(&service, &you, &service.member("夏雨").await, "走了").await;

    let shown = with_peer(&service, &you, &gone.uid, json!({})).await.json();
    let contents: Vec<&Value> = shown["my_message"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["content"])
        .collect();
    assert_eq!(contents, ["知道了", ""]);
    assert_eq!(
        [&shown["my_message"][0], &shown["my_message"][1]].map(|row| &row["message_id"]),
        [&json!(back), &json!(sent)]
    );
    assert_eq!(shown["other_side"]["nickname"], "");
    let feed = service
        .function(&you, "article_list", json!({}))
        .await
        .json();
    let row = &feed["article_list"][0];
    assert_eq!(
        (
            &row["article_id"],
            &row["content"],
            &row["author"]["nickname"]
        ),
        (&json!(article), &json!("公开的"), &json!(""))
    );
}
