//! What holds for every endpoint: envelope, methods, sizes, positions.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;
use shiji::projections;

use super::{
    HOLA, LOGIN, LOGOUT, STATUS, TASK, TASKS, UPLOAD, assert_answer, assert_invalid, failure, task,
};
use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_paths_and_wrong_methods_answer_in_the_envelope() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let before = service.head().await;
    for path in [
        "/backend/api/v1/nothing",
        "/backend/api/v1/tasks/",
        "/backend",
    ] {
        let reply = service.get(path).token(&token).send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (404, failure(404, "对应ID不存在", "not_found"))
        );
    }
    for (method, path) in [
        (Method::POST, HOLA),
        (Method::GET, LOGIN),
        (Method::HEAD, LOGIN),
        (Method::HEAD, LOGOUT),
        (Method::OPTIONS, LOGOUT),
        (Method::PATCH, TASK),
        (Method::OPTIONS, TASK),
        (Method::POST, STATUS),
        (Method::DELETE, TASKS),
        (Method::PUT, UPLOAD),
        (Method::HEAD, UPLOAD),
    ] {
        let head = method == Method::HEAD;
        let call = service.call(method, path).token(&token);
        let reply = call.json(&json!({ "id": 1, "status": 2 })).send().await;
        assert_eq!(reply.status, 405, "{path}");
        if !head {
            let mut wrong = failure(405, "请求方式错误", "method_not_allowed");
            if path == UPLOAD {
                wrong["uri"] = json!("");
                wrong["full_uri"] = json!("");
            }
            assert_eq!(reply.json(), wrong);
        }
    }
    assert_eq!(service.head().await, before);
    let reply = service.call(Method::HEAD, HOLA).token(&token).send().await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_but_logging_in_and_out_needs_a_session() {
    let service = Service::start().await;
    let before = service.head().await;
    let missing = failure(401, "请先登录", "not_logged_in");
    for (method, path) in [
        (Method::GET, HOLA),
        (Method::POST, TASK),
        (Method::GET, TASK),
        (Method::PUT, TASK),
        (Method::DELETE, TASK),
        (Method::PUT, STATUS),
        (Method::GET, TASKS),
    ] {
        // Who is calling is asked before what the parameters are worth, and after whether the body can be read.
        let call = service.call(method.clone(), path);
        assert_answer(&call.json(&json!({ "id": "x" })).send().await, &missing);
        if method != Method::GET {
            let call = service.call(method, path);
            assert_invalid(&call.body("{").send().await, "body");
        }
    }
    assert_eq!(service.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_a_megabyte_at_most() {
    let service = Service::with(|s| s.body_max_bytes = 1000).await;
    let token = service.logged_in("admin").await;
    let body = json!({ "type": "image", "input": "x".repeat(1000) });
    let reply = service.post(TASK).token(&token).json(&body).send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (413, failure(413, "请求内容过大", "body_too_large"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_waits_for_the_position_it_is_sent() {
    let service = Service::with(|s| s.query_patience = Duration::from_millis(300)).await;
    let token = service.logged_in("admin").await;
    task(&service, &token).await;
    let head = service.head().await;
    let at = |position: String| {
        let call = service.get(TASKS).token(&token);
        call.header("x-position", position).send()
    };
    let reply = at(format!("1-{head}")).await;
    assert_eq!(reply.header("x-as-of"), Some(format!("1-{head}").as_str()));
    assert_eq!(reply.header("x-pending"), None);
    let began = Instant::now();
    let reply = at(format!("1-{}", head + 10)).await;
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert_eq!(reply.json()["total"], 1);
    let all: Vec<&str> = projections::all().iter().map(|p| p.name()).collect();
    assert_eq!(reply.header("x-pending"), Some(all.join(",").as_str()));
    // Of another generation: nothing to wait for.
    let reply = at(format!("2-{}", head + 10)).await;
    assert_eq!(reply.header("x-pending"), None);
    assert_invalid(&at("x".to_owned()).await, "X-Position");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_said_early_and_nothing_happens() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let hurried = service.hurried(Duration::ZERO);
    let before = service.head().await;
    let body = json!({ "type": "image", "input": "x" });
    let reply = hurried.post(TASK).token(&token).json(&body).send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (503, failure(503, "服务繁忙", "overloaded"))
    );
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(service.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_cuts_nothing_in_half() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    for wait in 0..30 {
        let body = json!({ "type": "image", "input": "x" });
        let create = service.post(TASK).token(&token).json(&body).send();
        let _ = tokio::time::timeout(Duration::from_micros(wait * 100), create).await;
    }
    service.app.finish().await;
    let reply = service.get(TASKS).token(&token).send().await;
    let created = service.since(0).await;
    let created = created.iter().filter(|e| e.event_type == "TaskCreated");
    let created = created.count();
    assert!(created > 0);
    assert_eq!(reply.json()["total"], created);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_tells_the_caller_a_request_id_and_nothing_else() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let mut owner = service.database.database().connect_owner().await.unwrap();
    let break_it = "ALTER TABLE tasks_v1.tasks RENAME TO elsewhere";
    sqlx::query(break_it).execute(&mut owner).await.unwrap();
    let reply = service.get(TASKS).token(&token).send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (500, failure(500, "服务器内部错误", "internal"))
    );
    assert_eq!(reply.header("x-request-id").unwrap().len(), 36);
}
