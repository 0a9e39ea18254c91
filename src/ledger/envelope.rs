//! What stands around an event: its stream, its metadata, its place in the log.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names a stream: `{aggregate}:{id}` (contract README section 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// The aggregate's type, as `Task`.
    pub aggregate: Cow<'static, str>,
    /// The id part, as `17` or `backend:1`.
    pub id: String,
}

impl StreamId {
    /// The stream of an aggregate known at compile time.
    pub fn new(aggregate: &'static str, id: impl Into<String>) -> Self {
        Self {
            aggregate: Cow::Borrowed(aggregate),
            id: id.into(),
        }
    }

    /// The stream of an aggregate named at run time (audits, rows).
    pub fn dynamic(aggregate: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            aggregate: Cow::Owned(aggregate.into()),
            id: id.into(),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.aggregate, self.id)
    }
}

/// Why a text names no stream.
#[derive(Debug, thiserror::Error)]
#[error("a stream is written Aggregate:id, not {0:?}")]
pub struct NotAStream(String);

impl FromStr for StreamId {
    type Err = NotAStream;

    fn from_str(text: &str) -> Result<Self, NotAStream> {
        match text.split_once(':') {
            Some((aggregate, id)) if !aggregate.is_empty() && !id.is_empty() => {
                Ok(Self::dynamic(aggregate, id))
            }
            _ => Err(NotAStream(text.to_owned())),
        }
    }
}

/// Who made an event, through which door, answering what. Stored as a flat map of texts, which is what
/// stock cqrs-es expects of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// `{kind}:{id}` as `staff:1`, `member:…`, `system:expiry`, or `anonymous`.
    pub actor: String,
    /// The surface: `backend`, `community`, `admin`, `cli` …
    pub surface: String,
    /// The request that caused the event; every event of one request carries the same.
    pub request_id: Uuid,
    /// The event or request that led to this request, when the system itself acted.
    pub causation: Option<String>,
    /// What ties several requests together, as given by the caller.
    pub correlation: Option<String>,
    /// When it was decided, by the service's clock (UTC, milliseconds).
    pub at: DateTime<Utc>,
}

impl Metadata {
    /// The stored JSON. The order of keys is fixed, so equal metadata are equal bytes.
    ///
    /// # Panics
    /// Never: a map of texts always serializes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut map = BTreeMap::from([
            ("actor", self.actor.clone()),
            ("at", self.at.timestamp_millis().to_string()),
            ("request_id", self.request_id.to_string()),
            ("surface", self.surface.clone()),
        ]);
        if let Some(causation) = &self.causation {
            map.insert("causation", causation.clone());
        }
        if let Some(correlation) = &self.correlation {
            map.insert("correlation", correlation.clone());
        }
        serde_json::to_string(&map).expect("a map of texts serializes")
    }

    /// Reads stored metadata. What is missing reads as empty, because stock writers store what they like.
    ///
    /// # Errors
    /// When the text is not an object of texts.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        let mut map: BTreeMap<String, String> = serde_json::from_str(json)?;
        let millis = map.get("at").and_then(|at| at.parse().ok()).unwrap_or(0);
        Ok(Self {
            actor: map.remove("actor").unwrap_or_default(),
            surface: map.remove("surface").unwrap_or_default(),
            request_id: map
                .get("request_id")
                .and_then(|id| id.parse().ok())
                .unwrap_or_default(),
            causation: map.remove("causation"),
            correlation: map.remove("correlation"),
            at: Utc
                .timestamp_millis_opt(millis)
                .single()
                .unwrap_or_default(),
        })
    }
}

/// An event on its way into the log.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Made before the append (`UUIDv7`), so that a batch can be sent again without doubling.
    pub event_id: Uuid,
    /// The variant's name, as `TaskCreated`.
    pub event_type: Cow<'static, str>,
    /// The version of its fields, as `1`.
    pub event_version: Cow<'static, str>,
    /// Its JSON with personal values in clear (see [`super::Personal`]); the append seals them.
    pub payload: String,
}

/// An event as the log holds it, personal values opened.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// 1, 2, 3 … without a hole, in commit order.
    pub position: i64,
    /// Unique in the log.
    pub event_id: Uuid,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// 1, 2, 3 … within its stream.
    pub sequence: i64,
    /// The variant's name.
    pub event_type: String,
    /// The version of its fields.
    pub event_version: String,
    /// Its JSON, personal values opened or marked erased.
    pub payload: String,
    /// Its metadata as stored.
    pub metadata: String,
    /// When the log took it. Never goes backwards along positions.
    pub recorded_at: DateTime<Utc>,
}

/// Where an event stands: all that a fold needs to know of it beside what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// 1, 2, 3 … without a hole, in commit order.
    pub position: i64,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// The variant's name.
    pub event_type: String,
    /// When the log took it. Never goes backwards along positions.
    pub recorded_at: DateTime<Utc>,
}

/// What an event says, in its place. Who made it, and its number in its stream, are left out.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where it stands.
    pub place: Place,
    /// The version of its fields.
    pub event_version: String,
    /// Its JSON, personal values opened or marked erased.
    pub payload: String,
}

impl From<Recorded> for Told {
    fn from(recorded: Recorded) -> Self {
        Self {
            place: Place {
                position: recorded.position,
                stream: recorded.stream,
                event_type: recorded.event_type,
                recorded_at: recorded.recorded_at,
            },
            event_version: recorded.event_version,
            payload: recorded.payload,
        }
    }
}

impl Recorded {
    /// The metadata, parsed.
    ///
    /// # Errors
    /// When they are not what [`Metadata::from_json`] reads.
    pub fn metadata(&self) -> Result<Metadata, serde_json::Error> {
        Metadata::from_json(&self.metadata)
    }
}

/// A position that leaves the house: the log's generation and the position (`X-Position: 1-4711`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Raised by a restore, so that positions of a lost tail are recognized.
    pub generation: i64,
    /// The position.
    pub position: i64,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.generation, self.position)
    }
}

impl FromStr for Mark {
    type Err = NotAMark;

    fn from_str(text: &str) -> Result<Self, NotAMark> {
        let (generation, position) = text.split_once('-').ok_or(NotAMark)?;
        let generation: i64 = generation.parse().map_err(|_| NotAMark)?;
        let position: i64 = position.parse().map_err(|_| NotAMark)?;
        if generation < 1 || position < 0 {
            return Err(NotAMark);
        }
        Ok(Self {
            generation,
            position,
        })
    }
}

/// Why a text is no [`Mark`].
#[derive(Debug, thiserror::Error)]
#[error("a position is written <generation>-<position>")]
pub struct NotAMark;
