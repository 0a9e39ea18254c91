//! Which node does what only one need do at a time. Work that is done twice must do no harm: a node that was held up may
//! go on for a moment after its lease ended.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

/// A node's hold on one kind of work. Clones are the same holder.
#[derive(Debug, Clone)]
pub struct Lease {
    pool: PgPool,
    process: &'static str,
    holder: Uuid,
    length: Duration,
}

impl Lease {
    /// On a kind of work, for `length` from each time it is taken. Nothing is taken yet.
    #[must_use]
    pub fn new(pool: PgPool, process: &'static str, length: Duration) -> Self {
        Self {
            pool,
            process,
            holder: Uuid::new_v4(),
            length,
        }
    }

    /// Takes it when it is free, or renews it. Answers whether it is this holder's now.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn take(&self) -> sqlx::Result<bool> {
        let length = PgInterval::try_from(self.length).map_err(sqlx::Error::Encode)?;
        let taken = sqlx::query!(
            "INSERT INTO process_leases AS l (process, holder, expires_at)
             VALUES ($1, $2, clock_timestamp() + $3)
             ON CONFLICT (process) DO UPDATE
             SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
             WHERE l.holder = EXCLUDED.holder OR l.expires_at < clock_timestamp()",
            self.process,
            self.holder,
            length,
        )
        .execute(&self.pool)
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Gives it back, so that another node need not wait for its end.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn release(&self) -> sqlx::Result<()> {
        sqlx::query!(
            "DELETE FROM process_leases WHERE process = $1 AND holder = $2",
            self.process,
            self.holder,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
