//! Moves the read tables: one node leads, all healthy projections travel together, every node knows how far they are.
//!
//! | file | what |
//! |---|---|
//! | `lease.rs` | who leads: taken, renewed, given back; a fence that grows with every change of hands |
//! | `leader.rs` | follows the log and carries its batches into the tables |
//! | `batch.rs` | one batch, one transaction: lock, fold, move the checkpoints |
//! | `poison.rs` | which event of a failed batch is to blame |
//! | `parked.rs` | streams set aside, and their replay |
//! | `watch.rs` | on every node: the watermark, what is parked, whether waiting is in vain |
//! | `proof.rs` | how the projections stand, and the proof by counts |
//! | `rebuild/` | new tables beside the live ones, and in their place |

mod batch;
mod checkpoints;
mod leader;
mod lease;
mod parked;
mod poison;
mod proof;
pub mod rebuild;
mod watch;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use checkpoints::reads;
pub use lease::vacate;
pub use parked::{Replayed, RetryError, retry};
pub use proof::{ProjectionReport, ProofLine, report};

use super::Projection;
use crate::ledger::Ledger;
use crate::postgres::Database;

/// What a commit of a leader is announced on; its payload is the new position and the schemas that stand there.
const CHANNEL: &str = "shiji_projections";

/// How a projector is started.
#[derive(Clone)]
pub struct ProjectorOptions {
    /// Events in one transaction, at most.
    pub batch_events: usize,
    /// How long leadership holds without being renewed.
    pub lease: Duration,
    /// What is moved.
    pub projections: Vec<&'static dyn Projection>,
}

impl ProjectorOptions {
    /// Every projection of this build.
    #[must_use]
    pub fn new(batch_events: usize, lease: Duration) -> Self {
        Self {
            batch_events,
            lease,
            projections: super::all().to_vec(),
        }
    }
}

/// How the projector of this node stands.
#[derive(Debug, Clone, Default)]
pub struct ProjectorStatus {
    /// The projections this node moves; empty when another node does.
    pub leads: Vec<&'static str>,
    /// An event of the log this build does not know: the node is older than the log and must not serve.
    pub unknown_event: Option<String>,
    /// What keeps the projections from moving on this node, while it is being tried again.
    pub failing: Option<String>,
    /// Every projection, as seen from this node.
    pub projections: Vec<ProjectionStatus>,
}

/// How one projection stands, as seen from this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Its name.
    pub name: &'static str,
    /// Its tables show everything up to here.
    pub position: i64,
    /// Events of the log it does not show yet.
    pub lag_events: i64,
    /// How old what it shows is, to within the fifth of a second between two looks.
    pub lag: Duration,
    /// Nobody moves it, or it lags beyond the limit: commands do not wait for it.
    pub away: bool,
    /// Streams set aside.
    pub parked_streams: usize,
}

impl ProjectorStatus {
    /// A sentence, when this node should not serve queries.
    #[must_use]
    pub fn unready(&self) -> Option<String> {
        if let Some(event) = &self.unknown_event {
            return Some(format!("this build is older than the log: {event}"));
        }
        let away: Vec<String> = (self.projections.iter().filter(|p| p.away))
            .map(|p| format!("{} lags by {} events", p.name, p.lag_events))
            .collect();
        if away.is_empty() {
            return None;
        }
        let why = (self.failing.as_ref()).map_or(String::new(), |cause| format!(": {cause}"));
        Some(format!("{}{why}", away.join(", ")))
    }
}

/// What the tasks of a projector share.
struct Shared {
    ledger: Ledger,
    database: Database,
    /// For the lease, the listener and the looks at the tables.
    pool: PgPool,
    options: ProjectorOptions,
    search_path: Vec<String>,
    /// Names this projector in the leases.
    holder: Uuid,
    status: Mutex<ProjectorStatus>,
    /// The backend process of the leader's connection, whose announcements are no news here.
    leader_pid: AtomicI64,
}

/// Starts projectors.
pub struct Projector;

impl Projector {
    /// Enters the projections in the watermark, learns how far they are, and starts to lead or to follow.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn start(
        ledger: Ledger,
        database: &Database,
        options: ProjectorOptions,
    ) -> sqlx::Result<ProjectorHandle> {
        for projection in &options.projections {
            let feeds_on = projection.feeds_on().iter().copied();
            ledger.watermark().register(projection.name(), feeds_on);
        }
        let search_path: Vec<String> = options.projections.iter().map(|p| p.schema()).collect();
        let shared = Arc::new(Shared {
            pool: database.pool("projections", 3, &search_path),
            ledger,
            database: database.clone(),
            options,
            search_path,
            holder: Uuid::new_v4(),
            status: Mutex::default(),
            leader_pid: AtomicI64::new(0),
        });
        lease::prepare(&shared).await?;
        let mut watch = watch::Watch::new(Arc::clone(&shared));
        watch.look().await?;
        watch.judge();
        let stop = CancellationToken::new();
        let (held, leased) = channel::channel(lease::Held::default());
        Ok(ProjectorHandle {
            watch: tokio::spawn(watch.run(stop.clone())),
            keeper: tokio::spawn(lease::keep(Arc::clone(&shared), held, stop.clone())),
            leader: tokio::spawn(leader::run(Arc::clone(&shared), leased, stop.clone())),
            shared,
            stop,
        })
    }
}

/// A running projector. Dropping it stops it without a word, as a crash would.
pub struct ProjectorHandle {
    shared: Arc<Shared>,
    stop: CancellationToken,
    leader: JoinHandle<()>,
    keeper: JoinHandle<()>,
    watch: JoinHandle<()>,
}

impl ProjectorHandle {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> ProjectorStatus {
        self.shared.status.lock().clone()
    }

    /// Something that tells how it stands, for those who outlive this handle's owner.
    #[must_use]
    pub fn observer(&self) -> ProjectorObserver {
        ProjectorObserver(Arc::clone(&self.shared))
    }

    /// Completes the batch at hand, gives the lease back and stops.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        // Leader first: the lease is given back when its last batch is done.
        let _ = (&mut self.leader).await;
        let _ = (&mut self.keeper).await;
        let _ = (&mut self.watch).await;
        lease::release(&self.shared).await;
        self.shared.pool.close().await;
    }
}

impl Drop for ProjectorHandle {
    fn drop(&mut self) {
        self.leader.abort();
        self.keeper.abort();
        self.watch.abort();
    }
}

/// Tells how a projector stands. Cheap to clone.
#[derive(Clone)]
pub struct ProjectorObserver(Arc<Shared>);

impl ProjectorObserver {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> ProjectorStatus {
        self.0.status.lock().clone()
    }
}

/// Which of a projection's sets of tables: the one that serves, or one that was made beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Serves; moved by the leader.
    Live,
    /// Being built anew; moved by the rebuild.
    Shadow,
    /// Served before the last switch; stands still.
    Old,
    /// As the live one was at this position of the log; stands still once it is there.
    AsOf(i64),
}

impl Slot {
    /// What stands in front of the position in the names of [`Slot::AsOf`].
    pub const AS_OF: &'static str = "__as_of_";
    const SHADOW: &'static str = "__shadow";
    const OLD: &'static str = "__old";

    /// What follows the projection's name, in its schema's name and in the rows about it.
    #[must_use]
    pub fn suffix(self) -> String {
        match self {
            Self::Live => String::new(),
            Self::Shadow => Self::SHADOW.to_owned(),
            Self::Old => Self::OLD.to_owned(),
            Self::AsOf(position) => format!("{}{position}", Self::AS_OF),
        }
    }

    /// The schema of these tables, as `tasks_v1__shadow`.
    #[must_use]
    pub fn schema(self, projection: &dyn Projection) -> String {
        format!("{}{}", projection.schema(), self.suffix())
    }

    /// A projection and its version, as rows about these tables name them.
    fn key(self, projection: &dyn Projection) -> (String, i32) {
        let version = i32::try_from(projection.version()).unwrap_or(i32::MAX);
        (format!("{}{}", projection.name(), self.suffix()), version)
    }

    /// The projection that rows about some tables name, and which of its tables they are.
    fn split(name: &str) -> (&str, Self) {
        let past = || {
            let (name, position) = name.split_once(Self::AS_OF)?;
            Some((name, Self::AsOf(position.parse().ok()?)))
        };
        let aside = |suffix, slot| Some((name.strip_suffix(suffix)?, slot));
        past()
            .or_else(|| aside(Self::SHADOW, Self::Shadow))
            .or_else(|| aside(Self::OLD, Self::Old))
            .unwrap_or((name, Self::Live))
    }
}

/// A projection that serves and its version, as rows name them.
pub(super) fn key(projection: &dyn Projection) -> (String, i32) {
    Slot::Live.key(projection)
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;

    #[test]
    fn every_set_of_tables_is_found_by_its_name_and_fits_into_one() {
        for projection in all() {
            for slot in [
                Slot::Live,
                Slot::Shadow,
                Slot::Old,
                Slot::AsOf(0),
                Slot::AsOf((1 << 53) - 1),
            ] {
                let (name, _) = slot.key(*projection);
                assert_eq!(Slot::split(&name), (projection.name(), slot));
                // Longer names PostgreSQL cuts off.
                assert!(slot.schema(*projection).len() <= 63);
            }
        }
    }
}
