//! Follows the log and carries its batches into the tables, as long as this node leads. What this node itself appends is folded
//! while it is on its way to the disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::batch::{self, Batch, BatchError, Course, Front, Track};
use super::lease::Held;
use super::{Shared, Slot, parked};
use crate::ledger::{Durable, FeedError, Follower, Place, Recorded, Underway};

/// How long to wait before trying again what failed: from the first to the last, doubling.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long the front is held for a batch that does not come: who takes hold of a checkpoint waits for it.
const REST: Duration = Duration::from_millis(10);

/// Why leading ended.
enum End {
    /// The service stops.
    Stopped,
    /// The lease is gone, or another one was granted.
    LeaseChanged,
    /// The log holds an event of a younger build.
    Unknown(String),
    /// Something broke; it may be tried again.
    Failed(String),
}

impl From<BatchError> for End {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Fenced(_) => Self::LeaseChanged,
            BatchError::Moved { .. } | BatchError::Closed | BatchError::Undone => {
                debug!("Beginning again: {error}");
                Self::LeaseChanged
            }
            BatchError::Fold { .. } | BatchError::Hole { .. } | BatchError::Database(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<sqlx::Error> for End {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<FeedError> for End {
    fn from(error: FeedError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Leads whenever this node holds leases, until the service stops.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut leased: watch::Receiver<Held>,
    stop: CancellationToken,
) {
    let mut back_off = BACK_OFF.0;
    loop {
        tokio::select! {
            granted = leased.wait_for(|held| held.holds() && !held.fences.is_empty()) => {
                if granted.is_err() { return; }
            }
            () = stop.cancelled() => return,
        }
        let fences = leased.borrow().fences.clone();
        shared.status.lock().leads = fences.keys().copied().collect();
        let began = Instant::now();
        let end = lead(&shared, &fences, &leased, &stop).await;
        shared.leader_pid.store(0, Ordering::Relaxed);
        shared.status.lock().leads.clear();
        match end {
            End::Stopped => return,
            End::LeaseChanged => tokio::time::sleep(BACK_OFF.0).await,
            End::Unknown(event) => {
                error!("The projections stand still, this build is older than the log: {event}");
                shared.status.lock().unknown_event = Some(event);
                // The keeper gives the lease back, and this node never asks for it again.
                stop.cancelled().await;
                return;
            }
            End::Failed(cause) => {
                if began.elapsed() > BACK_OFF.1 * 2 {
                    back_off = BACK_OFF.0;
                }
                let before = shared.status.lock().failing.replace(cause.clone());
                if before.is_none() {
                    warn!(error = %cause, "The projections cannot be moved, trying again: {cause}");
                }
                let _ = tokio::time::timeout(back_off, stop.cancelled()).await;
                back_off = (back_off * 2).min(BACK_OFF.1);
            }
        }
    }
}

async fn lead(
    shared: &Shared,
    fences: &BTreeMap<&'static str, i64>,
    leased: &watch::Receiver<Held>,
    stop: &CancellationToken,
) -> End {
    let mut leader = match Leader::take_over(shared, fences).await {
        Ok(leader) => leader,
        Err(end) => return end,
    };
    let mut leased = leased.clone();
    loop {
        if stop.is_cancelled() {
            return leader.close().await;
        }
        let held = leased.borrow_and_update().clone();
        if held.fences != *fences || !held.holds() {
            return End::LeaseChanged;
        }
        let tense = leader.front.is_held();
        let next = tokio::select! {
            biased;
            // Only the wait is given up; a batch is carried through.
            fresh = leader.fresh() => fresh,
            () = stop.cancelled() => continue,
            _ = leased.changed() => continue,
            () = tokio::time::sleep(REST), if tense => {
                if let Err(error) = leader.front.rest(&mut leader.connection).await {
                    return error.into();
                }
                continue;
            }
        };
        let carried = match next {
            Ok(batch) => leader.carry(batch).await,
            Err(end) => Err(end),
        };
        if let Err(end) = carried {
            return end;
        }
    }
}

/// One leadership: its connection, its place in the log, its projections.
struct Leader<'a> {
    shared: &'a Shared,
    connection: PgConnection,
    follower: Follower,
    /// What this node appends and is on its way to the disk, while all projections stand foremost.
    underway: Option<broadcast::Receiver<Underway>>,
    tracks: Vec<Track>,
    /// Of those that stand foremost.
    front: Front,
    /// Whose turn it is when some are behind.
    turn: bool,
}

impl<'a> Leader<'a> {
    /// Puts the fences on the checkpoints, waiting out a predecessor's open transaction, and reads where they stand.
    async fn take_over(
        shared: &'a Shared,
        fences: &BTreeMap<&'static str, i64>,
    ) -> Result<Self, End> {
        let mut connection = connect(shared).await?;
        let pid = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#)
            .fetch_one(&mut connection)
            .await?;
        shared.leader_pid.store(i64::from(pid), Ordering::Relaxed);
        let mut tracks = Vec::with_capacity(fences.len());
        for projection in &shared.options.projections {
            if let Some(fence) = fences.get(projection.name()) {
                let track = parked::stamp(&mut connection, *projection, Slot::Live, *fence).await?;
                tracks.push(track.ok_or(End::LeaseChanged)?);
            }
        }
        let front = tracks.iter().map(|t| t.position).max().unwrap_or(0);
        Ok(Self {
            follower: shared.ledger.follow(front, None),
            underway: None,
            shared,
            connection,
            tracks,
            front: Front::new(),
            turn: false,
        })
    }

    /// What comes next: the live log, and in turns with it what projections lack that are behind the others.
    async fn fresh(&mut self) -> Result<Batch, End> {
        let most = self.shared.options.batch_events;
        let front = self.follower.position();
        let behind = (self.tracks.iter().map(|t| t.position))
            .min()
            .unwrap_or(front);
        self.turn = !self.turn;
        let (batch, unknown) =
            if behind < front && (self.turn || self.shared.ledger.tail_position() <= front) {
                let limit = (front - behind).min(i64::try_from(most).unwrap_or(i64::MAX));
                Batch::after(&self.shared.ledger, behind, limit).await?
            } else {
                let (events, underway) = self.newest(most).await?;
                let (batch, unknown) = Batch::read(events);
                (batch.underway(underway), unknown)
            };
        match (unknown, batch.ends()) {
            (Some(event), None) => Err(End::Unknown(event)),
            (Some(_), Some((_, last))) => {
                // What stands before it is carried first; then it is met again.
                if last.position > front {
                    self.follower = self.shared.ledger.follow(last.position, None);
                }
                Ok(batch)
            }
            (None, _) => Ok(batch),
        }
    }

    /// The live log: what this node appends from the moment it is on its way to the disk, else what is in the log.
    async fn newest(&mut self, most: usize) -> Result<(Vec<Recorded>, Vec<Durable>), FeedError> {
        let Self {
            shared,
            follower,
            underway,
            tracks,
            ..
        } = self;
        let front = follower.position();
        if tracks.iter().any(|track| track.position != front) {
            *underway = None;
            return Ok((heard(follower, most).await?, Vec::new()));
        }
        let underway = underway.get_or_insert_with(|| shared.ledger.underway());
        loop {
            tokio::select! {
                biased;
                append = underway.recv() => {
                    // Who missed some finds them in the log.
                    let Ok(append) = append else { continue };
                    let (events, durable) = follows(follower, append, underway, most);
                    if !events.is_empty() {
                        return Ok((events, durable));
                    }
                }
                events = heard(follower, most) => return Ok((events?, Vec::new())),
            }
        }
    }

    /// Carries a batch into the tables of the projections that stand right before it.
    async fn carry(&mut self, batch: Batch) -> Result<(), End> {
        let Some((first, last)) = batch.ends() else {
            return Ok(());
        };
        let began = Instant::now();
        let Self {
            shared,
            connection,
            tracks,
            front,
            ..
        } = self;
        let foremost = tracks.iter().all(|track| track.position < first.position);
        if !foremost {
            front.rest(connection).await?;
        }
        let course = Course {
            alone: shared.ledger.alone(),
            front: foremost.then_some(front),
        };
        let mut ready: Vec<&mut Track> = tracks
            .iter_mut()
            .filter(|track| track.position == first.position - 1)
            .collect();
        batch::carry(connection, &mut ready, &batch, course).await?;
        let watermark = self.shared.ledger.watermark();
        for track in self.tracks.iter().filter(|t| t.position == last.position) {
            let name = track.projection.name();
            if !track.parked.is_empty() {
                watermark.set_parked(name, track.parked.clone());
            }
            watermark.advance(name, last.position);
        }
        self.measure(batch.len(), began, first);
        Ok(())
    }

    /// `first` has waited longest of the batch: when it is shown, so is the rest.
    fn measure(&self, events: usize, began: Instant, first: &Place) {
        let mut status = self.shared.status.lock();
        if status.failing.take().is_some() {
            info!("The projections move again");
        }
        drop(status);
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        metrics::histogram!("shiji_projection_batch_events").record(f64::from(events));
        metrics::histogram!("shiji_projection_batch_seconds").record(began.elapsed());
        let age = self.shared.ledger.clock().now() - first.recorded_at;
        metrics::histogram!("shiji_projection_delay_seconds")
            .record(age.to_std().unwrap_or_default());
    }

    async fn close(self) -> End {
        let _ = self.connection.close().await;
        End::Stopped
    }
}

/// What the node has heard of the log.
async fn heard(follower: &mut Follower, most: usize) -> Result<Vec<Recorded>, FeedError> {
    let mut events = follower.next(most).await?;
    follower.drain(&mut events, most);
    Ok(events)
}

/// The events of an append under way, and of those after it, as far as they follow upon what the follower has handed out; it
/// passes over them. None when it has had them, or lacks some before.
fn follows(
    follower: &mut Follower,
    append: Underway,
    more: &mut broadcast::Receiver<Underway>,
    most: usize,
) -> (Vec<Recorded>, Vec<Durable>) {
    let (mut events, mut durable) = (Vec::new(), Vec::new());
    let mut append = Some(append);
    while let Some(Underway {
        events: next,
        durable: when,
    }) = append.take()
    {
        let (Some(first), Some(last)) = (next.first(), next.last()) else {
            break;
        };
        if first.position != follower.position() + 1 {
            break;
        }
        follower.skip(last.position);
        events.extend_from_slice(&next);
        durable.push(when);
        if events.len() < most {
            append = more.try_recv().ok();
        }
    }
    (events, durable)
}

/// The leader's own connection.
async fn connect(shared: &Shared) -> sqlx::Result<PgConnection> {
    let idle = shared.options.lease.as_millis().to_string();
    let options = (shared.database)
        .service_options("projector", &shared.search_path)
        .options([("idle_in_transaction_session_timeout", idle.as_str())]);
    batch::connect(options).await
}
