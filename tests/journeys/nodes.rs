//! Two nodes on one database: both write, one leads the projections; it is killed, frozen, thawed.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use shiji::postgres::Database;
use sqlx::ConnectOptions;

use super::killing::until_proven;
use super::node::Node;
use super::{Folder, answer, shiji, words};
use crate::support::TestDatabase;
use crate::support::processes::eventually;

/// The same for both nodes.
const MASTER_KEY: &str = "8f0c5d7a1b2e3f4a5b6c7d8e9fa0b1c28f0c5d7a1b2e3f4a5b6c7d8e9fa0b1c2";
/// Short, so that the journeys are.
const LEASE_MS: &str = "1500";
/// "Within seconds": the lease, and time to notice on a busy machine.
const TAKEOVER: Duration = Duration::from_secs(15);

/// How a process connects to this database.
pub fn url(database: &Database) -> String {
    let options = database.owner_options();
    match options.get_socket() {
        Some(socket) => format!(
            "postgres:///{}?host={}&user={}",
            database.name(),
            socket.display(),
            options.get_username()
        ),
        None => options.to_url_lossy().to_string(),
    }
}

/// Puts a command on this database.
pub fn on(command: &mut Command, url: &str) {
    command
        .env("DATABASE_URL", url)
        .env("SHIJI_MASTER_KEY", MASTER_KEY)
        .env("SHIJI_LEASE_MS", LEASE_MS);
}

struct Pair {
    folder: Folder,
    url: String,
    leader: Node,
    other: Node,
    /// Goes away with this value.
    database: TestDatabase,
}

impl Pair {
    async fn start() -> Self {
        let folder = Folder::new();
        let database = TestDatabase::create().await;
        let url = url(database.database());
        // The first to come leads.
        let leader = Node::start_with(&folder, "leader", |command| on(command, &url)).await;
        let other = Node::start_with(&folder, "other", |command| on(command, &url)).await;
        Self {
            folder,
            url,
            leader,
            other,
            database,
        }
    }

    /// Both write; each reads what the other wrote.
    async fn write_on_both(&self) -> i64 {
        let here = self.leader.client().await;
        let there = here.at(self.other.public);
        for round in 0..5 {
            let first = here.create(&format!("here {round}")).await;
            assert!(
                there.task(first).await.is_some(),
                "an answered write is seen everywhere"
            );
            let second = there.create(&format!("there {round}")).await;
            assert!(
                here.task(second).await.is_some(),
                "an answered write is seen everywhere"
            );
        }
        let (total, _) = here.list(1).await;
        assert_eq!(total, there.list(1).await.0);
        total
    }

    async fn until_proven(&self) {
        until_proven(|| {
            let mut command = shiji(&self.folder.data());
            on(&mut command, &self.url);
            command
        })
        .await;
        let mut command = shiji(&self.folder.data());
        on(&mut command, &self.url);
        let verify = answer(command.args(["audit", "verify"]));
        assert!(verify.status.success(), "{}", words(&verify.stdout));
    }
}

/// Waits until a write on this node is in the read tables when it is answered.
async fn until_it_shows(node: &Node, client: &super::client::Client) {
    let began = Instant::now();
    eventually("the other node moves the read tables", async || {
        let Some(id) = client.try_create("after").await else {
            return false;
        };
        client.task(id).await.is_some()
    })
    .await;
    assert!(
        began.elapsed() < TAKEOVER,
        "{:?}\n{}",
        began.elapsed(),
        node.log()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_leader_is_killed_the_other_takes_over() {
    let pair = Pair::start().await;
    let before = pair.write_on_both().await;
    let client = pair.leader.client().await.at(pair.other.public);
    let Pair {
        folder,
        url,
        leader,
        other,
        database,
    } = pair;
    leader.kill();
    until_it_shows(&other, &client).await;
    let back = Node::start_with(&folder, "back", |command| on(command, &url)).await;
    let pair = Pair {
        folder,
        url,
        leader: other,
        other: back,
        database,
    };
    assert!(pair.write_on_both().await > before);
    pair.until_proven().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_leader_is_frozen_the_other_takes_over_and_thawed_it_applies_nothing_twice() {
    let pair = Pair::start().await;
    pair.write_on_both().await;
    let client = pair.leader.client().await.at(pair.other.public);
    pair.leader.signal(Signal::SIGSTOP);
    until_it_shows(&pair.other, &client).await;
    let (total, _) = client.list(1).await;
    pair.leader.signal(Signal::SIGCONT);
    eventually("the thawed node is ready", async || {
        pair.leader.is_ready().await
    })
    .await;
    let thawed = client.at(pair.leader.public);
    assert_eq!(thawed.list(1).await.0, total, "nothing was applied twice");
    assert_eq!(pair.write_on_both().await, total + 10);
    pair.until_proven().await;
}
