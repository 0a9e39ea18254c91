//! The task back office (`contract/backend.md`).

mod session;
mod tasks;
mod upload;
mod wire;

use serde_json::{Value, json};

use crate::support::service::{Reply, Service};

const LOGIN: &str = "/backend/api/v1/login";
const LOGOUT: &str = "/backend/api/v1/logout";
const HOLA: &str = "/backend/api/v1/hola";
const TASK: &str = "/backend/api/v1/task";
const STATUS: &str = "/backend/api/v1/task/status";
const TASKS: &str = "/backend/api/v1/tasks";
const UPLOAD: &str = "/backend/api/v1/upload";

fn success(msg: &str) -> Value {
    json!({ "code": 0, "msg": msg, "error": "" })
}

fn failure(code: u16, msg: &str, error: &str) -> Value {
    json!({ "code": code, "msg": msg, "error": error })
}

/// A business outcome: HTTP 200 and this body.
#[track_caller]
fn assert_answer(reply: &Reply, body: &Value) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json(), *body);
    assert_eq!(
        reply.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[track_caller]
fn assert_invalid(reply: &Reply, field: &str) {
    let word = format!("invalid_parameter: {field}");
    assert_answer(reply, &failure(400, "参数错误", &word));
}

/// Creates a task; answers its id.
async fn task(service: &Service, token: &str) -> i64 {
    let body = json!({ "type": "image", "input": "in", "note": "note" });
    let reply = service.post(TASK).token(token).json(&body).send().await;
    reply.json()["data"]["id"].as_i64().unwrap()
}

/// Moves a task; answers the reply.
async fn move_to(service: &Service, token: &str, id: i64, status: i64) -> Reply {
    let body = json!({ "id": id, "status": status });
    service.put(STATUS).token(token).json(&body).send().await
}
