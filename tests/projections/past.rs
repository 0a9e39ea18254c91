//! Read tables as of a position: built beside the live ones, taken up again, held while they are served, dropped after.

use shiji::events::past::{Point, PointError};
use shiji::projections::projector::Slot;
use shiji::projections::projector::rebuild::{Kept, Past, PastTables, RebuildError};
use shiji::projections::projector::rebuild::{abandoned, pasts, prune};

use super::*;

async fn begin(ledger: &Ledger, test: &TestDatabase, position: i64) -> Past {
    let all = projections::all();
    let past = Past::begin(ledger, test.database(), all, position, (None, false)).await;
    past.unwrap()
}

async fn built(ledger: &Ledger, test: &TestDatabase, position: i64) -> Kept {
    let mut past = begin(ledger, test, position).await;
    past.build(|_| ()).await.unwrap();
    assert_eq!(past.reached(), position);
    past.finish().await.unwrap()
}

/// Tasks, of which some are edited and deleted; the position of the last event.
async fn history(ledger: &Ledger, ids: std::ops::Range<i64>) -> i64 {
    let mut last = 0;
    for id in ids {
        append(ledger, task(id), &[created(&format!("note {id}"))]).await;
        last = append(ledger, task(id), &[TaskEvent::TaskStarted {}]).await;
        if id % 3 == 0 {
            last = append(ledger, task(id), &[TaskEvent::TaskDeleted {}]).await;
        }
    }
    last
}

/// The tasks of a set of tables, as JSON.
async fn tasks_in(test: &TestDatabase, slot: Slot) -> Vec<String> {
    rows_in(test, slot, "tasks", "to_json(t)::text").await
}

/// Something of all rows in the table that is called as its projection.
async fn rows_in(test: &TestDatabase, slot: Slot, table: &str, what: &str) -> Vec<String> {
    let schema = slot.schema(projections::find(table).unwrap());
    let sql = format!("SELECT {what} FROM {schema}.{table} t ORDER BY position");
    sqlx::query_scalar(&sql)
        .fetch_all(&test.pool())
        .await
        .unwrap()
}

async fn found(test: &TestDatabase) -> Vec<PastTables> {
    pasts(&test.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_a_position_are_those_that_served_then() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let mut moments = Vec::new();
    for part in 0..3 {
        let position = history(&ledger, part * 20 + 1..part * 20 + 21).await;
        shown(&ledger, position).await;
        moments.push((position, tasks_in(&test, Slot::Live).await));
    }
    let nothing = built(&ledger, &test, 0).await;
    assert!(tasks_in(&test, Slot::AsOf(0)).await.is_empty());
    nothing.release().await;
    // In no order, while the service goes on.
    moments.rotate_left(1);
    for (position, then) in &moments {
        let kept = built(&ledger, &test, *position).await;
        assert_eq!(&tasks_in(&test, Slot::AsOf(*position)).await, then);
        let last = history(&ledger, 1_000 + position..1_002 + position).await;
        shown(&ledger, last).await;
        assert_eq!(&tasks_in(&test, Slot::AsOf(*position)).await, then);
        kept.release().await;
    }
    // The proof of the live tables is not disturbed by rows about others.
    proven(&test.pool(), ledger.head().await.unwrap().position).await;
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_broken_off_goes_on_and_one_builds_at_a_time() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let end = history(&ledger, 1..40).await;
    let one = vec![projections::find("tasks").unwrap()];
    let slow = (Some(50), false);
    let mut past = Past::begin(&ledger, test.database(), &one, end, slow)
        .await
        .unwrap();
    assert!(past.step().await.unwrap());
    let reached = past.reached();
    assert!(0 < reached && reached < end, "{reached} of {end}");
    let all = projections::all();
    let second = Past::begin(&ledger, test.database(), all, end, (None, false)).await;
    assert!(matches!(second, Err(RebuildError::Held(position)) if position == end));
    // Another position is another thing.
    built(&ledger, &test, end - 1).await.release().await;
    // As a crash would.
    drop(past);
    eventually("the lock is free", async || {
        let again = Past::begin(&ledger, test.database(), &one, end, (None, false)).await;
        again.is_ok_and(|again| again.reached() == reached)
    })
    .await;
    // All of them are built, and those that were ahead wait for the others.
    eventually("all are built", async || {
        match Past::begin(&ledger, test.database(), all, end, (None, false)).await {
            Ok(mut past) => {
                past.build(|_| ()).await.unwrap();
                past.finish().await.unwrap().release().await;
                true
            }
            Err(_) => false,
        }
    })
    .await;
    // The last event deleted a task.
    let tasks = async |position| tasks_in(&test, Slot::AsOf(position)).await.len();
    assert_eq!((tasks(end - 1).await, tasks(end).await), (27, 26));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_not_pruned_and_what_is_not_is() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let projector = projector(&test, &ledger).await;
    let end = history(&ledger, 1..10).await;
    shown(&ledger, end).await;
    let served = built(&ledger, &test, end).await;
    // A second one serves the same tables, and does not build them again.
    let also = built(&ledger, &test, end).await;
    built(&ledger, &test, 5).await.release().await;
    let [early, late]: [PastTables; 2] = found(&test).await.try_into().unwrap();
    assert_eq!((early.position, late.position), (5, end));
    assert!(early.complete && late.complete && !early.held && late.held);
    assert_eq!(late.projections, projections::all().len());
    assert!(late.bytes > 0 && late.parked_streams == 0);

    let rubbish = abandoned(test.database()).await.unwrap();
    assert_eq!(rubbish.len(), projections::all().len());
    assert!(rubbish.iter().all(|one| one.schema.ends_with("__as_of_5")));
    // Somebody takes it up before it is dropped.
    let meanwhile = built(&ledger, &test, 5).await;
    prune(test.database(), &rubbish).await.unwrap();
    assert_eq!(found(&test).await.len(), 2);
    let gone = meanwhile.observer();
    meanwhile.release().await;
    eventually("nobody serves position 5", async || {
        let rubbish = abandoned(test.database()).await.unwrap();
        prune(test.database(), &rubbish).await.unwrap();
        found(&test).await.len() == 1
    })
    .await;
    assert_eq!(gone(), None, "nobody looks any more");

    // Dropped by hand under whoever serves it, that is said; built anew, it is served again.
    let gone = served.observer();
    assert_eq!(gone(), None);
    let schema = Slot::AsOf(end).schema(projections::find("tasks").unwrap());
    let mut owner = test.database().connect_owner().await.unwrap();
    owner
        .execute(format!("DROP SCHEMA {schema} CASCADE").as_str())
        .await
        .unwrap();
    eventually("that the tables are gone is said", async || {
        gone().is_some()
    })
    .await;
    let sentence = gone().unwrap();
    assert_eq!(
        sentence,
        format!("the tables as of position {end} were dropped")
    );
    served.release().await;
    also.release().await;
    eventually("they are built anew", async || {
        let again = Past::begin(
            &ledger,
            test.database(),
            projections::all(),
            end,
            (None, false),
        );
        match again.await {
            Ok(mut past) => {
                assert_eq!(past.reached(), 0);
                past.build(|_| ()).await.unwrap();
                past.finish().await.unwrap().release().await;
                true
            }
            Err(_) => false,
        }
    })
    .await;
    assert!(!tasks_in(&test, Slot::AsOf(end)).await.is_empty());
    proven(&test.pool(), end).await;
    projector.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_while_tables_are_built_is_forgotten_in_them() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let account = |id: &str| StreamId::new("Account", id);
    append(&ledger, account("backend:7"), &[opened(7, "seven")]).await;
    let end = append(&ledger, account("backend:8"), &[opened(8, "eight")]).await;
    let mut past = begin(&ledger, &test, end).await;
    past.build(|_| ()).await.unwrap();
    let slot = Slot::AsOf(end);
    assert_eq!(
        rows_in(&test, slot, "staff", "name").await,
        ["seven", "eight"]
    );
    // What the builder had read before the key was destroyed it folded after everybody was told.
    append(
        &ledger,
        account("backend:7"),
        &[AccountEvent::PersonErased {}],
    )
    .await;
    // Somebody who came after the position has no rows there, and gets none.
    let late = AccountEvent::AccountOpened {
        name: Personal::new("Account:community:late".to_owned(), "late".to_owned()),
        role: 0,
        country: None,
        phone: None,
        perm: 0,
    };
    let events = [late, AccountEvent::PersonErased {}];
    append(&ledger, account("community:late"), &events[..1]).await;
    append(&ledger, account("community:late"), &events[1..]).await;
    past.finish().await.unwrap().release().await;
    assert_eq!(rows_in(&test, slot, "staff", "name").await, ["", "eight"]);
    assert_eq!(rows_in(&test, slot, "members", "uid").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_is_the_last_event_at_or_before_it() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let first = append(&ledger, task(1), &[created("one")]).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let second = append(&ledger, task(2), &[created("two")]).await;
    let events = ledger.read(0, 2).await.unwrap();
    let at = async |point: Point| point.position(&ledger).await.unwrap();
    assert_eq!(at(Point::Time(events[0].recorded_at)).await, first);
    let before = events[0].recorded_at - chrono::TimeDelta::microseconds(1);
    assert_eq!(at(Point::Time(before)).await, 0);
    assert_eq!(at(Point::Time(events[1].recorded_at)).await, second);
    // As the wire tells it: cut to the millisecond, the event is included.
    let millis = events[0].recorded_at.timestamp_millis().to_string();
    assert_eq!(at(millis.parse().unwrap()).await, first);
    assert_eq!(at(Point::Position(first)).await, first);
    let ahead = Point::Position(second + 1).position(&ledger).await;
    assert!(matches!(ahead, Err(PointError::Ahead { end, .. }) if end == second));
    let negative = Point::Position(-1).position(&ledger).await;
    assert!(matches!(negative, Err(PointError::Negative)));
}

#[tokio::test]
async fn a_log_as_of_a_position_ends_there() {
    use shiji::events::{Account, Task};
    use shiji::ledger::{AppendError, Freshness, IdError, Search};

    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    let position = append(&ledger, task(1), &[created("one")]).await;
    append(&ledger, task(1), &[TaskEvent::TaskStarted {}]).await;
    let account = StreamId::new("Account", "backend:7");
    append(&ledger, account, &[opened(7, "later")]).await;
    // What the node has in memory is of today.
    let today = ledger.load::<Task>("1", Freshness::Cached).await.unwrap();
    assert_eq!(today.version, 2);
    let past = ledger.as_of(position);
    for freshness in [Freshness::Cached, Freshness::Reread] {
        let then = past.load::<Task>("1", freshness).await.unwrap();
        assert_eq!((then.version, then.cached), (1, false));
        let nobody = past.load::<Account>("backend:7", freshness).await.unwrap();
        assert_eq!(nobody.version, 0);
    }
    assert_eq!(past.stream(&task(1)).await.unwrap().len(), 1);
    assert_eq!(past.stream_after(&task(1), 0, 10).await.unwrap().len(), 1);
    let everything = Search::default();
    assert_eq!(past.search(&everything, 10).await.unwrap().len(), 1);
    assert!(matches!(past.next_id("task").await, Err(IdError::Past)));
    let job = Append {
        streams: vec![StreamWrite {
            stream: task(9),
            expected: Expected::Any,
            events: vec![raw("TaskStarted", "{\"TaskStarted\":{}}")],
        }],
        guards: Vec::new(),
        metadata: metadata(),
        receipt: None,
        deadline: Instant::now() + PATIENCE,
    };
    assert!(matches!(past.append(job).await, Err(AppendError::Past)));
    // The same memory serves today's log as before.
    let today = past.present().load::<Task>("1", Freshness::Cached).await;
    assert_eq!(today.unwrap().version, 2);
    assert_eq!(ledger.head().await.unwrap().position, position + 2);
}
