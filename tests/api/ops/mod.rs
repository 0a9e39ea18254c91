//! The operators' listener.

mod feed;
mod health;

use crate::api::node::{Node, answer};
use serde_json::json;

#[tokio::test]
async fn metrics_count_requests_by_route_and_never_by_id() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let task = node.task().await;
    let to = format!("Task/{task}");
    node.command(&admin, &to, json!({"StartTask": {}})).await;
    let answer = node.get_ops("/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = answer.body.as_str().unwrap();
    for name in [
        "shiji_http_requests_total",
        "shiji_http_request_seconds_bucket",
        "shiji_command_seconds_bucket",
        "shiji_appended_events_total",
        "shiji_append_batch_jobs_bucket",
        "shiji_append_seconds_bucket",
        "shiji_pool_connections",
        "shiji_append_queue_jobs",
        "shiji_log_position",
        "shiji_state_cache_entries",
        "shiji_projection_lag_events",
        "shiji_projection_parked_streams",
    ] {
        assert!(
            text.contains(&format!("\n{name}")),
            "{name} is not counted:\n{text}"
        );
    }
    assert!(
        text.contains(r#"route="/admin/commands/{aggregate}/{id}""#),
        "{text}"
    );
    assert!(text.contains(r#"command="StartTask""#), "{text}");
    assert!(!text.contains(&to), "{text}");
}

#[tokio::test]
async fn the_documentation_works_offline() {
    let node = Node::start().await;
    let document = node.get_ops("/openapi.json").await;
    assert_eq!(document.body["openapi"], "3.1.0");
    let page = node.get_ops("/docs/").await;
    assert!(page.header("content-type").starts_with("text/html"));
    let page = page.body.as_str().unwrap().to_owned();
    assert!(!page.contains("https://"), "{page}");
    let config = node.get_ops("/docs/swagger-initializer.js").await;
    assert!(config.body.as_str().unwrap().contains("/openapi.json"));
    for asset in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
    ] {
        assert_eq!(
            node.get_ops(&format!("/docs/{asset}")).await.status,
            200,
            "{asset}"
        );
    }
}

#[tokio::test]
async fn operators_and_the_public_have_doors_of_their_own() {
    let node = Node::start().await;
    for path in ["/metrics", "/docs", "/openapi.json", "/feed"] {
        let request = node.client.get(format!("{}{path}", node.public));
        let refused = answer(request).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (404, &"not_found".into()),
            "{path}"
        );
        assert_eq!(
            refused.header("content-type"),
            "application/problem+json; charset=utf-8"
        );
    }
    assert_eq!(node.get_ops("/backend/api/v1/hola").await.status, 404);
    let wrong = answer(node.client.post(format!("{}/metrics", node.ops))).await;
    assert_eq!(
        (wrong.status, &wrong.body["code"]),
        (405, &"method_not_allowed".into())
    );
}
