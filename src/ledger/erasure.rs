//! What the store holds of a person, and what it lets go of once they are forgotten.
//!
//! That their values cannot be opened any more is the append's doing: the key goes in the transaction of [`super::PERSON_ERASED`].
//! Here goes what is left beside the log: snapshots, and answers kept for repeated requests, which are sealed under the house's
//! own key. Doing it twice does no harm.

use serde::Serialize;
use serde_json::Value;

use super::append::open_outcome;
use super::envelope::{Recorded, StreamId};
use super::feed::{FeedError, rows};
use super::{AppendError, Ledger};

/// Receipts opened at a time.
const SLICE: i64 = 1_000;
/// Ids at least this long are not met by chance.
const TELLING: usize = 8;

/// How many events of one type cannot be read in full any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The aggregate.
    pub aggregate: String,
    /// The event type.
    pub event_type: String,
    /// How many of them hold values of the person.
    pub events: i64,
}

/// What was dropped beside the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Snapshots of their stream, or with their values in it.
    pub snapshots: u64,
    /// Answers kept for repeated requests, by them or about them.
    pub receipts: u64,
}

impl Ledger {
    /// Where a person was forgotten, if they were.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn erased_at(&self, person: &StreamId) -> Result<Option<i64>, sqlx::Error> {
        let found = sqlx::query_scalar!(
            "SELECT erased_position FROM subject_keys WHERE subject = $1",
            person.to_string(),
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(found.flatten())
    }

    /// The events by which people were forgotten after a position, in order.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn erasures_after(&self, position: i64) -> Result<Vec<Recorded>, FeedError> {
        let positions = sqlx::query_scalar!(
            r#"SELECT erased_position AS "position!" FROM subject_keys WHERE erased_position > $1"#,
            position,
        )
        .fetch_all(self.pool())
        .await?;
        self.events_at(&positions).await
    }

    /// The events that hold sealed values of a person, by type. Walks the log.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn holding(&self, person: &StreamId) -> Result<Vec<Unreadable>, sqlx::Error> {
        sqlx::query_as!(
            Unreadable,
            r#"SELECT e.aggregate_type AS aggregate, e.event_type, count(*) AS "events!"
               FROM events e
               WHERE $1 = ANY(e.subjects)
               GROUP BY 1, 2
               ORDER BY 1, 2"#,
            person.to_string(),
        )
        .fetch_all(self.pool())
        .await
    }

    /// The next `limit` events after a position that a person made, that stand on their stream or that hold values of
    /// theirs. Walks the log.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn concerning(
        &self,
        person: &StreamId,
        actor: Option<&str>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, FeedError> {
        let rows = rows!(
            "WHERE e.position > $1
               AND ($2 = ANY(e.subjects) OR e.metadata->>'actor' = $3
                    OR (e.aggregate_type = $4 AND e.aggregate_id = $5))
             ORDER BY e.position
             LIMIT $6",
            after,
            person.to_string(),
            actor,
            person.aggregate.as_ref(),
            person.id,
            limit,
        )
        .fetch_all(self.pool())
        .await?;
        self.opened(rows)
    }

    /// Drops what stands beside the log of a person who was forgotten at `position`, on this node and in the database.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn drop_traces(
        &self,
        person: &StreamId,
        actor: Option<&str>,
        position: i64,
    ) -> Result<Dropped, sqlx::Error> {
        self.ring().forget(&person.to_string());
        let snapshots = sqlx::query!(
            "DELETE FROM snapshots
             WHERE $1 = ANY(subjects) OR (aggregate_type = $2 AND aggregate_id = $3)",
            person.to_string(),
            person.aggregate.as_ref(),
            person.id,
        )
        .execute(self.pool())
        .await?;
        // A receipt stands at the last event of its job: by them, on their stream, or with values of theirs.
        let theirs = sqlx::query!(
            "DELETE FROM idempotency_keys k
             USING events e
             WHERE e.position = k.position AND k.position < $5
               AND (e.metadata->>'actor' = $4 OR $1 = ANY(e.subjects)
                    OR (e.aggregate_type = $2 AND e.aggregate_id = $3))",
            person.to_string(),
            person.aggregate.as_ref(),
            person.id,
            actor,
            position,
        )
        .execute(self.pool())
        .await?;
        let named = self.drop_named(person, actor, position).await?;
        Ok(Dropped {
            snapshots: snapshots.rows_affected(),
            receipts: theirs.rows_affected() + named,
        })
    }

    /// Drops the receipts whose outcome names a person. All there are is a day's.
    async fn drop_named(
        &self,
        person: &StreamId,
        actor: Option<&str>,
        position: i64,
    ) -> Result<u64, sqlx::Error> {
        let mut after: Vec<u8> = Vec::new();
        let mut dropped = 0;
        loop {
            let page = sqlx::query!(
                "SELECT key, digest, outcome FROM idempotency_keys
                 WHERE key > $1 AND position < $2
                 ORDER BY key
                 LIMIT $3",
                after,
                position,
                SLICE,
            )
            .fetch_all(self.pool())
            .await?;
            let Some(last) = page.last() else {
                return Ok(dropped);
            };
            after.clone_from(&last.key);
            let named: Vec<Vec<u8>> = page
                .into_iter()
                .filter(|row| {
                    let outcome = self.outcome(&row.digest, &row.outcome);
                    outcome.is_ok_and(|outcome| names(&outcome, person, actor))
                })
                .map(|row| row.key)
                .collect();
            if !named.is_empty() {
                let gone = sqlx::query!("DELETE FROM idempotency_keys WHERE key = ANY($1)", &named)
                    .execute(self.pool())
                    .await?;
                dropped += gone.rows_affected();
            }
        }
    }

    /// What a receipt keeps. One that does not open or read says nothing to anybody.
    fn outcome(&self, digest: &[u8], sealed: &[u8]) -> Result<Value, AppendError> {
        let damaged = || AppendError::Data("a receipt is damaged".to_owned());
        let digest = <[u8; 32]>::try_from(digest).map_err(|_| damaged())?;
        let clear = open_outcome(self.ring().keys(), &digest, sealed)?;
        serde_json::from_slice(&clear).map_err(|_| damaged())
    }
}

/// Does an outcome speak of a person? As a stream it looked at, or in a text.
fn names(outcome: &Value, person: &StreamId, actor: Option<&str>) -> bool {
    match outcome {
        Value::Object(map) => {
            let says = |key: &str, text: &str| map.get(key).and_then(Value::as_str) == Some(text);
            (says("aggregate", &person.aggregate) && says("id", &person.id))
                || map.values().any(|child| names(child, person, actor))
        }
        Value::Array(items) => items.iter().any(|child| names(child, person, actor)),
        Value::String(text) => {
            let own = person.id.rsplit(':').next().unwrap_or(&person.id);
            *text == person.to_string()
                || Some(text.as_str()) == actor
                || (own.len() >= TELLING && text.contains(own))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_outcome_names_whom_it_looked_at_and_whom_it_tells_of() {
        let customer = StreamId::new("Customer", "17");
        let named = |outcome: Value| names(&outcome, &customer, Some("customer:17"));
        let looked_at = |aggregate: &str, id: &str| {
            json!({ "outcome": { "Ok": null }, "changes": [
            { "aggregate": aggregate, "id": id, "version": 3, "events": [] }] })
        };
        assert!(named(looked_at("Customer", "17")));
        assert!(named(
            json!({ "outcome": { "Ok": { "by": "customer:17" } } })
        ));
        assert!(named(json!(["Customer:17"])));
        assert!(!named(looked_at("Card", "17")));
        assert!(!named(looked_at("Customer", "171")));
        assert!(!named(json!({ "outcome": { "Ok": "17 of 18" } })));
        let member = StreamId::new("Account", "community:0123456789abcdef");
        let text = json!({ "outcome": { "Ok": "/u/0123456789abcdef/x" } });
        assert!(names(&text, &member, None));
        assert!(!names(&text, &StreamId::new("Account", "backend:1"), None));
    }
}
