//! Dropping the tables that nobody runs: of other versions, and what rebuilds left.

use sqlx::{Connection, Executor};

use super::super::{Slot, key};
use super::RebuildError;
use super::past;
use super::shadow::{exists, lock};
use super::switch::forget;
use crate::postgres::Database;

/// A set of tables that nobody runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Abandoned {
    /// Its schema.
    pub schema: String,
    /// Why it is not needed.
    pub why: &'static str,
    /// How large it is, in bytes.
    pub bytes: i64,
    #[serde(skip)]
    row: (String, i32),
    #[serde(skip)]
    slot: Slot,
}

/// What [`prune`] would drop: versions without a live lease other than this build's, shadows of rebuilds that are not under
/// way, what was kept to go back to, and tables as of a position that nobody serves.
///
/// # Errors
/// [`RebuildError::Busy`] while a rebuild is under way.
pub async fn abandoned(database: &Database) -> Result<Vec<Abandoned>, RebuildError> {
    let mut owner = lock(database).await?;
    let ours: Vec<(String, i32)> = super::super::super::all().iter().map(|p| key(*p)).collect();
    let rows = sqlx::query!(
        r#"SELECT c.projection, c.version,
                  coalesce(l.expires_at > clock_timestamp(), false) AS "runs!"
           FROM (SELECT DISTINCT projection, version FROM projection_checkpoints) c
           LEFT JOIN projection_leases l USING (projection, version)
           ORDER BY c.projection, c.version"#
    )
    .fetch_all(&mut owner)
    .await?;
    let held = past::held(&mut owner).await?;
    let mut found = Vec::new();
    for row in rows {
        let (name, slot) = Slot::split(&row.projection);
        let why = match slot {
            Slot::AsOf(position) if held.contains(&position) => continue,
            Slot::AsOf(_) => "as of a position that nobody serves",
            Slot::Shadow => "left by a rebuild",
            Slot::Old => "kept to go back to",
            Slot::Live if row.runs || ours.contains(&(row.projection.clone(), row.version)) => {
                continue;
            }
            Slot::Live => "a version that nobody runs",
        };
        let schema = format!("{name}_v{}{}", row.version, slot.suffix());
        if !exists(&mut owner, &schema).await? {
            continue;
        }
        let bytes = sqlx::query_scalar!(
            r#"SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS "bytes!"
               FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relkind = 'r'"#,
            schema,
        )
        .fetch_one(&mut owner)
        .await?;
        found.push(Abandoned {
            schema,
            why,
            bytes,
            row: (row.projection, row.version),
            slot,
        });
    }
    let _ = owner.close().await;
    Ok(found)
}

/// Drops them, except what somebody has taken up since. Their leases' rows stay: fences only grow.
///
/// # Errors
/// [`RebuildError`]; what was dropped before stays so.
pub async fn prune(database: &Database, abandoned: &[Abandoned]) -> Result<(), RebuildError> {
    let mut owner = lock(database).await?;
    for one in abandoned {
        // The connection that holds it ends with this function, and the lock with it.
        if let Slot::AsOf(position) = one.slot
            && !past::alone(&mut owner, position).await?
        {
            continue;
        }
        let mut tx = owner.begin().await?;
        let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", one.schema);
        tx.execute(sql.as_str()).await?;
        forget(&mut tx, &one.row.0, one.row.1).await?;
        tx.commit().await?;
    }
    let _ = owner.close().await;
    Ok(())
}
