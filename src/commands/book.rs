//! The book of one attempt at a command: what was read, what is written, at which versions.

use std::any::Any;
use std::sync::Arc;

use cqrs_es::DomainEvent;
use uuid::Uuid;

use super::{Decide, Stop};
use crate::ledger::{
    Append, Expected, Freshness, Ledger, LoadError, Metadata, NewEvent, Receipt, State, StreamId,
    StreamWrite,
};

/// One attempt's reads and writes. Every stream a decision looks at is opened through it and is then
/// written or guarded.
pub struct Book {
    ledger: Ledger,
    freshness: Freshness,
    entries: Vec<Entry>,
}

struct Entry {
    stream: StreamId,
    /// The version it was read at.
    version: i64,
    cached: bool,
    /// Taken for new, without a look.
    presumed: bool,
    expected: Expected,
    state: Arc<dyn Any + Send + Sync>,
    events: Vec<NewEvent>,
    remember: fn(&Ledger, &Entry),
}

/// What a command did to one stream it looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The aggregate's name.
    pub aggregate: String,
    /// The id part of the stream.
    pub id: String,
    /// Its version afterwards.
    pub version: i64,
    /// The types of the events it was given, in order; empty when it was only read or nothing had to change.
    pub events: Vec<String>,
}

impl Book {
    pub(super) fn new(ledger: Ledger, freshness: Freshness) -> Self {
        Self {
            ledger,
            freshness,
            entries: Vec::new(),
        }
    }

    /// The state of a stream, with what this attempt has recorded on it.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn state<A: State>(&mut self, id: &str) -> Result<Arc<A>, LoadError> {
        let index = self.open::<A>(id).await?;
        Ok(self.state_at(index))
    }

    /// Opens many streams at once, in one round trip instead of one each.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn open_all<A: State>(&mut self, ids: &[String]) -> Result<(), LoadError> {
        let mut unopened: Vec<&String> = Vec::with_capacity(ids.len());
        for id in ids {
            if self.find::<A>(id).is_none() && !unopened.contains(&id) {
                unopened.push(id);
            }
        }
        let loads = unopened
            .iter()
            .map(|id| self.ledger.load::<A>(id, self.freshness));
        let loaded = futures::future::try_join_all(loads).await?;
        for (id, loaded) in unopened.into_iter().zip(loaded) {
            let expected = Expected::Exact(loaded.version);
            self.enter::<A>(id, loaded.state, loaded.version, loaded.cached, expected);
        }
        Ok(())
    }

    /// Opens a stream whose id was just made: it cannot exist, so it is not loaded. The append checks it.
    pub fn create<A: State>(&mut self, id: &str) {
        if self.find::<A>(id).is_none() {
            self.enter::<A>(id, Arc::new(A::default()), 0, false, Expected::Exact(0));
        }
    }

    /// Opens a stream that is most likely new: where this node does not know of it, the first attempt takes it for new
    /// without a look. The append finds out otherwise, and an answer without events is given only after a look.
    pub fn presume_new<A: State>(&mut self, id: &str) {
        let known = || self.ledger.knows(&StreamId::new(A::TYPE, id));
        if self.freshness == Freshness::Cached && self.find::<A>(id).is_none() && !known() {
            let index = self.enter::<A>(id, Arc::default(), 0, true, Expected::Exact(0));
            self.entries[index].presumed = true;
        }
    }

    /// Decides a command on a stream and records the events.
    ///
    /// # Errors
    /// The aggregate's refusal, or a fault.
    pub async fn decide<A: Decide>(
        &mut self,
        id: &str,
        command: &A::Command,
    ) -> Result<(), Stop<A::Refusal>> {
        let index = self.open::<A>(id).await?;
        let state = self.state_at::<A>(index);
        let events = state.decide(command).map_err(Stop::Refused)?;
        self.record_at(index, state, &events)?;
        Ok(())
    }

    /// Records facts on an append-only stream that decides nothing (views, forwards): not loaded, never conflicting.
    ///
    /// # Errors
    /// When an event does not serialize.
    pub fn append_any<A: State>(&mut self, id: &str, events: &[A::Event]) -> Result<(), LoadError> {
        let index = match self.find::<A>(id) {
            Some(index) => index,
            None => self.enter::<A>(id, Arc::new(A::default()), 0, false, Expected::Any),
        };
        let state = self.state_at::<A>(index);
        self.record_at(index, state, events)
    }

    async fn open<A: State>(&mut self, id: &str) -> Result<usize, LoadError> {
        if let Some(index) = self.find::<A>(id) {
            return Ok(index);
        }
        let loaded = self.ledger.load::<A>(id, self.freshness).await?;
        let expected = Expected::Exact(loaded.version);
        Ok(self.enter::<A>(id, loaded.state, loaded.version, loaded.cached, expected))
    }

    fn find<A: State>(&self, id: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.stream.aggregate == A::TYPE && entry.stream.id == id)
    }

    fn enter<A: State>(
        &mut self,
        id: &str,
        state: Arc<A>,
        version: i64,
        cached: bool,
        expected: Expected,
    ) -> usize {
        self.entries.push(Entry {
            stream: StreamId::new(A::TYPE, id),
            version,
            cached,
            presumed: false,
            expected,
            state,
            events: Vec::new(),
            remember: |ledger, entry| {
                if let Ok(state) = Arc::clone(&entry.state).downcast::<A>() {
                    ledger.remember::<A>(
                        &entry.stream.id,
                        entry.version,
                        entry.version_after(),
                        state,
                    );
                }
            },
        });
        self.entries.len() - 1
    }

    fn state_at<A: State>(&self, index: usize) -> Arc<A> {
        Arc::clone(&self.entries[index].state)
            .downcast()
            .unwrap_or_else(|_| unreachable!("entries are found by their aggregate's name"))
    }

    fn record_at<A: State>(
        &mut self,
        index: usize,
        mut state: Arc<A>,
        events: &[A::Event],
    ) -> Result<(), LoadError> {
        if events.is_empty() {
            return Ok(());
        }
        let entry = &mut self.entries[index];
        for event in events {
            let payload = serde_json::to_string(event).map_err(|error| LoadError::Decode {
                stream: entry.stream.clone(),
                sequence: entry.version_after() + 1,
                reason: error.to_string(),
            })?;
            entry.events.push(NewEvent {
                event_id: Uuid::now_v7(),
                event_type: event.event_type().into(),
                event_version: event.event_version().into(),
                payload,
            });
            Arc::make_mut(&mut state).apply(event);
        }
        entry.state = state;
        Ok(())
    }

    /// The version a stream was read at, if this attempt looked at it.
    pub(super) fn version_of(&self, stream: &StreamId) -> Option<i64> {
        self.entries
            .iter()
            .find(|entry| entry.stream == *stream)
            .map(|entry| entry.version)
    }

    pub(super) fn writes(&self) -> bool {
        self.entries.iter().any(|entry| !entry.events.is_empty())
    }

    /// Did anything it looked at come from memory?
    pub(super) fn read_from_memory(&self) -> bool {
        self.entries.iter().any(|entry| entry.cached)
    }

    /// Was anything taken for new that was not looked at?
    pub(super) fn presumes(&self) -> bool {
        self.entries.iter().any(|entry| entry.presumed)
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        let change = |entry: &Entry| Change {
            aggregate: entry.stream.aggregate.to_string(),
            id: entry.stream.id.clone(),
            version: entry.version_after(),
            events: entry
                .events
                .iter()
                .map(|event| event.event_type.to_string())
                .collect(),
        };
        self.entries.iter().map(change).collect()
    }

    pub(super) fn written(&self) -> Vec<StreamId> {
        let written = self.entries.iter().filter(|entry| !entry.events.is_empty());
        written.map(|entry| entry.stream.clone()).collect()
    }

    /// The job: what was written, and a guard for everything else that was read.
    pub(super) fn job(
        &self,
        metadata: Metadata,
        receipt: Option<Receipt>,
        deadline: tokio::time::Instant,
    ) -> Append {
        let (written, read): (Vec<&Entry>, Vec<&Entry>) = self
            .entries
            .iter()
            .partition(|entry| !entry.events.is_empty());
        Append {
            streams: written
                .into_iter()
                .map(|entry| StreamWrite {
                    stream: entry.stream.clone(),
                    expected: entry.expected,
                    events: entry.events.clone(),
                })
                .collect(),
            guards: read
                .into_iter()
                .filter(|entry| entry.expected != Expected::Any)
                .map(|entry| (entry.stream.clone(), entry.version))
                .collect(),
            metadata,
            receipt,
            deadline,
        }
    }

    /// After the append: keeps the states it led to. What was recorded blindly is not known.
    pub(super) fn remember(&self) {
        for entry in &self.entries {
            if entry.expected != Expected::Any && !entry.events.is_empty() {
                (entry.remember)(&self.ledger, entry);
            }
        }
    }

    /// After a lost race: what was read is stale.
    pub(super) fn forget(&self) {
        for entry in &self.entries {
            self.ledger.forget_state(&entry.stream);
        }
    }
}

impl Entry {
    fn version_after(&self) -> i64 {
        self.version + i64::try_from(self.events.len()).unwrap_or(0)
    }
}
