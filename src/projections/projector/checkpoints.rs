//! Where the tables stand, read from the database.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor, PgPool};

use super::super::Projection;
use super::lease;
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
        r#"SELECT n.version AS "version!", c.projection, c.position, c.revision
           FROM unnest($1::text[], $2::integer[]) AS n(projection, version)
           CROSS JOIN LATERAL (
               SELECT c.projection, c.position, c.revision
               FROM projection_checkpoints c
               WHERE c.projection = n.projection AND c.version = n.version
               ORDER BY c.position DESC
               LIMIT 1
           ) c"#,
        &names,
        &versions,
    )
    .fetch_all(db)
    .await
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
