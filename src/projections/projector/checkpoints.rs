//! Where the tables stand, as the database has it: read, and taken hold of.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::super::Projection;
use super::batch::{self, Counts};
use super::{Slot, lease};
use crate::ledger::Watermark;
use crate::postgres::Database;

/// Where the tables of a projection stand.
pub(super) struct Checkpoint {
    pub projection: String,
    pub version: i32,
    pub position: i64,
    /// Raised by whoever changes more than the position.
    pub revision: i64,
}

/// Reads the checkpoints of these projections, in no order.
pub(super) async fn read(
    db: impl PgExecutor<'_>,
    projections: &[&'static dyn Projection],
) -> sqlx::Result<Vec<Checkpoint>> {
    let (names, versions) = lease::columns(projections);
    sqlx::query_as!(
        Checkpoint,
        r#"SELECT p.projection AS "projection!", p.version AS "version!", p.position AS "position!",
                  p.revision AS "revision!"
           FROM unnest($1::text[], $2::integer[]) AS n(projection, version)
           JOIN projection_positions p USING (projection, version)"#,
        &names,
        &versions,
    )
    .fetch_all(db)
    .await
}

/// A checkpoint that is locked and travels with no front.
pub(super) struct Settled {
    pub position: i64,
    pub fence: i64,
    pub revision: i64,
    pub counts: Counts,
}

/// A checkpoint's own row.
struct Row {
    position: i64,
    fence: i64,
    revision: i64,
    counts: serde_json::Value,
    front: Option<Uuid>,
}

/// Locks a checkpoint.
async fn lock(tx: &mut PgConnection, name: &str, version: i32) -> sqlx::Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        "SELECT position, fence, revision, counts, front
         FROM projection_checkpoints
         WHERE projection = $1 AND version = $2
         ORDER BY position DESC
         LIMIT 1
         FOR UPDATE",
        name,
        version,
    )
    .fetch_optional(tx)
    .await
}

/// Locks a checkpoint, waiting for the batch under way, and takes it from its front, which is closed: its leader finds that with the
/// next batch and begins again. `None` when there is no such checkpoint.
pub(super) async fn settle(
    tx: &mut PgConnection,
    name: &str,
    version: i32,
) -> sqlx::Result<Option<Settled>> {
    let Some(row) = lock(tx, name, version).await? else {
        return Ok(None);
    };
    let counts = read_counts(row.counts)?;
    let mut settled = Settled {
        position: row.position,
        fence: row.fence,
        revision: row.revision,
        counts,
    };
    let Some(front) = row.front else {
        return Ok(Some(settled));
    };
    // A build from before the fronts moves only the checkpoints.
    let (held, mut said) = hold_front(tx, front).await?.unwrap_or_default();
    settled.position = held.max(row.position);
    if let Some(ahead) = said.get_mut(name) {
        batch::add(&mut settled.counts, read_counts(ahead.take())?);
    }
    sqlx::query!(
        "UPDATE projection_checkpoints SET position = $4, front = NULL, counts = $5
         WHERE projection = $1 AND version = $2 AND position = $3",
        name,
        version,
        row.position,
        settled.position,
        serde_json::json!(settled.counts),
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE projection_fronts SET closed = true WHERE front = $1 AND position = $2",
        front,
        held,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "DELETE FROM projection_fronts
         WHERE front = $1 AND NOT EXISTS (SELECT FROM projection_checkpoints WHERE front = $1)",
        front,
    )
    .execute(tx)
    .await?;
    Ok(Some(settled))
}

/// Locks the checkpoints of the live tables until the transaction ends, in the order given: no batch is folded into them meanwhile.
/// Answers where each stands.
pub(super) async fn hold(
    tx: &mut PgConnection,
    projections: &[&'static dyn Projection],
) -> sqlx::Result<Vec<i64>> {
    let mut found = Vec::with_capacity(projections.len());
    for projection in projections {
        let (name, version) = Slot::Live.key(*projection);
        let row = lock(tx, &name, version).await?;
        let row = row.ok_or(sqlx::Error::RowNotFound)?;
        found.push((row.position, row.front));
    }
    let mut fronts: Vec<Uuid> = found.iter().filter_map(|(_, front)| *front).collect();
    fronts.sort_unstable();
    fronts.dedup();
    for front in fronts {
        let Some((position, _)) = hold_front(tx, front).await? else {
            continue;
        };
        for one in found.iter_mut().filter(|(_, own)| *own == Some(front)) {
            one.0 = one.0.max(position);
        }
    }
    Ok(found.into_iter().map(|(position, _)| position).collect())
}

/// Locks a front and answers where it stands, and what it says of its projections.
async fn hold_front(
    tx: &mut PgConnection,
    front: Uuid,
) -> sqlx::Result<Option<(i64, serde_json::Value)>> {
    let row = sqlx::query!(
        "SELECT position, counts FROM projection_fronts WHERE front = $1 ORDER BY position DESC LIMIT 1 FOR UPDATE",
        front,
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| (row.position, row.counts)))
}

/// Counts as rows keep them.
pub(super) fn read_counts(json: serde_json::Value) -> sqlx::Result<Counts> {
    serde_json::from_value(json).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Connections for queries about these projections. A new one may lead to a database that has crashed and lost the last
/// moments of the tables while this node went on: it is used once they show again what this node has shown, or
/// when `patience` is at its end.
#[must_use]
pub fn reads(
    database: &Database,
    connections: u32,
    watermark: &Watermark,
    projections: &'static [&'static dyn Projection],
    patience: Duration,
) -> PgPool {
    let search_path: Vec<String> = projections.iter().map(|p| p.schema()).collect();
    let watermark = watermark.clone();
    database.pool_looking("reads", connections, &search_path, move |connection| {
        let watermark = watermark.clone();
        Box::pin(async move {
            look(connection, projections, &watermark).await?;
            watermark.wait_all(0, patience).await;
            Ok(())
        })
    })
}

async fn look(
    connection: &mut PgConnection,
    projections: &[&'static dyn Projection],
    watermark: &Watermark,
) -> sqlx::Result<()> {
    let claims = watermark.claims();
    let mut lost = false;
    for checkpoint in read(connection, projections).await? {
        let claim = (claims.iter()).find(|claim| claim.name == checkpoint.projection);
        if let Some(claim) = claim {
            lost |= watermark.found(*claim, checkpoint.position);
        }
    }
    if lost {
        warn();
    }
    Ok(())
}

/// Says what was found.
pub(super) fn warn() {
    tracing::warn!(
        "The database has lost the last moments of the read tables, as a crash may; queries wait until they are folded again"
    );
}
