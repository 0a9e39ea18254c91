//! Two builds of the service on one database: the younger one has another version of a projection. It builds its tables beside
//! those that serve, becomes ready, takes over; then the older one comes back. Clients of either notice nothing.
//!
//! The younger build is this test program playing a part: the same source, with one projection in place of another.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use shiji::events::{Event, Fact};
use shiji::projections::{self, FoldError, Handling, Projection, tasks};
use sqlx::{Executor, PgConnection, Row};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::node::Node;
use super::nodes::{on, url};
use super::{Folder, answer, deaf, shiji, words};
use crate::support::TestDatabase;
use crate::support::processes::{eventually, this_program};

/// The tasks of the next build: a column more, which says how many events a task has had.
struct NextTasks;

#[async_trait]
impl Projection for NextTasks {
    fn name(&self) -> &'static str {
        tasks::Tasks.name()
    }

    fn version(&self) -> u32 {
        tasks::Tasks.version() + 1
    }

    fn ddl(&self) -> &'static str {
        concat!(
            include_str!("../../src/projections/tasks/tables.sql"),
            "CREATE TABLE task_events (id bigint PRIMARY KEY, events bigint NOT NULL);"
        )
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        tasks::Tasks.feeds_on()
    }

    fn handles(&self, event: &Event) -> Handling {
        tasks::Tasks.handles(event)
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        tasks::Tasks.apply(batch, tx).await?;
        for fact in batch {
            let id: i64 = fact.place.stream.id.parse().unwrap();
            sqlx::query(
                "INSERT INTO task_events AS e VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET events = e.events + 1",
            )
            .bind(id)
            .execute(&mut *tx)
            .await?;
        }
        Ok(())
    }
}

/// The next build, which this program is when it is started so.
#[test]
#[ignore = "a part"]
fn the_next_build_serves() {
    let all = projections::all().iter().copied();
    let next = all.map(|projection| {
        if projection.name() == NextTasks.name() {
            &NextTasks as &dyn Projection
        } else {
            projection
        }
    });
    projections::build_of(next.collect());
    let ended = shiji::cli::main_with(["shiji", "serve"].map(Into::into));
    assert_eq!(format!("{ended:?}"), format!("{:?}", ExitCode::SUCCESS));
}

fn next_build(folder: &Folder) -> Command {
    let mut command = deaf(&this_program(), &folder.data());
    command.args([
        "journeys::builds::the_next_build_serves",
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
}

/// Somebody who writes and reads at a node all the time, and lets nothing pass.
struct Busy {
    rounds: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    leave: CancellationToken,
}

impl Busy {
    fn at(client: Client, name: &'static str) -> Self {
        let (rounds, leave) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
        let (done, end) = (Arc::clone(&rounds), leave.clone());
        let task = tokio::spawn(async move {
            while !end.is_cancelled() {
                let round = done.load(Ordering::Relaxed);
                let id = client.create(&format!("{name} {round}")).await;
                let shown = client.task(id).await;
                assert!(shown.is_some(), "{name}: what was written is not there");
                let (_, newest) = client.list(5).await;
                let ids = newest.iter().map(|task| task["id"].as_i64());
                assert!(ids.max().flatten() >= Some(id), "{name}: {newest:?}");
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            rounds,
            task,
            leave,
        }
    }

    /// Lets it go on for a while, and answers for it.
    async fn a_while(&self) {
        let enough = self.rounds.load(Ordering::Relaxed) + 20;
        eventually("work goes on", async || {
            self.task.is_finished() || self.rounds.load(Ordering::Relaxed) >= enough
        })
        .await;
    }

    async fn stop(self) {
        self.a_while().await;
        self.leave.cancel();
        self.task.await.unwrap();
    }
}

/// All tasks as a node lists them, at or after a position.
async fn listed(client: &Client, position: &str) -> String {
    let list = client.request(Method::GET, "/tasks?limit=10000");
    let answer = list.header("x-position", position).send().await.unwrap();
    assert_eq!(answer.headers().get("x-pending"), None);
    answer.text().await.unwrap()
}

/// Where the log stands, as positions leave the house.
fn position(folder: &Folder, url: &str) -> String {
    let mut command = shiji(&folder.data());
    on(command.args(["audit", "head"]), url);
    let said = words(&answer(&mut command).stdout);
    said.split(':').next().unwrap().to_owned()
}

async fn equal(folder: &Folder, url: &str, one: &Client, other: &Client) {
    let position = position(folder, url);
    assert_eq!(listed(one, &position).await, listed(other, &position).await);
}

fn status(folder: &Folder, url: &str, words_of: &[&str]) -> Value {
    let mut command = shiji(&folder.data());
    on(command.args(words_of).arg("--json"), url);
    serde_json::from_slice(&answer(&mut command).stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_builds_serve_one_database_forth_and_back() {
    let folder = Folder::new();
    let database = TestDatabase::create().await;
    let url = url(database.database());
    let start_old = async || Node::start_with(&folder, "old", |command| on(command, &url)).await;
    let start_next = async || {
        let mut command = next_build(&folder);
        on(&mut command, &url);
        Node::start_program(&folder, "next", command).await
    };
    let old = start_old().await;
    let client = old.client().await;
    for number in 0..300 {
        client.create(&format!("before {number}")).await;
    }

    // Forth: the next build comes while the old one serves.
    let busy = Busy::at(client.clone(), "old");
    let next = start_next().await;
    assert!(
        next.log().contains("This node moves tasks\""),
        "{}",
        next.log()
    );
    let beside = client.at(next.public);
    let also = Busy::at(beside.clone(), "next");
    tokio::join!(busy.a_while(), also.a_while());
    busy.stop().await;
    also.stop().await;
    equal(&folder, &url, &client, &beside).await;
    // The two are not the same tables: only the next build counts.
    let (v1, v2) = (tasks::Tasks.schema(), NextTasks.schema());
    let mut owner = database.database().connect_owner().await.unwrap();
    let counted = format!("SELECT count(*), sum(events)::bigint FROM {v2}.task_events");
    let row = owner.fetch_one(counted.as_str()).await.unwrap();
    let (counted, events): (i64, i64) = (row.get(0), row.get(1));
    assert!(counted >= 300 && events == counted, "{counted} {events}");

    // The old one leaves: the next build moves everything, and its clients go on.
    let also = Busy::at(beside.clone(), "next alone");
    old.stop().await;
    eventually("the next build moves all", async || {
        next.log().contains("This node moves articles")
    })
    .await;
    also.stop().await;
    assert!(next.is_ready().await);

    // Back: the old build finds its tasks where it left them, catches up and is ready; clients of both are served.
    let also = Busy::at(beside.clone(), "next again");
    let old = start_old().await;
    let client = beside.at(old.public);
    let busy = Busy::at(client.clone(), "old again");
    tokio::join!(busy.a_while(), also.a_while());
    also.stop().await;
    busy.stop().await;
    equal(&folder, &url, &client, &beside).await;

    // The next build leaves; its tables are rubbish once its lease is over, those of the old one are not.
    next.stop().await;
    let busy = Busy::at(client.clone(), "old alone");
    let dry = ["projections", "prune", "--dry-run"];
    eventually("the next build's lease is over", async || {
        let found = status(&folder, &url, &dry);
        let schemas = found["schemas"].as_array().unwrap();
        assert!(
            schemas.iter().all(|one| one["schema"] != json!(v1)),
            "{found}"
        );
        schemas.iter().any(|one| one["schema"] == json!(v2))
    })
    .await;
    busy.stop().await;
    eventually("the old build shows everything", async || {
        status(&folder, &url, &["projections", "status"])["well"] == json!(true)
    })
    .await;
    assert!(old.is_ready().await);
    old.stop().await;
}
