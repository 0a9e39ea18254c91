//! `/feed`: the log as others may follow it, from any position on, with its live tail.
//!
//! Personal values do not leave through it: what has left the house cannot be erased. In their place stands whose they
//! are, `{"$personal":"Account:backend:1"}`, or `{"$erased":"Account:backend:1"}`.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::warn;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Ops;
use crate::api::problem::Problem;
use crate::events;
use crate::ledger::{FeedError, Follower, Ledger, Mark, NotAMark, Recorded};

/// Events written at once.
pub(in crate::api) const CHUNK: usize = 500;
/// How often a quiet feed says that it is there: an empty line, or an SSE comment.
pub(in crate::api) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where to begin and what to leave out.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wish {
    /// Begin after this position, `<generation>-<position>` as every event carries it. Absent: from the start.
    after: Option<String>,
    /// Only these aggregates, comma-separated: `Task,Media`.
    aggregate: Option<String>,
    /// `false`: end at the position the log has now instead of going on with what comes.
    live: Option<bool>,
}

/// One event of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedEvent)]
pub(in crate::api) struct Line<'a> {
    /// `<generation>-<position>`: begin after it to go on. Unique in the life of the log.
    #[schema(example = "1-4711")]
    position: &'a str,
    /// Unique for ever.
    event_id: Uuid,
    /// The aggregate's name.
    aggregate: &'a str,
    /// The id part of the stream.
    id: &'a str,
    /// 1, 2, 3 … within the stream.
    sequence: i64,
    /// The event's name.
    #[serde(rename = "type")]
    kind: &'a str,
    /// The version of its fields.
    version: &'a str,
    /// When the log took it, milliseconds since the epoch.
    recorded_at: i64,
    /// Who made it, through which door: actor, surface, `request_id`, at …
    #[schema(value_type = Object)]
    metadata: &'a RawValue,
    /// Its fields, without personal values.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
}

impl<'a> Line<'a> {
    /// An event at its position.
    pub(in crate::api) fn of(
        position: &'a str,
        event: &'a Recorded,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            position,
            event_id: event.event_id,
            aggregate: &event.stream.aggregate,
            id: &event.stream.id,
            sequence: event.sequence,
            kind: &event.event_type,
            version: &event.event_version,
            recorded_at: event.recorded_at.timestamp_millis(),
            metadata: serde_json::from_str(&event.metadata)?,
            payload: impersonal(&event.payload)?,
        })
    }
}

/// How events are written.
#[derive(Clone, Copy)]
pub(in crate::api) enum Form {
    /// One JSON object a line.
    Lines,
    /// Server-sent events.
    ServerSent,
}

/// The log, one JSON object a line (or server-sent events, when asked for with `Accept`).
#[utoipa::path(
    get,
    path = "/feed",
    tag = "ops",
    params(Wish),
    responses(
        (status = 200, description = "Newline-delimited JSON, without end unless `live=false`; empty lines say that the feed is alive.",
         body = Line, content_type = "application/x-ndjson"),
        (status = 400, description = "A parameter is malformed.", body = Problem),
        (status = 409, description = "The position is not of this log: it was restored, or is another.", body = Problem)
    )
)]
pub(super) async fn feed(
    State(ops): State<Ops>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let head = ops.ledger.head().await.map_err(|error| {
        warn!(error = %error, "The feed cannot begin: {error}");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the database is away",
        )
    })?;
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after = begin(
        &ops.ledger,
        resumed.or(wish.after.as_deref()),
        head.position,
    )?;
    let aggregates = wish.aggregate.as_deref().map(aggregates).transpose()?;
    let until = (wish.live == Some(false)).then_some(head.position);
    let form = Form::asked_for(&headers);
    let source = match until {
        Some(until) => Source::Kept {
            after,
            until,
            aggregates,
        },
        None => Source::Live(Box::new(ops.ledger.follow(after, aggregates))),
    };
    let stream = written(ops, source, form);
    let headers = [
        (CONTENT_TYPE, form.content_type()),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

fn begin(ledger: &Ledger, after: Option<&str>, head: i64) -> Result<i64, Problem> {
    let Some(after) = after else { return Ok(0) };
    let mark: Mark = after.parse().map_err(|error: NotAMark| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_position",
            error.to_string(),
        )
    })?;
    if mark.generation != ledger.mark(0).generation || mark.position > head {
        let sentence = format!(
            "{mark} is not a position of this log, which ends at {}",
            ledger.mark(head)
        );
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "foreign_position",
            sentence,
        ));
    }
    Ok(mark.position)
}

fn aggregates(wish: &str) -> Result<Vec<String>, Problem> {
    let known = events::catalogue();
    let name = |name: &str| {
        if known.iter().any(|(known, _)| *known == name) {
            return Ok(name.to_owned());
        }
        let sentence = format!("there is no aggregate {name:?}");
        Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "unknown_aggregate",
            sentence,
        ))
    };
    wish.split(',').map(|word| name(word.trim())).collect()
}

/// Where the events come from.
enum Source {
    /// The log and what comes.
    Live(Box<Follower>),
    /// The log as it was when somebody asked.
    Kept {
        after: i64,
        until: i64,
        aggregates: Option<Vec<String>>,
    },
}

impl Source {
    /// The next events; `None` at the end.
    async fn next(&mut self, ledger: &Ledger) -> Result<Option<Vec<Recorded>>, FeedError> {
        match self {
            Self::Live(follower) => follower.next(CHUNK).await.map(Some),
            Self::Kept { after, until, .. } if *after >= *until => Ok(None),
            Self::Kept {
                after,
                until,
                aggregates,
            } => {
                let limit = (*until - *after).min(i64::try_from(CHUNK).unwrap_or(i64::MAX));
                let mut events = ledger.read(*after, limit).await?;
                *after = events.last().map_or(*until, |event| event.position);
                if let Some(names) = aggregates {
                    events.retain(|event| names.iter().any(|name| *name == event.stream.aggregate));
                }
                Ok(Some(events))
            }
        }
    }
}

/// The feed as chunks of text. Ends with the service, at its end, or when the log cannot be read on; the reader begins
/// again after the last position it has.
fn written(ops: Ops, source: Source, form: Form) -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold(Some((ops, source)), move |state| async move {
        let (ops, mut source) = state?;
        let next = tokio::select! {
            next = tokio::time::timeout(HEARTBEAT, source.next(&ops.ledger)) => next,
            () = ops.stop.cancelled() => return None,
        };
        let mut chunk = Vec::new();
        match next {
            Err(_) => chunk.extend_from_slice(form.heartbeat()),
            Ok(Err(error)) => {
                warn!(error = %error, "A feed ends: {error}");
                return None;
            }
            Ok(Ok(None)) => return None,
            Ok(Ok(Some(events))) => {
                for event in &events {
                    if let Err(error) = form.write(&mut chunk, &ops.ledger, event) {
                        let position = event.position;
                        warn!(position, error = %error, "A feed ends before {position}: {error}");
                        return Some((Ok(Bytes::from(chunk)), None));
                    }
                }
            }
        }
        Some((Ok(Bytes::from(chunk)), Some((ops, source))))
    })
}

impl Form {
    /// Server-sent events where `Accept` names them.
    pub(in crate::api) fn asked_for(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
            Self::ServerSent
        } else {
            Self::Lines
        }
    }

    pub(in crate::api) fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson; charset=utf-8",
            Self::ServerSent => "text/event-stream; charset=utf-8",
        }
    }

    fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::Lines => b"\n",
            Self::ServerSent => b":\n\n",
        }
    }

    /// Adds an event to what is sent next.
    pub(in crate::api) fn write(
        self,
        chunk: &mut Vec<u8>,
        ledger: &Ledger,
        event: &Recorded,
    ) -> Result<(), serde_json::Error> {
        let position = ledger.mark(event.position).to_string();
        let line = Line::of(&position, event)?;
        let before = chunk.len();
        if let Self::ServerSent = self {
            chunk.extend_from_slice(format!("id: {position}\ndata: ").as_bytes());
        }
        if let Err(error) = serde_json::to_writer(&mut *chunk, &line) {
            chunk.truncate(before);
            return Err(error);
        }
        chunk.extend_from_slice(match self {
            Self::Lines => b"\n",
            Self::ServerSent => b"\n\n",
        });
        Ok(())
    }
}

/// The payload with the name of the person where a personal value stands.
fn impersonal(payload: &str) -> Result<Box<RawValue>, serde_json::Error> {
    if !payload.contains("\"$personal\"") {
        return RawValue::from_string(payload.to_owned());
    }
    let mut value: Value = serde_json::from_str(payload)?;
    blank(&mut value);
    serde_json::value::to_raw_value(&value)
}

/// The same within a value.
pub(in crate::api) fn blank(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(marker) = fields.get_mut("$personal") {
                *marker = marker.get(0).cloned().unwrap_or(Value::Null);
            } else {
                fields.values_mut().for_each(blank);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_values_do_not_leave_the_house() {
        let payload = r#"{"name":{"$personal":["Account:backend:1","Wang"]},"role":1,"old":{"$erased":"Account:backend:2"},
            "list":[{"$personal":["Account:backend:3",{"deep":"x"}]}]}"#;
        let shown: Value = serde_json::from_str(impersonal(payload).unwrap().get()).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({
                "name": {"$personal": "Account:backend:1"},
                "role": 1,
                "old": {"$erased": "Account:backend:2"},
                "list": [{"$personal": "Account:backend:3"}]
            })
        );
    }

    #[test]
    fn a_payload_without_persons_leaves_as_it_is_stored() {
        let payload = r#"{"b": 1.0, "a":2}"#;
        assert_eq!(impersonal(payload).unwrap().get(), payload);
    }
}
