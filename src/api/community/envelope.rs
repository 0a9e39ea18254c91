//! What the functions answer: the documented object and `"code": 0`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::App;
use crate::api::answer::{self, Stamp};
use crate::commands::Done;

/// A success.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::Answer)]
pub struct Answer<T> {
    /// 0.
    #[schema(example = 0)]
    code: u16,
    #[serde(flatten)]
    body: T,
}

/// Nothing more than that it was done.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::Nothing)]
pub struct Nothing {}

/// What a command came to, with `X-Position`.
pub fn done<T>(app: &App, done: &Done<T>, body: impl Serialize) -> Response {
    found(Stamp::of(app, done), body)
}

/// What a query found; the stamp comes from before the query.
pub fn found(stamp: Stamp, body: impl Serialize) -> Response {
    let answer = Answer { code: 0, body };
    (stamp, answer::json(StatusCode::OK, &answer)).into_response()
}
