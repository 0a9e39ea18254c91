//! What a stream was at a point of the log, and what changed between two: for audits, which meet all aggregates alike.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

use super::fold_of;
use crate::ledger::{DecodeError, FeedError, Ledger, Recorded, StreamId};

/// Events of a stream that are in memory at once.
const PAGE: i64 = 500;

/// A moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Up to and with this position.
    Position(i64),
    /// Recorded before or at this time.
    Time(DateTime<Utc>),
}

impl Point {
    /// The last position that it includes; 0 before the first event.
    ///
    /// # Errors
    /// [`PointError`].
    pub async fn position(self, ledger: &Ledger) -> Result<i64, PointError> {
        match self {
            Self::Time(time) => Ok(ledger.position_at(time).await?),
            Self::Position(position) if position < 0 => Err(PointError::Negative),
            Self::Position(position) => {
                let end = ledger.head().await?.position;
                if position > end {
                    return Err(PointError::Ahead { position, end });
                }
                Ok(position)
            }
        }
    }

    fn includes(self, event: &Recorded) -> bool {
        match self {
            Self::Position(position) => event.position <= position,
            Self::Time(time) => event.recorded_at <= time,
        }
    }
}

/// Why a text names no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a time as 2026-01-31, 2026-01-31 08:00:00 or 2026-01-31T08:00:00+08:00")]
pub struct NotATime;

/// From here on a number is a time in milliseconds, as the wire tells it, and no position: 2001, and more events than any
/// log has.
const MILLISECONDS: i64 = 1_000_000_000_000;

impl FromStr for Point {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        match text.parse() {
            // The wire cuts times to milliseconds: what happened within one is included.
            Ok(number) if number >= MILLISECONDS => DateTime::from_timestamp_millis(number)
                .map(|time| Self::Time(time + TimeDelta::microseconds(999)))
                .ok_or(NotATime),
            Ok(position) => Ok(Self::Position(position)),
            Err(_) => time(text).map(Self::Time),
        }
    }
}

/// Why a point of the log cannot be gone to.
#[derive(Debug, thiserror::Error)]
pub enum PointError {
    /// It is not there yet.
    #[error("position {position} is not there: the log ends at {end}")]
    Ahead {
        /// What was asked for.
        position: i64,
        /// The last position.
        end: i64,
    },
    /// No position is below 0.
    #[error("a position is a number from 0 on")]
    Negative,
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// Reads a time as people write it; UTC unless it says otherwise.
///
/// # Errors
/// [`NotATime`].
pub fn time(text: &str) -> Result<DateTime<Utc>, NotATime> {
    let day =
        |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|time| time.and_utc())
        })
        .or_else(|_| day(text).map(|time| time.and_utc()))
        .map_err(|_| NotATime)
}

/// A stream as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The sequence of its last event then.
    pub version: i64,
    /// That event's position.
    pub position: i64,
    /// When that event was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What its events added up to, personal values open.
    pub state: Value,
    /// What they had added up to at the earlier point, if one was asked for.
    pub before: Option<Value>,
}

/// Why the past of a stream is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// No aggregate of this build.
    #[error("this build does not know the aggregate {0}")]
    UnknownAggregate(String),
    /// The log cannot be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// An event does not decode.
    #[error("event {sequence}: {source}")]
    Decode {
        /// Its place in the stream.
        sequence: i64,
        /// What the decoder said.
        source: DecodeError,
    },
    /// The state does not serialize.
    #[error(transparent)]
    State(#[from] serde_json::Error),
}

/// A stream as it was `at` a point, and as it had been at the point `since`; `None` when it was not there then. It is read
/// page by page.
///
/// # Errors
/// [`PastError`].
pub async fn past(
    ledger: &Ledger,
    stream: &StreamId,
    at: Option<Point>,
    since: Option<Point>,
) -> Result<Option<Past>, PastError> {
    let unknown = || PastError::UnknownAggregate(stream.aggregate.to_string());
    let mut fold = fold_of(&stream.aggregate).ok_or_else(unknown)?;
    let mut before = None;
    let mut last: Option<(i64, i64, DateTime<Utc>)> = None;
    'stream: loop {
        let after = last.map_or(0, |(sequence, ..)| sequence);
        let page = ledger.stream_after(stream, after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for event in &page {
            if at.is_some_and(|at| !at.includes(event)) {
                break 'stream;
            }
            if before.is_none() && since.is_some_and(|since| !since.includes(event)) {
                before = Some(fold.state()?);
            }
            let sequence = event.sequence;
            let decode = |source| PastError::Decode { sequence, source };
            fold.apply(event).map_err(decode)?;
            last = Some((sequence, event.position, event.recorded_at));
        }
    }
    let Some((version, position, recorded_at)) = last else {
        return Ok(None);
    };
    let state = fold.state()?;
    Ok(Some(Past {
        version,
        position,
        recorded_at,
        before: since.map(|_| before.unwrap_or_else(|| state.clone())),
        state,
    }))
}

/// The leaves that differ, by their paths: before and after.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> BTreeMap<String, (Value, Value)> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    leaves(before, String::new(), &mut old);
    leaves(after, String::new(), &mut new);
    let mut changes = BTreeMap::new();
    for path in old.keys().chain(new.keys()) {
        let of = |leaves: &BTreeMap<String, Value>| leaves.get(path).cloned().unwrap_or_default();
        let (before, after) = (of(&old), of(&new));
        if before != after {
            changes.insert(path.clone(), (before, after));
        }
    }
    changes
}

fn leaves(value: &Value, path: String, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, child) in map {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(child, path, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (n, child) in items.iter().enumerate() {
                leaves(child, format!("{path}[{n}]"), into);
            }
        }
        leaf => {
            into.insert(path, leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_name_the_leaves_that_differ() {
        let before = json!({ "Open": { "role": 0, "tags": ["a", "b"], "same": 1 } });
        let after = json!({ "Open": { "role": 1, "tags": ["a"], "same": 1, "new": null } });
        let found = changes(&before, &after);
        let expected = [
            ("Open.role".to_owned(), (json!(0), json!(1))),
            ("Open.tags[1]".to_owned(), (json!("b"), Value::Null)),
        ];
        assert_eq!(found, BTreeMap::from(expected));
    }

    #[test]
    fn a_point_is_a_position_or_a_time() {
        assert_eq!("42".parse(), Ok(Point::Position(42)));
        assert!(matches!("2026-01-31".parse(), Ok(Point::Time(_))));
        assert_eq!("yesterday".parse::<Point>(), Err(NotATime));
        let end = time("2026-01-31T08:00:00.123999Z").unwrap();
        assert_eq!("1769846400123".parse(), Ok(Point::Time(end)));
    }

    #[test]
    fn times_are_read_as_utc_unless_they_say_otherwise() {
        let eight = time("2026-01-31 00:00:00").unwrap();
        assert_eq!(time("2026-01-31").unwrap(), eight);
        assert_eq!(time("2026-01-31T08:00:00+08:00").unwrap(), eight);
        assert!(time("yesterday").is_err());
    }
}
