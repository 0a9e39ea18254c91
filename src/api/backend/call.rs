//! A request as the endpoints of the back office want it: body read, parameters parsed, caller known.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;

use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::identity::{self, Staff};
use crate::api::request::Incoming;
use crate::api::wire::Params;
use crate::commands;

/// A request with JSON parameters.
pub struct JsonCall {
    /// The request.
    pub incoming: Incoming,
    /// Its parameters.
    pub params: Params,
}

/// A request with parameters in its query string; a body is ignored.
pub struct QueryCall {
    /// The request.
    pub incoming: Incoming,
    /// Its parameters.
    pub params: Params,
}

impl FromRequest<App> for JsonCall {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let limit = app.settings().body_max_bytes;
        let incoming = Incoming::read(app, request, limit).await?;
        let params = incoming.json()?;
        Ok(Self { incoming, params })
    }
}

impl FromRequest<App> for QueryCall {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let limit = app.settings().body_max_bytes;
        let incoming = Incoming::read(app, request, limit).await?;
        let params = incoming.query();
        Ok(Self { incoming, params })
    }
}

/// Who is calling.
pub async fn staff(app: &App, incoming: &Incoming) -> Result<Staff, Problem> {
    Ok(identity::staff(app, &incoming.headers).await?)
}

/// A command's request to the desk.
pub fn desk(app: &App, incoming: &Incoming, staff: &Staff) -> Result<commands::Request, Problem> {
    desk_with(app, incoming, staff, incoming.digest())
}

/// The same where the content is not the body as sent.
pub fn desk_with(
    app: &App,
    incoming: &Incoming,
    staff: &Staff,
    digest: [u8; 32],
) -> Result<commands::Request, Problem> {
    // No path of a command here has a variable part, so it names the endpoint.
    let endpoint = incoming.uri.path();
    Ok(incoming.desk(app, SURFACE, &staff.actor(), endpoint, digest)?)
}

/// Did the request come over TLS? The proxy in front says so.
pub fn over_tls(headers: &HeaderMap) -> bool {
    let proto = headers
        .get("x-forwarded-proto")
        .and_then(|v| v.to_str().ok());
    let first = proto.and_then(|text| text.split(',').next());
    first.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}
