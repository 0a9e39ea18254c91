//! The log as others follow it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::api::node::{Node, answer};

async fn lines(node: &Node, query: &str) -> Vec<Value> {
    let answer = node
        .client
        .get(format!("{}/feed?live=false{query}", node.ops));
    let response = answer.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/x-ndjson; charset=utf-8");
    let text = response.text().await.unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_log_is_read_in_order_from_any_position_and_without_persons() {
    let node = Node::start().await;
    let admin = node.staff("Wang the First", 1, 0).await;
    let task = node.task().await;
    let all = lines(&node, "").await;
    let head = node.app.ledger().head().await.unwrap().position;
    let positions: Vec<String> = (1..=head).map(|position| format!("1-{position}")).collect();
    assert_eq!(
        all.iter().map(|line| &line["position"]).collect::<Vec<_>>(),
        positions.iter().collect::<Vec<_>>()
    );
    let opened = all
        .iter()
        .find(|line| line["type"] == "AccountOpened")
        .unwrap();
    let account = format!("Account:backend:{}", admin.uid);
    assert_eq!(
        opened["payload"]["AccountOpened"],
        json!({"name": {"$personal": account}, "role": 1, "perm": 0})
    );
    assert_eq!(
        (&opened["aggregate"], &opened["id"], &opened["sequence"]),
        (
            &json!("Account"),
            &json!(format!("backend:{}", admin.uid)),
            &json!(1)
        )
    );
    assert_eq!(opened["metadata"]["actor"], "system:test");
    assert!(
        opened["recorded_at"].is_i64()
            && opened["version"] == "1"
            && opened["event_id"].is_string()
    );
    assert!(
        all.iter()
            .all(|line| !line.to_string().contains("Wang the First"))
    );

    let after = format!("&after=1-{}", head - 1);
    assert_eq!(lines(&node, &after).await, all[all.len() - 1..]);
    assert_eq!(
        lines(&node, &format!("&after=1-{head}")).await,
        Vec::<Value>::new()
    );
    let tasks = lines(&node, "&aggregate=Task,Media").await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0]["id"], task.to_string());
}

#[tokio::test]
async fn a_position_of_another_log_is_a_conflict() {
    let node = Node::start().await;
    let refused = async |query: &str| {
        let answer = node.get_ops(&format!("/feed?{query}")).await;
        (
            answer.status,
            answer.body["code"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        refused("after=2-0").await,
        (409, "foreign_position".to_owned())
    );
    assert_eq!(
        refused("after=1-4711").await,
        (409, "foreign_position".to_owned())
    );
    assert_eq!(
        refused("after=7").await,
        (400, "malformed_position".to_owned())
    );
    assert_eq!(
        refused("aggregate=Nothing").await,
        (400, "unknown_aggregate".to_owned())
    );
    assert_eq!(
        answer(node.client.get(format!("{}/feed?live=maybe", node.ops)))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn the_live_tail_brings_what_is_appended_and_ends_with_the_service() {
    let node = Node::start().await;
    let request = node.client.get(format!("{}/feed?aggregate=Task", node.ops));
    let request = request.header("accept", "text/event-stream");
    let mut response = request.send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/event-stream; charset=utf-8"
    );
    for _ in 0..3 {
        let task = node.task().await;
        let head = node.app.ledger().head().await.unwrap().position;
        let chunk = timeout(Duration::from_secs(5), response.chunk())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let text = String::from_utf8(chunk.to_vec()).unwrap();
        let data = text.strip_prefix(&format!("id: 1-{head}\ndata: ")).unwrap();
        let line: Value = serde_json::from_str(data.strip_suffix("\n\n").unwrap()).unwrap();
        assert_eq!(line["id"], task.to_string());
    }
    // A reader that comes back says where it was.
    let request = node.client.get(format!("{}/feed?live=false", node.ops));
    let head = node.app.ledger().head().await.unwrap().position;
    let again = answer(request.header("last-event-id", format!("1-{}", head - 1))).await;
    assert_eq!(again.body["position"], format!("1-{head}"));

    node.stop.cancel();
    let end = timeout(Duration::from_secs(5), response.chunk())
        .await
        .unwrap();
    assert!(matches!(end, Ok(None)), "{end:?}");
}
