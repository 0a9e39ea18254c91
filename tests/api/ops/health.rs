//! `/healthz` and `/readyz`, on both listeners.

use std::sync::Arc;

use serde_json::json;
use shiji::api::ops::{Check, Reason};
use sqlx::{Connection, Executor};

use crate::api::node::{Node, answer};
use crate::support::processes::eventually;

#[tokio::test]
async fn a_node_that_is_well_says_so_on_both_listeners() {
    let node = Node::start().await;
    for listener in [&node.public, &node.ops] {
        let alive = answer(node.client.get(format!("{listener}/healthz"))).await;
        assert_eq!((alive.status, alive.body), (200, json!({"alive": true})));
        let ready = answer(node.client.get(format!("{listener}/readyz"))).await;
        let expected = json!({"ready": true, "reasons": [], "notes": []});
        assert_eq!((ready.status, &ready.body), (200, &expected));
        assert_eq!(ready.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_and_what_is_only_noted_stops_nothing() {
    let said = |reason: &'static str| -> Check {
        Arc::new(move || {
            vec![Reason {
                part: "projections",
                reason: reason.to_owned(),
            }]
        })
    };
    let node = Node::start_with(
        vec![said("tasks lag behind")],
        vec![said("tasks has set 1 streams aside")],
    )
    .await;
    let answer = node.get_ops("/readyz").await;
    let expected = json!({
        "ready": false,
        "reasons": [{"part": "projections", "reason": "tasks lag behind"}],
        "notes": [{"part": "projections", "reason": "tasks has set 1 streams aside"}]
    });
    assert_eq!((answer.status, answer.body), (503, expected));
    let node = Node::start_with(Vec::new(), vec![said("tasks has set 1 streams aside")]).await;
    let answer = node.get_ops("/readyz").await;
    assert_eq!((answer.status, &answer.body["ready"]), (200, &json!(true)));
}

#[tokio::test]
async fn while_the_database_is_away_nothing_is_ready_and_afterwards_it_is_by_itself() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let task = format!("Task/{}", node.task().await);
    let start = || json!({"StartTask": {}});
    let database = node.service.database.database();
    let name = database.name().to_owned();
    // Nobody can shut the door of the room they are in.
    let mut owner = database.named("postgres").connect_owner().await.unwrap();
    let allow = |yes: bool| format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {yes}");
    owner.execute(allow(false).as_str()).await.unwrap();
    let cut =
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    owner.execute(cut.as_str()).await.unwrap();
    eventually("it is not ready", async || {
        let answer = node.get_ops("/readyz").await;
        let parts = answer.body["reasons"].as_array().unwrap().clone();
        answer.status == 503 && parts.iter().any(|reason| reason["part"] == "database")
    })
    .await;
    assert_eq!(node.get_ops("/healthz").await.status, 200);
    let broken = node.command(&admin, &task, start()).await;
    assert_eq!(broken.status, 500);
    broken.is_refusal(500, "internal", "服务器内部错误");
    owner.execute(allow(true).as_str()).await.unwrap();
    owner.close().await.unwrap();
    eventually("it is ready", async || {
        node.get_ops("/readyz").await.status == 200
    })
    .await;
    eventually("it takes commands", async || {
        node.command(&admin, &task, start()).await.status == 200
    })
    .await;
}
