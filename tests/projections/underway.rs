//! Appends are folded while they are on their way to the disk, and shown when they are there: not before, and not if they do not
//! get there.

use std::time::Duration;

use shiji::ledger::Ledger;
use shiji::projections::projector::ProjectorHandle;
use sqlx::PgConnection;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{
    append, created, eventually, ledger, ledger_through, projections, projector, proven, shown,
    task,
};
use crate::ledger::proxy::{Fate, Proxy, Statement};
use crate::support::TestDatabase;

/// A node whose appends go through a proxy, with tables that show its first task.
struct Node {
    test: TestDatabase,
    owner: PgConnection,
    proxy: Proxy,
    ledger: Ledger,
    projector: ProjectorHandle,
}

impl Node {
    async fn start() -> Self {
        let test = TestDatabase::create().await;
        let path = projections::search_path();
        let proxy = Proxy::start(test.database().service_options("appender", &path));
        let ledger = ledger_through(test.database(), proxy.options()).await;
        let projector = projector(&test, &ledger).await;
        let position = append(&ledger, task(1), &[created("task 1")]).await;
        shown(&ledger, position).await;
        Self {
            owner: test.database().connect_owner().await.unwrap(),
            test,
            proxy,
            ledger,
            projector,
        }
    }

    /// Appends a task whose commit waits, until it is folded.
    async fn folds(&mut self, id: i64) -> JoinHandle<i64> {
        self.proxy.plan(|statement| match statement {
            Statement::Commit(0) => Fate::Wait,
            Statement::Commit(_) | Statement::Call(_) => Fate::Pass,
        });
        let appends = appends(&self.ledger, id);
        eventually("it is folded", async || self.folding().await).await;
        appends
    }

    /// Has the projector written to the table of tasks, and not committed?
    async fn folding(&mut self) -> bool {
        let writes = sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM pg_locks l
                 JOIN pg_stat_activity a ON a.pid = l.pid
                 JOIN pg_class c ON c.oid = l.relation
                 WHERE a.datname = current_database() AND a.application_name = 'shiji projector'
                   AND l.mode = 'RowExclusiveLock' AND c.relname = 'tasks')",
        );
        writes.fetch_one(&mut self.owner).await.unwrap()
    }

    /// The first task is there and known, and nothing else.
    async fn nothing_more_is_shown(&mut self) {
        assert_eq!(self.tasks().await, ["1 task 1"]);
        assert_eq!(self.ledger.watermark().as_of(), 1);
        assert_eq!(self.ledger.tail_position(), 1);
    }

    async fn tasks(&self) -> Vec<String> {
        let tasks = sqlx::query_scalar("SELECT id || ' ' || note FROM tasks ORDER BY id");
        tasks.fetch_all(&self.test.pool()).await.unwrap()
    }

    /// All tasks are, and each event was folded once.
    async fn all_is_shown(self, last: i64) {
        shown(&self.ledger, last).await;
        let tasks: Vec<String> = (1..=last).map(|id| format!("{id} task {id}")).collect();
        assert_eq!(self.tasks().await, tasks);
        proven(&self.test.pool(), last).await;
        self.projector.shutdown().await;
    }
}

fn appends(ledger: &Ledger, id: i64) -> JoinHandle<i64> {
    let ledger = ledger.clone();
    tokio::spawn(async move { append(&ledger, task(id), &[created(&format!("task {id}"))]).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_and_not_on_the_disk_is_not_shown() {
    let mut node = Node::start().await;
    let append = node.folds(2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(node.folding().await, "it waits for the disk");
    node.nothing_more_is_shown().await;
    assert!(!append.is_finished());
    node.proxy.let_go();
    assert_eq!(append.await.unwrap(), 2);
    node.all_is_shown(2).await;
}

/// Another node's event gets the place of one that was folded already and then did not reach the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_folded_and_does_not_get_to_the_disk_is_taken_back() {
    let mut node = Node::start().await;
    let ours = node.folds(3).await;
    let other = ledger(&node.test).await;
    let theirs = appends(&other, 2);
    let ended: i64 = sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'shiji appender'
           AND state = 'idle in transaction'",
    )
    .fetch_one(&mut node.owner)
    .await
    .unwrap();
    assert_eq!(ended, 1);
    assert_eq!(theirs.await.unwrap(), 2);
    node.proxy.let_go();
    assert_eq!(ours.await.unwrap(), 3);
    node.all_is_shown(3).await;
}

/// Who folds holds rows that others may want.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_long_is_not_waited_for_with_rows_in_hand() {
    let mut node = Node::start().await;
    let began = Instant::now();
    let append = node.folds(2).await;
    eventually("the rows are let go", async || !node.folding().await).await;
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "before the append is given up: {:?}",
        began.elapsed()
    );
    node.nothing_more_is_shown().await;
    node.proxy.let_go();
    assert_eq!(append.await.unwrap(), 2);
    node.all_is_shown(2).await;
}
