//! Who leads. A lease per version of a projection, taken all at once, so that nodes of one build never share them out
//! while an older build may still hold those that it needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::super::Projection;
use super::{CHANNEL, Shared, key};

/// How often a node that does not lead looks whether it could.
const CANDIDATE: Duration = Duration::from_millis(250);

/// What this node leads: each projection's fence, and until when that is certain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub fences: BTreeMap<&'static str, i64>,
    pub until: Option<Instant>,
}

impl Held {
    /// Is it still certain?
    pub fn holds(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}

/// Ends every lease. For a node that knows that no other lives, because it has just started the database's only server:
/// whoever held a lease died with the last one, and nobody needs to wait for it.
///
/// # Errors
/// When the database says no.
pub async fn vacate(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE projection_leases SET expires_at = '-infinity' WHERE expires_at > '-infinity'"
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Makes the rows of projections that are new. They stay for ever.
pub(super) async fn prepare(shared: &Shared) -> sqlx::Result<()> {
    let (names, versions) = columns(&shared.options.projections);
    let mut tx = shared.pool.begin().await?;
    sqlx::query!(
        "INSERT INTO projection_leases (projection, version)
         SELECT unnest($1::text[]), unnest($2::integer[])
         ON CONFLICT (projection, version) DO NOTHING",
        &names,
        &versions,
    )
    .execute(&mut *tx)
    .await?;
    // The leases' rows are locked, else two nodes that start at once make a checkpoint each.
    sqlx::query!(
        "SELECT l.projection
         FROM projection_leases l
         JOIN unnest($1::text[], $2::integer[]) AS n(projection, version) USING (projection, version)
         ORDER BY l.projection, l.version
         FOR UPDATE OF l",
        &names,
        &versions,
    )
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO projection_checkpoints (projection, version)
         SELECT n.projection, n.version
         FROM unnest($1::text[], $2::integer[]) AS n(projection, version)
         WHERE NOT EXISTS (
             SELECT FROM projection_checkpoints c WHERE c.projection = n.projection AND c.version = n.version)",
        &names,
        &versions,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Takes the leases when they are free and renews them until the service stops.
pub(super) async fn keep(shared: Arc<Shared>, held: watch::Sender<Held>, stop: CancellationToken) {
    let mut away = false;
    loop {
        if stop.is_cancelled() {
            return;
        }
        let blocked = shared.status.lock().unknown_event.is_some();
        if blocked && !held.borrow().fences.is_empty() {
            held.send_replace(Held::default());
            release(&shared).await;
        } else if !blocked {
            match turn(&shared, &held).await {
                Ok(()) => away = false,
                Err(error) if !away => {
                    warn!(error = %error, "The lease of the projections cannot be renewed: {error}");
                    away = true;
                }
                Err(_) => {}
            }
        }
        let leads = !held.borrow().fences.is_empty();
        let rest = if leads {
            CANDIDATE
                .max(shared.options.lease / 5)
                .min(shared.options.lease / 3)
        } else {
            CANDIDATE.min(shared.options.lease / 2)
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn turn(shared: &Shared, held: &watch::Sender<Held>) -> sqlx::Result<()> {
    let asked = Instant::now();
    let lease = shared.options.lease;
    let answer = tokio::time::timeout(lease / 2, take(shared)).await;
    let fences = match answer {
        Ok(Ok(fences)) => fences,
        failed => {
            if !held.borrow().holds() && !held.borrow().fences.is_empty() {
                held.send_replace(Held::default());
            }
            return failed.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(drop);
        }
    };
    let before = held.borrow().fences.clone();
    if fences != before {
        let names: Vec<&str> = fences.keys().copied().collect();
        match names.as_slice() {
            [] => warn!("Another node moves the projections now"),
            names => info!("This node moves {}", names.join(", ")),
        }
    }
    let until = (!fences.is_empty()).then(|| asked + lease);
    held.send_replace(Held { fences, until });
    Ok(())
}

/// Takes what is free and renews what is ours. What we hold past its end and nobody took is still ours.
async fn take(shared: &Shared) -> sqlx::Result<BTreeMap<&'static str, i64>> {
    let (names, versions) = columns(&shared.options.projections);
    let lease = PgInterval::try_from(shared.options.lease).map_err(sqlx::Error::Encode)?;
    let rows = sqlx::query!(
        "WITH free AS (
             SELECT projection, version
             FROM projection_leases
             WHERE (projection, version) IN (SELECT * FROM unnest($1::text[], $2::integer[]))
               AND (holder = $3 OR expires_at < clock_timestamp())
             ORDER BY projection, version
             FOR UPDATE
         )
         UPDATE projection_leases l
         SET holder = $3,
             fence = CASE WHEN l.holder = $3 THEN l.fence ELSE l.fence + 1 END,
             expires_at = clock_timestamp() + $4
         FROM free
         WHERE l.projection = free.projection AND l.version = free.version
         RETURNING l.projection, l.fence",
        &names,
        &versions,
        shared.holder,
        lease,
    )
    .fetch_all(&shared.pool)
    .await?;
    let mut fences = BTreeMap::new();
    for projection in &shared.options.projections {
        let name = projection.name();
        if let Some(row) = rows.iter().find(|row| row.projection == name) {
            fences.insert(name, row.fence);
        }
    }
    Ok(fences)
}

/// Gives the leases back, so that another node need not wait for their end.
pub(super) async fn release(shared: &Shared) {
    let released = sqlx::query!(
        "WITH given AS (
             UPDATE projection_leases SET holder = NULL, expires_at = '-infinity' WHERE holder = $1 RETURNING 1
         )
         SELECT pg_notify($2, 'free') FROM given LIMIT 1",
        shared.holder,
        CHANNEL,
    )
    .fetch_all(&shared.pool)
    .await;
    if let Err(error) = released {
        warn!(error = %error, "The lease of the projections could not be given back and has to run out: {error}");
    }
}

/// Projections and their versions, as columns of rows about them.
pub(super) fn columns(projections: &[&'static dyn Projection]) -> (Vec<String>, Vec<i32>) {
    projections.iter().copied().map(key).unzip()
}
