//! One set of tables in the place of another, in one transaction.

use std::time::Duration;

use sqlx::{Executor, PgConnection};

use super::super::super::Projection;
use super::super::{CHANNEL, Slot, checkpoints};
use super::RebuildError;
use super::shadow::{Rebuild, tables};

/// How long a switch waits for readers of one table, in milliseconds: new readers wait behind it. Shorter than the
/// server's deadlock timeout, so that it is never a reader that gives way.
const LOCK_WAIT_MS: u32 = 100;
/// Tries before it gives up.
const TRIES: u32 = 50;

impl Rebuild {
    /// Puts the new tables in the place of the live ones, all of them at once, and keeps those as the old ones. A reader's
    /// statement sees either set and never waits longer than the switch takes.
    ///
    /// # Errors
    /// [`RebuildError`]; nothing is switched then.
    pub async fn switch(&mut self) -> Result<(), RebuildError> {
        for attempt in 1..=TRIES {
            self.align().await?;
            match self.swap().await {
                Ok(()) => {
                    self.owner.execute("COMMIT").await?;
                    return Ok(());
                }
                Err(error) => {
                    self.owner.execute("ROLLBACK").await?;
                    if !is_lock_timeout(&error) {
                        return Err(error.into());
                    }
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 10)).await;
                }
            }
        }
        Err(RebuildError::ReadersBusy)
    }

    /// Within the owner's transaction, which holds the live checkpoints.
    async fn swap(&mut self) -> sqlx::Result<()> {
        let bound = format!("SET LOCAL lock_timeout = {LOCK_WAIT_MS}");
        self.owner.execute(bound.as_str()).await?;
        let projections: Vec<_> = self.tracks.iter().map(|t| t.projection).collect();
        // A statement that has found one table by its name must find the others beside it: while it runs, nothing is
        // renamed; while this runs, it does not begin.
        for &projection in &projections {
            for schema in [projection.schema(), self.slot.schema(projection)] {
                for table in tables(&mut self.owner, &schema).await? {
                    let sql = format!("LOCK TABLE {schema}.{table} IN ACCESS EXCLUSIVE MODE");
                    self.owner.execute(sql.as_str()).await?;
                }
            }
        }
        for &projection in &projections {
            self.rename(projection).await?;
            self.move_rows(projection).await?;
        }
        sqlx::query!(
            r#"SELECT pg_notify($1, 'parked') AS "told: String""#,
            CHANNEL
        )
        .fetch_one(&mut self.owner)
        .await?;
        Ok(())
    }

    async fn rename(&mut self, projection: &'static dyn Projection) -> sqlx::Result<()> {
        let live = projection.schema();
        let (new, old) = (self.slot.schema(projection), Slot::Old.schema(projection));
        let aside = format!("{live}__swap");
        if self.slot != Slot::Old {
            drop_slot(&mut self.owner, projection, Slot::Old).await?;
        }
        let sql = format!(
            "ALTER SCHEMA {live} RENAME TO {aside};
             ALTER SCHEMA {new} RENAME TO {live};
             ALTER SCHEMA {aside} RENAME TO {old};"
        );
        self.owner.execute(sql.as_str()).await?;
        Ok(())
    }

    /// Checkpoints and parked events go with their tables. The fence stays with the live ones; the raised revision tells
    /// the leader to begin again from what is there.
    async fn move_rows(&mut self, projection: &'static dyn Projection) -> sqlx::Result<()> {
        let (live, version) = Slot::Live.key(projection);
        let (new, _) = self.slot.key(projection);
        let (old, _) = Slot::Old.key(projection);
        checkpoints::settle(&mut self.owner, &live, version).await?;
        sqlx::query!(
            "WITH was AS (
                 SELECT position, counts, fence, revision FROM projection_checkpoints
                 WHERE projection = $1 AND version = $4 ORDER BY position DESC LIMIT 1
             ), new AS (
                 SELECT position, counts FROM projection_checkpoints
                 WHERE projection = $2 AND version = $4 ORDER BY position DESC LIMIT 1
             ), gone AS (
                 DELETE FROM projection_checkpoints WHERE projection IN ($1, $2, $3) AND version = $4
             )
             INSERT INTO projection_checkpoints (projection, version, position, fence, revision, counts)
             SELECT $1 || '__swap', $4, new.position, was.fence, was.revision + 1, new.counts FROM was, new
             UNION ALL
             SELECT $3 || '__swap', $4, was.position, 0, 0, was.counts FROM was",
            live,
            new,
            old,
            version,
        )
        .execute(&mut self.owner)
        .await?;
        // What one statement deletes it cannot insert anew: the rows arrive under other names first.
        sqlx::query!(
            "UPDATE projection_checkpoints SET projection = left(projection, -6)
             WHERE projection IN ($1 || '__swap', $2 || '__swap') AND version = $3",
            live,
            old,
            version,
        )
        .execute(&mut self.owner)
        .await?;
        for (from, to) in [(&live, "__swap"), (&new, "__new")] {
            sqlx::query!(
                "UPDATE projection_parked SET projection = $1 || $3 WHERE projection = $2 AND version = $4",
                live,
                from,
                to,
                version,
            )
            .execute(&mut self.owner)
            .await?;
        }
        sqlx::query!(
            "UPDATE projection_parked
             SET projection = CASE WHEN projection = $1 || '__new' THEN $1 ELSE $2 END
             WHERE projection IN ($1 || '__new', $1 || '__swap') AND version = $3",
            live,
            old,
            version,
        )
        .execute(&mut self.owner)
        .await?;
        Ok(())
    }
}

/// Drops a set of tables that does not serve, with the rows about it.
pub(super) async fn drop_slot(
    owner: &mut PgConnection,
    projection: &dyn Projection,
    slot: Slot,
) -> sqlx::Result<()> {
    let (name, version) = slot.key(projection);
    let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", slot.schema(projection));
    owner.execute(sql.as_str()).await?;
    forget(owner, &name, version).await
}

/// Deletes the rows about a set of tables.
pub(super) async fn forget(owner: &mut PgConnection, name: &str, version: i32) -> sqlx::Result<()> {
    checkpoints::settle(owner, name, version).await?;
    sqlx::query!(
        "WITH parked AS (DELETE FROM projection_parked WHERE projection = $1 AND version = $2)
         DELETE FROM projection_checkpoints WHERE projection = $1 AND version = $2",
        name,
        version,
    )
    .execute(owner)
    .await?;
    Ok(())
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    // 55P03: the lock was not to be had in time; 40P01: two waited for each other.
    (error.as_database_error())
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == "55P03" || code == "40P01")
}
