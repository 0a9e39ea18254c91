//! `kill -9` of the service under load, again and again.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::client::Client;
use super::node::Node;
use super::{Folder, answer, shiji, words};
use crate::support::processes::eventually;

const ROUNDS: usize = 5;
const WRITERS: usize = 16;
/// Acknowledgements before the blow falls.
const ENOUGH: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_task_survives_the_service_being_killed_again_and_again() {
    let folder = Folder::new();
    let mut acknowledged: HashMap<i64, String> = HashMap::new();
    for round in 0..ROUNDS {
        let node = Node::start(&folder).await;
        let client = node.client().await;
        acknowledged.extend(load_until_killed(node, &client, round).await);
        verify_log(&folder);
    }
    let node = Node::start(&folder).await;
    let client = node.client().await;
    for (id, input) in &acknowledged {
        let task = client.task(*id).await;
        let task = task.unwrap_or_else(|| panic!("task {id} was acknowledged and is gone"));
        assert_eq!(task["input"], input.as_str());
    }
    let (total, _) = client.list(1).await;
    assert!(usize::try_from(total).unwrap() >= acknowledged.len());
    until_projections_are_proven(&folder).await;
    verify_log(&folder);
    node.stop().await;
}

/// Writes from many sides, kills the node when enough was acknowledged, and answers what was.
async fn load_until_killed(node: Node, client: &Client, round: usize) -> Vec<(i64, String)> {
    let count = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let client = client.clone();
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for number in 0.. {
                    let input = format!("{round}/{writer}/{number}");
                    match client.try_create(&input).await {
                        Some(id) => mine.push((id, input)),
                        None => break,
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
                mine
            })
        })
        .collect();
    eventually("enough tasks are acknowledged", async || {
        count.load(Ordering::Relaxed) >= ENOUGH
    })
    .await;
    node.kill();
    let mut all = Vec::new();
    for writer in writers {
        all.extend(
            tokio::time::timeout(Duration::from_secs(60), writer)
                .await
                .unwrap()
                .unwrap(),
        );
    }
    assert!(all.len() >= ENOUGH);
    all
}

/// The chain is sound, and with it: no gap.
pub fn verify_log(folder: &Folder) {
    let verify = answer(shiji(&folder.data()).args(["audit", "verify", "--json"]));
    assert!(
        verify.status.success(),
        "{}{}",
        words(&verify.stdout),
        words(&verify.stderr)
    );
}

/// Lag 0 in every projection, nothing parked, and the proof holds.
pub async fn until_projections_are_proven(folder: &Folder) {
    until_proven(|| shiji(&folder.data())).await;
}

/// The same, asked by a command of one's own making.
pub async fn until_proven(command: impl Fn() -> Command) {
    let mut last = Value::Null;
    eventually("the projections show the whole log", async || {
        let status = answer(command().args(["projections", "status", "--json"]));
        last = serde_json::from_slice(&status.stdout).unwrap_or_default();
        let all = last["projections"].as_array().cloned().unwrap_or_default();
        assert!(all.iter().all(|p| p["proof"]["holds"] == true), "{last}");
        !all.is_empty() && all.iter().all(|p| p["lag_events"] == 0)
    })
    .await;
    assert_eq!(last["well"], true, "{last}");
}
