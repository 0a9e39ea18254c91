//! Audits over HTTP: who may, what is found, what never leaves the house.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::api::node::{Answer, Caller, Node, answer};

/// The right to audits, and nothing else.
const AUDIT: u64 = 512;

async fn get(node: &Node, by: &Caller, path: &str) -> Answer {
    answer(node.request(Method::GET, path).bearer_auth(&by.token)).await
}

/// What is found.
async fn found(node: &Node, by: &Caller, path: &str) -> Value {
    let got = get(node, by, path).await;
    let body = &got.body;
    assert_eq!((got.status, &body["code"]), (200, &json!(0)), "{body}");
    assert_eq!((&body["msg"], &body["error"]), (&json!("ok"), &json!("")));
    got.body["data"].clone()
}

fn types(data: &Value) -> Vec<&str> {
    let events = data["events"].as_array().unwrap().iter();
    events
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn only_the_right_to_audits_opens_them() {
    let node = Node::start().await;
    let task = node.task().await;
    let paths = [
        format!("/admin/streams/Task/{task}"),
        "/admin/events".to_owned(),
        format!("/admin/state/Task/{task}"),
    ];
    let stranger = Caller {
        uid: 0,
        token: "x".to_owned(),
    };
    let without = node.staff("without", 0, !AUDIT & ((1 << 53) - 1)).await;
    let auditor = node.staff("auditor", 0, AUDIT).await;
    let admin = node.staff("admin", 1, 0).await;
    for path in &paths {
        get(&node, &stranger, path)
            .await
            .is_refusal(401, "not_logged_in", "请先登录");
        let refused = get(&node, &without, path).await;
        assert_eq!(refused.status, 200);
        refused.is_refusal(403, "forbidden", "无权操作");
        for may in [&auditor, &admin] {
            assert_eq!(get(&node, may, path).await.body["code"], 0, "{path}");
        }
        let wrong = answer(node.request(Method::POST, path)).await;
        assert_eq!(wrong.status, 405, "{path}");
    }
    // It reads, and nothing more.
    let to = format!("Task/{task}");
    let refused = node.command(&auditor, &to, json!({"CancelTask": {}})).await;
    refused.is_refusal(403, "forbidden", "无权操作");
    let request = node.request(Method::GET, "/admin/events").bearer_auth("x");
    let refused = answer(request.header("accept", "text/event-stream")).await;
    refused.is_refusal(401, "not_logged_in", "请先登录");
}

#[tokio::test]
async fn a_stream_is_read_page_by_page_with_who_and_why_and_without_persons() {
    let node = Node::start().await;
    let auditor = node.staff("auditor", 0, AUDIT).await;
    let admin = node.staff("Wang the First", 1, 0).await;
    let task = node.task().await;
    let to = format!("Task/{task}");
    let done = node.command(&admin, &to, json!({"StartTask": {}})).await;
    let stream = format!("/admin/streams/{to}");
    let all = found(&node, &auditor, &stream).await;
    assert_eq!(types(&all), ["TaskCreated", "TaskStarted"]);
    assert_eq!(
        (&all["aggregate"], &all["id"], &all["next"]),
        (&json!("Task"), &json!(task.to_string()), &Value::Null)
    );
    let started = &all["events"][1];
    assert_eq!(started["position"], done.header("x-position"));
    assert_eq!(started["metadata"]["actor"], format!("staff:{}", admin.uid));
    assert_eq!(
        started["metadata"]["request_id"],
        done.header("x-request-id")
    );
    assert_eq!(
        (&started["sequence"], &started["version"]),
        (&json!(2), &json!("1"))
    );
    let first = found(&node, &auditor, &format!("{stream}?limit=1")).await;
    assert_eq!(
        (types(&first), &first["next"]),
        (vec!["TaskCreated"], &json!(1))
    );
    let second = found(&node, &auditor, &format!("{stream}?limit=1&after=1")).await;
    assert_eq!(
        (types(&second), &second["next"]),
        (vec!["TaskStarted"], &Value::Null)
    );

    let account = format!("backend:{}", admin.uid);
    let opened = found(
        &node,
        &auditor,
        &format!("/admin/streams/Account/{account}"),
    )
    .await;
    assert_eq!(
        opened["events"][0]["payload"]["AccountOpened"]["name"],
        json!({"$personal": format!("Account:{account}")})
    );
    let state = found(&node, &auditor, &format!("/admin/state/Account/{account}")).await;
    for shown in [opened.to_string(), state.to_string()] {
        assert!(
            !shown.contains("Wang") && !shown.contains("argon2"),
            "{shown}"
        );
    }

    get(&node, &auditor, "/admin/streams/Task/4711")
        .await
        .is_refusal(302, "not_found", "对应ID不存在");
    let unknown = get(&node, &auditor, "/admin/streams/Nothing/1").await;
    assert_eq!(unknown.status, 404);
    unknown.is_refusal(404, "unknown_aggregate", "非法请求");
    for flawed in [
        "limit=0",
        "limit=501",
        "limit=x",
        "after=-1",
        "nope=1",
        "limit=1&limit=2",
    ] {
        let refused = get(&node, &auditor, &format!("{stream}?{flawed}")).await;
        assert_eq!(refused.refusal(), (303, "validation"), "{flawed}");
    }
}

#[tokio::test]
async fn a_state_is_what_it_was_at_a_point_and_what_changed_since() {
    let node = Node::start().await;
    let auditor = node.staff("auditor", 0, AUDIT).await;
    let admin = node.staff("admin", 1, 0).await;
    let before_all = node.app.ledger().head().await.unwrap().position;
    let task = node.task().await;
    let made = before_all + 1;
    node.command(&admin, &format!("Task/{task}"), json!({"StartTask": {}}))
        .await;
    let path = format!("/admin/state/Task/{task}");
    let now = found(&node, &auditor, &path).await;
    assert_eq!(
        (&now["version"], &now["position"]),
        (&json!(2), &json!(format!("1-{}", made + 1)))
    );
    assert!(now["recorded_at"].is_i64() && now.get("changes").is_none());
    let then = found(&node, &auditor, &format!("{path}?at={made}")).await;
    assert_eq!(
        (&then["version"], &then["position"]),
        (&json!(1), &json!(format!("1-{made}")))
    );
    assert_ne!(then["state"], now["state"]);
    let changed = found(&node, &auditor, &format!("{path}?since={made}")).await;
    let moves = changed["changes"].as_object().unwrap();
    assert_eq!(moves.len(), 1, "{changed}");
    let change = moves.values().next().unwrap();
    assert_ne!(change["before"], change["after"]);
    let still = found(&node, &auditor, &format!("{path}?since={}", made + 1)).await;
    assert_eq!(still["changes"], json!({}));
    for earlier in [before_all.to_string(), "2020-01-31".to_owned()] {
        let refused = get(&node, &auditor, &format!("{path}?at={earlier}")).await;
        refused.is_refusal(302, "not_found", "对应ID不存在");
    }
    let later = found(&node, &auditor, &format!("{path}?at=2100-01-31")).await;
    assert_eq!(later["version"], 2);
    let flawed = get(&node, &auditor, &format!("{path}?at=yesterday")).await;
    assert_eq!(flawed.refusal(), (303, "validation"));
    assert!(flawed.body["data"]["at"].is_array());
}

#[tokio::test]
async fn events_are_found_by_type_aggregate_actor_time_and_field() {
    let node = Node::start().await;
    let auditor = node.staff("auditor", 0, AUDIT).await;
    let admin = node.staff("Wang the First", 1, 0).await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(node.task().await);
    }
    let second = format!("Task/{}", tasks[1]);
    node.command(&admin, &second, json!({"StartTask": {}}))
        .await;
    let find = async |query: &str| found(&node, &auditor, &format!("/admin/events?{query}")).await;
    let created = find("type=TaskCreated").await;
    let ids: Vec<&Value> = created["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["id"])
        .collect();
    assert_eq!(
        ids,
        tasks
            .iter()
            .map(|id| json!(id.to_string()))
            .collect::<Vec<_>>()
            .iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(types(&find("aggregate=Task").await).len(), 4);
    let did = find(&format!("actor=staff:{}", admin.uid)).await;
    assert_eq!(types(&did), ["TaskStarted"]);
    assert_eq!(
        types(&find("where=input%3Din&where=kind%3Dimage").await).len(),
        3
    );
    assert!(types(&find("where=input%3Dout").await).is_empty());
    assert!(types(&find("since=2100-01-31").await).is_empty());
    assert!(types(&find("until=2020-01-31").await).is_empty());
    assert_eq!(
        types(&find("since=2020-01-31&until=2100-01-31&aggregate=Task").await).len(),
        4
    );
    // Somebody's name can neither be read nor guessed.
    let named = find("type=AccountOpened&where=name").await;
    assert_eq!(types(&named).len(), 2);
    assert!(!named.to_string().contains("Wang"));
    assert!(types(&find("where=name%3DWang%20the%20First").await).is_empty());

    // Pages meet, whatever their size, and end.
    let all = find("limit=500").await;
    assert_eq!(all["next"], Value::Null);
    let (mut after, mut events) = (String::new(), Vec::new());
    loop {
        let page = find(&format!("limit=2{after}")).await;
        events.extend(page["events"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(Value::from(events), all["events"]);

    for foreign in ["after=2-0", "after=1-4711"] {
        let refused = get(&node, &auditor, &format!("/admin/events?{foreign}")).await;
        refused.is_refusal(409, "conflict", "当前状态不允许此操作");
    }
    for flawed in [
        "after=7",
        "since=yesterday",
        "where=%3Dx",
        "limit=0",
        "live=true",
        "actor=%00",
    ] {
        let refused = get(&node, &auditor, &format!("/admin/events?{flawed}")).await;
        assert_eq!(refused.refusal(), (303, "validation"), "{flawed}");
    }
}

/// The next event of a stream of them; `None` at its end.
async fn next(response: &mut reqwest::Response) -> Option<String> {
    let chunk = timeout(Duration::from_secs(5), response.chunk())
        .await
        .unwrap();
    let text = String::from_utf8(chunk.unwrap()?.to_vec()).unwrap();
    assert_eq!(text.matches("data: ").count(), 1, "{text}");
    Some(text)
}

#[tokio::test]
async fn server_sent_events_follow_the_log_until_the_right_to_it_ends() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let auditor = node.staff("auditor", 0, AUDIT).await;
    let early = node.task().await;
    let follow = async |by: &Caller, query: &str| {
        let request = node.request(Method::GET, &format!("/admin/events?{query}"));
        let request = request
            .bearer_auth(&by.token)
            .header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "text/event-stream; charset=utf-8");
        response
    };
    let is = |text: &str, task: i64, position: i64| {
        let data = text
            .strip_prefix(&format!("id: 1-{position}\ndata: "))
            .unwrap();
        let line: Value = serde_json::from_str(data.trim_end()).unwrap();
        assert_eq!(
            (&line["type"], &line["id"]),
            (&json!("TaskCreated"), &json!(task.to_string()))
        );
    };
    let mut response = follow(&auditor, "type=TaskCreated&where=input%3Din").await;
    let head = node.app.ledger().head().await.unwrap().position;
    is(&next(&mut response).await.unwrap(), early, head);
    for _ in 0..2 {
        let task = node.task().await;
        let to = format!("Task/{task}");
        let position = node.app.ledger().head().await.unwrap().position;
        // Passed over.
        node.command(&admin, &to, json!({"StartTask": {}})).await;
        is(&next(&mut response).await.unwrap(), task, position);
    }
    // From a position on, also where a reader comes back.
    let head = node.app.ledger().head().await.unwrap().position;
    let request = node
        .request(Method::GET, "/admin/events?aggregate=Task")
        .bearer_auth(&admin.token);
    let request = request.header("accept", "text/event-stream");
    let mut resumed = request
        .header("last-event-id", format!("1-{}", head - 2))
        .send()
        .await
        .unwrap();
    let chunk = resumed.chunk().await.unwrap().unwrap();
    let text = String::from_utf8(chunk.to_vec()).unwrap();
    assert!(text.starts_with(&format!("id: 1-{}\n", head - 1)), "{text}");

    let account = format!("Account/backend:{}", auditor.uid);
    node.command(&admin, &account, json!({"DisableAccount": {}}))
        .await;
    assert_eq!(next(&mut response).await, None);

    let mut last = follow(&admin, &format!("after=1-{head}&type=TaskCancelled")).await;
    node.app.hang_up();
    assert_eq!(next(&mut last).await, None);
}
