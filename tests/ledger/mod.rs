//! The ledger under attack, on a real PostgreSQL: each promise of the design as a test that would notice it broken.

/// `assert!(matches!(…))` that shows what came instead.
macro_rules! assert_like {
    ($value:expr, $pattern:pat $(, $($said:tt)+)?) => {
        match $value {
            $pattern => {}
            other => panic!("{other:?} is not {}. {}", stringify!($pattern), String::new() $(+ &format!($($said)+))?),
        }
    };
}

mod atomicity;
mod chain;
mod cut;
mod feed;
mod limits;
mod model;
mod nodes;
mod personal;
pub mod proxy;
mod receipts;
mod role;
mod samples;
mod snapshots;
mod states;
mod stock;
pub mod switch;

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};
use shiji::ledger::{
    Append, AppendError, AppendLimits, Appended, Clock, Expected, Keys, Ledger, LedgerOptions,
    Metadata, NewEvent, Receipt, Secret, StreamId, StreamWrite, Verdict,
};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::TestDatabase;
use crate::support::processes::eventually;

/// The master key of all test logs.
pub const MASTER: [u8; 32] = [7; 32];

/// How a node of the service opens the log of a test.
pub fn options(test: &TestDatabase) -> LedgerOptions {
    let database = test.database();
    LedgerOptions {
        pool: database.pool("reads", 6, &[]),
        tail_pool: database.pool("tail", 2, &[]),
        append: database.service_options("appender", &[]),
        keys: Keys::derive(&Secret::new(MASTER)),
        limits: AppendLimits::default(),
        cache_entries: 10_000,
        clock: Clock::system(),
    }
}

/// A node of its own on the log of a test.
pub async fn node(test: &TestDatabase) -> Ledger {
    Ledger::open(options(test)).await.unwrap()
}

/// The database's superuser.
pub async fn superuser(test: &TestDatabase) -> PgConnection {
    test.database().connect_owner().await.unwrap()
}

/// Connections in the service's role.
pub fn service(test: &TestDatabase) -> PgPool {
    test.database().pool("looking on", 4, &[])
}

/// A moment long ago: decisions take their time as an input.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_000).unwrap()
}

/// Said by a test.
pub fn metadata() -> Metadata {
    Metadata {
        actor: "system:test".to_owned(),
        surface: "test".to_owned(),
        request_id: Uuid::now_v7(),
        causation: None,
        correlation: None,
        at: noon(),
    }
}

/// A moment that is far enough away for any test.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// An event that says `note`.
pub fn noted(note: &str) -> NewEvent {
    event(&serde_json::json!({ "Noted": { "note": note } }).to_string())
}

/// An event with this payload, whatever it is.
pub fn event(payload: &str) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: "Noted".into(),
        event_version: "1".into(),
        payload: payload.to_owned(),
    }
}

/// The stream of a test's log.
pub fn stream(id: &str) -> StreamId {
    StreamId::new("Note", id)
}

/// A job over some streams, with one event for each.
pub fn job(streams: &[(&str, Expected)]) -> Append {
    Append {
        streams: streams
            .iter()
            .map(|(id, expected)| StreamWrite {
                stream: stream(id),
                expected: *expected,
                events: vec![noted(id)],
            })
            .collect(),
        guards: Vec::new(),
        metadata: metadata(),
        receipt: None,
        deadline: soon(),
    }
}

/// A job that writes one event and holds a payload of its own.
pub fn one(id: &str, expected: Expected, event: NewEvent) -> Append {
    let mut job = job(&[(id, expected)]);
    job.streams[0].events = vec![event];
    job
}

/// A receipt under the key `name`.
pub fn receipt(name: u8, digest: u8, outcome: &str) -> Receipt {
    Receipt {
        key: [name; 32],
        digest: [digest; 32],
        outcome: outcome.as_bytes().to_vec(),
    }
}

/// The yes of the log, or a panic.
pub fn yes(verdict: Result<Verdict, AppendError>) -> Appended {
    match verdict {
        Ok(Verdict::Appended(appended)) => appended,
        other => panic!("not appended: {other:?}"),
    }
}

/// Appends `count` events to one stream, one job each.
pub async fn fill(ledger: &Ledger, id: &str, count: i64) {
    for version in 0..count {
        yes(ledger.append(job(&[(id, Expected::Exact(version))])).await);
    }
}

/// Where a stream stands.
pub async fn version(ledger: &Ledger, id: &str) -> usize {
    ledger.stream(&stream(id)).await.unwrap().len()
}

/// The log is what it promises to be: no hole, contiguous streams, time that never goes back, a sound chain.
pub async fn assert_sound(ledger: &Ledger) -> i64 {
    let mut position = 0;
    let mut streams = std::collections::HashMap::<StreamId, i64>::new();
    let mut at = DateTime::<Utc>::MIN_UTC;
    loop {
        let chunk = ledger.read(position, 5_000).await.unwrap();
        if chunk.is_empty() {
            break;
        }
        for event in chunk {
            assert_eq!(event.position, position + 1);
            position = event.position;
            let sequence = streams.entry(event.stream.clone()).or_default();
            *sequence += 1;
            assert_eq!(event.sequence, *sequence, "{} has a hole", event.stream);
            assert!(event.recorded_at >= at, "time went back at {position}");
            at = event.recorded_at;
        }
    }
    let verified = ledger.verify(None, |_| {}).await.unwrap();
    assert_eq!(
        (verified.position, verified.events, verified.tampering),
        (position, position, None)
    );
    position
}

/// The lock under which every node appends, held by somebody else.
pub struct Held {
    connection: PgConnection,
}

impl Held {
    pub async fn take(test: &TestDatabase) -> Self {
        let mut connection = superuser(test).await;
        sqlx::query("SELECT pg_advisory_lock(7381240953028617)")
            .execute(&mut connection)
            .await
            .unwrap();
        Self { connection }
    }

    /// Waits until `count` appenders stand in line behind it.
    pub async fn awaited_by(&mut self, count: i64) {
        let connection = &mut self.connection;
        eventually("appenders wait for the lock", async || {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                 WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()",
            )
            .fetch_one(&mut *connection)
            .await
            .unwrap();
            waiting == count
        })
        .await;
    }

    pub async fn release(self) {
        self.connection.close().await.unwrap();
    }
}

/// Appends all these jobs as one batch: they gather while a first job waits for the lock.
pub async fn in_one_batch(
    test: &TestDatabase,
    ledger: &Ledger,
    jobs: Vec<Append>,
) -> Vec<Result<Verdict, AppendError>> {
    let mut held = Held::take(test).await;
    let plug = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.append(job(&[("plug", Expected::Any)])).await }
    });
    held.awaited_by(1).await;
    let mut all = std::pin::pin!(futures::future::join_all(
        jobs.into_iter().map(|job| ledger.append(job))
    ));
    // Polled once, each stands in the queue.
    std::future::poll_fn(|context| {
        assert!(all.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    held.release().await;
    yes(plug.await.unwrap());
    all.await
}

/// Polls once: who is pending has been sent on its way.
pub async fn polled<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}
