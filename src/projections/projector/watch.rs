//! On every node: how far the tables are, which streams are parked, and whether waiting is in vain. Hears the leader's
//! commits and looks at the checkpoints behind that, in case nothing was heard.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{CHANNEL, ProjectionStatus, Shared, checkpoints};
use crate::ledger::StreamId;

/// How often the checkpoints are looked at when nothing is heard.
const POLL: Duration = Duration::from_millis(200);
/// A projection that does not move for so long while there is something to fold is not waited for.
const STANDS_STILL: Duration = Duration::from_secs(2);
/// Nor is one that lags by so many events.
const LAGS: i64 = 50_000;
/// A node has caught up after its start once it lags by no more than this: under load something is always under way.
const NEAR: i64 = 5_000;

/// What was last seen of a projection.
#[derive(Clone)]
struct Seen {
    revision: i64,
    parked: usize,
    /// When it last moved.
    moved: Instant,
    /// It shows at least what the log held at this moment.
    shows: Instant,
    /// It has been near the end of the log since this node started.
    arrived: bool,
    away: bool,
}

pub(super) struct Watch {
    shared: Arc<Shared>,
    seen: BTreeMap<&'static str, Seen>,
    /// The end of the log at the last look.
    head: (i64, Instant),
}

impl Watch {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            seen: BTreeMap::new(),
            head: (0, Instant::now()),
        }
    }

    /// Watches until the service stops.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ears: Option<PgListener> = None;
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut away = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = poll.tick() => {
                    if ears.is_none() {
                        ears = self.listen().await.ok();
                    }
                    match self.look().await {
                        Ok(()) => away = false,
                        Err(error) if !away => {
                            warn!(error = %error, "The checkpoints cannot be read: {error}");
                            away = true;
                        }
                        Err(_) => {}
                    }
                    self.judge();
                }
                heard = hear(ears.as_mut()) => match heard {
                    Some((pid, _)) if pid == self.shared.leader_pid.load(Ordering::Relaxed) => {}
                    Some((_, news)) => if !self.take(&news) {
                        let _ = self.look().await;
                    },
                    None => ears = None,
                },
            }
        }
    }

    async fn listen(&self) -> sqlx::Result<PgListener> {
        let mut ears = PgListener::connect_with(&self.shared.pool).await?;
        ears.eager_reconnect(false);
        ears.listen(CHANNEL).await?;
        Ok(ears)
    }

    /// Takes a leader's announcement; `false` when it is not that.
    fn take(&mut self, news: &str) -> bool {
        let mut words = news.split(' ');
        let Some(position) = words.next().and_then(|word| word.parse().ok()) else {
            return false;
        };
        for schema in words {
            let projection =
                (self.shared.options.projections.iter()).find(|p| p.schema() == schema);
            if let Some(projection) = projection {
                self.shared
                    .ledger
                    .watermark()
                    .advance(projection.name(), position);
            }
        }
        true
    }

    /// Looks at the checkpoints, and at what is parked when that changed.
    pub async fn look(&mut self) -> sqlx::Result<()> {
        let watermark = self.shared.ledger.watermark();
        let claims = watermark.claims();
        let rows = checkpoints::read(&self.shared.pool, &self.shared.options.projections).await?;
        let mut lost = false;
        for projection in &self.shared.options.projections {
            let name = projection.name();
            let Some(row) = rows.iter().find(|row| row.projection == name) else {
                continue;
            };
            let now = Instant::now();
            let known = self.seen.get(name).map(|seen| seen.revision);
            if known != Some(row.revision) {
                let parked = self.parked(name, row.version).await?;
                let seen = self.seen.entry(name).or_insert(Seen {
                    revision: 0,
                    parked: 0,
                    moved: now,
                    shows: now,
                    arrived: false,
                    away: false,
                });
                seen.revision = row.revision;
                seen.parked = parked.len();
                watermark.set_parked(name, parked);
            }
            if let Some(claim) = claims.iter().find(|claim| claim.name == name) {
                lost |= watermark.found(*claim, row.position);
            }
        }
        if lost {
            checkpoints::warn();
        }
        Ok(())
    }

    async fn parked(&self, name: &str, version: i32) -> sqlx::Result<HashSet<StreamId>> {
        let rows = sqlx::query!(
            "SELECT DISTINCT aggregate, stream_id FROM projection_parked WHERE projection = $1 AND version = $2",
            name,
            version,
        )
        .fetch_all(&self.shared.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| StreamId::dynamic(row.aggregate, row.stream_id))
            .collect())
    }

    /// Who lags, who stands still, and what the metrics and the status say of it.
    pub fn judge(&mut self) {
        let head = self.shared.ledger.tail_position();
        let watermark = self.shared.ledger.watermark();
        let mut standings = Vec::new();
        for projection in &self.shared.options.projections {
            let name = projection.name();
            let (Some(seen), Some(position)) = (self.seen.get_mut(name), watermark.position(name))
            else {
                continue;
            };
            let before = self.shared.status.lock().position_of(name);
            let now = Instant::now();
            let lag_events = (head - position).max(0);
            if before != Some(position) || lag_events == 0 {
                seen.moved = now;
            }
            if lag_events == 0 {
                seen.shows = now;
            } else if position >= self.head.0 {
                seen.shows = self.head.1;
            }
            seen.arrived |= lag_events <= NEAR;
            let away = !seen.arrived || lag_events > LAGS || seen.moved.elapsed() > STANDS_STILL;
            if away != seen.away {
                seen.away = away;
                watermark.set_away(name, away);
            }
            let status = ProjectionStatus {
                name,
                position,
                lag_events,
                lag: now - seen.shows,
                away,
                parked_streams: seen.parked,
            };
            measure(&status);
            standings.push(status);
        }
        self.head = (head, Instant::now());
        let mut status = self.shared.status.lock();
        if standings.iter().all(|standing| standing.lag_events == 0) {
            status.failing = None;
        }
        status.projections = standings;
    }
}

impl super::ProjectorStatus {
    fn position_of(&self, name: &str) -> Option<i64> {
        (self.projections.iter().find(|p| p.name == name)).map(|p| p.position)
    }
}

fn measure(status: &ProjectionStatus) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    let (lag, parked) = (status.lag_events as f64, status.parked_streams as f64);
    metrics::gauge!("shiji_projection_lag_events", "projection" => status.name).set(lag);
    metrics::gauge!("shiji_projection_lag_seconds", "projection" => status.name)
        .set(status.lag.as_secs_f64());
    metrics::gauge!("shiji_projection_parked_streams", "projection" => status.name).set(parked);
}

/// The next announcement and who made it; `None` when the connection is gone.
async fn hear(ears: Option<&mut PgListener>) -> Option<(i64, String)> {
    match ears {
        Some(ears) => match ears.try_recv().await {
            Ok(Some(notice)) => Some((i64::from(notice.process_id()), notice.payload().to_owned())),
            Ok(None) | Err(_) => None,
        },
        None => std::future::pending().await,
    }
}
