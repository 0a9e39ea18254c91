//! Snapshots of long streams, and events stored by older builds: other ways to the same state.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shiji::ledger::{DecodeError, Expected, Freshness, LoadError, Personal, State, StoredEvent};
use shiji::stored_events;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum PageEvent {
    LineWritten { line: Personal<String>, stars: u32 },
}

stored_events!(PageEvent { LineWritten: 2 } upcast upcast);

/// Version 1 had no stars.
fn upcast(event_type: &str, from: u32, mut payload: Value) -> Result<Value, String> {
    match (event_type, from) {
        ("LineWritten", 1) => {
            payload["LineWritten"]["stars"] = 1.into();
            Ok(payload)
        }
        _ => Err(format!("no upcaster for {event_type} version {from}")),
    }
}

/// The same diary in two shapes, with snapshots and without.
macro_rules! diary {
    ($name:ident, $shape:literal, $every:expr, { $($extra:ident)? }) => {
        #[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
        struct $name {
            lines: Vec<Personal<String>>,
            stars: u32,
            $($extra: u32,)?
        }

        impl State for $name {
            const TYPE: &'static str = "Diary";
            const SNAPSHOT_EVERY: Option<i64> = $every;
            const SHAPE: &'static str = $shape;
            type Event = PageEvent;

            fn apply(&mut self, PageEvent::LineWritten { line, stars }: &PageEvent) {
                self.lines.push(line.clone());
                self.stars += stars;
                $(self.$extra += 1;)?
            }
        }
    };
}

diary!(Diary, "1", Some(10), {});
diary!(FullDiary, "1", None, {});
diary!(CountedDiary, "2", Some(10), { count });

fn line(text: &str) -> NewEvent {
    let event = PageEvent::LineWritten {
        line: Personal::new("Account:1", text.to_owned()),
        stars: 2,
    };
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: "LineWritten".into(),
        event_version: "2".into(),
        payload: serde_json::to_string(&event).unwrap(),
    }
}

/// Writes a line as the desk does: append, then remember the state it led to.
async fn write<A: State>(ledger: &Ledger, event: NewEvent) {
    let loaded = ledger.load::<A>("d", Freshness::Cached).await.unwrap();
    let mut state = (*loaded.state).clone();
    state
        .apply(&A::Event::decode(&event.event_type, &event.event_version, &event.payload).unwrap());
    let mut job = one("d", Expected::Exact(loaded.version), event);
    job.streams[0].stream = StreamId::new("Diary", "d");
    yes(ledger.append(job).await);
    ledger.remember(
        "d",
        loaded.version,
        loaded.version + 1,
        std::sync::Arc::new(state),
    );
}

async fn snapshot(test: &TestDatabase) -> Option<(i64, String, String)> {
    sqlx::query_as(
        "SELECT last_sequence, shape, payload::text FROM snapshots WHERE aggregate_type = 'Diary'",
    )
    .fetch_optional(&service(test))
    .await
    .unwrap()
}

async fn written(test: &TestDatabase, lines: i64) -> Ledger {
    let ledger = node(test).await;
    for number in 1..=lines {
        write::<Diary>(&ledger, line(&format!("line {number}"))).await;
        if number % 10 == 0 {
            eventually("the snapshot is taken", async || {
                snapshot(test)
                    .await
                    .is_some_and(|(version, ..)| version == number)
            })
            .await;
        }
    }
    ledger
}

async fn reread<A: State>(test: &TestDatabase) -> (A, i64) {
    let loaded = node(test)
        .await
        .load::<A>("d", Freshness::Reread)
        .await
        .unwrap();
    ((*loaded.state).clone(), loaded.version)
}

#[tokio::test]
async fn a_snapshot_leads_to_the_same_state_as_the_whole_stream_and_shows_nothing() {
    let test = TestDatabase::create().await;
    written(&test, 23).await;
    let (version, shape, payload) = snapshot(&test).await.unwrap();
    assert_eq!((version, shape.as_str()), (20, "1"));
    assert!(
        !payload.contains("line 1"),
        "personal data are sealed in snapshots, too"
    );
    let (short, full) = (
        reread::<Diary>(&test).await,
        reread::<FullDiary>(&test).await,
    );
    assert_eq!(
        (short.1, &short.0.lines, short.0.stars),
        (23, &full.0.lines, full.0.stars)
    );
    assert_eq!(short.0.lines[22].text(), "line 23");
    // It is really the snapshot that was read: without the events before it, all is still there.
    sqlx::raw_sql("DELETE FROM events WHERE sequence <= 20")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    assert_eq!(reread::<Diary>(&test).await, short);
}

#[tokio::test]
async fn a_snapshot_of_another_shape_or_one_that_does_not_read_is_passed_over() {
    let test = TestDatabase::create().await;
    written(&test, 12).await;
    let (counted, version) = reread::<CountedDiary>(&test).await;
    assert_eq!((counted.count, counted.stars, version), (12, 24, 12));
    let truth = reread::<Diary>(&test).await;
    for spoil in [
        "UPDATE snapshots SET payload = '{\"stars\":\"none\"}', subjects = NULL",
        "UPDATE snapshots SET payload = 'null'",
        "UPDATE snapshots SET payload = replace(payload::text, '\"$sealed\":[\"Account:1\",\"', '\"$sealed\":[\"Account:1\",\"AAAA')::json",
        "UPDATE snapshots SET subjects = NULL",
    ] {
        let before: (i64, String, String) = snapshot(&test).await.unwrap();
        sqlx::raw_sql(spoil)
            .execute(&mut superuser(&test).await)
            .await
            .unwrap();
        assert_eq!(reread::<Diary>(&test).await, truth, "{spoil}");
        sqlx::query("UPDATE snapshots SET payload = $1::json, subjects = '{Account:1}'")
            .bind(before.2)
            .execute(&mut superuser(&test).await)
            .await
            .unwrap();
    }
    // A newer build takes its own, and it counts.
    let ledger = node(&test).await;
    for number in 13..=20 {
        write::<CountedDiary>(&ledger, line(&number.to_string())).await;
    }
    eventually("a snapshot of the new shape is taken", async || {
        snapshot(&test)
            .await
            .is_some_and(|(version, shape, _)| (version, shape.as_str()) == (20, "2"))
    })
    .await;
    assert_eq!(reread::<CountedDiary>(&test).await.0.count, 20);
    assert_eq!(reread::<Diary>(&test).await.0.stars, 40);
}

#[tokio::test]
async fn erasing_a_person_blanks_snapshots_too() {
    let test = TestDatabase::create().await;
    written(&test, 10).await;
    sqlx::raw_sql("UPDATE subject_keys SET wrapped_key = NULL, erased_position = 1")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    let (diary, _) = reread::<Diary>(&test).await;
    assert!(
        diary
            .lines
            .iter()
            .all(|line| matches!(line, Personal::Erased { .. }))
    );
    assert_eq!(diary.stars, 20);
}

#[tokio::test]
async fn events_of_an_older_build_are_lifted_and_those_of_a_newer_one_are_unknown() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let old = include_str!("../fixtures/diary/LineWritten.v1.json");
    let stored = |event_version: &'static str, payload: &str| NewEvent {
        event_id: Uuid::now_v7(),
        event_type: "LineWritten".into(),
        event_version: event_version.into(),
        payload: payload.trim().to_owned(),
    };
    write::<Diary>(&ledger, stored("1", old)).await;
    write::<Diary>(&ledger, line("new")).await;
    let (diary, _) = reread::<Diary>(&test).await;
    assert_eq!((diary.lines.len(), diary.stars), (2, 3));
    assert_eq!(diary.lines[0].text(), "an old line");

    let unknown = |found| assert_like!(found, Err(DecodeError::Unknown { .. }));
    unknown(PageEvent::decode("LineWritten", "3", old));
    unknown(PageEvent::decode("LineTorn", "1", old));
    unknown(PageEvent::decode("LineWritten", "two", old));
    let malformed = |found| assert_like!(found, Err(DecodeError::Malformed { .. }));
    malformed(PageEvent::decode("LineWritten", "0", old));
    malformed(PageEvent::decode("LineWritten", "2", old));
    malformed(PageEvent::decode("LineWritten", "1", "no json"));
    let mut job = one("d", Expected::Any, stored("3", "{}"));
    job.streams[0].stream = StreamId::new("Diary", "d");
    yes(ledger.append(job).await);
    let error = ledger
        .load::<FullDiary>("d", Freshness::Reread)
        .await
        .unwrap_err();
    assert_like!(error, LoadError::Decode { sequence: 3, .. });
}
