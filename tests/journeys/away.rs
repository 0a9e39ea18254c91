//! PostgreSQL killed under the service, and away for a while.

use std::fs;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use shiji::postgres::{Database, PrivateServer};

use super::Folder;
use super::client::Client;
use super::killing::{until_projections_are_proven, verify_log};
use super::node::Node;
use crate::support::processes::{eventually, kill_hard};
use crate::support::server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_postgresql_is_brought_back_and_nothing_acknowledged_is_lost() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let client = node.client().await;
    let mut acknowledged = vec![client.create("before").await];
    for _ in 0..2 {
        let before = postmaster(&folder).unwrap();
        kill_hard(before);
        acknowledged.push(client.until_it_creates().await);
        eventually("another server runs", async || {
            postmaster(&folder).is_some_and(|pid| pid != before)
        })
        .await;
        eventually("the node is ready again", async || node.is_ready().await).await;
    }
    for id in acknowledged {
        assert!(client.task(id).await.is_some(), "task {id} is gone");
    }
    until_projections_are_proven(&folder).await;
    verify_log(&folder);
    node.stop().await;
    assert!(
        postmaster(&folder).is_none(),
        "it is stopped with the service"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgresql_is_away_the_answer_is_500_and_not_ready_and_then_all_is_well_again() {
    let folder = Folder::new();
    let options = server::scratch(folder.beside("outside"));
    let start = || {
        let options = options.clone();
        tokio::task::spawn_blocking(move || PrivateServer::start(&options).unwrap())
    };
    let outside = Arc::new(start().await.unwrap());
    let database = Database::on_private(Arc::clone(&outside), "shiji")
        .await
        .unwrap();
    let url = super::nodes::url(&database);
    let node = Node::start_with(&folder, "node", |command| {
        super::nodes::on(command, &url);
    })
    .await;
    let client = node.client().await;
    let id = client.create("before").await;

    drop(database);
    tokio::task::spawn_blocking(move || outside.stop())
        .await
        .unwrap();
    let write = || {
        client
            .request(Method::POST, "/task")
            .json(&json!({ "type": "image", "input": "in between" }))
    };
    let read = || client.request(Method::GET, &format!("/task?id={id}"));
    for request in [write(), read()] {
        let (status, body) = Client::send(request).await;
        assert_eq!(
            (status, body),
            (
                500,
                json!({ "code": 500, "msg": "服务器内部错误", "error": "internal" })
            ),
        );
    }
    eventually("the node says that it is not ready", async || {
        let (status, body) = node.readiness().await.unwrap();
        status == 503 && body.to_string().contains("database")
    })
    .await;

    let outside = start().await.unwrap();
    client.until_it_creates().await;
    eventually("the node is ready again", async || node.is_ready().await).await;
    assert!(client.task(id).await.is_some());

    // A node that has lost its database still leaves in order.
    tokio::task::spawn_blocking(move || outside.stop())
        .await
        .unwrap();
    node.stop().await;
}

/// The process id of the private server's postmaster.
fn postmaster(folder: &Folder) -> Option<i32> {
    let data = folder.data();
    // As root, below a folder that PostgreSQL's user cannot enter, the files are elsewhere.
    let place = fs::read_to_string(data.join("postgres.path"));
    let cluster = place.map_or_else(|_| data.clone(), |path| path.trim().into());
    let text = fs::read_to_string(cluster.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}
