//! A replay as the README of `cqrs-es` shows it: `QueryReplay` hands one event after the other to a `GenericQuery`.
//!
//! It reads our own log, whose events have the columns of `postgres-es`: the very events of tasks that our rebuild folds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use cqrs_es::persist::{GenericQuery, QueryReplay};
use cqrs_es::{EventEnvelope, Query, View};
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use serde::{Deserialize, Serialize};
use shiji::events::{Task, TaskEvent};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// The table of the view.
const TABLE: &str = "
    DROP TABLE IF EXISTS replayed_task;
    CREATE TABLE replayed_task (
        view_id text                        NOT NULL,
        version bigint CHECK (version >= 0) NOT NULL,
        payload json                        NOT NULL,
        PRIMARY KEY (view_id)
    )";

/// A task as readers see it, from our events.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Replayed {
    status: u8,
    #[serde(rename = "type")]
    kind: String,
    priority: i8,
    input: String,
    result: String,
    note: String,
    created_by: i64,
    deleted: bool,
}

impl View<Task> for Replayed {
    fn update(&mut self, event: &EventEnvelope<Task>) {
        match &event.payload {
            TaskEvent::TaskCreated {
                kind,
                priority,
                input,
                note,
                created_by,
            } => {
                self.kind = format!("{kind:?}");
                self.priority = *priority;
                self.input.clone_from(input);
                self.note.clone_from(note);
                self.created_by = *created_by;
            }
            TaskEvent::TaskEdited { note, priority } => {
                if let Some(note) = note {
                    self.note.clone_from(note);
                }
                self.priority = priority.unwrap_or(self.priority);
            }
            TaskEvent::TaskResultRecorded { result } => self.result.clone_from(result),
            TaskEvent::TaskRequeued {} => self.status = 0,
            TaskEvent::TaskCompleted {} => self.status = 1,
            TaskEvent::TaskStarted {} => self.status = 2,
            TaskEvent::TaskCancelled {} => self.status = 3,
            TaskEvent::TaskDeleted {} => self.deleted = true,
        }
    }
}

/// The query, and how many events it has been given.
struct Counted {
    query: GenericQuery<PostgresViewRepository<Replayed, Task>, Replayed, Task>,
    events: Arc<AtomicU64>,
}

#[async_trait]
impl Query<Task> for Counted {
    async fn dispatch(&self, id: &str, events: &[EventEnvelope<Task>]) {
        self.query.dispatch(id, events).await;
        self.events
            .fetch_add(events.len() as u64, Ordering::Relaxed);
    }
}

/// Replays the tasks of our log into a view table of the stock database, for so long or to the end; answers how many events
/// a second that were.
///
/// # Errors
///
/// When a database says no, or nothing was replayed.
pub async fn replay(log: PgConnectOptions, views: &str, longest: Duration) -> Result<f64> {
    let log = PgPoolOptions::new()
        .max_connections(2)
        .connect_with(log)
        .await?;
    let views: PgPool = PgPoolOptions::new()
        .max_connections(2)
        .connect(views)
        .await?;
    sqlx::raw_sql(TABLE).execute(&views).await?;
    let mut query = GenericQuery::new(Arc::new(PostgresViewRepository::new(
        "replayed_task",
        views.clone(),
    )));
    let broken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&broken);
    query.use_error_handler(Box::new(move |error| {
        eprintln!("the view was not updated: {error}");
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let events = Arc::new(AtomicU64::new(0));
    let query = Counted {
        query,
        events: Arc::clone(&events),
    };
    let replay = QueryReplay::new(PostgresEventRepository::new(log.clone()), query);
    let began = Instant::now();
    // Cut short by the clock: a whole log would take it minutes.
    if let Ok(done) = tokio::time::timeout(longest, replay.replay_all()).await {
        done?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let events = events.load(Ordering::Relaxed);
    ensure!(
        events > 0 && broken.load(Ordering::Relaxed) == 0,
        "the stock replay went wrong after {events} events"
    );
    views.close().await;
    log.close().await;
    #[expect(clippy::cast_precision_loss, reason = "a speed")]
    let rate = events as f64 / seconds;
    Ok(rate)
}
