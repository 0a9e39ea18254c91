//! The stock framework over this log, and the stock repository reading its streams.

use std::collections::HashMap;

use cqrs_es::mem_store::MemStore;
use cqrs_es::persist::{PersistedEventRepository, PersistedEventStore, PersistenceError};
use cqrs_es::{AggregateError, CqrsFramework, DomainEvent, EventStore};
use postgres_es::PostgresEventRepository;
use shiji::commands::task::{TaskCommand, TaskError};
use shiji::events::{Account, AccountEvent, Task, TaskEvent, TaskKind, TaskStatus};
use shiji::ledger::{Expected, Personal};

use super::switch::{Switch, SwitchCommand};
use super::*;

fn create() -> TaskCommand {
    TaskCommand::Create {
        kind: TaskKind::Image,
        priority: 1,
        input: "in".to_owned(),
        note: "备注".to_owned(),
        created_by: 1,
    }
}

/// Every kind of answer, in a row.
fn commands() -> Vec<TaskCommand> {
    vec![
        TaskCommand::Start,
        create(),
        create(),
        TaskCommand::Edit {
            note: Some("other".to_owned()),
            priority: None,
        },
        TaskCommand::Edit {
            note: Some("other".to_owned()),
            priority: None,
        },
        TaskCommand::RecordResult {
            result: "early".to_owned(),
        },
        TaskCommand::Start,
        TaskCommand::Start,
        TaskCommand::Delete,
        TaskCommand::Complete {
            result: Some("done".to_owned()),
        },
        TaskCommand::MoveTo(TaskStatus::Cancelled),
        TaskCommand::Delete,
        TaskCommand::Delete,
        TaskCommand::Requeue,
    ]
}

/// Runs the commands; answers what was said and what is stored.
async fn story<S: EventStore<Task>>(store: S, reading: &S) -> (Vec<String>, Vec<String>)
where
    S::AC: Send,
{
    let framework = CqrsFramework::new(store, vec![], ());
    let mut said = Vec::new();
    for command in commands() {
        let metadata = HashMap::from([("actor".to_owned(), "staff:1".to_owned())]);
        let answer = framework
            .execute_with_metadata("17", command, metadata)
            .await;
        said.push(format!("{answer:?}"));
    }
    let stored = reading.load_events("17").await.unwrap();
    let stored = stored
        .into_iter()
        .map(|event| {
            assert_eq!(event.metadata["actor"], "staff:1");
            format!(
                "{} {} {:?}",
                event.aggregate_id, event.sequence, event.payload
            )
        })
        .collect();
    (said, stored)
}

#[tokio::test]
async fn the_stock_framework_tells_the_same_story_over_the_ledger_as_over_memory() {
    let memory = MemStore::<Task>::default();
    let expected = story(memory.clone(), &memory).await;
    assert!(expected.1.len() >= 6);
    for snapshots in [None, Some(1), Some(2), Some(3), Some(4)] {
        let test = TestDatabase::create().await;
        let store = |ledger: Ledger| match snapshots {
            None => PersistedEventStore::<_, Task>::new_event_store(ledger),
            Some(every) => PersistedEventStore::new_snapshot_store(ledger, every),
        };
        let ledger = node(&test).await;
        let found = story(store(ledger.clone()), &store(ledger.clone())).await;
        assert_eq!(found, expected, "snapshots: {snapshots:?}");
        assert_sound(&ledger).await;
    }
    let test = TestDatabase::create().await;
    let store = || async { PersistedEventStore::<_, Task>::new_aggregate_store(node(&test).await) };
    assert_eq!(story(store().await, &store().await).await, expected);
}

#[tokio::test]
async fn two_stock_writers_who_read_the_same_cannot_both_write() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let store = PersistedEventStore::<_, Task>::new_event_store(ledger.clone());
    let framework = CqrsFramework::new(
        PersistedEventStore::<_, Task>::new_event_store(ledger.clone()),
        vec![],
        (),
    );
    framework.execute("1", create()).await.unwrap();
    let (one, two) = (
        store.load_aggregate("1").await.unwrap(),
        store.load_aggregate("1").await.unwrap(),
    );
    store
        .commit(vec![TaskEvent::TaskStarted {}], one, HashMap::new())
        .await
        .unwrap();
    let lost = store
        .commit(vec![TaskEvent::TaskCancelled {}], two, HashMap::new())
        .await;
    assert_like!(lost, Err(AggregateError::<TaskError>::AggregateConflict));
    assert_eq!(assert_sound(&ledger).await, 2);
}

#[tokio::test]
async fn the_stock_repository_reads_our_streams() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let memory = PersistedEventStore::<_, Task>::new_event_store(ledger.clone());
    story(
        PersistedEventStore::new_event_store(ledger.clone()),
        &memory,
    )
    .await;
    let stock = PostgresEventRepository::new(service(&test));
    let (ours, theirs) = (
        PersistedEventRepository::get_events::<Task>(&ledger, "17")
            .await
            .unwrap(),
        stock.get_events::<Task>("17").await.unwrap(),
    );
    assert!(ours.len() > 5);
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    let last = stock.get_last_events::<Task>("17", 4).await.unwrap();
    assert_eq!(last.len(), ours.len() - 4);
    assert_eq!(
        (last[0].sequence, last[0].metadata["actor"].as_str()),
        (5, Some("staff:1"))
    );
    let mut stream = stock.stream_all_events::<Task>().await.unwrap();
    let mut streamed = 0;
    while let Some(event) = stream.next::<Task>(&[]).await {
        event.unwrap();
        streamed += 1;
    }
    assert_eq!(streamed, ours.len());
    let mut stream = PersistedEventRepository::stream_all_events::<Task>(&ledger)
        .await
        .unwrap();
    while let Some(event) = stream.next::<Task>(&[]).await {
        event.unwrap();
        streamed -= 1;
    }
    assert_eq!(streamed, 0);
}

#[tokio::test]
async fn stock_readers_see_personal_data_sealed_and_ours_in_clear() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let event = AccountEvent::AccountOpened {
        name: Personal::new("Account:1", "admin".to_owned()),
        role: 0,
        perm: 0,
        country: None,
        phone: None,
    };
    let mut job = job(&[("1", Expected::Exact(0))]);
    job.streams[0].stream = StreamId::new("Account", "1");
    job.streams[0].events[0].event_type = event.event_type().into();
    job.streams[0].events[0].payload = serde_json::to_string(&event).unwrap();
    yes(ledger.append(job).await);
    let store = PersistedEventStore::<_, Account>::new_event_store(PostgresEventRepository::new(
        service(&test),
    ));
    match &store.load_events("1").await.unwrap()[0].payload {
        AccountEvent::AccountOpened {
            name: Personal::Sealed { subject, .. },
            ..
        } => assert_eq!(subject, "Account:1"),
        other => panic!("{other:?}"),
    }
    let store = PersistedEventStore::<_, Account>::new_event_store(ledger.clone());
    assert_eq!(store.load_events("1").await.unwrap()[0].payload, event);
    sqlx::raw_sql("DELETE FROM subject_keys")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    let fault = PersistedEventRepository::get_events::<Account>(&ledger, "1").await;
    assert_like!(fault, Err(PersistenceError::DeserializationError(_)));
}

/// The stock store applies events to its snapshots twice; a toggle shows it.
#[tokio::test]
async fn a_stock_snapshot_that_is_not_the_state_of_the_stream_is_not_kept() {
    let test = TestDatabase::create().await;
    let store = |ledger| PersistedEventStore::<_, Switch>::new_snapshot_store(ledger, 1);
    let ledger = node(&test).await;
    let framework = CqrsFramework::new(store(ledger.clone()), vec![], ());
    for by in 1..=3 {
        framework
            .execute("s", SwitchCommand::Flip { by })
            .await
            .unwrap();
    }
    let loaded = store(ledger).load_aggregate("s").await.unwrap();
    assert_eq!((loaded.aggregate.flips, loaded.aggregate.on), (3, true));
}
