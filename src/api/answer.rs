//! What stands around every answer: request id, positions, caching, and one log line for a fault.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use serde::Serialize;
use tracing::{Instrument, Span, error, info_span};
use uuid::Uuid;

use super::app::App;
use super::request::{Arrival, BadPosition, Incoming, X_POSITION};
use crate::commands::Done;
use crate::ledger::Mark;

/// Names the request in the log.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A query's answer shows everything up to here.
pub const X_AS_OF: HeaderName = HeaderName::from_static("x-as-of");
/// Read tables that do not show everything yet.
pub const X_PENDING: HeaderName = HeaderName::from_static("x-pending");

/// The type of every body of the surfaces, `charset` included as the documents want it.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// JSON as the documents want it.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (status, [(CONTENT_TYPE, JSON)], bytes).into_response(),
        Err(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            (status, Broken::new(Box::new(error)), ()).into_response()
        }
    }
}

/// Writes a body that several answers will share; a failure is told as one of the query it belongs to.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn write(body: &impl Serialize) -> sqlx::Result<Bytes> {
    let written = serde_json::to_vec(body).map(Bytes::from);
    written.map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// A success with a body that was written before.
pub fn written(body: &Bytes) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, JSON)], body.clone()).into_response()
}

/// A refusal or a breakdown as it leaves: an overload asks to come back in a second, a breakdown is logged by [`frame`].
pub fn failed(status: StatusCode, failure: &impl Serialize, broken: Option<Broken>) -> Response {
    let mut response = json(status, failure);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    match broken {
        Some(broken) => (broken, response).into_response(),
        None => response,
    }
}

/// What broke under an answer. It travels in the answer's extensions to [`frame`], which logs it once; the caller
/// learns the request's id and nothing else.
#[derive(Debug, Clone)]
pub struct Broken(Arc<dyn Error + Send + Sync>);

impl Broken {
    /// Takes the cause.
    #[must_use]
    pub fn new(cause: Box<dyn Error + Send + Sync>) -> Self {
        Self(cause.into())
    }

    /// Logs it where there is no answer to carry it to [`frame`].
    pub fn log(&self, to: &str) {
        let causes = chain(&*self.0);
        error!(error = causes, "The answer to {to} failed: {causes}");
    }
}

impl IntoResponseParts for Broken {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// Where the log and the read tables stood: `X-Position` or `X-As-Of`, and `X-Pending`.
#[derive(Debug, Clone)]
pub struct Stamp {
    name: HeaderName,
    mark: Mark,
    pending: Vec<&'static str>,
}

impl Stamp {
    /// Of a command.
    #[must_use]
    pub fn of<T>(app: &App, done: &Done<T>) -> Self {
        Self {
            name: X_POSITION,
            mark: app.ledger().mark(done.position),
            pending: done.pending.clone(),
        }
    }

    /// Of a command that found nothing to do without asking the log.
    #[must_use]
    pub fn unchanged(app: &App) -> Self {
        Self {
            name: X_POSITION,
            mark: app.ledger().mark(app.ledger().tail_position()),
            pending: Vec::new(),
        }
    }

    /// Of a query that is made right after this: waits until the read tables have reached the position that the request
    /// carries, and until they show again what a crash of the database took from them. A position of another generation
    /// means nothing here and is not waited for.
    ///
    /// # Errors
    /// [`BadPosition`].
    pub async fn as_of(app: &App, incoming: &Incoming) -> Result<Self, BadPosition> {
        let watermark = app.ledger().watermark();
        let wanted = match incoming.position()? {
            Some(wanted) if wanted == app.ledger().mark(wanted.position) => wanted.position,
            Some(_) | None => 0,
        };
        let patience = app.settings().query_patience;
        let pending = watermark.wait_all(wanted, patience).await;
        Ok(Self {
            name: X_AS_OF,
            mark: app.ledger().mark(watermark.as_of()),
            pending,
        })
    }
}

impl IntoResponseParts for Stamp {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        let mut set = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                parts.headers_mut().insert(name, value);
            }
        };
        set(self.name, self.mark.to_string());
        if !self.pending.is_empty() {
            set(X_PENDING, self.pending.join(","));
        }
        Ok(parts)
    }
}

/// Middleware around every surface: names the request, logs what broke under it, forbids caching unless the answer
/// says otherwise. Used twice, the outer one names.
pub async fn frame(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let known = request.extensions().get::<Arrival>().copied();
    let arrival = known.unwrap_or_else(|| Arrival::now(&app));
    request.extensions_mut().insert(arrival);
    let method = request.method().clone();
    let uri = request.uri().clone();
    let span = if known.is_some() {
        Span::none()
    } else {
        info_span!("request", request.id = %arrival.id)
    };
    let mut response = next.run(request).instrument(span).await;
    let id = arrival.id;
    if let Some(Broken(cause)) = response.extensions_mut().remove() {
        let causes = chain(&*cause);
        let (path, status) = (uri.path(), response.status().as_u16());
        error!(
            request.id = %id, http.method = %method, http.path = path, http.status = status, error = causes,
            "{method} {path} failed (request {id}): {causes}"
        );
    }
    let headers = response.headers_mut();
    if let Some(mark) = app.past() {
        if let Ok(value) = HeaderValue::from_str(&mark.to_string()) {
            headers.insert(X_AS_OF, value);
        }
        // A command is refused here however often it is sent.
        headers.remove(RETRY_AFTER);
    }
    let mut text = Uuid::encode_buffer();
    if let Ok(value) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// An error with all its causes; those that repeat what stands already are left out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            // Writing to a text does not fail.
            let _ = write!(text, ": {words}");
        }
        next = cause.source();
    }
    text
}
