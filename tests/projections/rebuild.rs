//! Read tables are built anew beside the live ones, compared with them, put in their place and back again, while the log
//! grows and readers read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use shiji::projections::projector::rebuild::{Abandoned, Compared, Rebuild, RebuildError};
use shiji::projections::projector::rebuild::{abandoned, prune};

use super::*;

/// The tasks projection.
fn tasks() -> Vec<&'static dyn Projection> {
    vec![projections::find("tasks").unwrap()]
}

async fn begin(ledger: &Ledger, test: &TestDatabase, of: &[&'static dyn Projection]) -> Rebuild {
    let rebuild = Rebuild::begin(ledger, test.database(), of, None, false).await;
    rebuild.unwrap()
}

async fn build(rebuild: &mut Rebuild) {
    while rebuild.step().await.unwrap() {}
    rebuild.analyze().await.unwrap();
}

async fn diff(rebuild: &mut Rebuild) -> Compared {
    rebuild.diff(|_| {}).await.unwrap()
}

/// Some events of several kinds.
async fn history(ledger: &Ledger, ids: std::ops::Range<i64>) -> i64 {
    let mut last = 0;
    for id in ids {
        append(ledger, task(id), &[created(&format!("note {id}"))]).await;
        if id % 3 == 0 {
            append(ledger, task(id), &[TaskEvent::TaskStarted {}]).await;
        }
        if id % 7 == 0 {
            append(ledger, task(id), &[TaskEvent::TaskDeleted {}]).await;
        }
        let account = StreamId::new("Account", format!("backend:{id}"));
        last = append(ledger, account, &[opened(id, &format!("name {id}"))]).await;
    }
    last
}

async fn dumped(test: &TestDatabase) -> Vec<(String, Vec<Value>)> {
    dump(&mut test.database().connect_owner().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_log_grows_the_new_tables_are_equal_and_readers_see_no_gap() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    history(&ledger, 1..60).await;
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (ledger, done) = (ledger.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut next = 60;
            while !done.load(Ordering::Relaxed) {
                history(&ledger, next..next + 5).await;
                next += 5;
            }
        })
    };
    let reader = {
        let (pool, done) = (test.pool(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut seen = 0;
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                // Both projections feed on what the writer appends in turn: neither is ever empty or far from the other.
                let counted =
                    sqlx::query("SELECT (SELECT count(*) FROM staff), (SELECT max(id) FROM tasks)");
                let row = counted.fetch_one(&pool).await.unwrap();
                let (staff, newest): (i64, i64) = (row.get(0), row.get(1));
                assert!(staff >= seen, "{staff} rows after {seen}");
                assert!((newest - staff).abs() <= 1, "{newest} beside {staff}");
                seen = staff;
                looks += 1;
            }
            looks
        })
    };
    for _ in 0..3 {
        let mut rebuild = begin(&ledger, &test, projections::all()).await;
        build(&mut rebuild).await;
        let compared = diff(&mut rebuild).await;
        assert_eq!(compared.differing, 0, "{:?}", compared.differences);
        assert!(compared.rows >= 100, "{compared:?}");
        rebuild.switch().await.unwrap();
        rebuild.close().await;
    }
    let mut old = Rebuild::of_old(&ledger, test.database(), projections::all())
        .await
        .unwrap();
    build(&mut old).await;
    old.switch().await.unwrap();
    old.close().await;
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
    assert!(reader.await.unwrap() > 10);
    let end = ledger.head().await.unwrap().position;
    shown(&ledger, end).await;
    proven(&test.pool(), end).await;
    let before = dumped(&test).await;
    let mut rebuild = begin(&ledger, &test, projections::all()).await;
    build(&mut rebuild).await;
    rebuild.switch().await.unwrap();
    rebuild.close().await;
    assert_eq!(dumped(&test).await, before);
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupted_row_is_named_and_mended_and_rollback_brings_back_what_was() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let last = history(&ledger, 1..20).await;
    shown(&ledger, last).await;
    let pool = test.pool();
    for spoil in [
        "UPDATE tasks SET note = 'spoilt' WHERE id = 5",
        "DELETE FROM tasks WHERE id = 8",
        "INSERT INTO tasks SELECT (jsonb_populate_record(t, '{\"id\": 999}')).* FROM tasks t WHERE id = 1",
    ] {
        sqlx::query(spoil).execute(&pool).await.unwrap();
    }
    let mut rebuild = begin(&ledger, &test, &tasks()).await;
    build(&mut rebuild).await;
    let mut compared = diff(&mut rebuild).await;
    assert_eq!((compared.rows, compared.differing), (18, 3), "{compared:?}");
    compared.differences.sort_by_key(|d| d.key["id"].as_i64());
    let [spoilt, missing, surplus] = compared.differences.as_slice() else {
        panic!("{compared:?}");
    };
    assert_eq!(
        (
            &*spoilt.table,
            &spoilt.key,
            &*spoilt.column,
            &spoilt.live,
            &spoilt.rebuilt
        ),
        (
            "tasks.tasks",
            &json!({ "id": 5 }),
            "note",
            &json!("spoilt"),
            &json!("note 5")
        )
    );
    assert_eq!((&*missing.column, &missing.live), ("*", &Value::Null));
    assert_eq!(missing.rebuilt["note"], "note 8");
    assert_eq!((&*surplus.column, &surplus.rebuilt), ("*", &Value::Null));
    assert_eq!(surplus.key, json!({ "id": 999 }));

    rebuild.switch().await.unwrap();
    rebuild.close().await;
    let note = async || -> String {
        let note = sqlx::query_scalar("SELECT note FROM tasks WHERE id = 5");
        note.fetch_one(&pool).await.unwrap()
    };
    assert_eq!(note().await, "note 5");
    let last = history(&ledger, 20..30).await;
    shown(&ledger, last).await;

    let mut old = Rebuild::of_old(&ledger, test.database(), &tasks())
        .await
        .unwrap();
    build(&mut old).await;
    old.switch().await.unwrap();
    old.close().await;
    assert_eq!(note().await, "spoilt");
    let last = history(&ledger, 30..31).await;
    shown(&ledger, last).await;
    proven(&pool, last).await;
    let newest: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks WHERE id BETWEEN 20 AND 30")
        .fetch_one(&pool)
        .await
        .unwrap();
    // 21 and 28 are deleted.
    assert_eq!(newest, 9);
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_broken_off_goes_on_where_it_was_and_one_works_at_a_time() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let last = history(&ledger, 1..30).await;
    shown(&ledger, last).await;
    let mut slow = Rebuild::begin(&ledger, test.database(), &tasks(), Some(50), false)
        .await
        .unwrap();
    assert!(slow.step().await.unwrap());
    let reached = slow.position();
    assert!(0 < reached && reached < last, "{reached} of {last}");
    let second = Rebuild::begin(&ledger, test.database(), &tasks(), None, false).await;
    assert!(matches!(second, Err(RebuildError::Busy)));
    // As a crash would.
    drop(slow);
    eventually("the lock is free", async || {
        let again = Rebuild::begin(&ledger, test.database(), &tasks(), None, false).await;
        match again {
            Ok(again) => {
                assert_eq!(again.position(), reached);
                again.close().await;
                true
            }
            Err(_) => false,
        }
    })
    .await;
    // Together with one that begins at the first event.
    let mut both = begin(&ledger, &test, projections::all()).await;
    assert_eq!(both.position(), 0);
    build(&mut both).await;
    assert_eq!(both.position(), last);
    assert_eq!(diff(&mut both).await.differing, 0);
    both.close().await;
    let fresh = Rebuild::begin(&ledger, test.database(), &tasks(), None, true).await;
    let fresh = fresh.unwrap();
    assert_eq!(fresh.position(), 0);
    fresh.close().await;
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_folded_is_set_aside_in_the_new_tables_too() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    history(&ledger, 1..10).await;
    append_raw(
        &ledger,
        task(3),
        vec![raw("TaskEdited", "{\"TaskEdited\":{\"note\":7}}")],
    )
    .await;
    let last = history(&ledger, 10..12).await;
    eventually("the stream is parked", async || {
        let report = report(&test.pool(), tasks()[0], false)
            .await
            .unwrap()
            .unwrap();
        report.position >= last && report.parked_streams == 1
    })
    .await;
    let mut rebuild = begin(&ledger, &test, &tasks()).await;
    build(&mut rebuild).await;
    assert_eq!(rebuild.parked(), 1);
    assert_eq!(diff(&mut rebuild).await.differing, 0);
    rebuild.switch().await.unwrap();
    rebuild.close().await;
    let report = report(&test.pool(), tasks()[0], true)
        .await
        .unwrap()
        .unwrap();
    assert!(report.holds() && report.parked_events == 1, "{report:?}");
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_runs_is_pruned_and_nothing_else() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let last = history(&ledger, 1..10).await;
    shown(&ledger, last).await;
    let mut rebuild = begin(&ledger, &test, &tasks()).await;
    build(&mut rebuild).await;
    rebuild.switch().await.unwrap();
    rebuild.close().await;
    begin(&ledger, &test, &tasks()).await.close().await;
    let mut owner = test.database().connect_owner().await.unwrap();
    owner
        .execute(
            "CREATE SCHEMA gone_v1; CREATE TABLE gone_v1.gone (id bigint PRIMARY KEY);
             INSERT INTO projection_checkpoints (projection, version) VALUES ('gone', 1);
             CREATE SCHEMA runs_v3;
             INSERT INTO projection_checkpoints (projection, version) VALUES ('runs', 3);
             INSERT INTO projection_leases (projection, version, expires_at) VALUES ('runs', 3, 'infinity');",
        )
        .await
        .unwrap();
    let before = dump(&mut owner).await;
    let found = abandoned(test.database()).await.unwrap();
    let schemas: Vec<&str> = found
        .iter()
        .map(|a: &Abandoned| a.schema.as_str())
        .collect();
    let version = tasks()[0].schema();
    let [old, shadow] = ["__old", "__shadow"].map(|suffix| format!("{version}{suffix}"));
    assert_eq!(schemas, ["gone_v1", old.as_str(), shadow.as_str()]);
    prune(test.database(), &found).await.unwrap();
    assert!(abandoned(test.database()).await.unwrap().is_empty());
    assert_eq!(dump(&mut owner).await, before);
    assert!(matches!(
        Rebuild::of_old(&ledger, test.database(), &tasks()).await,
        Err(RebuildError::NoOld("tasks"))
    ));
    projector.shutdown().await;
}
