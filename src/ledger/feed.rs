//! The log as a sequence: every event once, in position order, from any position, with a live tail.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use sqlx::PgPool;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::envelope::{Place, Recorded, StreamId, Told};
use super::keyring::KeyRing;
use super::personal::{self, PersonalError, SubjectKey};
use super::tail::Tail;

/// Why the log cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Personal values do not open.
    #[error("event {position}: {source}")]
    Personal {
        /// Where.
        position: i64,
        /// Why.
        source: PersonalError,
    },
    /// A position is missing. There are no gaps in a sound log.
    #[error("the log has a hole: {found} follows {after}")]
    Gap {
        /// The last sound position.
        after: i64,
        /// What came instead of the next.
        found: i64,
    },
}

/// A row of `events` with the keys of whom it is about, as every reader selects it.
pub(super) struct Row {
    pub position: i64,
    pub event_id: Uuid,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: String,
    pub recorded_at: DateTime<Utc>,
    pub subjects: Option<Vec<String>>,
    pub wrapped: Option<Vec<Option<Vec<u8>>>>,
    pub erased: Option<Vec<bool>>,
}

/// [`Row`]s of the events that the rest of a statement names, with what it binds.
macro_rules! rows {
    ($rest:literal $(, $bind:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::ledger::feed::Row,
            "SELECT e.position, e.event_id, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type,
                    e.event_version, e.payload::text AS \"payload!\", e.metadata::text AS \"metadata!\", e.recorded_at,
                    e.subjects, k.wrapped AS \"wrapped: Vec<Option<Vec<u8>>>\", k.erased AS \"erased: Vec<bool>\"
             FROM events e
             CROSS JOIN LATERAL ledger_keys(e.subjects) k
             "
                + $rest
            $(, $bind)*
        )
    };
}

pub(super) use rows;

/// The keys of whom an event is about, as the columns of a row.
type KeyColumns = (
    Option<Vec<String>>,
    Option<Vec<Option<Vec<u8>>>>,
    Option<Vec<bool>>,
);

/// A payload with its personal values opened.
fn clear(
    ring: &KeyRing,
    event_id: Uuid,
    payload: String,
    (subjects, wrapped, erased): KeyColumns,
) -> Result<String, PersonalError> {
    if !personal::has_sealed(&payload) {
        return Ok(payload);
    }
    let keys = read_keys(ring, subjects, wrapped, erased)?;
    personal::open(&payload, event_id.as_bytes(), &keys)
}

impl Row {
    /// The event with its personal values opened.
    pub fn open(self, ring: &KeyRing) -> Result<Recorded, PersonalError> {
        let keys = (self.subjects, self.wrapped, self.erased);
        Ok(Recorded {
            position: self.position,
            event_id: self.event_id,
            stream: StreamId::dynamic(self.aggregate_type, self.aggregate_id),
            sequence: self.sequence,
            event_type: self.event_type,
            event_version: self.event_version,
            payload: clear(ring, self.event_id, self.payload, keys)?,
            metadata: self.metadata,
            recorded_at: self.recorded_at,
        })
    }
}

/// What a fold needs of a row: two columns less, of which one is half of what a short event is.
struct ToldRow {
    position: i64,
    event_id: Uuid,
    aggregate_type: String,
    aggregate_id: String,
    event_type: String,
    event_version: String,
    payload: String,
    recorded_at: DateTime<Utc>,
    subjects: Option<Vec<String>>,
    wrapped: Option<Vec<Option<Vec<u8>>>>,
    erased: Option<Vec<bool>>,
}

impl ToldRow {
    fn open(self, ring: &KeyRing) -> Result<Told, PersonalError> {
        let keys = (self.subjects, self.wrapped, self.erased);
        Ok(Told {
            payload: clear(ring, self.event_id, self.payload, keys)?,
            place: Place {
                position: self.position,
                stream: StreamId::dynamic(self.aggregate_type, self.aggregate_id),
                event_type: self.event_type,
                recorded_at: self.recorded_at,
            },
            event_version: self.event_version,
        })
    }
}

/// The keys a row brought along.
pub(super) fn read_keys(
    ring: &KeyRing,
    subjects: Option<Vec<String>>,
    wrapped: Option<Vec<Option<Vec<u8>>>>,
    erased: Option<Vec<bool>>,
) -> Result<std::collections::HashMap<String, SubjectKey>, PersonalError> {
    subjects
        .unwrap_or_default()
        .into_iter()
        .zip(wrapped.unwrap_or_default())
        .zip(erased.unwrap_or_default())
        .map(|((subject, wrapped), erased)| {
            let key = ring.read(&subject, wrapped.as_deref(), erased)?;
            Ok((subject, key))
        })
        .collect()
}

/// The next `limit` events after a position: contiguous, or an error.
pub(super) async fn read(
    pool: &PgPool,
    ring: &KeyRing,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>, FeedError> {
    let rows = rows!(
        "WHERE e.position > $1 ORDER BY e.position LIMIT $2",
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let mut last = after;
    let open = |row: Row| {
        follow(&mut last, row.position)?;
        row.open(ring).map_err(unopened(last))
    };
    rows.into_iter().map(open).collect()
}

/// [`read`], for folds.
pub(super) fn tell(
    pool: &PgPool,
    ring: &KeyRing,
    after: i64,
    limit: i64,
) -> impl Stream<Item = Result<Told, FeedError>> {
    let rows = sqlx::query_as!(
        ToldRow,
        r#"SELECT e.position, e.event_id, e.aggregate_type, e.aggregate_id, e.event_type, e.event_version,
                  e.payload::text AS "payload!", e.recorded_at, e.subjects,
                  k.wrapped AS "wrapped: Vec<Option<Vec<u8>>>", k.erased AS "erased: Vec<bool>"
           FROM events e
           CROSS JOIN LATERAL ledger_keys(e.subjects) k
           WHERE e.position > $1
           ORDER BY e.position
           LIMIT $2"#,
        after,
        limit,
    )
    .fetch(pool);
    let mut last = after;
    rows.map(move |row| {
        let row = row?;
        follow(&mut last, row.position)?;
        row.open(ring).map_err(unopened(last))
    })
}

/// Goes on to the next position.
fn follow(last: &mut i64, found: i64) -> Result<(), FeedError> {
    let after = std::mem::replace(last, found);
    if found == after + 1 {
        Ok(())
    } else {
        Err(FeedError::Gap { after, found })
    }
}

/// The error of an event whose personal values do not open.
pub(super) fn unopened(position: i64) -> impl FnOnce(PersonalError) -> FeedError {
    move |source| FeedError::Personal { position, source }
}

/// Reads the log from a position on and goes on with what is appended, filtered or not.
pub struct Follower {
    pub(super) pool: PgPool,
    pub(super) ring: Arc<KeyRing>,
    pub(super) tail: Arc<Tail>,
    pub(super) next: i64,
    pub(super) aggregates: Option<Vec<String>>,
    pub(super) fresh: Option<broadcast::Receiver<Arc<[Recorded]>>>,
    pub(super) held: VecDeque<Recorded>,
}

impl Follower {
    /// Passes over what was heard elsewhere, up to a position.
    pub fn skip(&mut self, position: i64) {
        self.next = self.next.max(position + 1);
        self.held.retain(|event| event.position >= self.next);
        // What is passed over is not kept for long.
        while let Some(chunk) = self.fresh.as_mut().map(broadcast::Receiver::try_recv) {
            match chunk {
                Ok(chunk) if chunk.last().is_none_or(|e| e.position < self.next) => {}
                Err(broadcast::error::TryRecvError::Empty) => break,
                Ok(_) | Err(_) => self.fresh = None,
            }
        }
    }

    /// The position up to which everything has been handed out (or passed the filter by).
    #[must_use]
    pub fn position(&self) -> i64 {
        self.next - 1
    }

    /// The next events, at least one and at most `max`; waits for them. Positions follow each other
    /// without a hole unless the follower filters.
    ///
    /// Cancel-safe: what is not handed out is handed out later.
    ///
    /// # Errors
    /// [`FeedError`]; the follower may be asked again.
    pub async fn next(&mut self, max: usize) -> Result<Vec<Recorded>, FeedError> {
        loop {
            if self.held.is_empty() {
                self.refill(max).await?;
            }
            let count = self.held.len().min(max);
            if let Some(last) = self.held.get(count.wrapping_sub(1)) {
                self.next = last.position + 1;
            }
            let batch: Vec<Recorded> = self
                .held
                .drain(..count)
                .filter(|e| wanted(self.aggregates.as_deref(), e))
                .collect();
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
    }

    /// Adds what is here already to a batch of [`Follower::next`], up to `max` in all, without waiting and without
    /// asking the database.
    pub fn drain(&mut self, batch: &mut Vec<Recorded>, max: usize) {
        while batch.len() < max {
            if self.held.is_empty() {
                let next = self.next;
                match self.fresh.as_mut().map(broadcast::Receiver::try_recv) {
                    Some(Ok(chunk)) if chunk.first().is_some_and(|e| e.position <= next) => {
                        self.held
                            .extend(chunk.iter().filter(|e| e.position >= next).cloned());
                        continue;
                    }
                    // Lagged, or a chunk beyond a gap: `next` reads what is missing from the log.
                    Some(Ok(_) | Err(broadcast::error::TryRecvError::Lagged(_))) => {
                        self.fresh = None;
                        return;
                    }
                    Some(Err(_)) | None => return,
                }
            }
            let count = self.held.len().min(max - batch.len());
            if let Some(last) = self.held.get(count.wrapping_sub(1)) {
                self.next = last.position + 1;
            }
            let aggregates = self.aggregates.as_deref();
            batch.extend(self.held.drain(..count).filter(|e| wanted(aggregates, e)));
        }
    }

    async fn refill(&mut self, max: usize) -> Result<(), FeedError> {
        loop {
            // Subscribed before looking, so that nothing falls between the two.
            let fresh = self.fresh.get_or_insert_with(|| self.tail.subscribe());
            if self.tail.position() >= self.next {
                while let Ok(chunk) = fresh.try_recv() {
                    if chunk.first().is_some_and(|e| e.position <= self.next) {
                        let next = self.next;
                        self.held
                            .extend(chunk.iter().filter(|e| e.position >= next).cloned());
                        if !self.held.is_empty() {
                            return Ok(());
                        }
                    } else {
                        break;
                    }
                }
                let limit = i64::try_from(max.max(500)).unwrap_or(500);
                let read = read(&self.pool, &self.ring, self.next - 1, limit).await?;
                self.held.extend(read);
                if !self.held.is_empty() {
                    return Ok(());
                }
            }
            match tokio::time::timeout(Duration::from_millis(500), fresh.recv()).await {
                Ok(Ok(chunk)) if chunk.first().is_some_and(|e| e.position <= self.next) => {
                    let next = self.next;
                    self.held
                        .extend(chunk.iter().filter(|e| e.position >= next).cloned());
                    if !self.held.is_empty() {
                        return Ok(());
                    }
                }
                // Lagged, or a chunk beyond a gap: the log itself has what is missing.
                Ok(_) => self.fresh = None,
                Err(_) => {}
            }
        }
    }
}

fn wanted(aggregates: Option<&[String]>, event: &Recorded) -> bool {
    aggregates.is_none_or(|names| names.iter().any(|name| *name == event.stream.aggregate))
}
