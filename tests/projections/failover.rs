//! Two nodes on one database: whatever happens to the leader, the other goes on and nothing is applied twice.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shiji::events::{Event, Fact, TaskEvent};
use shiji::ledger::Ledger;
use shiji::projections::projector::{ProjectorHandle, ProjectorObserver};
use shiji::projections::{self, FoldError, Handling, Projection, tasks};
use sqlx::{Executor, PgConnection};

use super::{append, created, ledger, projector, proven, shown, start, task};
use crate::support::TestDatabase;
use crate::support::processes::eventually;

/// Writes without pause until told to stop; answers the last id.
fn load(ledger: &Ledger, first: i64) -> (tokio::task::JoinHandle<i64>, Arc<Mutex<bool>>) {
    let stop = Arc::new(Mutex::new(false));
    let stopped = Arc::clone(&stop);
    let ledger = ledger.clone();
    let writing = tokio::spawn(async move {
        let mut id = first;
        while !*stopped.lock().unwrap() {
            append(&ledger, task(id), &[created("under load")]).await;
            if id % 3 == 0 {
                append(&ledger, task(id), &[TaskEvent::TaskDeleted {}]).await;
            }
            id += 1;
        }
        id - first
    });
    (writing, stop)
}

fn left(made: i64, first: i64) -> i64 {
    let deleted = (first..first + made).filter(|id| id % 3 == 0).count();
    made - i64::try_from(deleted).unwrap()
}

async fn leads(projector: &ProjectorHandle) {
    eventually("the node leads", async || {
        !projector.status().leads.is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_dies_or_leaves_is_followed_by_the_other() {
    let test = TestDatabase::create().await;
    let pool = test.pool();
    let (ledger_a, ledger_b) = (ledger(&test).await, ledger(&test).await);
    let a = projector(&test, &ledger_a).await;
    leads(&a).await;
    let b = projector(&test, &ledger_b).await;
    let (writing_a, stop_a) = load(&ledger_a, 1_000);
    let (writing_b, stop_b) = load(&ledger_b, 500_000);

    // Both see what the leader moves.
    let position = append(&ledger_b, task(1), &[created("seen")]).await;
    shown(&ledger_b, position).await;
    shown(&ledger_a, position).await;
    assert!(b.status().leads.is_empty());

    // Dies in the midst of things, without a word.
    drop(a);
    leads(&b).await;
    let position = append(&ledger_a, task(2), &[created("seen")]).await;
    shown(&ledger_b, position).await;

    // Leaves in order: the other need not wait for the end of the lease.
    let c = projector(&test, &ledger_a).await;
    b.shutdown().await;
    leads(&c).await;

    *stop_a.lock().unwrap() = true;
    *stop_b.lock().unwrap() = true;
    let made = (writing_a.await.unwrap(), writing_b.await.unwrap());
    let position = append(&ledger_a, task(3), &[created("seen")]).await;
    shown(&ledger_a, position).await;
    proven(&pool, position).await;
    let total = tasks::page(&pool, 0, 1).await.unwrap().total;
    assert_eq!(total, 3 + left(made.0, 1_000) + left(made.1, 500_000));
    c.shutdown().await;
}

/// Where a frozen node stands still.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    /// Inside the transaction, rows written.
    Applying,
    /// Anywhere, between two statements.
    Anywhere,
}

/// The tasks of a node that can be frozen whole, as by SIGSTOP: its only thread waits.
struct Freezing {
    place: Place,
    frozen: Mutex<bool>,
    thawed: Condvar,
}

impl Freezing {
    fn set(&self, frozen: bool) {
        *self.frozen.lock().unwrap() = frozen;
        self.thawed.notify_all();
    }

    fn pass(&self, place: Place) {
        if place == self.place {
            let guard = self.frozen.lock().unwrap();
            drop(self.thawed.wait_while(guard, |frozen| *frozen).unwrap());
        }
    }
}

#[async_trait]
impl Projection for Freezing {
    fn name(&self) -> &'static str {
        tasks::Tasks.name()
    }

    fn version(&self) -> u32 {
        self.pass(Place::Anywhere);
        tasks::Tasks.version()
    }

    fn ddl(&self) -> &'static str {
        tasks::Tasks.ddl()
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        tasks::Tasks.feeds_on()
    }

    fn handles(&self, event: &Event) -> Handling {
        tasks::Tasks.handles(event)
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        tasks::Tasks.apply(batch, tx).await?;
        self.pass(Place::Applying);
        Ok(())
    }
}

/// A node with a runtime and a thread of its own.
fn freezable(test: &TestDatabase, tasks: &'static Freezing) -> ProjectorObserver {
    let database = test.database().clone();
    let (told, observer) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let ledger = super::ledger_on(&database).await;
            let all = (projections::all().iter().copied())
                .map(|p| {
                    if p.name() == "tasks" {
                        tasks as &dyn Projection
                    } else {
                        p
                    }
                })
                .collect();
            let projector = super::start_on(&database, &ledger, all).await;
            told.send(projector.observer()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    observer.recv().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_leader_loses_the_lease_and_applies_nothing_when_it_thaws() {
    for place in [Place::Applying, Place::Anywhere] {
        let test = TestDatabase::create().await;
        let pool = test.pool();
        let tasks: &'static Freezing = Box::leak(Box::new(Freezing {
            place,
            frozen: Mutex::new(false),
            thawed: Condvar::new(),
        }));
        let a = freezable(&test, tasks);
        eventually("a leads", async || !a.status().leads.is_empty()).await;
        let ledger = ledger(&test).await;
        let b = start(&test, &ledger, projections::all().to_vec()).await;
        let position = append(&ledger, task(1), &[created("before")]).await;
        shown(&ledger, position).await;

        tasks.set(true);
        let began = std::time::Instant::now();
        for id in 2..=50 {
            append(&ledger, task(id), &[created("while frozen")]).await;
        }
        let position = append(&ledger, task(51), &[created("while frozen")]).await;
        shown(&ledger, position).await;
        assert!(!b.status().leads.is_empty(), "{place:?}");
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{place:?}: {:?}",
            began.elapsed()
        );
        proven(&pool, position).await;

        tasks.set(false);
        eventually("a knows that it leads no more", async || {
            a.status().leads.is_empty()
        })
        .await;
        let position = append(&ledger, task(52), &[created("after")]).await;
        shown(&ledger, position).await;
        proven(&pool, position).await;
        assert_eq!(
            tasks::page(&pool, 0, 1).await.unwrap().total,
            52,
            "{place:?}"
        );
        b.shutdown().await;
        // And it can lead again.
        eventually("a leads again", async || !a.status().leads.is_empty()).await;
        let position = append(&ledger, task(53), &[created("again")]).await;
        eventually("the tables follow", async || {
            tasks::page(&pool, 0, 1).await.unwrap().total == 53
        })
        .await;
        proven(&pool, position).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_with_an_old_fence_moves_nothing() {
    let test = TestDatabase::create().await;
    let pool = test.pool();
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let position = append(&ledger, task(1), &[created("before")]).await;
    shown(&ledger, position).await;

    // As if another leader had stood here, though this one still believes in its lease.
    let mut owner = test.database().connect_owner().await.unwrap();
    let successor = "UPDATE projection_checkpoints SET fence = fence + 5;
                     UPDATE projection_fronts SET closed = true";
    owner.execute(successor).await.unwrap();
    let position = append(&ledger, task(2), &[created("after")]).await;
    let waited = Duration::from_millis(500);
    let all = shiji::projections::all().len();
    assert_eq!(
        ledger.watermark().wait_all(position, waited).await.len(),
        all
    );
    assert_eq!(tasks::page(&pool, 0, 1).await.unwrap().total, 1);

    // The lease changes hands again and the fence with it.
    let again = "UPDATE projection_leases SET fence = fence + 6";
    owner.execute(again).await.unwrap();
    shown(&ledger, position).await;
    proven(&pool, position).await;
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_folds_only_what_follows_the_position_it_finds() {
    let test = TestDatabase::create().await;
    let pool = test.pool();
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let position = append(&ledger, task(1), &[created("before")]).await;
    shown(&ledger, position).await;

    // As if somebody had folded the next event already.
    let mut owner = test.database().connect_owner().await.unwrap();
    let ahead = "UPDATE projection_fronts SET position = position + 1";
    owner.execute(ahead).await.unwrap();
    append(&ledger, task(2), &[created("not to be folded again")]).await;
    let position = append(&ledger, task(3), &[created("after")]).await;
    shown(&ledger, position).await;
    assert_eq!(tasks::detail(&pool, 2).await.unwrap(), None);
    assert!(tasks::detail(&pool, 3).await.unwrap().is_some());
    projector.shutdown().await;
}
