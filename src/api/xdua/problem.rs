//! Every reason of this surface to say no, with its number and words (`contract/xdua.md` 1).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::App;
use crate::api::answer::{self, Broken};
use crate::api::identity::IdentityError;
use crate::api::request::{BadPosition, BodyError};
use crate::projections::filter::{FilterError, OrderError, PageError};

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    error: u16,
    reason: &'static str,
    result: Value,
    broken: Option<Broken>,
}

/// A failure as it is answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = xdua::Failure)]
pub(super) struct Failure {
    /// 1001 no token, 1002 no good one, 1003 account disabled, 2001 filter, 2002 operator, 2003 order, 2004 page, offset or
    /// limit, 2005 version; 4040, 4050, 4130, 5000 and 5030 as the HTTP status says.
    #[schema(example = 2002)]
    error: u16,
    /// Why.
    #[schema(example = "filter operator not supported")]
    reason: &'static str,
    /// What it is about; `{}` when there is nothing to say.
    #[schema(value_type = Object)]
    result: Value,
}

impl Problem {
    /// A business outcome: HTTP 200, the number in the body.
    fn refusal(error: u16, reason: &'static str, result: Value) -> Self {
        Self {
            status: StatusCode::OK,
            error,
            reason,
            result,
            broken: None,
        }
    }

    /// A case of the transport: the HTTP status says it, too.
    fn transport(status: StatusCode, reason: &'static str) -> Self {
        Self {
            status,
            ..Self::refusal(status.as_u16() * 10, reason, json!({}))
        }
    }

    /// No token.
    #[must_use]
    pub fn authorization_required() -> Self {
        Self::refusal(1001, "Authorization required", json!({}))
    }

    /// A token that is unknown, closed or expired.
    #[must_use]
    pub fn authorization_invalid() -> Self {
        Self::refusal(1002, "Authorization invalid", json!({}))
    }

    /// The account behind the token is disabled.
    #[must_use]
    pub fn account_disabled() -> Self {
        Self::refusal(1003, "Account disabled", json!({}))
    }

    /// A filter that cannot be read.
    #[must_use]
    pub fn filter(text: &str, position: usize) -> Self {
        let result = json!({ "filter": text, "position": position });
        Self::refusal(2001, "filter is not a valid query", result)
    }

    /// An operator that the filter's language does not have.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        let result = json!({ "operator": name });
        Self::refusal(2002, "filter operator not supported", result)
    }

    /// An order that cannot be read.
    #[must_use]
    pub fn order(text: &str) -> Self {
        Self::refusal(2003, "order is not valid", json!({ "order": text }))
    }

    /// `page`, `offset` or `limit` that is no number or negative; also a position that is none.
    #[must_use]
    pub fn page(field: &str) -> Self {
        let result = json!({ "field": field });
        Self::refusal(2004, "page, offset or limit is not valid", result)
    }

    /// A version of the API that is not spoken here.
    #[must_use]
    pub fn version(apiv: &str) -> Self {
        Self::refusal(2005, "apiv not supported", json!({ "apiv": apiv }))
    }

    /// No such path.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::transport(StatusCode::NOT_FOUND, "Not found")
    }

    /// A known path, another method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::transport(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
    }

    /// A body above the limit.
    #[must_use]
    pub fn body_too_large() -> Self {
        Self::transport(StatusCode::PAYLOAD_TOO_LARGE, "Body too large")
    }

    /// Too much at once; nothing happened.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::transport(StatusCode::SERVICE_UNAVAILABLE, "Overloaded")
    }

    /// A fault. The caller learns the request's id and nothing else.
    pub fn fault(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            broken: Some(Broken::new(Box::new(cause))),
            ..Self::transport(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
        }
    }

    /// A query that failed.
    #[must_use]
    pub fn query(app: &App, error: sqlx::Error) -> Self {
        if app.is_crowded(&error) {
            return Self::overloaded();
        }
        Self::fault(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let failure = Failure {
            error: self.error,
            reason: self.reason,
            result: self.result,
        };
        answer::failed(self.status, &failure, self.broken)
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotLoggedIn => Self::authorization_invalid(),
            IdentityError::Disabled => Self::account_disabled(),
            IdentityError::Fault(fault) => Self::fault(fault),
        }
    }
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::Invalid { text, position, .. } => Self::filter(&text, position),
            FilterError::Unsupported { operator } => Self::operator(&operator),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        Self::order(&error.order)
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        Self::page(error.field)
    }
}

impl From<BadPosition> for Problem {
    fn from(_: BadPosition) -> Self {
        Self::page("X-Position")
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::body_too_large(),
            // Nobody is there to read it.
            BodyError::BrokeOff => Self::fault(error),
        }
    }
}
