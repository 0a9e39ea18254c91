//! The node's tail of the log: hears what its own appender wrote and what other nodes wrote, in position order.
//!
//! Own batches arrive in memory, those of others by `NOTIFY shiji_events` with polling behind it. Every event passes
//! here once, contiguously: the state cache is kept honest here, erased keys are forgotten here, followers are fed from here.
//! Only the projector hears of own batches earlier, while they go to the disk, and shows nothing of them before they are heard here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{error, warn};

use super::appender::AppenderGauge;
use super::cache::StateCache;
use super::envelope::Recorded;
use super::feed::{self, FeedError};
use super::keyring::KeyRing;

/// Rows per read while catching up with other nodes.
const CHUNK: i64 = 2_000;
/// How often the head is asked for when nothing is heard.
const POLL: Duration = Duration::from_millis(200);
/// How often the node checks, also under load, that the log is still the one it has heard.
const LOOK_BACK: Duration = Duration::from_secs(1);

/// The advisory lock every listening node shares, so that nodes can be counted. The second half names the log.
const PRESENCE: (i32, i32) = (0x7368_696a, 1);

/// What the appender committed, and when it sent it.
pub(super) struct LocalBatch {
    pub events: Arc<[Recorded]>,
    pub sent: Instant,
    /// Told when this node has heard it.
    pub durable: watch::Sender<bool>,
}

/// What was appended and is on its way to the disk: nobody may be shown it yet.
#[derive(Clone, Debug)]
pub struct Underway {
    /// The events, with their positions.
    pub events: Arc<[Recorded]>,
    /// Whether it got there.
    pub durable: Durable,
}

/// Tells when an append is on the disk, and this node has heard it.
#[derive(Clone, Debug)]
pub struct Durable(watch::Receiver<bool>);

impl Durable {
    /// Who tells, and who hears it. Dropped without a word, it did not get there, or nobody knows.
    pub(super) fn pair() -> (watch::Sender<bool>, Self) {
        let (tells, hears) = watch::channel(false);
        (tells, Self(hears))
    }

    /// Waits for it; false when it did not get there, or nobody knows.
    pub async fn wait(&self) -> bool {
        self.0.clone().wait_for(|durable| *durable).await.is_ok()
    }
}

/// Appends that may be under way before the one who listens has looked at them; whoever misses some has the log.
const UNDERWAY: usize = 64;

/// How far this node has heard the log.
pub(super) struct Tail {
    position: AtomicI64,
    /// At this moment the log held nothing this node has not heard.
    confirmed: Mutex<Option<Instant>>,
    chunks: broadcast::Sender<Arc<[Recorded]>>,
    underway: broadcast::Sender<Underway>,
}

impl Tail {
    pub fn new(position: i64) -> Self {
        Self {
            position: AtomicI64::new(position),
            confirmed: Mutex::new(Some(Instant::now())),
            chunks: broadcast::channel(1024).0,
            underway: broadcast::channel(UNDERWAY).0,
        }
    }

    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Acquire)
    }

    /// How old this node's picture of the log is.
    pub fn age(&self) -> Duration {
        self.confirmed
            .lock()
            .map_or(Duration::MAX, |at| at.elapsed())
    }

    /// Chunks as they are heard; contiguous, unless the subscriber lags.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Recorded]>> {
        self.chunks.subscribe()
    }

    /// What this node appends, before it is heard: who listens does not lag by much, or misses some.
    pub fn underway(&self) -> broadcast::Receiver<Underway> {
        self.underway.subscribe()
    }

    /// An append goes to the disk.
    pub fn goes(&self, append: Underway) {
        let _ = self.underway.send(append);
    }

    fn confirm(&self, at: Instant) {
        let mut confirmed = self.confirmed.lock();
        if confirmed.is_none_or(|before| before < at) {
            *confirmed = Some(at);
        }
    }
}

/// Carries what a [`Tail`] needs to listen.
pub(super) struct Listener {
    pub tail: Arc<Tail>,
    pub pool: PgPool,
    pub ring: Arc<KeyRing>,
    pub cache: Arc<StateCache>,
    pub gauge: Arc<AppenderGauge>,
    pub local: mpsc::UnboundedReceiver<LocalBatch>,
    /// Set when the log is found to end before what this node has heard of it.
    pub rewound: Arc<AtomicBool>,
    pub generation: i64,
}

impl Listener {
    /// Listens until the appender is gone.
    pub async fn run(mut self) {
        let mut ears: Option<PgListener> = None;
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked_back = Instant::now();
        loop {
            if ears.is_none() {
                ears = self.listen().await;
            }
            let heard = tokio::select! {
                biased;
                batch = self.local.recv() => match batch {
                    Some(batch) => self.local_batch(batch).await,
                    None => return,
                },
                notice = hear(ears.as_mut()) => match notice {
                    Ok(pid) if pid == self.gauge.herald_pid.load(Ordering::Acquire) => Ok(()),
                    Ok(_) => self.catch_up(i64::MAX).await,
                    Err(cause) => {
                        warn!(error = %cause, "The listener lost its connection: {cause}");
                        ears = None;
                        tokio::time::sleep(POLL).await;
                        Ok(())
                    }
                },
                _ = poll.tick() => if looked_back.elapsed() >= LOOK_BACK {
                    looked_back = Instant::now();
                    self.look_around(ears.is_some()).await
                } else if self.tail.age() >= POLL {
                    self.catch_up(i64::MAX).await
                } else {
                    Ok(())
                },
            };
            match heard {
                Ok(()) => {}
                Err(FeedError::Database(cause)) => {
                    warn!(error = %cause, "The tail of the log cannot be read: {cause}");
                    tokio::time::sleep(POLL).await;
                }
                Err(cause) => {
                    error!(error = %cause, "The tail of the log stands still: {cause}");
                    tokio::time::sleep(POLL * 5).await;
                }
            }
        }
    }

    async fn listen(&self) -> Option<PgListener> {
        let mut ears = PgListener::connect_with(&self.pool).await.ok()?;
        ears.eager_reconnect(false);
        ears.listen("shiji_events").await.ok()?;
        let (class, object) = PRESENCE;
        sqlx::query!("SELECT pg_advisory_lock_shared($1, $2)", class, object)
            .execute(&mut ears)
            .await
            .ok()?;
        Some(ears)
    }

    async fn local_batch(&self, batch: LocalBatch) -> Result<(), FeedError> {
        let (Some(first), Some(last)) = (batch.events.first(), batch.events.last()) else {
            return Ok(());
        };
        let (first, last) = (first.position, last.position);
        if first > self.tail.position() + 1 {
            self.catch_up(first - 1).await?;
        }
        if first == self.tail.position() + 1 {
            self.publish(batch.events);
        } else if last > self.tail.position() {
            self.catch_up(last).await?;
        }
        self.tail.confirm(batch.sent);
        batch.durable.send_replace(true);
        Ok(())
    }

    async fn catch_up(&self, until: i64) -> Result<(), FeedError> {
        loop {
            let asked = Instant::now();
            let after = self.tail.position();
            if after >= until {
                return Ok(());
            }
            let limit = CHUNK.min(until - after);
            let chunk = feed::read(&self.pool, &self.ring, after, limit).await?;
            let full = i64::try_from(chunk.len()).is_ok_and(|length| length == limit);
            if chunk.is_empty() {
                self.look_back(after).await?;
            } else {
                self.publish(chunk.into());
            }
            if !full {
                self.tail.confirm(asked);
                return Ok(());
            }
        }
    }

    /// Is anybody else listening? And is the log still the one this node has heard?
    async fn look_around(&self, listening: bool) -> Result<(), FeedError> {
        let (class, object) = PRESENCE;
        let nodes = sqlx::query_scalar!(
            r#"SELECT count(*) AS "nodes!" FROM pg_locks
               WHERE locktype = 'advisory' AND granted AND objsubid = 2
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND classid::bigint = $1 AND objid::bigint = $2"#,
            i64::from(class),
            i64::from(object),
        )
        .fetch_one(&self.pool)
        .await?;
        let alone = listening && nodes <= 1;
        self.gauge.alone.store(alone, Ordering::Relaxed);
        self.look_back(self.tail.position()).await
    }

    /// Is the log still the one this node has heard? A restore may have taken its tail away.
    async fn look_back(&self, heard: i64) -> Result<(), FeedError> {
        let end = super::chain::head(&self.pool).await?;
        let rewound = end.position < heard || end.generation != self.generation;
        if rewound && !self.rewound.swap(true, Ordering::Relaxed) {
            error!(
                heard,
                head = end.position,
                generation = end.generation,
                "The log ends at {} (generation {}), but this node has heard it up to {heard}: not ready",
                end.position,
                end.generation,
            );
        }
        Ok(())
    }

    fn publish(&self, chunk: Arc<[Recorded]>) {
        for event in chunk.iter() {
            self.cache.heard(&event.stream, event.sequence);
            if event.event_type == super::PERSON_ERASED {
                self.ring.forget(&event.stream.to_string());
            }
        }
        if let Some(last) = chunk.last() {
            self.tail.position.store(last.position, Ordering::Release);
        }
        let _ = self.tail.chunks.send(chunk);
    }
}

async fn hear(ears: Option<&mut PgListener>) -> Result<i32, sqlx::Error> {
    match ears {
        Some(ears) => match ears.try_recv().await? {
            Some(notice) => Ok(i32::try_from(notice.process_id()).unwrap_or(0)),
            None => Err(sqlx::Error::PoolClosed),
        },
        None => std::future::pending().await,
    }
}
