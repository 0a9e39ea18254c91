//! Looking for events, for audits and for work that is taken up again. Not a feed: what does not match is passed over.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::Ledger;
use super::envelope::{Recorded, StreamId};
use super::feed::{FeedError, Row};

/// What an audit looks for. Absent fields match everything.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The event type, as `TaskCreated`.
    pub event_type: Option<String>,
    /// The aggregate, as `Task`.
    pub aggregate: Option<String>,
    /// Who made it, as `staff:1`.
    pub actor: Option<String>,
    /// Recorded at or after.
    pub since: Option<DateTime<Utc>>,
    /// Recorded before.
    pub until: Option<DateTime<Utc>>,
    /// Only what follows this position.
    pub after: i64,
}

/// What requests under one correlation have recorded on one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The correlation.
    pub correlation: String,
    /// The stream.
    pub stream: StreamId,
    /// How many events.
    pub events: i64,
}

impl Ledger {
    /// The first `limit` events that match, in order. Walks the log, narrowed by time and position.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn search(&self, wanted: &Search, limit: i64) -> Result<Vec<Recorded>, FeedError> {
        let pool = self.pool();
        let since = match wanted.since {
            Some(time) => before(pool, time).await?,
            None => 0,
        };
        let until = match wanted.until {
            Some(time) => before(pool, time).await?,
            None => i64::MAX,
        };
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT e.position, e.event_id, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type,
                      e.event_version, e.payload::text AS "payload!", e.metadata::text AS "metadata!", e.recorded_at,
                      e.subjects, k.wrapped AS "wrapped: Vec<Option<Vec<u8>>>", k.erased AS "erased: Vec<bool>"
               FROM events e
               CROSS JOIN LATERAL ledger_keys(e.subjects) k
               WHERE e.position > $1 AND e.position <= $2
                 AND ($3::text IS NULL OR e.event_type = $3)
                 AND ($4::text IS NULL OR e.aggregate_type = $4)
                 AND ($5::text IS NULL OR e.metadata->>'actor' = $5)
               ORDER BY e.position
               LIMIT $6"#,
            wanted.after.max(since),
            until,
            wanted.event_type,
            wanted.aggregate,
            wanted.actor,
            limit,
        )
        .fetch_all(pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let position = row.position;
                row.open(self.ring())
                    .map_err(|source| FeedError::Personal { position, source })
            })
            .collect()
    }

    /// What requests whose correlation begins with `prefix` have recorded through the door `surface`. Walks the log.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn traces(&self, surface: &str, prefix: &str) -> Result<Vec<Trace>, sqlx::Error> {
        let rows = sqlx::query!(
            r#"SELECT e.metadata->>'correlation' AS "correlation!", e.aggregate_type, e.aggregate_id,
                      count(*) AS "events!"
               FROM events e
               WHERE e.metadata->>'surface' = $1 AND starts_with(e.metadata->>'correlation', $2)
               GROUP BY 1, 2, 3
               ORDER BY min(e.position)"#,
            surface,
            prefix,
        )
        .fetch_all(self.pool())
        .await?;
        let traces = rows.into_iter().map(|row| Trace {
            correlation: row.correlation,
            stream: StreamId::dynamic(row.aggregate_type, row.aggregate_id),
            events: row.events,
        });
        Ok(traces.collect())
    }
}

/// The last position recorded before a time, by halving: times never go backwards along positions.
async fn before(pool: &PgPool, time: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let head = sqlx::query_scalar!("SELECT position FROM events ORDER BY position DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    let (mut low, mut high) = (0, head.unwrap_or(0));
    while low < high {
        let middle = low + (high - low + 1) / 2;
        let earlier = sqlx::query_scalar!(
            r#"SELECT recorded_at < $2 AS "earlier!" FROM events WHERE position <= $1 ORDER BY position DESC LIMIT 1"#,
            middle,
            time,
        )
        .fetch_optional(pool)
        .await?;
        if earlier.unwrap_or(true) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}
