//! What the back office answers around its data.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer;

/// `code`, `msg` and `error` alone: every failure, and the successes that have nothing to say.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = backend::Answer)]
pub struct Answer {
    /// 0 on success, else the code of the failure.
    #[schema(example = 0)]
    pub code: u16,
    /// Text for people.
    #[schema(example = "ok")]
    pub msg: &'static str,
    /// Empty on success, else a stable word, perhaps with `: detail`.
    #[schema(example = "")]
    pub error: String,
}

impl Answer {
    /// A success; `msg` is `""` or `"ok"`, as the document shows for each endpoint.
    #[must_use]
    pub fn success(msg: &'static str) -> Self {
        Self {
            code: 0,
            msg,
            error: String::new(),
        }
    }
}

/// The same with `data`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = backend::DataAnswer)]
pub struct DataAnswer<T> {
    #[serde(flatten)]
    answer: Answer,
    data: T,
}

/// A success that says nothing.
pub fn success(msg: &'static str) -> Response {
    with(Answer::success(msg))
}

/// A success with `data`.
pub fn data<T: Serialize>(msg: &'static str, data: T) -> Response {
    with(DataAnswer {
        answer: Answer::success(msg),
        data,
    })
}

/// A success in a shape of its own.
pub fn with(answer: impl Serialize) -> Response {
    answer::json(StatusCode::OK, &answer)
}
