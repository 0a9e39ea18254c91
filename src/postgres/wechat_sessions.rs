//! The sealed session key of each customer's last WeChat login. Whoever calls seals and opens; here are bytes.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// Keeps session keys. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WechatSessions {
    pool: PgPool,
}

impl WechatSessions {
    /// Over a pool of service connections.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Keeps the key of a login; that of the login before goes.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn put(
        &self,
        customer_id: i64,
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO wechat_sessions (customer_id, session_key, stored_at)
             VALUES ($1, $2, $3)
             ON CONFLICT (customer_id) DO UPDATE
             SET session_key = EXCLUDED.session_key, stored_at = EXCLUDED.stored_at",
            customer_id,
            sealed,
            now,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Drops the key of somebody who is forgotten; answers how many there were.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn forget(&self, customer_id: i64) -> sqlx::Result<u64> {
        let gone = sqlx::query!(
            "DELETE FROM wechat_sessions WHERE customer_id = $1",
            customer_id,
        )
        .execute(&self.pool)
        .await?;
        Ok(gone.rows_affected())
    }

    /// The key of a customer's last login, sealed; `None` when there is none.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn get(&self, customer_id: i64) -> sqlx::Result<Option<Vec<u8>>> {
        sqlx::query_scalar!(
            "SELECT session_key FROM wechat_sessions WHERE customer_id = $1",
            customer_id,
        )
        .fetch_optional(&self.pool)
        .await
    }
}
