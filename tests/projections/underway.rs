//! Appends are folded while they are on their way to the disk, and shown when they are there: not before, and not if they do not
//! get there.

use std::time::Duration;

use shiji::ledger::Ledger;
use shiji::projections::projector::{Projector, ProjectorHandle, ProjectorOptions};
use sqlx::{Executor, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{append, created, eventually, ledger, options_on, proven, shown, task};
use crate::ledger::proxy::{Fate, Proxy};
use crate::support::TestDatabase;

/// A node on a database whose commits of events can be made to wait, with tables that show its first task.
struct Node {
    test: TestDatabase,
    owner: PgConnection,
    /// The disk: who holds its lock lets every commit wait.
    disk: PgConnection,
    /// Between its appender and the database.
    proxy: Proxy,
    ledger: Ledger,
    projector: ProjectorHandle,
}

impl Node {
    async fn start() -> Self {
        let test = TestDatabase::create().await;
        let mut owner = test.database().connect_owner().await.unwrap();
        owner
            .execute(
                "CREATE FUNCTION disk() RETURNS trigger LANGUAGE plpgsql AS
                     'BEGIN PERFORM pg_advisory_xact_lock_shared(4242); RETURN NULL; END';
                 CREATE CONSTRAINT TRIGGER disk AFTER INSERT ON events
                     DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION disk()",
            )
            .await
            .unwrap();
        let mut through = options_on(test.database());
        let proxy = Proxy::start(through.append);
        through.append = proxy.options();
        let ledger = Ledger::open(through).await.unwrap();
        // Longer than any of this takes: nobody else ends what the projector holds.
        let options = ProjectorOptions::new(500, Duration::from_secs(30));
        let projector = Projector::start(ledger.clone(), test.database(), options)
            .await
            .unwrap();
        let position = append(&ledger, task(1), &[created("task 1")]).await;
        shown(&ledger, position).await;
        Self {
            disk: test.database().connect_owner().await.unwrap(),
            test,
            owner,
            proxy,
            ledger,
            projector,
        }
    }

    /// Appends a task whose commit waits, until it is folded.
    async fn folds(&mut self, id: i64) -> JoinHandle<i64> {
        let stop = "SELECT pg_advisory_lock(4242)";
        self.disk.execute(stop).await.unwrap();
        let appends = appends(&self.ledger, id);
        eventually("it is folded", async || self.folding().await).await;
        appends
    }

    /// The disk goes on.
    async fn let_go(&mut self) {
        let go = "SELECT pg_advisory_unlock_all()";
        self.disk.execute(go).await.unwrap();
    }

    /// Appenders that wait: one for the disk, others for it.
    async fn waiting(&mut self) -> i64 {
        let waiting = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'shiji appender'
               AND wait_event = 'advisory'",
        );
        waiting.fetch_one(&mut self.owner).await.unwrap()
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
    node.let_go().await;
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
    eventually("theirs is next", async || node.waiting().await == 2).await;
    let ended: i64 = sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a
         JOIN pg_locks l ON l.pid = a.pid
         WHERE a.datname = current_database() AND a.application_name = 'shiji appender'
           AND l.locktype = 'advisory' AND NOT l.granted AND l.objid = 4242",
    )
    .fetch_one(&mut node.owner)
    .await
    .unwrap();
    assert_eq!(ended, 1);
    node.let_go().await;
    assert_eq!(theirs.await.unwrap(), 2);
    assert_eq!(ours.await.unwrap(), 3);
    node.all_is_shown(3).await;
}

/// What is folded counts when the append's answer has ended. Here it never does, although the append is on the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_got_to_the_disk_unheard_is_shown_once() {
    let mut node = Node::start().await;
    node.proxy.plan(|number| match number {
        0 => Fate::CutEnd,
        _ => Fate::Pass,
    });
    let append = node.folds(2).await;
    node.nothing_more_is_shown().await;
    node.let_go().await;
    assert_eq!(append.await.unwrap(), 2);
    assert!(node.proxy.statements() > 1, "it was sent again");
    node.all_is_shown(2).await;
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
    node.let_go().await;
    assert_eq!(append.await.unwrap(), 2);
    node.all_is_shown(2).await;
}
