//! What holds for every command: who may, what a body is, conditions, keys, the words of refusals.

use reqwest::Method;
use serde_json::json;

use crate::api::node::{Caller, Node, answer};

#[tokio::test]
async fn a_command_answers_what_it_did_and_where_the_log_stands() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let task = node.task().await;
    let to = format!("Task/{task}");
    let done = node.command(&admin, &to, json!({"StartTask": {}})).await;
    done.is_done("Task", &task.to_string(), 2, &["TaskStarted"]);
    let head = node.app.ledger().head().await.unwrap().position;
    assert_eq!(done.header("x-position"), format!("1-{head}"));
    assert_eq!(done.header("cache-control"), "no-store");
    assert_eq!(
        done.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert!(!done.header("x-request-id").is_empty());
    let stream = format!("Task:{task}").parse().unwrap();
    let events = node.app.ledger().stream(&stream).await.unwrap();
    let metadata = events.last().unwrap().metadata().unwrap();
    assert_eq!(metadata.actor, format!("staff:{}", admin.uid));
    assert_eq!(metadata.surface, "admin");
    assert_eq!(metadata.request_id.to_string(), done.header("x-request-id"));
}

#[tokio::test]
async fn who_is_not_logged_in_or_disabled_is_refused_by_that_name() {
    let node = Node::start().await;
    let stranger = Caller {
        uid: 0,
        token: "x".to_owned(),
    };
    let task = node.task().await;
    let to = format!("Task/{task}");
    let start = json!({"StartTask": {}});
    let refused = node.command(&stranger, &to, start.clone()).await;
    assert_eq!(refused.status, 200);
    refused.is_refusal(401, "not_logged_in", "请先登录");

    let admin = node.staff("admin", 1, 0).await;
    let worker = node.staff("worker", 0, 1).await;
    let account = format!("Account/backend:{}", worker.uid);
    let disabled = node
        .command(&admin, &account, json!({"DisableAccount": {}}))
        .await;
    assert_eq!(disabled.body["code"], 0);
    let refused = node.command(&worker, &to, start).await;
    refused.is_refusal(306, "account_disabled", "账户未启用");
    assert_eq!(node.events(&format!("Task:{task}")).await, ["TaskCreated"]);
}

#[tokio::test]
async fn a_bit_opens_its_aggregate_and_nothing_else() {
    let node = Node::start().await;
    let task = node.task().await;
    let to = format!("Task/{task}");
    for perm in [0, 2, 256, u64::from(u32::MAX) & !1] {
        let caller = node.staff(&format!("perm-{perm}"), 0, perm).await;
        let refused = node.command(&caller, &to, json!({"CancelTask": {}})).await;
        refused.is_refusal(403, "forbidden", "无权操作");
    }
    let worker = node.staff("worker", 0, 1).await;
    let opening = json!({"OpenAccount": {"name": "x", "password": "12345678"}});
    let refused = node.command(&worker, "Account/backend:new", opening).await;
    refused.is_refusal(403, "forbidden", "无权操作");
    let done = node.command(&worker, &to, json!({"CancelTask": {}})).await;
    done.is_done("Task", &task.to_string(), 2, &["TaskCancelled"]);
}

#[tokio::test]
async fn types_bounds_and_existence_come_before_permission_and_permission_before_state() {
    let node = Node::start().await;
    let nobody = node.staff("nobody", 0, 0).await;
    let task = node.task().await;
    let to = format!("Task/{task}");
    let flawed = node
        .command(&nobody, &to, json!({"StartTask": {"x": 1}}))
        .await;
    assert_eq!(flawed.refusal(), (303, "validation"));
    let unknown = node
        .command(&nobody, "Task/4711", json!({"StartTask": {}}))
        .await;
    unknown.is_refusal(302, "not_found", "对应ID不存在");
    // A result is for tasks in processing: the state would say no, too.
    let result = json!({"RecordTaskResult": {"result": "x"}});
    let refused = node.command(&nobody, &to, result).await;
    refused.is_refusal(403, "forbidden", "无权操作");
}

#[tokio::test]
async fn only_reachable_aggregates_take_commands() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    for to in [
        "NameClaim/x",
        "PhoneCode/1",
        "task/1",
        "Nothing/1",
        "Account/new",
        "Account/weidu:1",
        "Visit/staff:1",
    ] {
        let refused = node.command(&admin, to, json!({"StartTask": {}})).await;
        assert_eq!(refused.status, 404, "{to}");
        refused.is_refusal(404, "unknown_aggregate", "非法请求");
    }
    for path in [
        "/admin",
        "/admin/commands",
        "/admin/commands/Task",
        "/admin/x/y/z",
    ] {
        let refused = answer(node.request(Method::POST, path)).await;
        assert_eq!(
            (refused.status, refused.refusal()),
            (404, (404, "unknown_aggregate")),
            "{path}"
        );
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refused = answer(node.request(method, "/admin/commands/Task/1")).await;
        assert_eq!(refused.status, 405);
        refused.is_refusal(405, "method_not_allowed", "请求方式错误");
    }
}

#[tokio::test]
async fn a_body_is_exactly_one_known_command() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"StartTask":{},"CancelTask":{}}"#,
        r#"{"StartTask":{},"StartTask":{}}"#,
        r#"{"StartTask":null}"#,
        r#"{"StartTask":[]}"#,
        r#"{"starttask":{}}"#,
        r#"{"OpenAccount":{}}"#,
    ] {
        let request = node.request(Method::POST, "/admin/commands/Task/1");
        let refused = answer(request.bearer_auth(&admin.token).body(body)).await;
        assert_eq!(refused.status, 200);
        refused.is_refusal(400, "malformed_command", "请求格式错误");
    }
    let large = format!(r#"{{"StartTask":{{"x":"{}"}}}}"#, "x".repeat(1 << 20));
    let request = node.request(Method::POST, "/admin/commands/Task/1");
    let refused = answer(request.bearer_auth(&admin.token).body(large)).await;
    assert_eq!(
        (refused.status, refused.refusal()),
        (413, (413, "body_too_large"))
    );
}

#[tokio::test]
async fn fields_are_strict_and_flaws_name_them() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let open = async |fields: serde_json::Value| {
        node.command(
            &admin,
            "Account/backend:new",
            json!({"OpenAccount": fields}),
        )
        .await
        .body
    };
    let body =
        open(json!({"name": " a", "password": "short", "role": 2, "perm": 1_u64 << 53})).await;
    assert_eq!(
        body,
        json!({
            "code": 303, "error": "validation", "msg": "form 验证错误",
            "data": {
                "name": ["must not begin or end with blanks"],
                "password": ["must be 8 to 128 characters, not 5"],
                "role": ["must be 0 or 1"],
                "perm": ["must be below 2^53"]
            }
        })
    );
    let body = open(json!({"name": "a", "password": "12345678", "role": "1"})).await;
    assert_eq!(
        body["data"],
        json!({"role": ["invalid type: string \"1\", expected u32"]})
    );
    let body = open(json!({"name": "a", "password": "12345678", "admin": true})).await;
    assert_eq!(body["data"], json!({"admin": ["is unknown"]}));
    let body = open(json!({"name": "a"})).await;
    assert_eq!(body["data"], json!({"password": ["is missing"]}));
    let body = open(json!({"name": "a\u{0}", "password": "12345678"})).await;
    assert_eq!(body["data"], json!({"name": ["must not contain U+0000"]}));
}

#[tokio::test]
async fn if_match_is_the_version_or_a_conflict() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let task = node.task().await;
    let to = format!("Task/{task}");
    let send = async |command: &str, version: &str| {
        let command = json!({ command: {} });
        node.command_with(&admin, &to, command, &[("if-match", version)])
            .await
    };
    send("StartTask", "\"2\"")
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    send("StartTask", "\"1\"")
        .await
        .is_done("Task", &task.to_string(), 2, &["TaskStarted"]);
    // Also where nothing would have changed.
    send("RequeueTask", "\"1\"")
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    send("RequeueTask", "\"2\"")
        .await
        .is_done("Task", &task.to_string(), 3, &["TaskRequeued"]);
    send("RequeueTask", "\"2\"")
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    send("RequeueTask", "\"3\"")
        .await
        .is_done("Task", &task.to_string(), 3, &[]);
    for malformed in ["3", "\"x\"", "*", "W/\"3\"", "\"-1\""] {
        send("RequeueTask", malformed)
            .await
            .is_refusal(400, "malformed_command", "请求格式错误");
    }
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_and_another_request_under_it_is_a_conflict() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let key = [("idempotency-key", "k-1")];
    let open = |name: &str| json!({"OpenAccount": {"name": name, "password": "12345678"}});
    let to = "Account/backend:new";
    let first = node.command_with(&admin, to, open("worker"), &key).await;
    assert_eq!(first.body["code"], 0);
    let head = node.app.ledger().head().await.unwrap().position;
    let again = node.command_with(&admin, to, open("worker"), &key).await;
    assert_eq!(again.body, first.body);
    assert_eq!(node.app.ledger().head().await.unwrap().position, head);
    let other = node.command_with(&admin, to, open("other"), &key).await;
    other.is_refusal(409, "idempotency_conflict", "当前状态不允许此操作");
    // Somebody else's key is another key.
    let second = node.staff("second", 1, 0).await;
    let taken = node.command_with(&second, to, open("worker"), &key).await;
    taken.is_refusal(300, "name_taken", "名称已存在");
    // A refusal is kept, too: the worker is renamed to nobody, the answer stays.
    let again = node.command_with(&second, to, open("worker"), &key).await;
    again.is_refusal(300, "name_taken", "名称已存在");
    let bad = node
        .command_with(&admin, to, open("third"), &[("idempotency-key", "a b")])
        .await;
    bad.is_refusal(400, "malformed_command", "请求格式错误");
}
