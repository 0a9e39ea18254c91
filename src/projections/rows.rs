//! Rows of a batch that come and go.

use std::collections::{BTreeMap, BTreeSet};

/// Rows that come and go: first what was there goes, then what is new comes.
pub(super) struct Rows<K, V> {
    /// They were there before the batch.
    pub gone: BTreeSet<K>,
    /// They are there after it.
    pub new: BTreeMap<K, V>,
}

impl<K: Ord, V> Default for Rows<K, V> {
    fn default() -> Self {
        Self {
            gone: BTreeSet::new(),
            new: BTreeMap::new(),
        }
    }
}

impl<K: Ord, V> Rows<K, V> {
    /// A row is there from here on.
    pub fn come(&mut self, key: K, value: V) {
        self.new.insert(key, value);
    }

    /// A row is there no longer.
    pub fn go(&mut self, key: K) {
        if self.new.remove(&key).is_none() {
            self.gone.insert(key);
        }
    }
}
