//! The stock cqrs-es framework over this log: [`Ledger`] as a [`PersistedEventRepository`].

use std::time::Duration;

use cqrs_es::Aggregate;
use cqrs_es::persist::{
    PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot,
};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::append::{Append, AppendError, Expected, StreamWrite};
use super::envelope::{Metadata, NewEvent, Recorded, StreamId};
use super::feed::FeedError;
use super::loader::LoadError;
use super::{Ledger, personal};

/// Events in one hand of a replay.
const CHUNK: i64 = 500;
/// How long a commit may wait to be sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The log as the repository the stock framework persists through. Metadata it brings along (a map of
/// texts) are kept; what is missing is said to come from `stock`.
impl PersistedEventRepository for Ledger {
    async fn get_events<A: Aggregate>(
        &self,
        id: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.get_last_events::<A>(id, 0).await
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let events = self.stream(&StreamId::new(A::TYPE, id)).await?;
        events
            .into_iter()
            .filter(|event| usize::try_from(event.sequence).is_ok_and(|s| s > last_sequence))
            .map(serialized)
            .collect()
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        id: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        self.stock_snapshot(&StreamId::new(A::TYPE, id)).await
    }

    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot_update: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        if let Some(first) = events.first() {
            let expected = i64::try_from(first.sequence).map_err(unknown)? - 1;
            let stream = StreamId::new(A::TYPE, first.aggregate_id.clone());
            let job = Append {
                streams: vec![StreamWrite {
                    stream,
                    expected: Expected::Exact(expected),
                    events: events.iter().map(new_event).collect(),
                }],
                guards: Vec::new(),
                metadata: self.stock_metadata(&first.metadata),
                receipt: None,
                deadline: Instant::now() + PATIENCE,
            };
            self.append(job).await?;
        }
        if let (Some((id, state, _)), Some(last)) = (snapshot_update, events.last())
            && self.is_present::<A>(&id, &state).await?
        {
            let version = i64::try_from(last.sequence).map_err(unknown)?;
            self.keep_stock_snapshot(&StreamId::new(A::TYPE, id), version, &state)
                .await?;
        }
        Ok(())
    }

    async fn stream_events<A: Aggregate>(
        &self,
        id: &str,
    ) -> Result<ReplayStream, PersistenceError> {
        let events = self.get_events::<A>(id).await?;
        let (mut feed, stream) = ReplayStream::new(events.len().max(1));
        tokio::spawn(async move {
            for event in events {
                if feed.push(Ok(event)).await.is_err() {
                    return;
                }
            }
        });
        Ok(stream)
    }

    /// Every event of the type, in position order. A fault is handed on, never swallowed.
    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        let (mut feed, stream) = ReplayStream::new(CHUNK.unsigned_abs().try_into().unwrap_or(500));
        let ledger = self.clone();
        tokio::spawn(async move {
            let mut position = 0;
            loop {
                let read = match ledger.read(position, CHUNK).await {
                    Ok(read) => read,
                    Err(error) => {
                        let _ = feed.push(Err(error.into())).await;
                        return;
                    }
                };
                let Some(last) = read.last() else { return };
                position = last.position;
                for event in read
                    .into_iter()
                    .filter(|event| event.stream.aggregate == A::TYPE)
                {
                    if feed.push(serialized(event)).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(stream)
    }
}

impl Ledger {
    fn stock_metadata(&self, given: &Value) -> Metadata {
        let text = |key: &str| given.get(key).and_then(Value::as_str).map(str::to_owned);
        Metadata {
            actor: text("actor").unwrap_or_else(|| "system:stock".to_owned()),
            surface: text("surface").unwrap_or_else(|| "stock".to_owned()),
            request_id: text("request_id")
                .and_then(|id| id.parse().ok())
                .unwrap_or_else(Uuid::now_v7),
            causation: text("causation"),
            correlation: text("correlation"),
            at: self.clock().now(),
        }
    }
}

fn new_event(event: &SerializedEvent) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event.event_type.clone().into(),
        event_version: event.event_version.clone().into(),
        payload: event.payload.to_string(),
    }
}

fn serialized(event: Recorded) -> Result<SerializedEvent, PersistenceError> {
    Ok(SerializedEvent {
        aggregate_id: event.stream.id,
        sequence: usize::try_from(event.sequence).map_err(unknown)?,
        aggregate_type: event.stream.aggregate.into_owned(),
        event_type: event.event_type,
        event_version: event.event_version,
        payload: serde_json::from_str(&event.payload)?,
        metadata: serde_json::from_str(&event.metadata)?,
    })
}

fn unknown(error: impl std::error::Error + Send + Sync + 'static) -> PersistenceError {
    PersistenceError::UnknownError(Box::new(error))
}

impl Ledger {
    /// Is this the state at the end of the stream? The stock store hands over one to which it has applied the first
    /// events of the commit a second time, after `handle` did; for most aggregates that is another state.
    async fn is_present<A: Aggregate>(
        &self,
        id: &str,
        state: &Value,
    ) -> Result<bool, PersistenceError> {
        let mut present = A::default();
        for event in self.get_events::<A>(id).await? {
            let Ok(event) = serde_json::from_value(event.payload) else {
                return Ok(false);
            };
            present.apply(event);
        }
        Ok(serde_json::to_value(present)? == *state)
    }

    async fn stock_snapshot(
        &self,
        stream: &StreamId,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        let row = sqlx::query!(
            r#"SELECT last_sequence, current_snapshot, payload::text AS "payload!" FROM snapshots
               WHERE aggregate_type = $1 AND aggregate_id = $2 AND shape = 'stock' AND subjects IS NULL"#,
            stream.aggregate.as_ref(),
            stream.id,
        )
        .fetch_optional(self.pool())
        .await
        .map_err(|error| PersistenceError::ConnectionError(Box::new(error)))?;
        row.map(|row| {
            Ok(SerializedSnapshot {
                aggregate_id: stream.id.clone(),
                aggregate: serde_json::from_str(&row.payload)?,
                current_sequence: usize::try_from(row.last_sequence).map_err(unknown)?,
                current_snapshot: usize::try_from(row.current_snapshot).map_err(unknown)?,
            })
        })
        .transpose()
    }

    /// A snapshot is an aid: one with personal values is not kept in the stock format.
    async fn keep_stock_snapshot(
        &self,
        stream: &StreamId,
        version: i64,
        state: &Value,
    ) -> Result<(), PersistenceError> {
        let payload = state.to_string();
        if personal::has_clear(&payload) {
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO snapshots AS s (aggregate_type, aggregate_id, last_sequence, current_snapshot, payload, shape)
             VALUES ($1, $2, $3, 1, $4::text::json, 'stock')
             ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
             SET last_sequence = EXCLUDED.last_sequence, current_snapshot = s.current_snapshot + 1,
                 payload = EXCLUDED.payload, shape = EXCLUDED.shape, subjects = NULL
             WHERE s.last_sequence < EXCLUDED.last_sequence OR s.shape <> EXCLUDED.shape",
            stream.aggregate.as_ref(),
            stream.id,
            version,
            payload,
        )
        .execute(self.pool())
        .await
        .map_err(|error| PersistenceError::ConnectionError(Box::new(error)))?;
        Ok(())
    }
}

impl From<AppendError> for PersistenceError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Stale => Self::OptimisticLockError,
            AppendError::Unavailable(_) | AppendError::Overloaded | AppendError::Unknown => {
                Self::ConnectionError(Box::new(error))
            }
            AppendError::ErasedSubject
            | AppendError::Data(_)
            | AppendError::Personal(_)
            | AppendError::Past => unknown(error),
        }
    }
}

impl From<LoadError> for PersistenceError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Database(_) | LoadError::Stopping => Self::ConnectionError(Box::new(error)),
            LoadError::Personal(_) | LoadError::Decode { .. } => {
                Self::DeserializationError(Box::new(error))
            }
        }
    }
}

impl From<FeedError> for PersistenceError {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Database(_) => Self::ConnectionError(Box::new(error)),
            FeedError::Personal { .. } | FeedError::Gap { .. } => {
                Self::DeserializationError(Box::new(error))
            }
        }
    }
}
