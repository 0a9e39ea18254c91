//! The time of the server (`contract/community.md` 3.14).

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::Call;
use super::envelope::{self, Answer};
use super::{Problem, SURFACE};
use crate::api::App;

/// What time it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Time)]
pub struct Time {
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    time: i64,
}

/// Server time (取系统当前时间)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/current_time", tag = SURFACE,
    operation_id = "community_current_time",
    responses((status = 200, description = "Codes: 0", body = Answer<Time>)),
    security(()),
)]
pub async fn current(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let time = app.now().timestamp_millis();
    Ok(envelope::found(call.as_of(&app).await?, Time { time }))
}
