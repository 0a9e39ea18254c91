//! Tasks: every endpoint's answer field by field, every refusal, races and replays.

use rstest::rstest;
use serde_json::{Value, json};

use super::{STATUS, TASK, TASKS, assert_answer, assert_invalid, failure, move_to, success, task};
use crate::support::service::{Reply, Service};

async fn detail(service: &Service, token: &str, id: i64) -> Reply {
    let path = format!("{TASK}?id={id}");
    service.get(&path).token(token).send().await
}

async fn list(service: &Service, token: &str, query: &str) -> Value {
    let path = format!("{TASKS}{query}");
    let reply = service.get(&path).token(token).send().await;
    assert_eq!(reply.json()["code"], 0, "{reply:?}");
    reply.json()
}

fn ids(list: &Value) -> Vec<i64> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_i64().unwrap())
        .collect()
}

fn not_found() -> Value {
    failure(404, "对应ID不存在", "not_found")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_created_and_read_back_field_by_field() {
    let service = Service::start().await;
    let uid = service.staff("Admin", 0, 0).await;
    let token = service.log_in("admin").await;
    let body =
        json!({ "type": "video", "priority": "-7", "input": "片段", "note": " 备注 ", "more": 1 });
    let before = service.head().await;
    let reply = service.post(TASK).token(&token).json(&body).send().await;
    let id = reply.json()["data"]["id"].as_i64().unwrap();
    assert_answer(
        &reply,
        &json!({ "code": 0, "msg": "ok", "error": "", "data": { "id": id } }),
    );
    assert_eq!(
        reply.header("x-position").unwrap(),
        format!("1-{}", before + 1)
    );
    assert_eq!(reply.header("x-pending"), None);
    let events = service.since(before).await;
    assert_eq!(
        (events[0].stream.to_string(), events[0].event_type.as_str()),
        (format!("Task:{id}"), "TaskCreated")
    );
    assert_eq!(events[0].metadata().unwrap().actor, format!("staff:{uid}"));

    let data = json!({
        "id": id, "status": 0, "type": "video", "priority": -7, "input": "片段", "result": "", "note": "备注",
    });
    let reply = detail(&service, &token, id).await;
    assert_answer(
        &reply,
        &json!({ "code": 0, "msg": "", "error": "", "data": data }),
    );
    assert_eq!(
        reply.header("x-as-of").unwrap(),
        format!("1-{}", before + 1)
    );

    let item = json!({
        "id": id, "status": 0, "type": "video", "priority": -7, "note": "备注",
        "user": { "uid": uid, "name": "Admin" },
    });
    assert_eq!(
        list(&service, &token, "").await,
        json!({ "code": 0, "msg": "", "error": "", "total": 1, "items": [item] })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn defaults_and_bounds_of_a_new_task() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let bare = json!({ "type": "image", "input": "x", "priority": null, "note": null });
    let reply = service.post(TASK).token(&token).json(&bare).send().await;
    let id = reply.json()["data"]["id"].as_i64().unwrap();
    let data = &detail(&service, &token, id).await.json()["data"];
    assert_eq!((&data["priority"], &data["note"]), (&json!(0), &json!("")));

    let longest = json!({ "type": "image", "input": "x".repeat(65_536), "note": "记".repeat(1000), "priority": 127 });
    let reply = service.post(TASK).token(&token).json(&longest).send().await;
    assert_eq!(reply.json()["code"], 0);

    let before = service.head().await;
    for (field, value) in [
        ("type", json!("IMAGE")),
        ("type", json!(" image")),
        ("type", json!(null)),
        ("type", json!(1)),
        ("priority", json!(128)),
        ("priority", json!(-129)),
        ("priority", json!("high")),
        ("priority", json!(1.5)),
        ("input", json!("")),
        ("input", json!(null)),
        ("input", json!("x".repeat(65_537))),
        ("input", json!("a\u{0}b")),
        ("note", json!("记".repeat(1001))),
        ("note", json!(["a"])),
    ] {
        let mut body = json!({ "type": "image", "input": "x" });
        body[field] = value;
        assert_invalid(
            &service.post(TASK).token(&token).json(&body).send().await,
            field,
        );
    }
    for body in ["[1]", "{", "\"x\""] {
        assert_invalid(
            &service.post(TASK).token(&token).body(body).send().await,
            "body",
        );
    }
    assert_eq!(service.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_changes_what_is_given_and_repeats_quietly() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let id = task(&service, &token).await;
    let edit = |body: Value| service.put(TASK).token(&token).json(&body).send();
    assert_answer(
        &edit(json!({ "id": id.to_string(), "priority": "5", "note": null })).await,
        &success("ok"),
    );
    assert_answer(&edit(json!({ "id": id, "note": "" })).await, &success("ok"));
    let data = &detail(&service, &token, id).await.json()["data"];
    assert_eq!((&data["priority"], &data["note"]), (&json!(5), &json!("")));
    let reply = edit(json!({ "id": id, "note": "", "priority": 5 })).await;
    assert_answer(&reply, &success("ok"));
    assert!(reply.header("x-position").is_some());
    assert_eq!(
        service.events("Task", id).await,
        ["TaskCreated", "TaskEdited", "TaskEdited"]
    );
    assert_answer(&edit(json!({ "id": 999_999 })).await, &not_found());
    assert_invalid(&edit(json!({ "note": "x" })).await, "id");
    assert_invalid(&edit(json!({ "id": 0 })).await, "id");
    assert_invalid(
        &edit(json!({ "id": id, "priority": 200 })).await,
        "priority",
    );
}

#[rstest]
#[case(0, "TaskCreated")]
#[case(2, "TaskStarted")]
#[case(1, "TaskCompleted")]
#[case(3, "TaskCancelled")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_move_as_the_table_says(#[case] from: i64, #[case] last: &str) {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    for to in 0..=3 {
        let id = task(&service, &token).await;
        for step in match from {
            0 => vec![],
            1 => vec![2, 1],
            other => vec![other],
        } {
            assert_answer(&move_to(&service, &token, id, step).await, &success("ok"));
        }
        let reply = move_to(&service, &token, id, to).await;
        let events = service.events("Task", id).await;
        let now = &detail(&service, &token, id).await.json()["data"]["status"];
        let event = match (from, to) {
            (from, to) if from == to => last,
            (0, 2) => "TaskStarted",
            (2, 0) => "TaskRequeued",
            (2, 1) => "TaskCompleted",
            (0 | 2, 3) => "TaskCancelled",
            _ => {
                let word = format!("invalid_transition: {from}->{to}");
                assert_answer(&reply, &failure(409, "任务状态不允许此操作", &word));
                assert_eq!(events.last().unwrap(), last);
                assert_eq!(*now, from);
                continue;
            }
        };
        assert_answer(&reply, &success("ok"));
        assert_eq!(events.last().unwrap(), event);
        assert_eq!(*now, to);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_is_one_of_four_and_a_task_must_be_there() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let id = task(&service, &token).await;
    for status in [json!(4), json!(-1), json!("x"), json!(null), json!(true)] {
        let body = json!({ "id": id, "status": status });
        assert_invalid(
            &service.put(STATUS).token(&token).json(&body).send().await,
            "status",
        );
    }
    assert_answer(&move_to(&service, &token, 999_999, 2).await, &not_found());
    let body = json!({ "id": id.to_string(), "status": "2" });
    assert_answer(
        &service.put(STATUS).token(&token).json(&body).send().await,
        &success("ok"),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_take_up_one_task_and_one_event_says_so() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let id = task(&service, &token).await;
    let racers = (0..20).map(|_| move_to(&service, &token, id, 2));
    for reply in futures::future::join_all(racers).await {
        assert_answer(&reply, &success("ok"));
    }
    assert_eq!(
        service.events("Task", id).await,
        ["TaskCreated", "TaskStarted"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_is_all_or_nothing() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let remove = |body: Value| service.delete(TASK).token(&token).json(&body).send();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(task(&service, &token).await);
    }
    move_to(&service, &token, tasks[1], 2).await;
    move_to(&service, &token, tasks[2], 2).await;
    let word = format!("task_in_progress: {},{}", tasks[1], tasks[2]);
    assert_answer(
        &remove(json!({ "ids": tasks })).await,
        &failure(409, "处理中的任务不能删除", &word),
    );
    assert_eq!(list(&service, &token, "").await["total"], 4);

    let before = service.head().await;
    let some = json!({ "ids": [tasks[0], tasks[3].to_string(), tasks[0], 999_999, -1] });
    assert_answer(&remove(some.clone()).await, &success("ok"));
    assert_eq!(service.head().await, before + 2);
    let left = list(&service, &token, "").await;
    assert_eq!(left["total"], 2);
    assert_eq!(ids(&left), [tasks[2], tasks[1]]);
    assert_answer(&detail(&service, &token, tasks[0]).await, &not_found());
    assert_answer(&move_to(&service, &token, tasks[0], 2).await, &not_found());
    // Again, and with nothing to delete: a success without events.
    assert_answer(&remove(some).await, &success("ok"));
    for body in [
        json!({ "ids": null }),
        json!({ "ids": [] }),
        json!({}),
        json!(null),
    ] {
        assert_answer(&remove(body).await, &success("ok"));
    }
    let bare = service.delete(TASK).token(&token).send().await;
    assert_answer(&bare, &success("ok"));
    assert_eq!(service.head().await, before + 2);
    assert_invalid(&remove(json!({ "ids": ["x"] })).await, "ids");
    assert_invalid(&remove(json!({ "ids": { "a": 1 } })).await, "ids");
    let many: Vec<i64> = (1_000_000..1_000_501).collect();
    assert_invalid(&remove(json!({ "ids": many })).await, "ids");
    let twice: Vec<i64> = (1_000_000..1_000_500).chain(1_000_000..1_000_500).collect();
    assert_answer(&remove(json!({ "ids": twice })).await, &success("ok"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_may_come_in_the_query() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let (a, b) = (task(&service, &token).await, task(&service, &token).await);
    let path = format!("{TASK}?ids={a},{b}");
    let reply = service.delete(&path).token(&token).send().await;
    assert_answer(&reply, &success("ok"));
    assert_eq!(list(&service, &token, "").await["total"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_paged_newest_first() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    assert_eq!(
        list(&service, &token, "").await,
        json!({ "code": 0, "msg": "", "error": "", "total": 0, "items": [] })
    );
    let mut tasks = Vec::new();
    for _ in 0..25 {
        tasks.push(task(&service, &token).await);
    }
    tasks.sort_unstable_by(|a, b| b.cmp(a));
    for (query, from, to) in [
        ("", 0, 20),
        ("?limit=0", 0, 20),
        ("?limit=7", 0, 7),
        ("?limit=1000", 0, 25),
        ("?offset=20", 20, 25),
        ("?offset=5&limit=3", 5, 8),
        ("?offset=25", 25, 25),
        ("?offset=9223372036854775807", 25, 25),
    ] {
        let page = list(&service, &token, query).await;
        assert_eq!(page["total"], 25, "{query}");
        assert_eq!(ids(&page), tasks[from..to], "{query}");
    }
    for (query, field) in [
        ("?offset=-1", "offset"),
        ("?limit=-1", "limit"),
        ("?limit=x", "limit"),
        ("?offset=1.5", "offset"),
    ] {
        let path = format!("{TASKS}{query}");
        assert_invalid(&service.get(&path).token(&token).send().await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_detail_needs_an_id() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    for query in ["", "?id=", "?id=0", "?id=-3", "?id=x", "?id=1.0"] {
        let path = format!("{TASK}{query}");
        assert_invalid(&service.get(&path).token(&token).send().await, "id");
    }
    assert_answer(&detail(&service, &token, 999_999).await, &not_found());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_key_gives_the_first_answer_and_another_request_conflicts() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let other = service.logged_in("other").await;
    let create = |token: &str, key: &str, input: &str| {
        let body = json!({ "type": "image", "input": input });
        let call = service.post(TASK).token(token);
        call.header("idempotency-key", key).json(&body).send()
    };
    let first = create(&token, "k-1", "a").await;
    let before = service.head().await;
    let again = create(&token, "k-1", "a").await;
    assert_eq!(first.json(), again.json());
    assert_eq!(first.header("x-position"), again.header("x-position"));
    assert_answer(
        &create(&token, "k-1", "b").await,
        &failure(409, "请重试", "idempotency_conflict"),
    );
    assert_eq!(service.head().await, before);
    // Keys belong to whoever sends them.
    let theirs = create(&other, "k-1", "a").await;
    assert_ne!(first.json()["data"], theirs.json()["data"]);
    assert_invalid(&create(&token, "a b", "a").await, "Idempotency-Key");
    assert_invalid(
        &create(&token, &"k".repeat(129), "a").await,
        "Idempotency-Key",
    );

    // A refusal is an answer, too: it stays although the task could move by now.
    let id = first.json()["data"]["id"].as_i64().unwrap();
    let complete = || {
        let call = service.put(STATUS).token(&token);
        let call = call.header("idempotency-key", "k-2");
        call.json(&json!({ "id": id, "status": 1 })).send()
    };
    let refused = failure(409, "任务状态不允许此操作", "invalid_transition: 0->1");
    assert_answer(&complete().await, &refused);
    move_to(&service, &token, id, 2).await;
    assert_answer(&complete().await, &refused);

    // Twins at once are one.
    let twins = (0..8).map(|_| create(&token, "k-3", "twin"));
    let mut answers: Vec<Value> = futures::future::join_all(twins)
        .await
        .iter()
        .map(Reply::json)
        .collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}
