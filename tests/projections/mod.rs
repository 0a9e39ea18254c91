//! The read models and the projector, on a real PostgreSQL.

mod commerce;
mod cuts;
mod failover;
mod library;
mod lost;
mod parking;
mod past;
mod plans;
mod queries;
mod rebuild;
mod social;
mod speed;
mod underway;
mod versions;

use std::time::Duration;

use chrono::DateTime;
use cqrs_es::DomainEvent;
use serde_json::Value;
use shiji::events::{AccountEvent, TaskEvent, TaskKind};
use shiji::ledger::{
    Append, AppendLimits, Clock, Expected, Keys, Ledger, LedgerOptions, Metadata, NewEvent,
    Personal, Secret, StreamId, StreamWrite, Verdict,
};
use shiji::postgres::Database;
use shiji::projections::projector::{Projector, ProjectorHandle, ProjectorOptions, report};
use shiji::projections::{self, Projection};
use sqlx::{Executor, PgConnection, PgPool, Row};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::TestDatabase;
use crate::support::processes::eventually;

/// Long enough for a busy machine, short enough to fail.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long leadership holds in tests.
const LEASE: Duration = Duration::from_millis(600);

/// A node's ledger on the log of a test.
async fn ledger(test: &TestDatabase) -> Ledger {
    ledger_on(test.database()).await
}

async fn ledger_on(database: &Database) -> Ledger {
    Ledger::open(options_on(database)).await.unwrap()
}

/// How a node opens the log of a test.
fn options_on(database: &Database) -> LedgerOptions {
    let path = projections::search_path();
    LedgerOptions {
        pool: database.pool("reads", 4, &path),
        tail_pool: database.pool("tail", 2, &path),
        append: database.service_options("appender", &path),
        keys: Keys::derive(&Secret::new([7; 32])),
        limits: AppendLimits::default(),
        cache_entries: 1_000,
        clock: Clock::system(),
    }
}

/// A projector of this build's projections.
async fn projector(test: &TestDatabase, ledger: &Ledger) -> ProjectorHandle {
    start(test, ledger, projections::all().to_vec()).await
}

async fn start(
    test: &TestDatabase,
    ledger: &Ledger,
    projections: Vec<&'static dyn Projection>,
) -> ProjectorHandle {
    start_on(test.database(), ledger, projections).await
}

async fn start_on(
    database: &Database,
    ledger: &Ledger,
    projections: Vec<&'static dyn Projection>,
) -> ProjectorHandle {
    let options = ProjectorOptions {
        projections,
        ..ProjectorOptions::new(500, LEASE)
    };
    Projector::start(ledger.clone(), database, options)
        .await
        .unwrap()
}

/// Appends events to one stream, whatever stands there, and answers the position of the last.
async fn append<E: DomainEvent>(ledger: &Ledger, stream: StreamId, events: &[E]) -> i64 {
    let events = events
        .iter()
        .map(|event| raw(&event.event_type(), &serde_json::to_string(event).unwrap()))
        .collect();
    append_raw(ledger, stream, events).await
}

/// An event as it could never be written by this build.
fn raw(event_type: &str, payload: &str) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event_type.to_owned().into(),
        event_version: "1".into(),
        payload: payload.to_owned(),
    }
}

fn metadata() -> Metadata {
    Metadata {
        actor: "staff:1".to_owned(),
        surface: "test".to_owned(),
        request_id: Uuid::nil(),
        causation: None,
        correlation: None,
        at: DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
    }
}

async fn append_raw(ledger: &Ledger, stream: StreamId, events: Vec<NewEvent>) -> i64 {
    let job = Append {
        streams: vec![StreamWrite {
            stream,
            expected: Expected::Any,
            events,
        }],
        guards: Vec::new(),
        metadata: metadata(),
        receipt: None,
        deadline: Instant::now() + PATIENCE,
    };
    match ledger.append(job).await.unwrap() {
        Verdict::Appended(appended) => appended.position,
        other @ Verdict::Repeated { .. } => panic!("{other:?}"),
    }
}

fn task(id: i64) -> StreamId {
    StreamId::new("Task", id.to_string())
}

fn created(note: &str) -> TaskEvent {
    TaskEvent::TaskCreated {
        kind: TaskKind::Image,
        priority: 3,
        input: "in".to_owned(),
        note: note.to_owned(),
        created_by: 1,
    }
}

fn opened(uid: i64, name: &str) -> AccountEvent {
    AccountEvent::AccountOpened {
        name: Personal::new(format!("Account:backend:{uid}"), name.to_owned()),
        role: 0,
        country: None,
        phone: None,
        perm: 5,
    }
}

/// Waits until every projection of this node shows the position.
async fn shown(ledger: &Ledger, position: i64) {
    // Who is away is not waited for by the watermark itself.
    eventually(&format!("every projection shows {position}"), async || {
        let pending = ledger.watermark().wait_all(position, PATIENCE).await;
        pending.is_empty()
    })
    .await;
}

/// Every read table, as JSON, rows in order of their text.
async fn dump(connection: &mut PgConnection) -> Vec<(String, Vec<Value>)> {
    let mut tables = Vec::new();
    for schema in projections::search_path() {
        let names = format!(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = '{schema}' ORDER BY 1"
        );
        for table in connection.fetch_all(names.as_str()).await.unwrap() {
            let table: String = table.get(0);
            let rows = format!("SELECT to_json(t)::text FROM {schema}.{table} t ORDER BY 1");
            let rows = connection.fetch_all(rows.as_str()).await.unwrap();
            let rows = rows
                .iter()
                .map(|row| serde_json::from_str(row.get(0)).unwrap());
            tables.push((format!("{schema}.{table}"), rows.collect()));
        }
    }
    tables
}

/// Asserts that each projection has counted the log up to `position`, each event once.
async fn proven(pool: &PgPool, position: i64) {
    for projection in projections::all() {
        let report = report(pool, *projection, true).await.unwrap().unwrap();
        assert_eq!(report.position, position, "{}", report.name);
        assert!(report.holds(), "{report:?}");
    }
}
