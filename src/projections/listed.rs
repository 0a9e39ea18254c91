//! Rows of things of the catalogue, for the read models that hold some: `catalogue` and `tickets`.
//!
//! Staff makes few of them and changes them seldom, so a row's new values travel as one JSON object, in the words of the
//! event: a field that is absent stays, and `null` clears. A row comes to be with whatever concerns it first, its making or
//! somebody's reaction to it, and is shown once it was made.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{FoldError, at};
use crate::events::Fact;
use crate::events::listed::{Listing, Told};

/// Changed rows by their ids.
pub(super) struct Rows<K, const COUNTS: usize>(BTreeMap<K, Row<COUNTS>>);

/// What becomes of one row: new values of some columns, and by how much its counters move.
struct Row<const COUNTS: usize> {
    fields: Map<String, Value>,
    counts: [i64; COUNTS],
}

/// Changed rows as columns.
pub(super) struct Columns<K, const COUNTS: usize> {
    pub ids: Vec<K>,
    pub fields: Vec<Value>,
    pub counts: [Vec<i64>; COUNTS],
}

impl<K, const COUNTS: usize> Default for Rows<K, COUNTS> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, const COUNTS: usize> Rows<K, COUNTS> {
    /// Folds one fact of a thing of the catalogue.
    pub fn fold<D: Listing>(
        &mut self,
        id: K,
        fact: &Fact,
        event: &D::Event,
    ) -> Result<(), FoldError> {
        let fields = match D::told(event) {
            Told::Created(details) => {
                let mut fields = object(fact, details)?;
                let made_at = at(fact);
                fields.insert("created_at".to_owned(), json!(made_at));
                fields.insert("shown".to_owned(), json!(true));
                fields
            }
            Told::Edited(edit) => object(fact, edit)?,
            Told::Withdrawn => Map::from_iter([("shown".to_owned(), json!(false))]),
            Told::Restored => Map::from_iter([("shown".to_owned(), json!(true))]),
        };
        self.of(id).fields.extend(fields);
        Ok(())
    }

    /// Moves a counter.
    pub fn count(&mut self, id: K, counter: usize, by: i64) {
        self.of(id).counts[counter] += by;
    }

    fn of(&mut self, id: K) -> &mut Row<COUNTS> {
        self.0.entry(id).or_insert_with(|| Row {
            fields: Map::new(),
            counts: [0; COUNTS],
        })
    }

    /// The rows as columns; `None` when there are none.
    pub fn columns(self) -> Option<Columns<K, COUNTS>> {
        if self.0.is_empty() {
            return None;
        }
        let mut columns = Columns {
            ids: Vec::with_capacity(self.0.len()),
            fields: Vec::with_capacity(self.0.len()),
            counts: std::array::from_fn(|_| Vec::with_capacity(self.0.len())),
        };
        for (id, row) in self.0 {
            columns.ids.push(id);
            columns.fields.push(Value::Object(row.fields));
            for (column, count) in columns.counts.iter_mut().zip(row.counts) {
                column.push(count);
            }
        }
        Some(columns)
    }
}

fn object(fact: &Fact, value: &impl Serialize) -> Result<Map<String, Value>, FoldError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => Ok(fields),
        other => Err(FoldError::Data(format!(
            "{} is described by {other:?}",
            fact.place.stream
        ))),
    }
}
