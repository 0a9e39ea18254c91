//! Audits over HTTP, for staff with the right to them: they read the log and change nothing.
//!
//! Personal values do not leave through them, opened or sealed: in their place stands whose they are, as in the operators'
//! feed. Whoever must read them asks at the machine, with the master key (`shiji audit … --personal`).

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::warn;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Failure, Refused};
use super::fields::Flaws;
use super::target::bit;
use crate::api::answer;
use crate::api::app::App;
use crate::api::identity;
use crate::api::ops::feed::{CHUNK, Form, HEARTBEAT, Line, blank};
use crate::events;
use crate::events::past::{self, Point};
use crate::ledger::{Follower, Mark, Recorded, Search, StreamId};

/// Events of a page unless the caller says how many.
const LIMIT: i64 = 100;
/// Events of a page at most.
const LIMIT_MAX: i64 = 500;
/// Positions that one page looks through: a filter that little matches must not walk the whole log in one request.
const REACH: i64 = 20_000;

/// What an audit answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffAudit)]
pub(super) struct Told<T: ToSchema> {
    /// 0: answered. Otherwise a refusal: 302 not found, 303 validation, 306 account disabled, 401 not logged in,
    /// 403 forbidden, 409 conflict.
    code: u16,
    /// `ok`, or the refusal for people.
    msg: &'static str,
    /// `""`, or the refusal for programs.
    error: &'static str,
    /// What was found.
    data: T,
}

fn told<T: Serialize + ToSchema>(data: T) -> Response {
    let told = Told {
        code: 0,
        msg: "ok",
        error: "",
        data,
    };
    answer::json(StatusCode::OK, &told)
}

/// A part of a stream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedStream)]
pub(super) struct StreamPage {
    /// The aggregate's name.
    aggregate: String,
    /// The id part of the stream.
    id: String,
    /// Its events, in order.
    #[schema(value_type = Vec<Line<'static>>)]
    events: Vec<Box<RawValue>>,
    /// The `after` of the next page; null when this is the last.
    next: Option<i64>,
}

/// A part of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedEvents)]
pub(super) struct EventsPage {
    /// What matches, in order.
    #[schema(value_type = Vec<Line<'static>>)]
    events: Vec<Box<RawValue>>,
    /// The `after` of the next page; null at the end of the log. A page looks through 20,000 positions at most, so it may
    /// have few events, or none, and still not be the last.
    #[schema(example = "1-4711")]
    next: Option<String>,
}

/// A thing as it was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedState)]
pub(super) struct StateThen {
    /// The aggregate's name.
    aggregate: String,
    /// The id part of the stream.
    id: String,
    /// How many events it had had.
    version: i64,
    /// The position of the last of them, `<generation>-<position>`.
    #[schema(example = "1-4711")]
    position: String,
    /// When that was recorded, milliseconds since the epoch.
    recorded_at: i64,
    /// What they add up to, without personal values.
    #[schema(value_type = Object)]
    state: Value,
    /// With `since`: what changed from then on, by path. Otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<BTreeMap<String, Change>>,
}

/// A leaf that changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedChange)]
pub(super) struct Change {
    /// What it was; null when it was not there.
    #[schema(value_type = Object)]
    before: Value,
    /// What it is; null when it is gone.
    #[schema(value_type = Object)]
    after: Value,
}

/// What of a stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read by hand")]
pub(super) struct StreamQuery {
    /// Only what follows this sequence of the stream; 0 by default.
    after: Option<i64>,
    /// 1 to 500 events; 100 by default.
    limit: Option<i64>,
}

/// Which events.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read by hand")]
pub(super) struct EventsQuery {
    /// Only this type, as `TaskCreated`.
    r#type: Option<String>,
    /// Only this aggregate, as `Task`.
    aggregate: Option<String>,
    /// Only what this actor did, as `staff:1`.
    actor: Option<String>,
    /// Only with this field (`note`), or with a field that says this (`note=n`, `cover.url=…`, `images.0=…`). May be given
    /// several times. Personal fields can be asked for, what they say cannot.
    r#where: Option<Vec<String>>,
    /// Only what was recorded at or after this time: `2026-01-31`, `2026-01-31 08:00:00` (UTC) or RFC 3339.
    since: Option<String>,
    /// Only what was recorded before this time.
    until: Option<String>,
    /// Only what follows this position, `<generation>-<position>`.
    after: Option<String>,
    /// 1 to 500 events; 100 by default. Not for server-sent events.
    limit: Option<i64>,
}

/// At what point.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read by hand")]
pub(super) struct StateQuery {
    /// As it was at this position of the log, or at this time; now without it.
    at: Option<String>,
    /// Also what changed since this earlier position or time.
    since: Option<String>,
}

/// Events of one thing.
///
/// With who made them, when, through which request and why, page by page. Needs role 1 or permission bit 512.
#[utoipa::path(
    get, path = "/admin/streams/{aggregate}/{id}", tag = "admin", operation_id = "audit_stream",
    security(("backend_session" = []), ("bearer" = [])),
    params(
        ("aggregate" = String, Path, description = "The aggregate's name, exact spelling."),
        ("id" = String, Path, description = "The id part of the stream."),
        StreamQuery
    ),
    responses(
        (status = 200, description = "Found (`code` 0), or a refusal with its code.", body = Told<StreamPage>),
        (status = 404, description = "The aggregate is unknown (`code` 404).", body = Refused),
        (status = 500, description = "Something broke (`code` 500).", body = Refused)
    )
)]
pub(super) async fn stream(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    allowed(&app, request.headers()).await?;
    let stream = named(path)?;
    let mut asked = Asked::read(request.uri(), &["after", "limit"]);
    let after = asked.number("after", 0, 0..=i64::MAX);
    let limit = asked.number("limit", LIMIT, 1..=LIMIT_MAX);
    asked.flaws.none()?;
    let mut events = app.ledger().stream_after(&stream, after, limit + 1).await?;
    if events.is_empty() && app.ledger().stream_after(&stream, 0, 1).await?.is_empty() {
        return Err(Failure::NotFound);
    }
    let more = events.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        events.pop();
    }
    let last = events.last().map(|event| event.sequence);
    Ok(told(StreamPage {
        events: lines(&app, &events)?,
        next: last.filter(|_| more),
        aggregate: stream.aggregate.into_owned(),
        id: stream.id,
    }))
}

/// Events of the log that match.
///
/// In order, page by page; with `Accept: text/event-stream` without end, those that come included, each under its position as
/// id (`Last-Event-ID` goes on from there). Needs role 1 or permission bit 512.
#[utoipa::path(
    get, path = "/admin/events", tag = "admin", operation_id = "audit_events",
    security(("backend_session" = []), ("bearer" = [])),
    params(EventsQuery),
    responses(
        (status = 200, description = "Found (`code` 0), or a refusal with its code: 409 when the position is not of this log.",
         body = Told<EventsPage>),
        (status = 500, description = "Something broke (`code` 500).", body = Refused),
        (status = 503, description = "Too many follow the log.", body = Refused)
    )
)]
pub(super) async fn events(State(app): State<App>, request: Request) -> Result<Response, Failure> {
    let headers = request.headers();
    allowed(&app, headers).await?;
    let known = [
        "type",
        "aggregate",
        "actor",
        "where",
        "since",
        "until",
        "after",
        "limit",
    ];
    let mut asked = Asked::read(request.uri(), &known);
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after: Option<Mark> = match resumed {
        Some(mark) => asked.parsed("after", &[mark.to_owned()]).pop(),
        None => asked.one("after"),
    };
    let limit = asked.number("limit", LIMIT, 1..=LIMIT_MAX);
    let conditions = asked.texts("where");
    let mut wanted = Search {
        event_type: asked.text("type"),
        aggregate: asked.text("aggregate"),
        actor: asked.text("actor"),
        since: asked.time("since"),
        until: asked.time("until"),
        conditions: asked.parsed("where", &conditions),
        // What personal values say could be guessed by asking.
        opened: false,
        after: after.map_or(0, |mark| mark.position),
        through: None,
    };
    asked.flaws.none()?;
    let head = app.ledger().head().await?;
    let last = app.ledger().past().unwrap_or(head.position);
    if after.is_some_and(|mark| mark.generation != head.generation || mark.position > last) {
        return Err(Failure::Conflict);
    }
    if let Form::ServerSent = Form::asked_for(headers) {
        let seat = app.follower_seat().ok_or(Failure::Overloaded)?;
        let following = Following::new(app, headers.clone(), wanted, seat);
        let headers = [
            (CONTENT_TYPE, Form::ServerSent.content_type()),
            (CACHE_CONTROL, "no-store"),
        ];
        return Ok((headers, Body::from_stream(following.written())).into_response());
    }
    app.ledger().settle(&mut wanted).await?;
    let end = wanted.through.map_or(last, |through| through.min(last));
    let reach = end.min(wanted.after.saturating_add(REACH));
    wanted.through = Some(reach);
    let events = app.ledger().search(&wanted, limit).await?;
    let full = events.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = match events.last() {
        Some(last) if full => last.position,
        _ => reach,
    };
    Ok(told(EventsPage {
        events: lines(&app, &events)?,
        next: (next < end).then(|| app.ledger().mark(next).to_string()),
    }))
}

/// A thing as it was.
///
/// What its events add up to at a position or time, and what changed between two. Needs role 1 or permission bit 512.
#[utoipa::path(
    get, path = "/admin/state/{aggregate}/{id}", tag = "admin", operation_id = "audit_state",
    security(("backend_session" = []), ("bearer" = [])),
    params(
        ("aggregate" = String, Path, description = "The aggregate's name, exact spelling."),
        ("id" = String, Path, description = "The id part of the stream."),
        StateQuery
    ),
    responses(
        (status = 200, description = "Found (`code` 0), or a refusal with its code: 302 when it was not there then.",
         body = Told<StateThen>),
        (status = 404, description = "The aggregate is unknown (`code` 404).", body = Refused),
        (status = 500, description = "Something broke (`code` 500).", body = Refused)
    )
)]
pub(super) async fn state(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    allowed(&app, request.headers()).await?;
    let stream = named(path)?;
    let mut asked = Asked::read(request.uri(), &["at", "since"]);
    let at: Option<Point> = asked.one("at");
    let since: Option<Point> = asked.one("since");
    asked.flaws.none()?;
    let found = past::past(app.ledger(), &stream, at, since).await?;
    let found = found.ok_or(Failure::NotFound)?;
    let covered = |mut state: Value| {
        blank(&mut state);
        state
    };
    let state = covered(found.state);
    let changes = found.before.map(|before| {
        let changes = past::changes(&covered(before), &state).into_iter();
        changes
            .map(|(path, (before, after))| (path, Change { before, after }))
            .collect()
    });
    Ok(told(StateThen {
        aggregate: stream.aggregate.into_owned(),
        id: stream.id,
        version: found.version,
        position: app.ledger().mark(found.position).to_string(),
        recorded_at: found.recorded_at.timestamp_millis(),
        state,
        changes,
    }))
}

/// Is it somebody with the right to audits?
async fn allowed(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let staff = identity::staff(app, headers).await?;
    if staff.may(bit::AUDIT) {
        Ok(())
    } else {
        Err(Failure::Forbidden)
    }
}

/// The stream that a path names.
fn named(path: Result<Path<(String, String)>, PathRejection>) -> Result<StreamId, Failure> {
    let Path((aggregate, id)) = path.map_err(|_| Failure::UnknownAggregate)?;
    if !is_known(&aggregate) {
        return Err(Failure::UnknownAggregate);
    }
    // The database takes no such text, and no stream has it.
    if id.contains('\0') {
        return Err(Failure::NotFound);
    }
    Ok(StreamId::dynamic(aggregate, id))
}

fn is_known(aggregate: &str) -> bool {
    let known = events::catalogue();
    known.iter().any(|(name, _)| *name == aggregate)
}

fn lines(app: &App, events: &[Recorded]) -> Result<Vec<Box<RawValue>>, Failure> {
    let line = |event: &Recorded| {
        let position = app.ledger().mark(event.position).to_string();
        to_raw_value(&Line::of(&position, event)?)
    };
    let lines: Result<_, serde_json::Error> = events.iter().map(line).collect();
    lines.map_err(Failure::broken)
}

/// A query string, read strictly.
struct Asked {
    pairs: Vec<(String, String)>,
    flaws: Flaws,
}

impl Asked {
    fn read(uri: &Uri, known: &[&str]) -> Self {
        let mut flaws = Flaws::default();
        let read = Query::<Vec<(String, String)>>::try_from_uri(uri);
        if read.is_err() {
            flaws.say("query", "does not decode");
        }
        let pairs = read.map(|Query(pairs)| pairs).unwrap_or_default();
        for (name, value) in &pairs {
            if !known.contains(&name.as_str()) {
                flaws.say(name, "is unknown");
            }
            if value.contains('\0') {
                flaws.say(name, "must not contain U+0000");
            }
        }
        Self { pairs, flaws }
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let mine = self.pairs.iter().filter(|(found, _)| found == name);
        mine.map(|(_, value)| value.clone()).collect()
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let mut found = self.texts(name);
        if found.len() > 1 {
            self.flaws.say(name, "stands there twice");
        }
        found.pop()
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &str,
        texts: &[String],
    ) -> Vec<T> {
        let mut read = Vec::new();
        for text in texts {
            match text.parse::<T>() {
                Ok(value) => read.push(value),
                Err(error) => self.flaws.say(name, error.to_string()),
            }
        }
        read
    }

    fn one<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name);
        self.parsed(name, text.as_slice()).pop()
    }

    fn time(&mut self, name: &str) -> Option<chrono::DateTime<chrono::Utc>> {
        match past::time(&self.text(name)?) {
            Ok(time) => Some(time),
            Err(error) => {
                self.flaws.say(name, error.to_string());
                None
            }
        }
    }

    fn number(&mut self, name: &str, absent: i64, range: std::ops::RangeInclusive<i64>) -> i64 {
        let number = self.one(name).unwrap_or(absent);
        if !range.contains(&number) {
            let (least, most) = (range.start(), range.end());
            self.flaws.say(name, format!("must be {least} to {most}"));
        }
        number
    }
}

/// Somebody who follows the log.
struct Following {
    app: App,
    /// Who it is, to be asked again: the right may go away in the meantime.
    headers: HeaderMap,
    wanted: Search,
    follower: Follower,
    _seat: OwnedSemaphorePermit,
}

impl Following {
    fn new(app: App, headers: HeaderMap, wanted: Search, seat: OwnedSemaphorePermit) -> Self {
        let aggregates = wanted.aggregate.clone().map(|name| vec![name]);
        Self {
            follower: app.ledger().follow(wanted.after, aggregates),
            app,
            headers,
            wanted,
            _seat: seat,
        }
    }

    /// Server-sent events. Ends with the service, with the right to it, behind `until`, or when the log cannot be read on.
    fn written(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        futures::stream::unfold(Some(self), |following| async move {
            let mut following = following?;
            let (chunk, goes_on) = following.next().await?;
            Some((Ok(chunk), goes_on.then_some(following)))
        })
    }

    /// What is sent next, and whether more may follow; `None` at the end.
    async fn next(&mut self) -> Option<(Bytes, bool)> {
        let quiet_until = Instant::now() + HEARTBEAT;
        let mut chunk = Vec::new();
        loop {
            let ending = self.app.ending().clone();
            let next = tokio::select! {
                next = tokio::time::timeout_at(quiet_until, self.follower.next(CHUNK)) => next,
                () = ending.cancelled() => return None,
            };
            allowed(&self.app, &self.headers).await.ok()?;
            let events = match next {
                // Whoever comes back later need not begin where the last match was.
                Err(_) => {
                    let mark = self.app.ledger().mark(self.follower.position());
                    return Some((Bytes::from(format!("id: {mark}\n:\n\n")), true));
                }
                Ok(Err(error)) => {
                    warn!(error = %error, "Following the log ends: {error}");
                    return None;
                }
                Ok(Ok(events)) => events,
            };
            for event in &events {
                if self
                    .wanted
                    .until
                    .is_some_and(|until| event.recorded_at >= until)
                {
                    return Some((Bytes::from(chunk), false))
                        .filter(|(chunk, _)| !chunk.is_empty());
                }
                if let Err(error) = self.add(&mut chunk, event) {
                    let position = event.position;
                    warn!(position, error = %error, "Following the log ends before {position}: {error}");
                    return Some((Bytes::from(chunk), false))
                        .filter(|(chunk, _)| !chunk.is_empty());
                }
            }
            if !chunk.is_empty() {
                return Some((Bytes::from(chunk), true));
            }
        }
    }

    fn add(&self, chunk: &mut Vec<u8>, event: &Recorded) -> serde_json::Result<()> {
        let mut payload = serde_json::from_str(&event.payload)?;
        blank(&mut payload);
        if self.wanted.matches(event, &payload) {
            Form::ServerSent.write(chunk, self.app.ledger(), event)?;
        }
        Ok(())
    }
}
