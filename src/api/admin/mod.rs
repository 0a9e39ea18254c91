//! The staff endpoint (contract README section 4): every write the documents imply and give no endpoint for.
//!
//! `table::COMMANDS` lists what can be sent; a new command is a type beside its aggregate's others (`accounts.rs`,
//! `tasks.rs` …) and a line there. Unlike the public surfaces it is strict: unknown fields and inexact types are refused.

mod accounts;
mod answer;
mod articles;
mod audit;
mod authors;
mod banners;
mod cards;
mod cases;
mod cloths;
mod comments;
mod companies;
mod customers;
mod describe;
mod diaries;
mod fields;
mod games;
mod listing;
mod masters;
mod media;
mod members;
mod merchants;
mod messages;
mod one;
mod orders;
mod persons;
mod products;
mod projects;
mod sessions;
mod showcases;
mod table;
mod tags;
mod target;
mod tasks;
mod team_users;
mod teams;
mod tickets;
mod websites;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{HeaderValue, IF_MATCH};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use answer::word;

use answer::{Failure, Refused, Success};
use fields::OneCommand;
use table::Call;

use super::app::App;
use super::identity;
use super::request::Incoming;

/// The door's name in events.
const SURFACE: &str = "admin";
const ENDPOINT: &str = "/admin/commands/{aggregate}/{id}";

/// The endpoint with its description.
pub fn routes() -> OpenApiRouter<App> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(command))
        .routes(routes!(persons::erase))
        .routes(routes!(audit::stream))
        .routes(routes!(audit::events))
        .routes(routes!(audit::state))
        .routes(routes!(showcases::upload));
    describe::commands(router.get_openapi_mut());
    router
}

/// Send one command to one aggregate.
///
/// Strict: exactly one command, no unknown fields, exact types. `new` as id (`{realm}:new` for accounts) lets the server
/// allocate one. Needs a back-office session with role 1 or the command's permission bit.
#[utoipa::path(
    post,
    path = "/admin/commands/{aggregate}/{id}",
    tag = "admin",
    security(("backend_session" = []), ("bearer" = [])),
    params(
        ("aggregate" = String, Path, description = "The aggregate's name, exact spelling."),
        ("id" = String, Path, description = "The id part of the stream, or `new`."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 128 visible ASCII characters; the same key gives the first answer again for 24 hours."),
        ("If-Match" = Option<String>, Header, description = "`\"<version>\"`: refused with 409 when the stream stands at another version.")
    ),
    responses(
        (status = 200, description = "Done (`code` 0), or a refusal with its code.", body = answer::Envelope),
        (status = 404, description = "The aggregate is unknown or not reachable (`code` 404).", body = Refused),
        (status = 413, description = "The body is too large.", body = Refused),
        (status = 500, description = "Something broke (`code` 500).", body = Refused),
        (status = 503, description = "Too much at once; nothing happened.", body = Refused)
    )
)]
async fn command(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let Path((aggregate, id)) = path.map_err(|_| Failure::UnknownAggregate)?;
    let reachable = table::reachable(&aggregate, &id).ok_or(Failure::UnknownAggregate)?;
    let incoming = Incoming::read(&app, request, app.settings().body_max_bytes).await?;
    let OneCommand { name, fields } = OneCommand::read(&incoming.body)?;
    let entry = reachable.command(&name).ok_or(Failure::Malformed)?;
    let if_match = version(&incoming.headers)?;
    let staff = identity::staff(&app, &incoming.headers).await?;
    let digest = incoming.digest_with(&digested(&incoming.headers, &incoming.body));
    let request = incoming
        .desk(&app, SURFACE, &staff.actor(), ENDPOINT, digest)
        .map_err(|_| Failure::Malformed)?;
    let call = Call {
        app: app.clone(),
        staff,
        request,
        if_match,
    };
    let success: Success = app.detached(entry.run(call, id, fields)).await??;
    Ok(success.answer())
}

/// What makes two requests under one idempotency key the same: the content and the condition.
fn digested(headers: &HeaderMap, content: &[u8]) -> Vec<u8> {
    let condition = headers.get(IF_MATCH).map(HeaderValue::as_bytes);
    [condition.unwrap_or_default(), b"\n", content].concat()
}

/// `If-Match: "<version>"`.
fn version(headers: &HeaderMap) -> Result<Option<i64>, Failure> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(str::trim);
    let quoted = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let version = quoted.and_then(|digits| digits.parse().ok());
    version
        .filter(|version| *version >= 0)
        .map(Some)
        .ok_or(Failure::Malformed)
}
