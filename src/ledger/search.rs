//! Looking for events, for audits and for work that is taken up again. Not a feed: what does not match is passed over.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::PgPool;

use super::Ledger;
use super::envelope::{Recorded, StreamId};
use super::feed::{FeedError, Row, rows, unopened};

/// Positions that one statement looks through for what a request caused.
const STRETCH: i64 = 50_000;

/// What an audit looks for. Absent fields match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The event type, as `TaskCreated`.
    pub event_type: Option<String>,
    /// The aggregate, as `Task`.
    pub aggregate: Option<String>,
    /// Who made it, as `staff:1`.
    pub actor: Option<String>,
    /// Recorded at or after.
    pub since: Option<DateTime<Utc>>,
    /// Recorded before.
    pub until: Option<DateTime<Utc>>,
    /// What its fields must be, all of them.
    pub conditions: Vec<Condition>,
    /// Whether conditions are held against what personal values say; otherwise they only meet the sealed ones.
    pub opened: bool,
    /// Only what follows this position.
    pub after: i64,
    /// Nothing beyond this position.
    pub through: Option<i64>,
}

/// What a field of an event must be: `note=n`, `cover.url=…`, `images.0=…`; without a value it must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The names of the fields on the way to it, with dots between them; places in lists count from 0.
    pub path: String,
    /// What it must say, as text; `None` when it must only be there.
    pub value: Option<String>,
}

/// Why a text is no [`Condition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a condition is written field=value, field.inner=value or only field")]
pub struct NotACondition;

impl FromStr for Condition {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, NotACondition> {
        let (path, value) = match text.split_once('=') {
            Some((path, value)) => (path, Some(value.to_owned())),
            None => (text, None),
        };
        // U+0000 cannot be sent to the database, and stands in no event.
        if path.split('.').any(str::is_empty) || text.contains('\0') {
            return Err(NotACondition);
        }
        Ok(Self {
            path: path.to_owned(),
            value,
        })
    }
}

impl Condition {
    /// Do these fields meet it?
    fn is_met(&self, fields: &Value) -> bool {
        let mut at = clear(fields);
        for step in self.path.split('.') {
            let next = match at {
                Value::Object(map) => map.get(step),
                Value::Array(items) => step.parse().ok().and_then(|n: usize| items.get(n)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            };
            let Some(next) = next else { return false };
            at = clear(next);
        }
        match (&self.value, at) {
            (None, _) => true,
            (Some(_), Value::Null) => false,
            (Some(wanted), Value::String(text)) => wanted == text,
            (Some(wanted), other) => {
                let text = other.to_string();
                *wanted == text
            }
        }
    }
}

/// What a personal value says, where it is open.
fn clear(value: &Value) -> &Value {
    match value {
        Value::Object(map) if map.len() == 1 => {
            let open = map.get("$personal").and_then(|body| body.get(1));
            open.unwrap_or(value)
        }
        _ => value,
    }
}

impl Search {
    /// Does an event that is in hand match? Its payload is taken as it is: whoever must not learn what personal values
    /// say hands over one without them.
    #[must_use]
    pub fn matches(&self, event: &Recorded, payload: &Value) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        is(&self.event_type, &event.event_type)
            && is(&self.aggregate, &event.stream.aggregate)
            && self.since.is_none_or(|since| event.recorded_at >= since)
            && self.until.is_none_or(|until| event.recorded_at < until)
            && (self.actor.is_none()
                || (event.metadata()).is_ok_and(|metadata| is(&self.actor, &metadata.actor)))
            && self.meets(&event.event_type, payload)
    }

    /// Payloads are `{"<type>": {…}}`.
    fn meets(&self, event_type: &str, payload: &Value) -> bool {
        self.conditions.is_empty()
            || (payload.get(event_type))
                .is_some_and(|fields| self.conditions.iter().all(|c| c.is_met(fields)))
    }
}

/// What requests under one correlation have recorded on one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The correlation.
    pub correlation: String,
    /// The stream.
    pub stream: StreamId,
    /// How many events.
    pub events: i64,
}

impl Ledger {
    /// The first `limit` events that match, in order. Walks the log, narrowed by time and position.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn search(&self, wanted: &Search, limit: i64) -> Result<Vec<Recorded>, FeedError> {
        let mut wanted = wanted.clone();
        self.settle(&mut wanted).await?;
        wanted.through = wanted.through.into_iter().chain(self.past()).min();
        if !wanted.opened || wanted.conditions.is_empty() {
            return self.matching(&wanted, limit).await;
        }
        // What is sealed in the database is only opened here.
        let closed = std::mem::take(&mut wanted.conditions);
        let open = Search {
            conditions: closed,
            ..Search::default()
        };
        let (mut found, enough) = (Vec::new(), usize::try_from(limit).unwrap_or(usize::MAX));
        let page = limit.clamp(500, 5_000);
        while found.len() < enough {
            let events = self.matching(&wanted, page).await?;
            let Some(last) = events.last() else { break };
            wanted.after = last.position;
            let whole = usize::try_from(page).unwrap_or(usize::MAX);
            let is_last = events.len() < whole;
            found.extend(events.into_iter().filter(|event| {
                let payload = serde_json::from_str(&event.payload).unwrap_or_default();
                open.meets(&event.event_type, &payload)
            }));
            if is_last {
                break;
            }
        }
        found.truncate(enough);
        Ok(found)
    }

    /// Turns the times of a search into positions, once for all its pages: a time that is passed does not move.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn settle(&self, wanted: &mut Search) -> Result<(), sqlx::Error> {
        let pool = self.pool();
        if let Some(since) = wanted.since.take() {
            wanted.after = wanted.after.max(before(pool, since).await?);
        }
        if let Some(until) = wanted.until.take() {
            let last = before(pool, until).await?;
            wanted.through = Some(wanted.through.map_or(last, |through| through.min(last)));
        }
        Ok(())
    }

    /// The last position recorded at a time or before it; 0 when there is none.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn position_at(&self, time: DateTime<Utc>) -> Result<i64, sqlx::Error> {
        // The log's times are whole microseconds.
        before(self.pool(), time + TimeDelta::microseconds(1)).await
    }

    async fn matching(&self, wanted: &Search, limit: i64) -> Result<Vec<Recorded>, FeedError> {
        let paths: Vec<String> = wanted.conditions.iter().map(|c| c.path.clone()).collect();
        let values: Vec<Option<String>> =
            wanted.conditions.iter().map(|c| c.value.clone()).collect();
        let rows = rows!(
            "WHERE e.position > $1 AND e.position <= $2
               AND ($3::text IS NULL OR e.event_type = $3)
               AND ($4::text IS NULL OR e.aggregate_type = $4)
               AND ($5::text IS NULL OR e.metadata->>'actor' = $5)
               AND (cardinality($6::text[]) = 0 OR NOT EXISTS (
                   SELECT FROM unnest($6::text[], $7::text[]) AS c(path, value)
                   WHERE CASE WHEN c.value IS NULL
                              THEN e.payload #> (ARRAY[e.event_type] || string_to_array(c.path, '.')) IS NULL
                              ELSE e.payload #>> (ARRAY[e.event_type] || string_to_array(c.path, '.'))
                                   IS DISTINCT FROM c.value END))
             ORDER BY e.position
             LIMIT $8",
            wanted.after,
            wanted.through.unwrap_or(i64::MAX),
            wanted.event_type,
            wanted.aggregate,
            wanted.actor,
            &paths,
            &values as &[Option<String>],
            limit,
        )
        .fetch_all(self.pool())
        .await?;
        self.opened(rows)
    }

    /// The next `limit` events of one stream after one of its sequences, in order.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn stream_after(
        &self,
        stream: &StreamId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, FeedError> {
        let rows = rows!(
            "WHERE e.aggregate_type = $1 AND e.aggregate_id = $2 AND e.sequence > $3
             ORDER BY e.sequence
             LIMIT $4",
            &*stream.aggregate,
            &stream.id,
            after,
            limit,
        )
        .fetch_all(self.pool())
        .await?;
        let rows = rows.into_iter().filter(|row| self.reaches(row.position));
        self.opened(rows.collect())
    }

    /// The events at these positions, in order.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn events_at(&self, positions: &[i64]) -> Result<Vec<Recorded>, FeedError> {
        let rows = rows!(
            "WHERE e.position = ANY($1)
             ORDER BY e.position",
            positions,
        )
        .fetch_all(self.pool())
        .await?;
        self.opened(rows)
    }

    /// Opens what rows hold of persons.
    pub(super) fn opened(&self, rows: Vec<Row>) -> Result<Vec<Recorded>, FeedError> {
        rows.into_iter()
            .map(|row| {
                let position = row.position;
                row.open(self.ring()).map_err(unopened(position))
            })
            .collect()
    }

    /// What a request (its id), several of them (their correlation) or one event (its id) recorded and all it caused:
    /// positions, and how many causes lie between. `progress` hears how far the log was looked through.
    ///
    /// One walk is enough, because nothing is caused by what comes later. Only what is found is kept in memory.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn caused_by(
        &self,
        start: &str,
        mut progress: impl FnMut(i64),
    ) -> Result<BTreeMap<i64, u32>, sqlx::Error> {
        let head = self.head().await?.position;
        let mut found = BTreeMap::new();
        // Requests and events that may be named as a cause, and how far from the start they are.
        let mut causes: HashMap<String, u32> = HashMap::new();
        let mut after = 0;
        while after < head {
            let through = (after + STRETCH).min(head);
            loop {
                let known: Vec<String> = causes.keys().cloned().collect();
                let rows = sqlx::query!(
                    r#"SELECT position, event_id, metadata->>'request_id' AS request, metadata->>'causation' AS cause,
                              (event_id::text = $3 OR metadata->>'request_id' = $3
                               OR metadata->>'correlation' = $3) IS TRUE AS "start!"
                       FROM events
                       WHERE position > $1 AND position <= $2
                         AND (event_id::text = $3 OR metadata->>'request_id' = $3
                              OR metadata->>'correlation' = $3 OR metadata->>'causation' = ANY($4))
                       ORDER BY position"#,
                    after,
                    through,
                    start,
                    &known,
                )
                .fetch_all(self.pool())
                .await?;
                let before = found.len();
                for row in rows {
                    let level = match row.cause.as_ref().and_then(|cause| causes.get(cause)) {
                        _ if row.start => 0,
                        Some(level) => level + 1,
                        None => continue,
                    };
                    if found.contains_key(&row.position) {
                        continue;
                    }
                    found.insert(row.position, level);
                    causes.entry(row.event_id.to_string()).or_insert(level);
                    // Of an event that was asked for by its own id the rest of its request is no consequence.
                    if row.event_id.to_string() != start {
                        row.request.map(|id| causes.entry(id).or_insert(level));
                    }
                }
                if found.len() == before {
                    break;
                }
            }
            after = through;
            progress(after);
        }
        Ok(found)
    }

    /// What requests whose correlation begins with `prefix` have recorded through the door `surface`. Walks the log.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn traces(&self, surface: &str, prefix: &str) -> Result<Vec<Trace>, sqlx::Error> {
        let rows = sqlx::query!(
            r#"SELECT e.metadata->>'correlation' AS "correlation!", e.aggregate_type, e.aggregate_id,
                      count(*) AS "events!"
               FROM events e
               WHERE e.metadata->>'surface' = $1 AND starts_with(e.metadata->>'correlation', $2)
               GROUP BY 1, 2, 3
               ORDER BY min(e.position)"#,
            surface,
            prefix,
        )
        .fetch_all(self.pool())
        .await?;
        let traces = rows.into_iter().map(|row| Trace {
            correlation: row.correlation,
            stream: StreamId::dynamic(row.aggregate_type, row.aggregate_id),
            events: row.events,
        });
        Ok(traces.collect())
    }
}

/// The last position recorded before a time, by halving: times never go backwards along positions.
async fn before(pool: &PgPool, time: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let head = sqlx::query_scalar!("SELECT position FROM events ORDER BY position DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    let (mut low, mut high) = (0, head.unwrap_or(0));
    while low < high {
        let middle = low + (high - low + 1) / 2;
        let earlier = sqlx::query_scalar!(
            r#"SELECT recorded_at < $2 AS "earlier!" FROM events WHERE position <= $1 ORDER BY position DESC LIMIT 1"#,
            middle,
            time,
        )
        .fetch_optional(pool)
        .await?;
        if earlier.unwrap_or(true) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn met(condition: &str, fields: &Value) -> bool {
        condition.parse::<Condition>().unwrap().is_met(fields)
    }

    #[test]
    fn a_condition_names_a_field_and_perhaps_what_it_says() {
        let fields = json!({
            "note": "n", "size": 7, "on": true, "gone": null, "cover": { "url": "a=b" }, "images": ["x", "y"],
            "name": { "$personal": ["Account:backend:1", "Wang"] }, "old": { "$erased": "Account:backend:2" },
        });
        for holds in [
            "note=n",
            "note",
            "size=7",
            "on=true",
            "gone",
            "cover.url=a=b",
            "images.1=y",
            "name=Wang",
            "old",
        ] {
            assert!(met(holds, &fields), "{holds}");
        }
        for fails in [
            "note=N",
            "note=",
            "nope",
            "size=07",
            "gone=null",
            "gone=",
            "images.2",
            "images.x",
            "note.x",
            "old=x",
        ] {
            assert!(!met(fails, &fields), "{fails}");
        }
        for bad in ["", "=n", "a..b=1", ".a", "a.", "a=\0"] {
            assert!(bad.parse::<Condition>().is_err(), "{bad:?}");
        }
    }
}
