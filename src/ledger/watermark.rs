//! How far the read tables are. The projector sets it, the desk and the queries wait on it.
//!
//! What the read tables show is committed without waiting for the disk, so a database that crashes under a running
//! service may come back with tables that stand where they stood a moment before. Whoever looks at the checkpoints says
//! what they found ([`Watermark::found`]); then the positions go back as well, and who asks waits until the tables show
//! again what was shown already.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::envelope::StreamId;

/// Read tables of one projection, as seen from this node.
struct Progress {
    name: &'static str,
    /// Aggregates whose events change its tables.
    feeds_on: HashSet<&'static str>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    position: i64,
    /// What was shown before the database lost it.
    owed: i64,
    /// How often that happened.
    losses: u64,
    /// Streams set aside because an event of theirs failed.
    parked: HashSet<StreamId>,
    /// Nobody moves it, or it lags beyond the limit: waiting would be in vain.
    away: bool,
    waiting: BTreeMap<(i64, u64), oneshot::Sender<()>>,
    next_ticket: u64,
}

/// What was said of the read tables of one projection at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The projection.
    pub name: &'static str,
    position: i64,
    losses: u64,
}

/// The positions the read tables stand at.
#[derive(Clone, Default)]
pub struct Watermark {
    projections: Arc<RwLock<Vec<Arc<Progress>>>>,
}

impl Watermark {
    /// Enters a projection and the aggregates it feeds on. Entering a name again changes nothing.
    pub fn register(&self, name: &'static str, feeds_on: impl IntoIterator<Item = &'static str>) {
        let mut projections = self.projections.write();
        if projections.iter().all(|p| p.name != name) {
            projections.push(Arc::new(Progress {
                name,
                feeds_on: feeds_on.into_iter().collect(),
                inner: Mutex::default(),
            }));
        }
    }

    /// What is said of every projection now: for whoever looks at the checkpoints next.
    #[must_use]
    pub fn claims(&self) -> Vec<Claim> {
        let projections = self.projections.read();
        let claim = |progress: &Arc<Progress>| {
            let inner = progress.inner.lock();
            Claim {
                name: progress.name,
                position: inner.position,
                losses: inner.losses,
            }
        };
        projections.iter().map(claim).collect()
    }

    /// A look at a checkpoint that began after `claim` found it at `position`. Before what was claimed, the database has
    /// lost the last moments of the tables: then this goes back, too, and answers `true`.
    #[must_use]
    pub fn found(&self, claim: Claim, position: i64) -> bool {
        if position < claim.position {
            return self
                .find(claim.name)
                .is_some_and(|progress| progress.lose(claim, position));
        }
        self.advance(claim.name, position);
        false
    }

    /// The tables of `name` show everything up to `position`. Wakes who waits for it; never goes back.
    pub fn advance(&self, name: &str, position: i64) {
        let Some(progress) = self.find(name) else {
            return;
        };
        let woken = {
            let mut inner = progress.inner.lock();
            let reached = inner.position.max(position);
            inner.position = reached;
            let later = inner.waiting.split_off(&(reached + 1, 0));
            std::mem::replace(&mut inner.waiting, later)
        };
        for reply in woken.into_values() {
            let _ = reply.send(());
        }
    }

    /// Waiting for `name` is in vain (`true`), or of use again.
    pub fn set_away(&self, name: &str, away: bool) {
        let Some(progress) = self.find(name) else {
            return;
        };
        let woken = {
            let mut inner = progress.inner.lock();
            inner.away = away;
            if away {
                std::mem::take(&mut inner.waiting)
            } else {
                BTreeMap::new()
            }
        };
        for reply in woken.into_values() {
            let _ = reply.send(());
        }
    }

    /// The streams set aside in `name`.
    pub fn set_parked(&self, name: &str, parked: HashSet<StreamId>) {
        if let Some(progress) = self.find(name) {
            progress.inner.lock().parked = parked;
        }
    }

    /// Where the tables of `name` stand; `None` for an unknown name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<i64> {
        Some(self.find(name)?.inner.lock().position)
    }

    /// The position every read table has reached: what a query answers as of. 0 without projections.
    #[must_use]
    pub fn as_of(&self) -> i64 {
        let projections = self.projections.read();
        projections
            .iter()
            .map(|p| p.inner.lock().position)
            .min()
            .unwrap_or(0)
    }

    /// Waits until the read tables fed by these streams have passed `position`, at most `patience`.
    /// Answers the projections that have not: those lag, are away, or have parked one of the streams.
    pub async fn wait(
        &self,
        position: i64,
        streams: &[StreamId],
        patience: Duration,
    ) -> Vec<&'static str> {
        let concerned: Vec<Arc<Progress>> = self
            .projections
            .read()
            .iter()
            .filter(|p| {
                streams
                    .iter()
                    .any(|s| p.feeds_on.contains(s.aggregate.as_ref()))
            })
            .cloned()
            .collect();
        wait_for(&concerned, position, streams, patience).await
    }

    /// Waits until every read table has passed `position` and what it has shown before, at most `patience`; answers those
    /// that have not.
    pub async fn wait_all(&self, position: i64, patience: Duration) -> Vec<&'static str> {
        let all: Vec<Arc<Progress>> = self.projections.read().clone();
        wait_for(&all, position, &[], patience).await
    }

    fn find(&self, name: &str) -> Option<Arc<Progress>> {
        self.projections
            .read()
            .iter()
            .find(|p| p.name == name)
            .cloned()
    }
}

async fn wait_for(
    concerned: &[Arc<Progress>],
    position: i64,
    streams: &[StreamId],
    patience: Duration,
) -> Vec<&'static str> {
    let until = Instant::now() + patience;
    let mut pending = Vec::new();
    for progress in concerned {
        if !progress.reached(position, streams, until).await {
            pending.push(progress.name);
        }
    }
    pending
}

impl Inner {
    fn shows(&self, position: i64) -> bool {
        self.position >= position.max(self.owed)
    }
}

impl Progress {
    /// Goes back, unless that was done since the claim was made.
    fn lose(&self, claim: Claim, position: i64) -> bool {
        let mut inner = self.inner.lock();
        if inner.losses != claim.losses {
            return false;
        }
        inner.owed = inner.owed.max(inner.position);
        inner.position = position;
        inner.losses += 1;
        true
    }

    async fn reached(&self, position: i64, streams: &[StreamId], until: Instant) -> bool {
        let (ticket, woken) = {
            let mut inner = self.inner.lock();
            if streams.iter().any(|stream| inner.parked.contains(stream)) {
                return false;
            }
            if inner.shows(position) {
                return true;
            }
            if inner.away {
                return false;
            }
            let (reply, woken) = oneshot::channel();
            inner.next_ticket += 1;
            let ticket = (position.max(inner.owed), inner.next_ticket);
            inner.waiting.insert(ticket, reply);
            (ticket, woken)
        };
        let _ = tokio::time::timeout_at(until, woken).await;
        let mut inner = self.inner.lock();
        inner.waiting.remove(&ticket);
        inner.shows(position) && !streams.iter().any(|s| inner.parked.contains(s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> StreamId {
        StreamId::new("Task", "1")
    }

    #[tokio::test]
    async fn a_waiter_is_woken_when_its_position_is_reached_and_not_before() {
        let watermark = Watermark::default();
        watermark.register("tasks", ["Task"]);
        let waiting = tokio::spawn({
            let watermark = watermark.clone();
            async move { watermark.wait(5, &[stream()], Duration::from_secs(2)).await }
        });
        tokio::task::yield_now().await;
        watermark.advance("tasks", 4);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        watermark.advance("tasks", 5);
        assert!(waiting.await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_lags_is_away_or_parked_is_named_and_not_waited_for_beyond_patience() {
        let watermark = Watermark::default();
        watermark.register("tasks", ["Task"]);
        watermark.register("media", ["Media"]);
        let patience = Duration::from_millis(50);
        assert_eq!(watermark.wait(1, &[stream()], patience).await, ["tasks"]);
        watermark.advance("tasks", 9);
        assert!(watermark.wait(9, &[stream()], patience).await.is_empty());
        watermark.set_parked("tasks", HashSet::from([stream()]));
        assert_eq!(watermark.wait(9, &[stream()], patience).await, ["tasks"]);
        watermark.set_away("media", true);
        let began = Instant::now();
        assert_eq!(watermark.wait_all(1, patience).await, ["media"]);
        assert!(began.elapsed() < patience);
    }

    #[test]
    fn positions_never_go_back() {
        let watermark = Watermark::default();
        watermark.register("tasks", ["Task"]);
        watermark.advance("tasks", 7);
        watermark.advance("tasks", 3);
        assert_eq!(watermark.position("tasks"), Some(7));
        assert_eq!(watermark.as_of(), 7);
    }

    #[tokio::test]
    async fn what_the_database_lost_is_waited_for_by_everybody() {
        let watermark = Watermark::default();
        watermark.register("tasks", ["Task"]);
        watermark.advance("tasks", 9);
        let claims = watermark.claims();
        assert!(watermark.found(claims[0], 6));
        assert_eq!(watermark.as_of(), 6);
        // Another look from before found the same.
        assert!(!watermark.found(claims[0], 6));
        let patience = Duration::from_millis(50);
        assert_eq!(watermark.wait_all(0, patience).await, ["tasks"]);
        let waiting = tokio::spawn({
            let watermark = watermark.clone();
            async move { watermark.wait_all(0, Duration::from_secs(2)).await }
        });
        tokio::task::yield_now().await;
        watermark.advance("tasks", 8);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        watermark.advance("tasks", 9);
        assert!(waiting.await.unwrap().is_empty());
    }

    #[test]
    fn a_look_from_before_a_loss_takes_nothing_back() {
        let watermark = Watermark::default();
        watermark.register("tasks", ["Task"]);
        watermark.advance("tasks", 9);
        let early = watermark.claims();
        assert!(watermark.found(watermark.claims()[0], 6));
        watermark.advance("tasks", 12);
        assert!(!watermark.found(early[0], 6));
        assert_eq!(watermark.position("tasks"), Some(12));
        // What a look finds ahead of what was said is how other nodes' work is heard of.
        assert!(!watermark.found(watermark.claims()[0], 15));
        assert_eq!(watermark.position("tasks"), Some(15));
    }
}
