//! The read tables as they were at a position of the log: built beside the live ones, served by a node that only reads, and
//! dropped by `prune` once nobody serves them.
//!
//! Every position has a lock. Who builds its tables holds it alone, who serves them shares it with others, and `prune`
//! leaves alone what anybody holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::super::super::{Handling, Projection, all};
use super::super::Slot;
use super::RebuildError;
use super::shadow::{Building, LOCK_PATIENCE, Rebuild, in_order, make};
use crate::events::Fact;
use crate::ledger::Ledger;
use crate::postgres::Database;

/// The lock of a position is this and the position: numbers below 0, which no other lock has.
const LOCKS: i64 = i64::MIN;
/// How often whoever serves looks whether the tables are still there.
const LOOK: Duration = Duration::from_secs(1);

/// Tables on their way to a position.
pub struct Past {
    rebuild: Rebuild,
    position: i64,
    /// They were there, all of them.
    complete: bool,
}

impl Past {
    /// Begins to build, or goes on with what was broken off; with `fresh`, what is there is thrown away. `rate` limits how
    /// many events are folded in a second.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub async fn begin(
        ledger: &Ledger,
        database: &Database,
        projections: &[&'static dyn Projection],
        position: i64,
        (rate, fresh): (Option<u32>, bool),
    ) -> Result<Self, RebuildError> {
        let projections = in_order(projections);
        let slot = Slot::AsOf(position);
        let mut owner = database.connect_owner().await?;
        let complete = take(&mut owner, &projections, position, fresh).await?;
        if !complete {
            for &projection in &projections {
                make(&mut owner, projection, slot, fresh).await?;
            }
        }
        let building = Building {
            slot,
            rate,
            end: position,
        };
        Ok(Self {
            rebuild: Rebuild::open(ledger, database, &projections, building, owner).await?,
            position,
            complete,
        })
    }

    /// The tables show everything up to here.
    #[must_use]
    pub fn reached(&self) -> i64 {
        self.rebuild.position()
    }

    /// Streams that could not be folded, of all projections.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.rebuild.parked()
    }

    /// Folds the next batch; answers whether there was anything left to fold.
    ///
    /// # Errors
    /// [`RebuildError`]; calling again goes on.
    pub async fn step(&mut self) -> Result<bool, RebuildError> {
        self.rebuild.step().await
    }

    /// Folds all that is left; `progress` hears how far it is.
    ///
    /// # Errors
    /// [`RebuildError`]; calling again goes on.
    pub async fn build(&mut self, mut progress: impl FnMut(i64)) -> Result<(), RebuildError> {
        while self.step().await? {
            progress(self.reached());
        }
        Ok(())
    }

    /// Shows the tables who was forgotten after their position. Who forgets tells all tables at once; but what was read before,
    /// with a key that was still there, may have been folded after.
    async fn forget(&mut self) -> Result<(), RebuildError> {
        let erased = self.rebuild.ledger.erasures_after(self.position).await?;
        let facts: Vec<Fact> = erased.into_iter().flat_map(Fact::of).collect();
        for projection in self.rebuild.tracks.iter().map(|track| track.projection) {
            let facts: Vec<&Fact> = (facts.iter())
                .filter(|fact| projection.handles(&fact.event) == Handling::Handled)
                .collect();
            if facts.is_empty() {
                continue;
            }
            let mut tx = self.rebuild.folder.begin().await?;
            let folded = projection.apply(&facts, &mut tx).await;
            folded.map_err(|error| RebuildError::Fold {
                projection: projection.name(),
                error,
            })?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Gathers what the planner needs to know, and holds the finished tables for whoever serves them.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub async fn finish(mut self) -> Result<Kept, RebuildError> {
        self.forget().await?;
        if !self.complete {
            // Its commit waits for the disk, unlike those of the batches before it: a crash takes nothing back any more.
            self.rebuild.analyze().await?;
        }
        let Rebuild {
            database,
            folder,
            mut owner,
            tracks,
            ..
        } = self.rebuild;
        let projections = tracks.iter().map(|track| track.projection).collect();
        let _ = folder.close().await;
        if !self.complete {
            share(&mut owner, self.position).await?;
            sqlx::query!(
                r#"SELECT pg_advisory_unlock($1) AS "let_go!""#,
                LOCKS + self.position
            )
            .fetch_one(&mut owner)
            .await?;
        }
        Ok(Kept::new(database, owner, projections, self.position))
    }
}

/// Takes the lock: shared when the tables are there, else alone. Answers whether they are.
async fn take(
    owner: &mut PgConnection,
    projections: &[&'static dyn Projection],
    position: i64,
    fresh: bool,
) -> Result<bool, RebuildError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        if !fresh && share(owner, position).await? {
            if stands(owner, projections, position).await? {
                return Ok(true);
            }
            sqlx::query!(
                r#"SELECT pg_advisory_unlock_shared($1) AS "let_go!""#,
                LOCKS + position
            )
            .fetch_one(&mut *owner)
            .await?;
        }
        if alone(owner, position).await? {
            return Ok(false);
        }
        if Instant::now() >= deadline {
            return Err(RebuildError::Held(position));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Shares the lock of a position, unless somebody holds it alone.
async fn share(owner: &mut PgConnection, position: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_lock_shared($1) AS "held!""#,
        LOCKS + position
    )
    .fetch_one(owner)
    .await
}

/// Takes the lock of a position alone, unless anybody holds it.
pub(super) async fn alone(owner: &mut PgConnection, position: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_lock($1) AS "held!""#,
        LOCKS + position
    )
    .fetch_one(owner)
    .await
}

/// The positions whose tables somebody builds or serves.
pub(super) async fn held(db: &mut PgConnection) -> sqlx::Result<BTreeSet<i64>> {
    let rows = sqlx::query!(
        r#"SELECT (classid::bigint << 32) | objid::bigint AS "lock!"
           FROM pg_locks
           WHERE locktype = 'advisory' AND granted AND objsubid = 1
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"#
    )
    .fetch_all(db)
    .await?;
    let ours = rows.into_iter().filter(|row| row.lock < 0);
    Ok(ours.map(|row| row.lock - LOCKS).collect())
}

/// Are the tables of these projections there, and at their position?
async fn stands(
    db: &mut PgConnection,
    projections: &[&'static dyn Projection],
    position: i64,
) -> sqlx::Result<bool> {
    let slot = Slot::AsOf(position);
    let (names, versions): (Vec<String>, Vec<i32>) =
        projections.iter().map(|p| slot.key(*p)).unzip();
    let schemas: Vec<String> = projections.iter().map(|p| slot.schema(*p)).collect();
    let found = sqlx::query_scalar!(
        r#"SELECT count(*) AS "found!"
           FROM unnest($1::text[], $2::integer[], $3::text[]) AS n(projection, version, schema)
           JOIN projection_checkpoints c USING (projection, version)
           JOIN pg_namespace s ON s.nspname = n.schema
           WHERE c.position = $4"#,
        &names,
        &versions,
        &schemas,
        position,
    )
    .fetch_one(db)
    .await?;
    Ok(usize::try_from(found).is_ok_and(|found| found == projections.len()))
}

/// Finished tables. While this lives nobody drops them, unless by hand.
pub struct Kept {
    gone: Arc<AtomicBool>,
    position: i64,
    stop: CancellationToken,
    guard: JoinHandle<()>,
}

impl Kept {
    fn new(
        database: Database,
        owner: PgConnection,
        projections: Vec<&'static dyn Projection>,
        position: i64,
    ) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        let guard = Guard {
            database,
            connection: Some(owner),
            projections,
            position,
            gone: Arc::clone(&gone),
        };
        let stop = CancellationToken::new();
        Self {
            gone,
            position,
            guard: tokio::spawn(guard.run(stop.clone())),
            stop,
        }
    }

    /// Something that says a sentence when the tables should not be asked any more.
    pub fn observer(&self) -> impl Fn() -> Option<String> + Send + Sync + use<> {
        let (gone, position) = (Arc::clone(&self.gone), self.position);
        move || {
            gone.load(Ordering::Relaxed)
                .then(|| format!("the tables as of position {position} were dropped"))
        }
    }

    /// Lets go of them: whoever asks after this finds nobody's hand on them.
    pub async fn release(mut self) {
        self.stop.cancel();
        let _ = (&mut self.guard).await;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.guard.abort();
    }
}

/// Holds the lock, also across a restart of the database, and looks whether the tables are there.
struct Guard {
    database: Database,
    connection: Option<PgConnection>,
    projections: Vec<&'static dyn Projection>,
    position: i64,
    gone: Arc<AtomicBool>,
}

impl Guard {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return self.let_go().await,
            }
            // Without an answer the lock went with the connection; readiness says that the database is away.
            if let Ok(there) = self.look().await
                && self.gone.swap(!there, Ordering::Relaxed) == there
            {
                self.tell(there);
            }
        }
    }

    async fn look(&mut self) -> sqlx::Result<bool> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.again().await?,
        };
        let there = stands(&mut connection, &self.projections, self.position).await?;
        self.connection = Some(connection);
        Ok(there)
    }

    async fn again(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.database.connect_owner().await?;
        if share(&mut connection, self.position).await? {
            return Ok(connection);
        }
        let position = self.position;
        warn!("Somebody else builds or drops the tables as of position {position}");
        Err(sqlx::Error::RowNotFound)
    }

    /// Said aloud: a connection that only ends keeps its locks until the server notices.
    async fn let_go(mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let unlocked = sqlx::query!(
            r#"SELECT pg_advisory_unlock_shared($1) AS "let_go!""#,
            LOCKS + self.position
        );
        // Without an answer the lock goes with the connection.
        let _ = unlocked.fetch_one(&mut connection).await;
        let _ = connection.close().await;
    }

    fn tell(&self, there: bool) {
        let position = self.position;
        if there {
            warn!("The tables as of position {position} are there again");
        } else {
            error!("The tables as of position {position} were dropped: not ready");
        }
    }
}

/// The tables as of one position, as the database has them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PastTables {
    /// The position.
    pub position: i64,
    /// Projections of this build that are there and have reached it.
    pub projections: usize,
    /// Is that all of them?
    pub complete: bool,
    /// Streams that could not be folded.
    pub parked_streams: i64,
    /// How large they are, in bytes.
    pub bytes: i64,
    /// Somebody builds or serves them now.
    pub held: bool,
}

/// What there is as of positions, in their order.
///
/// # Errors
/// When the database says no.
pub async fn pasts(pool: &PgPool) -> sqlx::Result<Vec<PastTables>> {
    let mut db = pool.acquire().await?;
    let held = held(&mut db).await?;
    let rows = sqlx::query!(
        r#"SELECT c.projection, c.version, c.position,
                  (SELECT count(*) FROM (
                      SELECT DISTINCT p.aggregate, p.stream_id FROM projection_parked p
                      WHERE p.projection = c.projection AND p.version = c.version) s) AS "parked!",
                  (SELECT coalesce(sum(pg_total_relation_size(r.oid)), 0)::bigint
                   FROM pg_class r
                   JOIN pg_namespace n ON n.oid = r.relnamespace
                   WHERE r.relkind = 'r'
                     AND n.nspname = regexp_replace(c.projection, '__', format('_v%s__', c.version))) AS "bytes!"
           FROM projection_checkpoints c
           WHERE strpos(c.projection, $1) > 0"#,
        Slot::AS_OF,
    )
    .fetch_all(&mut *db)
    .await?;
    let mut found: BTreeMap<i64, PastTables> = BTreeMap::new();
    for row in rows {
        let (name, Slot::AsOf(position)) = Slot::split(&row.projection) else {
            continue;
        };
        let tables = found.entry(position).or_insert_with(|| PastTables {
            position,
            projections: 0,
            complete: false,
            parked_streams: 0,
            bytes: 0,
            held: held.contains(&position),
        });
        let of_this_build = all().iter().any(|projection| {
            projection.name() == name && i64::from(projection.version()) == i64::from(row.version)
        });
        tables.projections += usize::from(of_this_build && row.position == position);
        tables.complete = tables.projections == all().len();
        tables.parked_streams += row.parked;
        tables.bytes += row.bytes;
    }
    Ok(found.into_values().collect())
}
