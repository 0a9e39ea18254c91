//! What cannot be folded is set aside with its stream, and comes back in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use shiji::events::{Event, Fact, TaskEvent};
use shiji::ledger::Ledger;
use shiji::projections::projector::{ProjectionReport, report, retry};
use shiji::projections::{self, FoldError, Handling, Projection, tasks};
use sqlx::{Connection, Executor, PgConnection, PgPool};

use super::{
    append, append_raw, created, dump, ledger, projector, proven, raw, shown, start, task,
};
use crate::support::TestDatabase;
use crate::support::processes::eventually;

async fn tasks_report(pool: &PgPool) -> ProjectionReport {
    report(pool, &tasks::Tasks, true).await.unwrap().unwrap()
}

/// The tables as one fold of the whole log makes them.
async fn refolded(test: &TestDatabase, ledger: &Ledger) -> Vec<(String, Vec<Value>)> {
    let facts: Vec<Fact> = (ledger.read(0, 10_000).await.unwrap().into_iter())
        .map(|recorded| Fact::of(recorded).unwrap())
        .collect();
    let mut connection = test
        .database()
        .connect("refold", &projections::search_path())
        .await
        .unwrap();
    let mut tx = connection.begin().await.unwrap();
    for table in ["tasks", "staff", "sessions", "media"] {
        tx.execute(format!("DELETE FROM {table}").as_str())
            .await
            .unwrap();
    }
    tx.execute("UPDATE tasks_total SET total = 0, position = 0")
        .await
        .unwrap();
    for projection in projections::all() {
        let handled: Vec<&Fact> = (facts.iter())
            .filter(|fact| projection.handles(&fact.event) == Handling::Handled)
            .collect();
        projection.apply(&handled, &mut tx).await.unwrap();
    }
    let tables = dump(&mut tx).await;
    tx.rollback().await.unwrap();
    tables
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_does_not_decode_parks_its_stream_only_until_it_is_mended() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let pool = test.pool();
    append(&ledger, task(1), &[created("one")]).await;
    append(&ledger, task(2), &[created("two")]).await;
    let broken = raw("TaskEdited", r#"{"TaskEdited":{"note":{"not":"a text"}}}"#);
    let bad = append_raw(&ledger, task(1), vec![broken]).await;
    // Shown, so that what follows comes in another batch.
    shown(&ledger, bad).await;
    append(&ledger, task(1), &[TaskEvent::TaskStarted {}]).await;
    let position = append(&ledger, task(2), &[TaskEvent::TaskStarted {}]).await;
    shown(&ledger, position).await;

    assert_eq!(tasks::detail(&pool, 1).await.unwrap().unwrap().status, 0);
    assert_eq!(tasks::detail(&pool, 2).await.unwrap().unwrap().status, 2);
    let wait = |id| {
        let ledger = &ledger;
        async move {
            ledger
                .watermark()
                .wait(position, &[task(id)], Duration::from_millis(50))
                .await
        }
    };
    assert_eq!(wait(1).await, ["tasks"]);
    assert!(wait(2).await.is_empty());
    let report = tasks_report(&pool).await;
    assert_eq!((report.parked_streams, report.parked_events), (1, 2));
    proven(&pool, position).await;

    // In vain while nothing has changed.
    let replayed = retry(&ledger, test.database(), &tasks::Tasks)
        .await
        .unwrap();
    assert_eq!(
        (replayed.streams.len(), replayed.still_parked.len()),
        (0, 1)
    );
    assert_eq!(tasks_report(&pool).await.parked_events, 2);

    // "The fix": stands for an upcaster in the next build.
    let mut owner = test.database().connect_owner().await.unwrap();
    let mend = format!(
        r#"UPDATE events SET payload = '{{"TaskEdited":{{"note":"mended"}}}}' WHERE position = {bad}"#
    );
    owner.execute(mend.as_str()).await.unwrap();
    let replayed = retry(&ledger, test.database(), &tasks::Tasks)
        .await
        .unwrap();
    assert_eq!(replayed.streams, [task(1)]);
    eventually("the stream is waited for again", async || {
        wait(1).await.is_empty()
    })
    .await;
    let position = append(&ledger, task(1), &[TaskEvent::TaskCompleted {}]).await;
    shown(&ledger, position).await;
    let detail = tasks::detail(&pool, 1).await.unwrap().unwrap();
    assert_eq!((detail.status, detail.note.as_str()), (1, "mended"));
    proven(&pool, position).await;
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(dump(&mut connection).await, refolded(&test, &ledger).await);
    drop(connection);
    projector.shutdown().await;
}

/// The tasks, but some notes cannot be folded as long as the bug is there.
struct Buggy {
    bug: Arc<AtomicBool>,
    sql: bool,
}

#[async_trait]
impl Projection for Buggy {
    fn name(&self) -> &'static str {
        tasks::Tasks.name()
    }

    fn version(&self) -> u32 {
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
        let trips = |fact: &&&Fact| match &fact.event {
            Event::Task(TaskEvent::TaskEdited {
                note: Some(note), ..
            }) => note == "trip",
            _ => false,
        };
        if self.bug.load(Ordering::Relaxed) && batch.iter().any(|fact| trips(&fact)) {
            if self.sql {
                tx.execute("SELECT 1 / 0").await?;
            }
            return Err(FoldError::Data("tripped".to_owned()));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fold_that_fails_parks_the_streams_it_fails_on_and_replays_them_to_the_same_tables() {
    for sql in [false, true] {
        let test = TestDatabase::create().await;
        let ledger = ledger(&test).await;
        let pool = test.pool();
        // Before the projector starts, so that good and bad stand in one batch.
        for id in 1..=40 {
            append(&ledger, task(id), &[created("fine")]).await;
        }
        let edited = |note: &str| TaskEvent::TaskEdited {
            note: Some(note.to_owned()),
            priority: None,
        };
        for id in [7, 23, 24] {
            append(
                &ledger,
                task(id),
                &[edited("trip"), TaskEvent::TaskStarted {}, edited("after")],
            )
            .await;
        }
        append(&ledger, task(8), &[TaskEvent::TaskDeleted {}]).await;
        let position = append(&ledger, task(23), &[TaskEvent::TaskDeleted {}]).await;

        let bug = Arc::new(AtomicBool::new(true));
        let buggy: &'static dyn Projection = Box::leak(Box::new(Buggy {
            bug: Arc::clone(&bug),
            sql,
        }));
        let all = (projections::all().iter().copied())
            .filter(|p| p.name() != "tasks")
            .chain([buggy])
            .collect();
        let projector = start(&test, &ledger, all).await;
        shown(&ledger, position).await;
        let report = tasks_report(&pool).await;
        assert_eq!(
            (report.parked_streams, report.parked_events),
            (3, 10),
            "{report:?}"
        );
        assert_eq!(tasks::page(&pool, 0, 5).await.unwrap().total, 39);
        proven(&pool, position).await;
        eventually("the status tells", async || {
            projector
                .status()
                .projections
                .iter()
                .any(|p| p.parked_streams == 3)
        })
        .await;

        bug.store(false, Ordering::Relaxed);
        let replayed = retry(&ledger, test.database(), buggy).await.unwrap();
        assert_eq!(replayed.streams, [task(7), task(23), task(24)]);
        assert_eq!(tasks_report(&pool).await.parked_events, 0);
        let position = append(&ledger, task(24), &[edited("last")]).await;
        shown(&ledger, position).await;
        proven(&pool, position).await;
        let mut connection = pool.acquire().await.unwrap();
        assert_eq!(dump(&mut connection).await, refolded(&test, &ledger).await);
        drop(connection);
        projector.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_event_makes_the_node_give_up_and_say_so() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let pool = test.pool();
    let known = append(&ledger, task(1), &[created("one")]).await;
    append_raw(&ledger, task(1), vec![raw("TaskTeleported", "{}")]).await;
    append(&ledger, task(2), &[created("two")]).await;
    eventually("the node says that it is too old", async || {
        let sentence = projector.status().unready().unwrap_or_default();
        sentence.contains("older than the log") && sentence.contains("TaskTeleported")
    })
    .await;
    let free = "SELECT count(*) FROM projection_leases WHERE holder IS NOT NULL";
    eventually("the lease is given back", async || {
        sqlx::query_scalar::<_, i64>(free)
            .fetch_one(&pool)
            .await
            .unwrap()
            == 0
    })
    .await;
    assert!(projector.status().leads.is_empty());
    proven(&pool, known).await;
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_an_events_fault_is_tried_again_and_parks_nothing() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let pool = test.pool();
    let position = append(&ledger, task(1), &[created("one")]).await;
    shown(&ledger, position).await;
    let mut owner = test.database().connect_owner().await.unwrap();
    owner
        .execute("ALTER TABLE tasks_v1.tasks RENAME TO mislaid")
        .await
        .unwrap();
    let position = append(&ledger, task(2), &[created("two")]).await;
    eventually("the status tells", async || {
        projector.status().failing.is_some()
    })
    .await;
    eventually("nobody waits any more", async || {
        projector.status().projections.iter().any(|p| p.away)
    })
    .await;
    assert!(projector.status().unready().is_some());
    owner
        .execute("ALTER TABLE tasks_v1.mislaid RENAME TO tasks")
        .await
        .unwrap();
    shown(&ledger, position).await;
    proven(&pool, position).await;
    assert_eq!(tasks_report(&pool).await.parked_events, 0);
    eventually("the node is ready again", async || {
        projector.status().unready().is_none()
    })
    .await;
    projector.shutdown().await;
}
