//! Limits in time that hold across nodes and restarts: so many hits under a key within a sliding window.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// So many within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many hits are let through.
    pub hits: u16,
    /// Within which time.
    pub window: Duration,
}

/// Counts hits. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RateLimits {
    pool: PgPool,
}

impl RateLimits {
    /// Over a pool of service connections.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Were there as many hits as the limit lets through, up to now?
    ///
    /// # Errors
    /// When the database says no.
    pub async fn exhausted(
        &self,
        key: &str,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> sqlx::Result<bool> {
        let since = now - limit.window;
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!"
               FROM rate_limits, unnest(hits) AS hit
               WHERE key = $1 AND hit > $2"#,
            key,
            since,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(count >= i64::from(limit.hits))
    }

    /// Counts a hit. Answers whether it was within the limit.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn hit(&self, key: &str, limit: Limit, now: DateTime<Utc>) -> sqlx::Result<bool> {
        let since = now - limit.window;
        // One more than the limit is kept: enough to know that it was exceeded, and a row stays small.
        let kept = i64::from(limit.hits) + 1;
        let count = sqlx::query_scalar!(
            r#"INSERT INTO rate_limits (key, hits, expires_at)
               VALUES ($1, ARRAY[$2::timestamptz], $4)
               ON CONFLICT (key) DO UPDATE SET
                   hits = ARRAY(
                       SELECT hit
                       FROM unnest(rate_limits.hits || $2::timestamptz) AS hit
                       WHERE hit > $3
                       ORDER BY hit DESC
                       LIMIT $5),
                   expires_at = greatest(rate_limits.expires_at, $4)
               RETURNING cardinality(hits)::bigint AS "count!""#,
            key,
            now,
            since,
            now + limit.window,
            kept,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(count <= i64::from(limit.hits))
    }

    /// Drops what was counted under these names, which stand after the kind in keys (`message:<uid>`); answers how many rows.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn forget(&self, names: &[String]) -> sqlx::Result<u64> {
        let done = sqlx::query!(
            "DELETE FROM rate_limits r
             USING unnest($1::text[]) AS n(name)
             WHERE right(r.key, length(n.name) + 1) = ':' || n.name",
            names,
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes rows whose last hit left its window, at most `slice` of them; answers how many.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn sweep(&self, slice: i64, now: DateTime<Utc>) -> sqlx::Result<u64> {
        let done = sqlx::query!(
            "DELETE FROM rate_limits
             WHERE key IN (
                 SELECT key FROM rate_limits WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
                 FOR UPDATE SKIP LOCKED)",
            now,
            slice,
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}
