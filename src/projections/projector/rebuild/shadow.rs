//! The tables that are being built, and the log folded into them.

use std::collections::VecDeque;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, Row};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::super::Projection;
use super::super::batch::{self, Batch, Course, Track};
use super::super::{Slot, checkpoints, parked};
use super::RebuildError;
use crate::ledger::{FeedError, Ledger};
use crate::postgres::{Database, ProjectionSchema, make_schema};

/// Names the lock under which one process at a time rebuilds, switches or prunes.
const REBUILD_LOCK: i64 = 0x7368_696a_6900_0002;
/// Events in one transaction.
const BATCH: i64 = 10_000;
/// Batches on their way while one is folded: reading and decoding one takes longer than that.
const AHEAD: usize = 2;
/// With a limit on speed: so many batches in a second at least, so that the pauses are short.
const BATCHES_A_SECOND: i64 = 20;
/// So far behind the live tables may the new ones be when those are held still: it is what the leader waits for.
const NEAR: i64 = 2_000;
/// How long whoever has just finished may take to let go of the lock.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// How long the live tables are waited for when they stand behind the new ones.
const PATIENCE: Duration = Duration::from_secs(15);

/// A rebuild under way: the new tables, and the right to put them into place. One at a time on a database.
pub struct Rebuild {
    pub(super) ledger: Ledger,
    pub(super) database: Database,
    /// Folds; a service connection whose search path leads to the new tables.
    pub(super) folder: PgConnection,
    /// Makes, locks and renames; holds the lock of rebuilds as long as it lives.
    pub(super) owner: PgConnection,
    pub(super) tracks: Vec<Track>,
    /// Which tables become the live ones.
    pub(super) slot: Slot,
    rate: Option<u32>,
    /// Nothing after this position is folded.
    end: i64,
    ahead: VecDeque<Ahead>,
}

/// Which tables are built, how fast and how far.
pub(super) struct Building {
    pub slot: Slot,
    /// Events a second, at most.
    pub rate: Option<u32>,
    /// The last position; `i64::MAX` for all there is and comes.
    pub end: i64,
}

/// A batch that is read and decoded while one before it is folded.
struct Ahead {
    after: i64,
    limit: i64,
    read: Reading,
}

/// A batch on its way, and the event this build does not know that ends it.
type Reading = JoinHandle<Result<(Batch, Option<String>), FeedError>>;

impl Rebuild {
    /// Begins a rebuild, or goes on with one that was broken off; with `fresh`, what that left is thrown away. `rate` limits
    /// how many events are folded in a second.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub async fn begin(
        ledger: &Ledger,
        database: &Database,
        projections: &[&'static dyn Projection],
        rate: Option<u32>,
        fresh: bool,
    ) -> Result<Self, RebuildError> {
        let projections = &in_order(projections);
        let mut owner = lock(database).await?;
        for &projection in projections {
            live(&mut owner, projection).await?;
            make(&mut owner, projection, Slot::Shadow, fresh).await?;
        }
        let building = Building {
            slot: Slot::Shadow,
            rate,
            end: i64::MAX,
        };
        Self::open(ledger, database, projections, building, owner).await
    }

    /// Takes up the tables that served before the last switch, to go back to them.
    ///
    /// # Errors
    /// [`RebuildError::NoOld`] when they are gone.
    pub async fn of_old(
        ledger: &Ledger,
        database: &Database,
        projections: &[&'static dyn Projection],
    ) -> Result<Self, RebuildError> {
        let projections = &in_order(projections);
        let mut owner = lock(database).await?;
        for &projection in projections {
            live(&mut owner, projection).await?;
            if !exists(&mut owner, &Slot::Old.schema(projection)).await? {
                return Err(RebuildError::NoOld(projection.name()));
            }
        }
        let building = Building {
            slot: Slot::Old,
            rate: None,
            end: i64::MAX,
        };
        Self::open(ledger, database, projections, building, owner).await
    }

    pub(super) async fn open(
        ledger: &Ledger,
        database: &Database,
        projections: &[&'static dyn Projection],
        Building { slot, rate, end }: Building,
        owner: PgConnection,
    ) -> Result<Self, RebuildError> {
        let path: Vec<String> = projections.iter().map(|&p| slot.schema(p)).collect();
        let options = database.service_options("rebuild", &path);
        let mut folder = batch::connect(options).await?;
        let mut tracks = Vec::with_capacity(projections.len());
        for &projection in projections {
            let track = parked::stamp(&mut folder, projection, slot, 0).await?;
            tracks.extend(track);
        }
        Ok(Self {
            ledger: ledger.clone(),
            database: database.clone(),
            folder,
            owner,
            tracks,
            slot,
            rate,
            end,
            ahead: VecDeque::new(),
        })
    }

    /// The new tables show everything up to here.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.tracks.iter().map(|t| t.position).min().unwrap_or(0)
    }

    /// Streams that could not be folded, of all projections.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.tracks.iter().map(|track| track.parked.len()).sum()
    }

    /// The end of the log.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn head(&self) -> Result<i64, RebuildError> {
        Ok(self.ledger.head().await?.position)
    }

    /// Folds the next batch; answers whether there was anything to fold.
    ///
    /// # Errors
    /// [`RebuildError`]; calling again goes on.
    pub async fn step(&mut self) -> Result<bool, RebuildError> {
        let began = Instant::now();
        let most = self.batch();
        let folded = self.fold(self.end, most).await?;
        if let Some(rate) = self.rate {
            let share = f64::from(u32::try_from(folded).unwrap_or(u32::MAX)) / f64::from(rate);
            tokio::time::sleep_until(began + Duration::from_secs_f64(share)).await;
        }
        Ok(folded > 0)
    }

    fn batch(&self) -> i64 {
        let slice = |rate: u32| (i64::from(rate) / BATCHES_A_SECOND).clamp(1, BATCH);
        self.rate.map_or(BATCH, slice)
    }

    /// Folds one batch of at most so many events, none after `end`; answers how many.
    async fn fold(&mut self, end: i64, most: i64) -> Result<usize, RebuildError> {
        let after = self.position();
        // Where another track stands, the batch ends: from there both go together.
        let next = (self.tracks.iter().map(|t| t.position))
            .filter(|position| *position > after)
            .min();
        let limit = next.unwrap_or(i64::MAX).min(end) - after;
        let limit = limit.min(most);
        if limit <= 0 {
            return Ok(0);
        }
        let (batch, unknown) = self.read(after, limit).await?;
        let Some(last) = batch.ends().map(|(_, last)| last.position) else {
            return unknown.map_or(Ok(0), |event| Err(RebuildError::Unknown(event)));
        };
        if unknown.is_none() && last - after == limit {
            self.look_ahead(last, end, most);
        }
        let mut ready: Vec<&mut Track> = (self.tracks.iter_mut())
            .filter(|track| track.position == after)
            .collect();
        batch::carry(&mut self.folder, &mut ready, &batch, Course::OFF).await?;
        let folded = batch.len();
        // Letting go of so much takes a while, and the next batch is waiting.
        tokio::spawn(async move { drop(batch) });
        Ok(folded)
    }

    async fn read(
        &mut self,
        after: i64,
        limit: i64,
    ) -> Result<(Batch, Option<String>), RebuildError> {
        let reading = match self.ahead.pop_front() {
            Some(ahead) if (ahead.after, ahead.limit) == (after, limit) => ahead.read,
            _ => {
                // It goes on elsewhere, or the log ended before.
                self.ahead.clear();
                self.reading(after, limit)
            }
        };
        let read = reading.await.map_err(|error| {
            RebuildError::Shadow(format!("the reader of the log broke off: {error}"))
        })?;
        Ok(read?)
    }

    /// Begins to read what follows: positions have no gaps, so it is known where each batch begins.
    fn look_ahead(&mut self, last: i64, end: i64, most: i64) {
        while self.ahead.len() < AHEAD {
            let after = (self.ahead.back()).map_or(last, |ahead| ahead.after + ahead.limit);
            let limit = most.min(end - after);
            if limit <= 0 {
                return;
            }
            let read = self.reading(after, limit);
            self.ahead.push_back(Ahead { after, limit, read });
        }
    }

    fn reading(&self, after: i64, limit: i64) -> Reading {
        let ledger = self.ledger.clone();
        tokio::spawn(async move { Batch::after(&ledger, after, limit).await })
    }

    /// Holds the live tables still and brings the new ones to where they stand. The leader's next batch waits until the
    /// owner's transaction ends, which the caller does soon.
    pub(super) async fn align(&mut self) -> Result<(), RebuildError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Nearly there before anybody is made to wait.
            while self.head().await? - self.position() > NEAR {
                self.fold(i64::MAX, BATCH).await?;
            }
            self.owner.execute("BEGIN").await?;
            let behind = match self.level().await {
                Ok(None) => return Ok(()),
                Ok(Some(behind)) => behind,
                Err(error) => {
                    self.owner.execute("ROLLBACK").await?;
                    return Err(error);
                }
            };
            self.owner.execute("ROLLBACK").await?;
            if Instant::now() >= deadline {
                return Err(RebuildError::LiveStandsStill(behind));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Locks the live checkpoints and folds up to each. Answers who stands behind the new tables, if anybody does.
    async fn level(&mut self) -> Result<Option<&'static str>, RebuildError> {
        let projections: Vec<_> = self.tracks.iter().map(|t| t.projection).collect();
        let ends = checkpoints::hold(&mut self.owner, &projections).await?;
        let mut pairs = self.tracks.iter().zip(&ends);
        if let Some((behind, _)) = pairs.find(|(track, end)| **end < track.position) {
            return Ok(Some(behind.projection.name()));
        }
        let furthest = ends.iter().copied().max().unwrap_or(0);
        while self.position() < furthest {
            // Those that have arrived wait for the others: they never stand before one another for long.
            let lagging = (self.tracks.iter().zip(&ends))
                .filter(|(track, end)| track.position < **end)
                .map(|(_, end)| *end)
                .min();
            let Some(end) = lagging else { break };
            if self.fold(end, BATCH).await? == 0 {
                break;
            }
        }
        let passed = (self.tracks.iter().zip(&ends)).find(|(track, end)| track.position != **end);
        Ok(passed.map(|(track, _)| track.projection.name()))
    }

    /// Gathers what the planner needs to know of the new tables, which nobody has asked anything yet.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn analyze(&mut self) -> Result<(), RebuildError> {
        for projection in self.tracks.iter().map(|track| track.projection) {
            let schema = self.slot.schema(projection);
            for table in tables(&mut self.owner, &schema).await? {
                let sql = format!("ANALYZE {schema}.{table}");
                self.owner.execute(sql.as_str()).await?;
            }
        }
        Ok(())
    }

    /// Lets go of connections and lock. What was built stays until it is taken up again, switched to or pruned.
    pub async fn close(self) {
        let _ = self.folder.close().await;
        let _ = self.owner.close().await;
    }
}

/// Each once, in the order in which a leader locks their checkpoints: who locks several in another order meets it halfway.
pub(super) fn in_order(projections: &[&'static dyn Projection]) -> Vec<&'static dyn Projection> {
    let wanted = |one: &&'static dyn Projection| projections.iter().any(|p| p.name() == one.name());
    super::super::super::all()
        .iter()
        .copied()
        .filter(wanted)
        .collect()
}

/// A connection of the owner that holds the lock of rebuilds.
pub(super) async fn lock(database: &Database) -> Result<PgConnection, RebuildError> {
    let mut owner = database.connect_owner().await?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let held = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock($1) AS "held!""#,
            REBUILD_LOCK
        )
        .fetch_one(&mut owner)
        .await?;
        if held {
            return Ok(owner);
        }
        if Instant::now() >= deadline {
            return Err(RebuildError::Busy);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// There must be live tables and their checkpoint.
async fn live(
    owner: &mut PgConnection,
    projection: &'static dyn Projection,
) -> Result<(), RebuildError> {
    let (name, version) = Slot::Live.key(projection);
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM projection_checkpoints WHERE projection = $1 AND version = $2) AS "found!""#,
        name,
        version,
    )
    .fetch_one(&mut *owner)
    .await?;
    if found && exists(owner, &projection.schema()).await? {
        Ok(())
    } else {
        Err(RebuildError::NotLive(projection.name()))
    }
}

/// Makes the tables of a slot and their checkpoint at the beginning of the log, unless they are there.
pub(super) async fn make(
    owner: &mut PgConnection,
    projection: &'static dyn Projection,
    slot: Slot,
    fresh: bool,
) -> Result<(), RebuildError> {
    let (name, version) = slot.key(projection);
    let schema = ProjectionSchema {
        name: slot.schema(projection),
        ddl: projection.ddl(),
    };
    // A checkpoint without its tables speaks of others, which are gone.
    if fresh || !exists(owner, &schema.name).await? {
        super::switch::drop_slot(owner, projection, slot).await?;
    }
    make_schema(owner, &schema).await?;
    sqlx::query!(
        "INSERT INTO projection_checkpoints (projection, version)
         SELECT $1, $2
         WHERE NOT EXISTS (SELECT FROM projection_checkpoints WHERE projection = $1 AND version = $2)",
        name,
        version,
    )
    .execute(owner)
    .await?;
    Ok(())
}

pub(super) async fn exists(owner: &mut PgConnection, schema: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "found!""#,
        schema
    )
    .fetch_one(owner)
    .await
}

/// The tables of a schema, by name.
pub(super) async fn tables(db: &mut PgConnection, schema: &str) -> sqlx::Result<Vec<String>> {
    // Not a checked macro: the catalogue's types are not ours.
    let rows = sqlx::query(
        "SELECT c.relname::text AS name
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1 AND c.relkind = 'r'
         ORDER BY c.relname",
    )
    .bind(schema)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| row.try_get("name")).collect()
}
