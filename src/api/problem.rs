//! Problem details (RFC 9457): how everything speaks that no surface has an envelope for.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What breaks is a fault of a surface, whatever it is.
macro_rules! faults {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::fault(error)
            }
        }
    )+};
}

/// What surfaces with an `invalid(field)` say of requests and callers, each in its own words.
macro_rules! refuses_by_field {
    () => {
        impl From<$crate::api::wire::Invalid> for Problem {
            fn from(invalid: $crate::api::wire::Invalid) -> Self {
                Self::invalid(invalid.field)
            }
        }

        impl From<$crate::api::wire::Unreadable> for Problem {
            fn from(_: $crate::api::wire::Unreadable) -> Self {
                Self::invalid("body")
            }
        }

        impl From<$crate::api::request::BadKey> for Problem {
            fn from(_: $crate::api::request::BadKey) -> Self {
                Self::invalid("Idempotency-Key")
            }
        }

        impl From<$crate::api::request::BadPosition> for Problem {
            fn from(_: $crate::api::request::BadPosition) -> Self {
                Self::invalid("X-Position")
            }
        }

        impl From<$crate::api::request::BodyError> for Problem {
            fn from(error: $crate::api::request::BodyError) -> Self {
                match error {
                    $crate::api::request::BodyError::TooLarge => Self::body_too_large(),
                    $crate::api::request::BodyError::BrokeOff => Self::invalid("body"),
                }
            }
        }

        impl From<$crate::api::identity::IdentityError> for Problem {
            fn from(error: $crate::api::identity::IdentityError) -> Self {
                match error {
                    $crate::api::identity::IdentityError::NotLoggedIn => Self::not_logged_in(),
                    $crate::api::identity::IdentityError::Disabled => Self::account_disabled(),
                    $crate::api::identity::IdentityError::Fault(fault) => Self::fault(fault),
                }
            }
        }
    };
}

/// Ids are given to commands, and where the log is shown as it was none is taken: said as it is of a command.
macro_rules! refuses_ids {
    () => {
        impl From<$crate::ledger::IdError> for Problem {
            fn from(error: $crate::ledger::IdError) -> Self {
                match error {
                    $crate::ledger::IdError::Past => Self::overloaded(),
                    $crate::ledger::IdError::Database(_) | $crate::ledger::IdError::Stopping => {
                        Self::fault(error)
                    }
                }
            }
        }
    };
}

pub(super) use {faults, refuses_by_field, refuses_ids};

/// A refusal or breakdown in words.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the title says it all.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The HTTP status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// A stable word for programs.
    pub code: &'static str,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Problem {
    /// A problem with a stable word and a sentence.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Unknown"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = (status, axum::Json(&self)).into_response();
        let headers = answer.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}
