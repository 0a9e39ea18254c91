//! What the mini-program is answered around its data.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::answer;

/// An answer: `code` 200 on success.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = zhugeleida::Answer)]
pub struct Answer<T> {
    /// 200 on success, else the code of the failure.
    #[schema(example = 200)]
    pub code: u16,
    /// Text for people.
    pub msg: &'static str,
    /// What was asked for; `{}` when there is nothing to say.
    pub data: T,
}

/// The same with `note`, for the endpoints whose documented sample shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = zhugeleida::NotedAnswer)]
pub struct NotedAnswer<T> {
    #[serde(flatten)]
    answer: Answer<T>,
    /// Always empty.
    note: Nothing,
}

/// `{}`.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = zhugeleida::Nothing)]
pub struct Nothing {}

/// A page of a list, or all of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = zhugeleida::Rows)]
pub struct Rows<T> {
    /// The rows.
    pub ret_data: Vec<T>,
    /// How many match on all pages.
    pub data_count: i64,
}

/// A success that says nothing.
pub fn success(msg: &'static str) -> Response {
    data(msg, Nothing {})
}

/// A success with `data`.
pub fn data<T: Serialize>(msg: &'static str, data: T) -> Response {
    let code = 200;
    answer::json(StatusCode::OK, &Answer { code, msg, data })
}

/// A success with `data` and `note`.
pub fn noted<T: Serialize>(msg: &'static str, data: T) -> Response {
    let code = 200;
    let answer = NotedAnswer {
        answer: Answer { code, msg, data },
        note: Nothing {},
    };
    answer::json(StatusCode::OK, &answer)
}
