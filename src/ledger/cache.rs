//! The bounded cache of states. It follows the log and is never the last word: appends are checked by
//! version, and an answer without events is given only after the stream was read again.

use std::any::Any;
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::envelope::StreamId;
use super::state::State;

#[derive(Clone)]
struct Cached {
    version: i64,
    state: Arc<dyn Any + Send + Sync>,
}

/// (stream → version, state), and where streams were last heard to stand.
pub(super) struct StateCache {
    states: Cache<StreamId, Cached>,
    heard: Cache<StreamId, i64>,
}

impl StateCache {
    pub fn new(entries: usize) -> Self {
        Self {
            states: Cache::new(entries.max(16)),
            heard: Cache::new(entries.clamp(65_536, 1 << 20)),
        }
    }

    pub fn get<A: State>(&self, stream: &StreamId) -> Option<(Arc<A>, i64)> {
        let cached = self.states.get(stream)?;
        let state = cached.state.downcast::<A>().ok()?;
        Some((state, cached.version))
    }

    /// Does memory hold anything of a stream? What it does not know may be there all the same.
    pub fn knows(&self, stream: &StreamId) -> bool {
        self.states.peek(stream).is_some() || self.heard.peek(stream).is_some()
    }

    /// Keeps a state, unless the tail has heard the stream go on since it was read.
    pub fn put<A: State>(&self, stream: &StreamId, version: i64, state: Arc<A>) {
        if self
            .states
            .peek(stream)
            .is_some_and(|held| held.version > version)
        {
            return;
        }
        self.states
            .insert(stream.clone(), Cached { version, state });
        // After the insert: whichever of `put` and `heard` comes second sees the other.
        if self.heard.get(stream).is_some_and(|heard| heard > version) {
            self.states.remove(stream);
        }
    }

    pub fn drop_stream(&self, stream: &StreamId) {
        self.states.remove(stream);
    }

    /// The tail heard an event: what is older than it is dropped.
    pub fn heard(&self, stream: &StreamId, sequence: i64) {
        self.heard.insert(stream.clone(), sequence);
        if self
            .states
            .peek(stream)
            .is_some_and(|held| held.version < sequence)
        {
            self.states.remove(stream);
        }
    }

    pub fn len(&self) -> usize {
        self.states.len()
    }
}
