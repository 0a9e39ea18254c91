//! Forgetting a person: `POST /admin/persons/{subject}/erase`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Failure, Refused};
use super::target::bit;
use super::{SURFACE, digested};
use crate::api::answer::{self, Stamp};
use crate::api::app::App;
use crate::api::identity;
use crate::api::request::Incoming;
use crate::commands::account::Actor;
use crate::commands::person::{EraseError, Person};
use crate::ledger::StreamId;
use crate::processes::{ForgetFailure, Receipt, forget};

const ENDPOINT: &str = "/admin/persons/{subject}/erase";

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErasureAnswer)]
pub(super) struct Erasure {
    /// 0: done. Otherwise a refusal: 302 not found, 305 oneself, 400 malformed, 401 not logged in, 403 forbidden, 409 conflict.
    code: u16,
    /// `ok`, or the refusal for people.
    msg: &'static str,
    /// `""`, or the refusal for programs.
    error: &'static str,
    /// What was erased where.
    data: Receipt,
}

/// Forget a person, for good.
///
/// The person's data key is destroyed in the transaction that records `PersonErased`: every personal field of theirs in the
/// log is unreadable from then on, also to whoever has the master key. Names they held are released, their sessions end, read
/// tables, snapshots and kept answers are blanked; the answer says what was erased where. Asking again does no harm and sweeps
/// up what an interruption left. Needs a back-office session with role 1 or the permission bit for staff (256).
#[utoipa::path(
    post,
    path = "/admin/persons/{subject}/erase",
    tag = "admin",
    security(("backend_session" = []), ("bearer" = [])),
    params(
        ("subject" = String, Path, description = "The person's stream: `Account:community:<uid>`, `Account:backend:7`, `Account:weidu:<id>`, `Account:xdua:<id>`, `Customer:17` or `Card:3`."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 128 visible ASCII characters; another request under the same key within 24 hours is refused.")
    ),
    responses(
        (status = 200, description = "Done (`code` 0), or a refusal with its code.", body = Erasure),
        (status = 404, description = "There is no such path (`code` 404).", body = Refused),
        (status = 413, description = "The body is too large.", body = Refused),
        (status = 500, description = "Something broke (`code` 500); asking again goes on where it stopped.", body = Refused),
        (status = 503, description = "Too much at once; nothing happened.", body = Refused)
    )
)]
pub(super) async fn erase(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let Path(subject) = path.map_err(|_| Failure::Malformed)?;
    let incoming = Incoming::read(&app, request, app.settings().body_max_bytes).await?;
    let staff = identity::staff(&app, &incoming.headers).await?;
    if !staff.may(bit::STAFF) {
        return Err(Failure::Forbidden);
    }
    let stream: StreamId = subject.parse().map_err(|_| Failure::NotFound)?;
    let person = Person::of(&stream).ok_or(Failure::NotFound)?;
    let digest = incoming.digest_with(&digested(&incoming.headers, &incoming.body));
    let request = incoming
        .desk(&app, SURFACE, &staff.actor(), ENDPOINT, digest)
        .map_err(|_| Failure::Malformed)?;
    let by = if person.actor().as_deref() == Some(staff.actor().as_str()) {
        Actor::Itself
    } else {
        Actor::Another
    };
    let worker = app.clone();
    let work = async move {
        let places = (worker.reads(), worker.files());
        forget(worker.desk(), places, &request, (person, by)).await
    };
    let done = app.detached(work).await??;
    let stamp = Stamp::of(&app, &done);
    let erasure = Erasure {
        code: 0,
        msg: "ok",
        error: "",
        data: done.outcome,
    };
    Ok((stamp, answer::json(StatusCode::OK, &erasure)).into_response())
}

impl From<EraseError> for Failure {
    fn from(refusal: EraseError) -> Self {
        match refusal {
            EraseError::NotFound => Self::NotFound,
            EraseError::Oneself => Self::Oneself,
        }
    }
}

impl From<ForgetFailure> for Failure {
    fn from(failure: ForgetFailure) -> Self {
        match failure {
            ForgetFailure::Desk(failure) => failure.into(),
            failure => Self::broken(failure),
        }
    }
}
