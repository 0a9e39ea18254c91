//! Whose turn it is at a stream that many want to write.
//!
//! Commands race: each decides on what it read, and the append refuses all but one. That is cheapest as long as they rarely
//! meet. Where they meet all the time, each round has one winner and all the others worked for nothing. So whoever has lost
//! a race stands in line, and as long as there is a line, who comes joins it before they append: then the state that
//! the last one led to is in the cache, and the next one decides on it. A line is this node's alone; the append still
//! decides, and writers on other nodes race as before.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Mutex as Line, OwnedMutexGuard};
use tokio::time::Instant;

use crate::ledger::StreamId;

/// The lines of a node.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Lines>);

#[derive(Default)]
struct Lines {
    by_stream: Mutex<HashMap<StreamId, Arc<Line<()>>>>,
    /// How many there are: most of the time none, and that must cost nothing.
    count: AtomicUsize,
}

/// A turn at some streams; dropping it lets the next one.
pub(super) struct Turn {
    lines: Arc<Lines>,
    held: Vec<(StreamId, Option<OwnedMutexGuard<()>>)>,
}

impl Turns {
    /// Is there a line at one of these streams? They are named only when there is any line.
    pub fn crowded(&self, streams: impl FnOnce() -> Vec<StreamId>) -> bool {
        if self.0.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let streams = streams();
        let lines = self.0.by_stream.lock();
        streams.iter().any(|stream| lines.contains_key(stream))
    }

    /// Waits for a turn at all of these streams, in the order in which they are asked for; `None` when that takes longer
    /// than until the deadline. Who holds a turn asks for no other.
    pub async fn take(&self, mut streams: Vec<StreamId>, deadline: Instant) -> Option<Turn> {
        // In one order, so that no two wait for each other.
        streams.sort_unstable();
        streams.dedup();
        let mut turn = Turn {
            lines: Arc::clone(&self.0),
            held: Vec::with_capacity(streams.len()),
        };
        for stream in streams {
            let line = turn.lines.join(&stream);
            turn.held.push((stream, None));
            let guard = tokio::time::timeout_at(deadline, line.lock_owned()).await;
            let last = turn.held.last_mut()?;
            last.1 = Some(guard.ok()?);
        }
        Some(turn)
    }
}

impl Lines {
    fn join(&self, stream: &StreamId) -> Arc<Line<()>> {
        let mut lines = self.by_stream.lock();
        let line = Arc::clone(lines.entry(stream.clone()).or_default());
        self.count.store(lines.len(), Ordering::Relaxed);
        line
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lines = self.lines.by_stream.lock();
        for (stream, guard) in self.held.drain(..) {
            drop(guard);
            // Nobody holds it and nobody waits: who joins does so under this lock.
            let left = (lines.get(&stream)).is_some_and(|line| Arc::strong_count(line) == 1);
            if left {
                lines.remove(&stream);
            }
        }
        self.lines.count.store(lines.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn streams(ids: &[&str]) -> Vec<StreamId> {
        let stream = |id: &&str| StreamId::new("Cart", *id);
        ids.iter().map(stream).collect()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn one_at_a_time_in_the_order_they_came_and_nothing_is_left_behind() {
        let turns = Turns::default();
        let first = turns.take(streams(&["a"]), soon()).await;
        assert!(turns.crowded(|| streams(&["b", "a"])));
        assert!(!turns.crowded(|| streams(&["b"])));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for n in 0..5 {
            let (turns, order) = (turns.clone(), Arc::clone(&order));
            waiting.push(tokio::spawn(async move {
                let turn = turns.take(streams(&["a"]), soon()).await;
                order.lock().push(n);
                drop(turn);
            }));
            tokio::task::yield_now().await;
        }
        assert!(order.lock().is_empty());
        drop(first);
        for one in waiting {
            one.await.unwrap();
        }
        assert_eq!(*order.lock(), [0, 1, 2, 3, 4]);
        assert!(turns.0.by_stream.lock().is_empty());
        assert!(!turns.crowded(|| streams(&["a"])));
    }

    #[tokio::test]
    async fn who_wants_the_same_streams_in_another_order_does_not_wait_for_ever() {
        let turns = Turns::default();
        let mut all = Vec::new();
        for n in 0..200 {
            let turns = turns.clone();
            all.push(tokio::spawn(async move {
                let wanted = if n % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
                let turn = turns.take(streams(&wanted), soon()).await;
                tokio::task::yield_now().await;
                turn.is_some()
            }));
        }
        for one in all {
            assert!(one.await.unwrap());
        }
        assert!(turns.0.by_stream.lock().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_line() {
        let turns = Turns::default();
        let first = turns.take(streams(&["a", "b"]), soon()).await;
        let late = Instant::now() + Duration::from_millis(20);
        assert!(turns.take(streams(&["0", "b"]), late).await.is_none());
        assert!(!turns.crowded(|| streams(&["0"])));
        drop(first);
        assert!(turns.0.by_stream.lock().is_empty());
    }
}
