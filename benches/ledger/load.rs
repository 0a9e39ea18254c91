//! Load on the append, and on plain inserts into the same table.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shiji::ledger::{
    Append, AppendLimits, Clock, Expected, Keys, Ledger, LedgerOptions, Metadata, NewEvent, Secret,
    StreamId, StreamWrite,
};
use shiji::postgres::Database;
use uuid::Uuid;

const PAYLOAD: &str = r#"{"TaskCreated":{"kind":"image","priority":0,"input":"https://example.com/a.jpg","note":"","created_by":1}}"#;

pub async fn open(database: &Database) -> anyhow::Result<Ledger> {
    Ok(Ledger::open(LedgerOptions {
        pool: database.pool("bench", 4, &[]),
        tail_pool: database.pool("tail", 3, &[]),
        append: database.service_options("appender", &[]),
        keys: Keys::derive(&Secret::new([1; 32])),
        limits: AppendLimits::default(),
        cache_entries: 10_000,
        clock: Clock::system(),
    })
    .await?)
}

/// Jobs per second: each caller appends one event to a fresh stream, again and again, through `nodes` appenders.
pub async fn appends(
    database: &Database,
    nodes: usize,
    callers: usize,
    time: Duration,
) -> anyhow::Result<f64> {
    let mut ledgers = Vec::new();
    for _ in 0..nodes {
        ledgers.push(open(database).await?);
    }
    let done = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let (ledger, done) = (ledgers[caller % nodes].clone(), Arc::clone(&done));
        tasks.spawn(async move {
            while began.elapsed() < time {
                ledger.append(job(&ledger)).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(rate(&done, began))
}

fn job(ledger: &Ledger) -> Append {
    Append {
        streams: vec![StreamWrite {
            stream: StreamId::new("Task", Uuid::now_v7().to_string()),
            expected: Expected::Exact(0),
            events: vec![NewEvent {
                event_id: Uuid::now_v7(),
                event_type: "TaskCreated".into(),
                event_version: "1".into(),
                payload: PAYLOAD.to_owned(),
            }],
        }],
        guards: vec![],
        metadata: Metadata {
            actor: "staff:1".to_owned(),
            surface: "bench".to_owned(),
            request_id: Uuid::now_v7(),
            causation: None,
            correlation: None,
            at: ledger.clock().now(),
        },
        receipt: None,
        deadline: tokio::time::Instant::now() + Duration::from_secs(30),
    }
}

/// One-row inserts per second into a table like `events`, each its own commit.
pub async fn inserts(database: &Database, connections: u32, time: Duration) -> anyhow::Result<f64> {
    let pool = database.owner_pool();
    // Not checked macros: the table lives as long as this line of the benchmark.
    sqlx::raw_sql("CREATE TABLE bare (LIKE events INCLUDING ALL); CREATE SEQUENCE bare_position")
        .execute(&pool)
        .await?;
    let done = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (done, mut connection) = (Arc::clone(&done), database.connect_owner().await?);
        tasks.spawn(async move {
            while began.elapsed() < time {
                sqlx::query(
                    "INSERT INTO bare VALUES (nextval('bare_position'), $1, 'Task', $2, 1, 'TaskCreated', '1',
                                              $3::text::json, '{}', NULL, now(), sha256($2::bytea))",
                )
                .bind(Uuid::now_v7())
                .bind(Uuid::now_v7().to_string())
                .bind(PAYLOAD)
                .execute(&mut connection)
                .await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let rate = rate(&done, began);
    sqlx::raw_sql("DROP TABLE bare; DROP SEQUENCE bare_position")
        .execute(&pool)
        .await?;
    Ok(rate)
}

fn rate(done: &AtomicU64, began: Instant) -> f64 {
    let done = u32::try_from(done.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
    f64::from(done) / began.elapsed().as_secs_f64()
}
