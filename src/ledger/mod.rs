//! The event store: append, load, feed, chain, personal data, the watermark. Knows no event by name.
//!
//! | file | what |
//! |---|---|
//! | `append.rs`, `appender.rs` | jobs, and the one task of a node that group-commits them |
//! | `herald.rs` | tells the other nodes that the log has grown |
//! | `loader.rs`, `cache.rs`, `snapshots.rs` | states of streams, batched, cached, cut short |
//! | `tail.rs`, `feed.rs` | the log as it grows, and as a sequence from any position |
//! | `search.rs` | looking for events, for audits |
//! | `chain.rs` | what makes tampering show |
//! | `gaps.rs`, `replay.rs` | holes in the log; every stream of it, one after the other |
//! | `keys.rs`, `keyring.rs`, `personal.rs` | the master key, keys of persons, sealed values |
//! | `erasure.rs` | what the store holds of a person, and what it lets go of |
//! | `watermark.rs` | how far the read tables are |
//! | `repository.rs` | the stock cqrs-es framework over this log |
//!
//! The plan and its reasons: `docs/ledger.md`.

mod append;
mod appender;
mod cache;
mod chain;
mod clock;
mod envelope;
mod erasure;
mod feed;
mod gaps;
mod herald;
mod ids;
mod keyring;
mod keys;
mod loader;
mod personal;

mod replay;
mod repository;
mod search;
mod snapshots;
mod state;
mod tail;
mod watermark;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use futures::Stream;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use subtle::ConstantTimeEq;
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::postgres::planning_once;

pub use append::{Append, AppendError, Appended, Events, Expected, Receipt, StreamWrite, Verdict};
pub use appender::AppendLimits;
pub use chain::{GENESIS, Head, Link, Tampering, Verified, head, raise_generation, verify};
pub use clock::Clock;
pub use envelope::{
    Mark, Metadata, NewEvent, NotAMark, NotAStream, Place, Recorded, StreamId, Told,
};
pub use erasure::{Dropped, Unreadable};
pub use feed::{FeedError, Follower};
pub use gaps::{Gaps, Hole, gaps};
pub use ids::IdError;
pub use keyring::KeyError;
pub use keys::{DoesNotOpen, Keys, Secret};
pub use loader::LoadError;
pub use personal::{Personal, PersonalError};
pub use replay::{Finding, Replayed};
pub use search::{Condition, NotACondition, Search, Trace};
pub use state::{DecodeError, State, StoredEvent};
pub use tail::{Durable, Underway};
pub use watermark::{Claim, Watermark};

/// The event that says a person was erased; on the person's own stream.
pub const PERSON_ERASED: &str = "PersonErased";

/// States from the cache speak for who is calling only while the node's picture of the log is younger than this.
const FRESH_ENOUGH: Duration = Duration::from_secs(1);

/// What a ledger is opened with.
pub struct LedgerOptions {
    /// For loads, ids, keys and reads of the log.
    pub pool: PgPool,
    /// For the node's tail: one connection listens, one reads; and for its herald, like these.
    pub tail_pool: PgPool,
    /// The appender's own connection.
    pub append: PgConnectOptions,
    /// Derived from the master key.
    pub keys: Keys,
    /// Limits of queue and batches.
    pub limits: AppendLimits,
    /// States kept in memory, at most.
    pub cache_entries: usize,
    /// The time.
    pub clock: Clock,
}

/// Why a ledger does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log was written under another master key.
    #[error("SHIJI_MASTER_KEY is not the master key of this log")]
    ForeignMasterKey,
    /// The database said no.
    #[error("the log cannot be opened: {0}")]
    Database(#[from] sqlx::Error),
}

/// The event store of this node. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
    /// Where it ends for whoever holds this handle; absent: it grows.
    past: Option<i64>,
}

struct Inner {
    pool: PgPool,
    ring: Arc<keyring::KeyRing>,
    appender: appender::Appender,
    loader: loader::Loader,
    ids: ids::Ids,
    cache: Arc<cache::StateCache>,
    tail: Arc<tail::Tail>,
    gauge: Arc<appender::AppenderGauge>,
    watermark: Watermark,
    clock: Clock,
    id: Uuid,
    generation: i64,
    acknowledged: AtomicI64,
    rewound: Arc<AtomicBool>,
}

/// A state and the version it stands at (0: the stream does not exist).
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    /// The folded state.
    pub state: Arc<A>,
    /// The last sequence of the stream.
    pub version: i64,
    /// Came from memory, not from the stream itself.
    pub cached: bool,
}

/// May an answer come from memory?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Yes: the append will check it.
    Cached,
    /// No: read the stream.
    Reread,
}

impl Ledger {
    /// Opens the log: checks the master key, starts appender, loader and tail.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(options: LedgerOptions) -> Result<Self, OpenError> {
        let known = sqlx::query_scalar!("SELECT key_check FROM ledger")
            .fetch_one(&options.pool)
            .await?;
        // The first key that opens a log is the log's; only then is anything written.
        let check = match known {
            Some(known) => known,
            None => sqlx::query_scalar!("SELECT ledger_key_check($1)", &options.keys.check()[..])
                .fetch_one(&options.pool)
                .await?
                .unwrap_or_default(),
        };
        if !bool::from(check.as_slice().ct_eq(options.keys.check())) {
            return Err(OpenError::ForeignMasterKey);
        }
        let head = chain::head(&options.pool).await?;
        let ring = Arc::new(keyring::KeyRing::new(options.keys));
        let cache = Arc::new(cache::StateCache::new(options.cache_entries));
        let gauge = Arc::new(appender::AppenderGauge::default());
        let tail = Arc::new(tail::Tail::new(head.position));
        let rewound = Arc::new(AtomicBool::new(false));
        let (local, local_batches) = mpsc::unbounded_channel();
        let herald = herald::Herald::start(&options.tail_pool.connect_options(), gauge.clone());
        let appender = appender::Appender::start(
            options.append,
            options.limits,
            local,
            herald,
            Arc::clone(&gauge),
            Arc::clone(&tail),
        );
        let listener = tail::Listener {
            tail: Arc::clone(&tail),
            pool: planning_once(&options.tail_pool),
            ring: Arc::clone(&ring),
            cache: Arc::clone(&cache),
            gauge: Arc::clone(&gauge),
            local: local_batches,
            rewound: Arc::clone(&rewound),
            generation: head.generation,
        };
        tokio::spawn(listener.run());
        Ok(Self {
            inner: Arc::new(Inner {
                loader: loader::Loader::start(planning_once(&options.pool), Arc::clone(&ring)),
                ids: ids::Ids::start(options.pool.clone()),
                pool: options.pool,
                ring,
                appender,
                cache,
                tail,
                gauge,
                watermark: Watermark::default(),
                clock: options.clock,
                id: head.ledger,
                generation: head.generation,
                acknowledged: AtomicI64::new(0),
                rewound,
            }),
            past: None,
        })
    }

    /// The same log as it was at a position: its streams end there, nothing is appended and no id is given out.
    #[must_use]
    pub fn as_of(&self, position: i64) -> Self {
        Self {
            past: Some(position),
            ..self.clone()
        }
    }

    /// Where the log ends for whoever holds this handle; `None` when it grows.
    #[must_use]
    pub fn past(&self) -> Option<i64> {
        self.past
    }

    /// The log as it grows, whatever this handle shows of it.
    #[must_use]
    pub fn present(&self) -> Self {
        Self {
            past: None,
            ..self.clone()
        }
    }

    /// Appends a job: all of it or nothing. Goes on when the caller leaves.
    ///
    /// # Errors
    /// [`AppendError`]; only [`AppendError::Unknown`] leaves open whether it happened.
    pub async fn append(&self, job: Append) -> Result<Verdict, AppendError> {
        if self.past.is_some() {
            return Err(AppendError::Past);
        }
        let inner = &self.inner;
        let prepared = job.prepare(&inner.ring, &inner.pool).await?;
        let subjects = prepared.subjects.clone();
        let mut verdict = match inner.appender.send(prepared).await {
            Err(error @ (AppendError::Personal(_) | AppendError::ErasedSubject)) => {
                // A remembered key that the log does not have, or not any more: what it seals nobody could open again.
                for subject in &subjects {
                    inner.ring.forget(subject);
                }
                return Err(error);
            }
            answer => answer?,
        };
        if let Verdict::Repeated {
            outcome, digest, ..
        } = &mut verdict
        {
            *outcome = append::open_outcome(inner.ring.keys(), digest, outcome)?;
        }
        let (Verdict::Appended(Appended { position, .. }) | Verdict::Repeated { position, .. }) =
            &verdict;
        inner.acknowledged.fetch_max(*position, Ordering::Relaxed);
        Ok(verdict)
    }

    /// What the first request under this receipt key came to, if it is younger than 24 hours.
    ///
    /// # Errors
    /// When the database or the master key says no.
    pub async fn receipt(&self, key: &[u8; 32]) -> Result<Option<Verdict>, AppendError> {
        let row = sqlx::query!(
            "SELECT digest, outcome, position FROM idempotency_keys
             WHERE key = $1 AND recorded_at > clock_timestamp() - interval '24 hours'",
            &key[..],
        )
        .fetch_optional(&self.inner.pool)
        .await
        .map_err(|error| AppendError::Unavailable(Arc::new(error)))?;
        let Some(row) = row else { return Ok(None) };
        let digest = <[u8; 32]>::try_from(row.digest.as_slice())
            .map_err(|_| AppendError::Data("a receipt is damaged".to_owned()))?;
        let outcome = append::open_outcome(self.inner.ring.keys(), &digest, &row.outcome)?;
        Ok(Some(Verdict::Repeated {
            digest,
            outcome,
            position: row.position,
        }))
    }

    /// Deletes receipts older than 24 hours, at most `slice` of them; answers how many.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn sweep_receipts(&self, slice: i64) -> Result<u64, sqlx::Error> {
        let done = sqlx::query!(
            "DELETE FROM idempotency_keys WHERE key IN (
                 SELECT key FROM idempotency_keys
                 WHERE recorded_at < clock_timestamp() - interval '24 hours'
                 ORDER BY recorded_at LIMIT $1)",
            slice,
        )
        .execute(&self.inner.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// The state of a stream. Cached states are for decisions whose append is checked by version.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load<A: State>(
        &self,
        id: &str,
        freshness: Freshness,
    ) -> Result<Loaded<A>, LoadError> {
        let stream = StreamId::new(A::TYPE, id);
        if self.past.is_some() {
            return self.load_past(&stream).await;
        }
        if freshness == Freshness::Cached
            && let Some((state, version)) = self.inner.cache.get::<A>(&stream)
        {
            metrics::counter!("shiji_state_cache_hits_total").increment(1);
            return Ok(Loaded {
                state,
                version,
                cached: true,
            });
        }
        let shape = A::SNAPSHOT_EVERY.map(|_| A::SHAPE);
        let read = self.inner.loader.load(stream.clone(), shape).await?;
        let folded = match snapshots::fold::<A>(&stream, read)? {
            // Its snapshot does not read.
            None => {
                let whole = self.inner.loader.load(stream.clone(), None).await?;
                snapshots::fold::<A>(&stream, whole)?
            }
            folded => folded,
        };
        let (state, version) = folded.unwrap_or_default();
        let state = Arc::new(state);
        if version > 0 {
            self.inner.cache.put(&stream, version, Arc::clone(&state));
        }
        Ok(Loaded {
            state,
            version,
            cached: false,
        })
    }

    /// The state of a stream at a position: neither from memory nor from a snapshot, which know the stream as it is.
    async fn load_past<A: State>(&self, stream: &StreamId) -> Result<Loaded<A>, LoadError> {
        let mut read = self.inner.loader.load(stream.clone(), None).await?;
        read.events.retain(|event| self.reaches(event.position));
        let (state, version) = snapshots::fold::<A>(stream, read)?.unwrap_or_default();
        Ok(Loaded {
            state: Arc::new(state),
            version,
            cached: false,
        })
    }

    /// The state of a stream for questions that no append checks (who is calling): from memory only while
    /// this node has heard the log within the last second.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn current<A: State>(&self, id: &str) -> Result<Loaded<A>, LoadError> {
        let fresh = self.inner.tail.age() < FRESH_ENOUGH;
        self.load(
            id,
            if fresh {
                Freshness::Cached
            } else {
                Freshness::Reread
            },
        )
        .await
    }

    /// Does this node know of a stream, without asking the database? What it does not know may be there all the same.
    #[must_use]
    pub fn knows(&self, stream: &StreamId) -> bool {
        self.inner.cache.knows(stream)
    }

    /// Keeps the state a decision led to, and takes a snapshot of a long stream now and then.
    pub fn remember<A: State>(&self, id: &str, before: i64, version: i64, state: Arc<A>) {
        let stream = StreamId::new(A::TYPE, id);
        self.inner.cache.put(&stream, version, Arc::clone(&state));
        if let Some(every) = A::SNAPSHOT_EVERY
            && before / every != version / every
        {
            let ledger = self.clone();
            tokio::spawn(async move {
                if let Err(error) = ledger.snapshot(&stream, version, &*state).await {
                    tracing::warn!(stream = %stream, error = %error, "No snapshot of {stream}: {error}");
                }
            });
        }
    }

    /// Forgets a cached state that turned out stale.
    pub fn forget_state(&self, stream: &StreamId) {
        self.inner.cache.drop_stream(stream);
    }

    /// The next integer of an aggregate's sequence (`task`, `staff` …).
    ///
    /// # Errors
    /// [`IdError`].
    pub async fn next_id(&self, sequence: &'static str) -> Result<i64, IdError> {
        if self.past.is_some() {
            return Err(IdError::Past);
        }
        self.inner.ids.next(sequence).await
    }

    /// The log after a position, with its live tail; optionally only some aggregates.
    #[must_use]
    pub fn follow(&self, after: i64, aggregates: Option<Vec<String>>) -> Follower {
        Follower {
            pool: self.inner.pool.clone(),
            ring: Arc::clone(&self.inner.ring),
            tail: Arc::clone(&self.inner.tail),
            next: after + 1,
            aggregates,
            fresh: None,
            held: std::collections::VecDeque::new(),
        }
    }

    /// The next `limit` events after a position, as they stand now.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn read(&self, after: i64, limit: i64) -> Result<Vec<Recorded>, FeedError> {
        feed::read(&self.inner.pool, &self.inner.ring, after, limit).await
    }

    /// [`read`](Self::read), one by one and with what a fold needs.
    pub fn tell(&self, after: i64, limit: i64) -> impl Stream<Item = Result<Told, FeedError>> {
        feed::tell(&self.inner.pool, &self.inner.ring, after, limit)
    }

    /// All events of one stream, in order.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn stream(&self, stream: &StreamId) -> Result<Vec<Recorded>, LoadError> {
        let mut events = self.inner.loader.load(stream.clone(), None).await?.events;
        events.retain(|event| self.reaches(event.position));
        Ok(events)
    }

    /// Is this position there for whoever holds this handle?
    fn reaches(&self, position: i64) -> bool {
        self.past.is_none_or(|past| position <= past)
    }

    /// The last position and its link.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn head(&self) -> Result<Head, sqlx::Error> {
        chain::head(&self.inner.pool).await
    }

    /// Checks the chain after a kept head, or from the start.
    ///
    /// # Errors
    /// When the database says no; what is wrong with the log stands in the answer.
    pub async fn verify(
        &self,
        kept: Option<(i64, Link)>,
        progress: impl FnMut(i64) + Send,
    ) -> Result<Verified, sqlx::Error> {
        chain::verify(&self.inner.pool, kept, progress).await
    }

    /// What this node appends from now on, while it is on its way to the disk. Whoever does not listen for long misses some; it
    /// is in the log.
    #[must_use]
    pub fn underway(&self) -> broadcast::Receiver<Underway> {
        self.inner.tail.underway()
    }

    /// How far this node has heard the log.
    #[must_use]
    pub fn tail_position(&self) -> i64 {
        self.inner.tail.position()
    }

    /// How old this node's picture of the log is.
    #[must_use]
    pub fn tail_age(&self) -> Duration {
        self.inner.tail.age()
    }

    /// No other node listens to this log (as of a second ago): nobody needs to be notified.
    #[must_use]
    pub fn alone(&self) -> bool {
        self.inner.gauge.alone.load(Ordering::Relaxed)
    }

    /// A sentence, when this node should not serve: it does not hear the log, or the log went back
    /// behind what it acknowledged.
    #[must_use]
    pub fn unready(&self) -> Option<String> {
        if self.inner.rewound.load(Ordering::Relaxed) {
            let acknowledged = self.inner.acknowledged.load(Ordering::Relaxed);
            return Some(format!(
                "the log ends before position {acknowledged}, which this node acknowledged, or its generation changed: was it restored?"
            ));
        }
        if self.inner.appender.is_gone() {
            return Some("the appender broke down; the service must be started again".to_owned());
        }
        let age = self.inner.tail.age();
        (age > Duration::from_secs(2))
            .then(|| format!("the log was last heard {} s ago", age.as_secs()))
    }

    /// How far the read tables are.
    #[must_use]
    pub fn watermark(&self) -> &Watermark {
        &self.inner.watermark
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The keys derived from the master key.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        self.inner.ring.keys()
    }

    /// The log's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.inner.id
    }

    /// A position as it leaves the house.
    #[must_use]
    pub fn mark(&self, position: i64) -> Mark {
        Mark {
            generation: self.inner.generation,
            position,
        }
    }

    /// States in memory and jobs waiting, for the metrics.
    #[must_use]
    pub fn gauges(&self) -> (usize, usize) {
        (
            self.inner.cache.len(),
            self.inner.gauge.waiting.load(Ordering::Relaxed),
        )
    }

    fn ring(&self) -> &keyring::KeyRing {
        &self.inner.ring
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    /// Lets go of the connections for loads and reads.
    pub(crate) async fn close(&self) {
        self.inner.loader.close().await;
        self.inner.pool.close().await;
    }
}
