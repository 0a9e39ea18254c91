//! Forgetting a person, over HTTP.

use reqwest::Method;
use serde_json::{Value, json};
use shiji::api::identity;
use shiji::commands::member::{Phone, member_account};
use shiji::events::{Account, NameClaim};
use shiji::ledger::{Freshness, StreamId};

use crate::api::node::{Answer, Caller, Node, answer};

/// `POST /admin/persons/{subject}/erase`.
async fn erase(node: &Node, by: &Caller, subject: &str) -> Answer {
    erase_with(node, by, subject, None).await
}

async fn erase_with(node: &Node, by: &Caller, subject: &str, key: Option<&str>) -> Answer {
    let subject = subject.replace(':', "%3A");
    let mut request = node.request(Method::POST, &format!("/admin/persons/{subject}/erase"));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    answer(request.bearer_auth(&by.token)).await
}

/// The receipt's line for a table.
fn table<'r>(receipt: &'r Value, name: &str) -> &'r Value {
    let tables = receipt["tables"].as_array().unwrap().iter();
    let mut found = tables.filter(|table| table["table"] == name);
    found.next().expect(name)
}

#[tokio::test]
async fn a_member_is_forgotten_everywhere_and_the_receipt_says_where() {
    let node = Node::start().await;
    let service = &node.service;
    let second = service.second_node().await;
    let admin = node.staff("admin", 0, 256).await;
    let (gone, you) = (service.member("春风").await, service.member("秋月").await);
    let profile = json!({ "email": "chunfeng@example.com", "city": "青岛" });
    service
        .function(&gone, "my_user_info_update", profile)
        .await;
    let message = json!({ "to_uid": you.uid, "content": "悄悄话" });
    service
        .function(&gone, "send_message_to_user", message)
        .await;
    let account = member_account(&gone.uid);
    let subject = format!("Account:{account}");
    let phone = Phone::new("86", &gone.phone).unwrap();
    let claim = phone.claim(service.ledger.keys());
    let is_held = async || {
        let found = service
            .ledger
            .load::<NameClaim>(&claim, Freshness::Reread)
            .await
            .unwrap();
        matches!(*found.state, NameClaim::Held { .. })
    };
    assert!(is_held().await);
    // The other node has it all in memory.
    let there = second.app.ledger().current::<Account>(&account).await;
    assert_eq!(there.unwrap().state.open().unwrap().name.text(), "春风");

    let done = erase(&node, &admin, &subject).await;
    assert_eq!((done.status, &done.body["code"]), (200, &json!(0)));
    let receipt = &done.body["data"];
    assert_eq!(receipt["subject"], json!(subject));
    assert_eq!(receipt["already"], false);
    let position = service
        .ledger
        .erased_at(&subject.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(receipt["position"], json!(position));
    let columns = table(receipt, "members");
    assert_eq!((&columns["rows"], &columns["left"]), (&json!(1), &json!(0)));
    assert!(
        columns["columns"]
            .as_array()
            .unwrap()
            .contains(&json!("phone"))
    );
    let expected = json!({ "table": "messages", "columns": ["content"], "rows": 1, "left": 0 });
    assert_eq!(*table(receipt, "messages"), expected);
    let events = json!([
        { "aggregate": "Account", "type": "AccountOpened", "events": 1 },
        { "aggregate": "Account", "type": "AccountProfileUpdated", "events": 1 },
        { "aggregate": "Message", "type": "MessageSent", "events": 1 },
    ]);
    assert_eq!(receipt["events"], events);
    assert_eq!(
        (&receipt["names_released"], &receipt["sessions_closed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(receipt["pending"], json!([]));
    assert!(!done.header("x-position").is_empty());

    assert!(!is_held().await, "the phone may sign up again");
    for app in [&node.app, &second.app] {
        let ledger = app.ledger();
        crate::support::processes::eventually("the node has heard", async || {
            ledger.tail_position() >= position.unwrap()
        })
        .await;
        let found = ledger.current::<Account>(&account).await.unwrap().state;
        let kept = serde_json::to_string(&*found).unwrap();
        for word in ["春风", "青岛", "example.com", &gone.phone] {
            assert!(!kept.contains(word), "{kept}");
        }
        let stream = StreamId::new("Account", account.clone());
        for event in ledger.stream(&stream).await.unwrap() {
            assert!(!event.payload.contains("$personal"), "{}", event.payload);
        }
        let entered = identity::member(app, &gone.token).await;
        assert!(entered.is_err(), "the session is void");
    }

    // Again: nothing is left, nothing is recorded, the place is the same.
    let head = service.head().await;
    let again = erase(&node, &admin, &subject).await;
    let receipt = &again.body["data"];
    assert_eq!(
        (&receipt["already"], &receipt["position"]),
        (&json!(true), &json!(position))
    );
    assert_eq!(table(receipt, "members")["rows"], 0);
    assert_eq!(receipt["events"], events);
    assert_eq!(service.head().await, head);
}

#[tokio::test]
async fn a_key_forgets_once_and_answers_the_same_tables_again() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let gone = node.service.staff("worker", 0, 1).await;
    let subject = format!("Account:backend:{gone}");
    let first = erase_with(&node, &admin, &subject, Some("k")).await;
    assert_eq!(first.body["data"]["already"], false);
    let again = erase_with(&node, &admin, &subject, Some("k")).await;
    assert_eq!(again.body["data"]["tables"], first.body["data"]["tables"]);
    assert_eq!(again.body["data"]["already"], false);
    assert_eq!(table(&first.body["data"], "staff")["rows"], 1);
    // The name is free, and nothing brings the account back.
    let open = json!({"OpenAccount": {"name": "worker", "password": "12345678"}});
    let opened = node.command(&admin, "Account/backend:new", open).await;
    assert_eq!(opened.body["code"], 0);
    let to = format!("Account/backend:{gone}");
    for command in [
        json!({"EnableAccount": {}}),
        json!({"SetPassword": {"password": "12345678"}}),
    ] {
        let back = node.command(&admin, &to, command).await;
        back.is_refusal(302, "not_found", "对应ID不存在");
    }
}

#[tokio::test]
async fn who_may_not_or_does_not_exist_is_refused_and_nothing_happens() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let clerk = node.staff("clerk", 0, 255).await;
    let head = node.service.head().await;
    let subject = format!("Account:backend:{}", clerk.uid);
    let nobody = Caller {
        uid: 0,
        token: "x".to_owned(),
    };
    erase(&node, &nobody, &subject)
        .await
        .is_refusal(401, "not_logged_in", "请先登录");
    let other = format!("Account:backend:{}", admin.uid);
    erase(&node, &clerk, &other)
        .await
        .is_refusal(403, "forbidden", "无权操作");
    erase(&node, &admin, &other)
        .await
        .is_refusal(305, "self_forbidden", "不允许删除自己");
    for unknown in [
        "Account:backend:99",
        "Customer:99",
        "Card:99",
        "Task:1",
        "nonsense",
        "Account:community:x",
    ] {
        erase(&node, &admin, unknown)
            .await
            .is_refusal(302, "not_found", "对应ID不存在");
    }
    assert_eq!(node.service.head().await, head);
}
