//! Every reason of this surface to say no, with its code and words (`contract/weidu.md` 1).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::App;
use crate::api::answer::{self, Broken};
use crate::api::request::{BadPosition, BodyError};
use crate::api::wire::Invalid;
use crate::gateways::FileError;

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: u16,
    result: String,
    broken: Option<Broken>,
}

/// A failure as it is answered: as the list is, empty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = weidu::Failure)]
pub(super) struct Failure {
    /// Why.
    #[schema(example = "参数错误: per_page")]
    result: String,
    /// 400 a parameter, 404 unknown path, 405 wrong method, 413 body too large, 500 a fault, 503 overloaded.
    #[schema(example = 400)]
    code: u16,
    /// `[]`.
    #[schema(value_type = Vec<Object>)]
    data: [(); 0],
    /// 0.
    #[schema(example = 0)]
    total: i64,
}

impl Problem {
    /// A parameter that is no integer or out of bounds: HTTP 200, the code in the body.
    #[must_use]
    pub fn invalid(field: &str) -> Self {
        Self {
            status: StatusCode::OK,
            code: 400,
            result: format!("参数错误: {field}"),
            broken: None,
        }
    }

    /// A case of the transport: the HTTP status says it, too.
    fn transport(status: StatusCode, result: &str) -> Self {
        Self {
            status,
            code: status.as_u16(),
            result: result.to_owned(),
            broken: None,
        }
    }

    /// No such path, or no such file.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::transport(StatusCode::NOT_FOUND, "接口不存在")
    }

    /// A known path, another method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::transport(StatusCode::METHOD_NOT_ALLOWED, "请求方式错误")
    }

    /// A body above the limit.
    #[must_use]
    pub fn body_too_large() -> Self {
        Self::transport(StatusCode::PAYLOAD_TOO_LARGE, "请求内容过大")
    }

    /// Too much at once; nothing happened.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::transport(StatusCode::SERVICE_UNAVAILABLE, "服务繁忙")
    }

    /// A fault. The caller learns the request's id and nothing else.
    pub fn fault(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            broken: Some(Broken::new(Box::new(cause))),
            ..Self::transport(StatusCode::INTERNAL_SERVER_ERROR, "服务器内部错误")
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
            result: self.result,
            code: self.code,
            data: [],
            total: 0,
        };
        answer::failed(self.status, &failure, self.broken)
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid.field)
    }
}

impl From<BadPosition> for Problem {
    fn from(_: BadPosition) -> Self {
        Self::invalid("X-Position")
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        Self::fault(error)
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
