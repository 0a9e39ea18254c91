//! Every reason of the back office to say no, with its code and words (`contract/backend.md` 1.2).

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::envelope::Answer;
use crate::api::App;
use crate::api::answer::{self, Broken};
use crate::api::app::BrokeOff;
use crate::api::login::LoginFailure;
use crate::api::problem::{faults, refuses_by_field, refuses_ids};
use crate::commands::DeskError;
use crate::commands::Refusal;
use crate::commands::media::MediaError;
use crate::commands::session::{LogInError, SessionError};
use crate::commands::task::{DeleteTasksError, TaskError};
use crate::events::TaskStatus;
use crate::gateways::FileError;
use crate::ledger::LoadError;

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: u16,
    msg: &'static str,
    error: Cow<'static, str>,
    broken: Option<Broken>,
}

impl Problem {
    /// A business outcome: HTTP 200, the code in the body.
    fn refusal(code: u16, msg: &'static str, error: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::OK,
            code,
            msg,
            error: error.into(),
            broken: None,
        }
    }

    /// A case of the transport: the HTTP status says it, too.
    fn transport(status: StatusCode, msg: &'static str, error: &'static str) -> Self {
        Self {
            status,
            ..Self::refusal(status.as_u16(), msg, error)
        }
    }

    /// A parameter, header or body that cannot be used.
    #[must_use]
    pub fn invalid(field: &str) -> Self {
        Self::refusal(400, "参数错误", format!("invalid_parameter: {field}"))
    }

    /// No session.
    #[must_use]
    pub fn not_logged_in() -> Self {
        Self::refusal(401, "请先登录", "not_logged_in")
    }

    /// Unknown name or wrong password, one answer for both.
    #[must_use]
    pub fn wrong_credentials() -> Self {
        Self::refusal(401, "账号密码错误", "wrong_credentials")
    }

    /// The account may not be used.
    #[must_use]
    pub fn account_disabled() -> Self {
        Self::refusal(403, "账户未启用", "account_disabled")
    }

    /// No such thing.
    #[must_use]
    pub fn not_found() -> Self {
        Self::refusal(404, "对应ID不存在", "not_found")
    }

    /// No such path.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::transport(StatusCode::NOT_FOUND, "对应ID不存在", "not_found")
    }

    /// A known path, another method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::transport(
            StatusCode::METHOD_NOT_ALLOWED,
            "请求方式错误",
            "method_not_allowed",
        )
    }

    /// A move that is not in the table.
    #[must_use]
    pub fn transition(from: TaskStatus, to: TaskStatus) -> Self {
        let word = format!("invalid_transition: {}->{}", from.number(), to.number());
        Self::refusal(409, "任务状态不允许此操作", word)
    }

    /// Tasks that are being worked on are not deleted.
    #[must_use]
    pub fn in_progress(ids: &[i64]) -> Self {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let word = format!("task_in_progress: {}", ids.join(","));
        Self::refusal(409, "处理中的任务不能删除", word)
    }

    /// The race was lost too often.
    #[must_use]
    pub fn concurrent_change() -> Self {
        Self::refusal(409, "请重试", "concurrent_change")
    }

    /// The idempotency key was used for another request.
    #[must_use]
    pub fn key_reused() -> Self {
        Self::refusal(409, "请重试", "idempotency_conflict")
    }

    /// An upload above the limit.
    #[must_use]
    pub fn file_too_large() -> Self {
        Self::transport(StatusCode::PAYLOAD_TOO_LARGE, "文件过大", "file_too_large")
    }

    /// A body above the limit.
    #[must_use]
    pub fn body_too_large() -> Self {
        Self::transport(
            StatusCode::PAYLOAD_TOO_LARGE,
            "请求内容过大",
            "body_too_large",
        )
    }

    /// Not an image.
    #[must_use]
    pub fn not_an_image() -> Self {
        Self::refusal(415, "只支持图片", "unsupported_media_type")
    }

    /// Too many failed logins.
    #[must_use]
    pub fn too_many_attempts() -> Self {
        Self::refusal(429, "尝试次数过多,请稍后再试", "too_many_attempts")
    }

    /// Too much at once; nothing happened.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::transport(StatusCode::SERVICE_UNAVAILABLE, "服务繁忙", "overloaded")
    }

    /// A fault. The caller learns the request's id and nothing else.
    pub fn fault(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::broken(Box::new(cause))
    }

    /// A fault whose cause is already boxed.
    #[must_use]
    pub fn broken(cause: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self {
            broken: Some(Broken::new(cause)),
            ..Self::transport(status, "服务器内部错误", "internal")
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

    /// A login that failed.
    #[must_use]
    pub fn login(app: &App, failure: LoginFailure) -> Self {
        match failure {
            LoginFailure::Wrong => Self::wrong_credentials(),
            LoginFailure::TooMany => Self::too_many_attempts(),
            LoginFailure::Moved => Self::concurrent_change(),
            LoginFailure::Desk(error) => error.into(),
            LoginFailure::Load(fault) => Self::fault(fault),
            LoginFailure::Password(fault) => Self::fault(fault),
            LoginFailure::Limits(error) => Self::query(app, error),
        }
    }

    /// `code`, `msg` and `error`.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer {
            code: self.code,
            msg: self.msg,
            error: self.error.clone().into_owned(),
        }
    }

    /// The answer with a body of another shape around [`Problem::answer`].
    pub fn shaped(self, body: &impl serde::Serialize) -> Response {
        answer::failed(self.status, body, self.broken)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let answer = self.answer();
        self.shaped(&answer)
    }
}

refuses_by_field!();

impl<E: Refusal> From<DeskError<E>> for Problem
where
    Self: From<E>,
{
    fn from(error: DeskError<E>) -> Self {
        match error {
            DeskError::Refused(refusal) => refusal.into(),
            // Nothing of this surface sends `If-Match`.
            DeskError::Conflict | DeskError::VersionDiffers { .. } => Self::concurrent_change(),
            DeskError::KeyReused => Self::key_reused(),
            DeskError::Overloaded | DeskError::Past => Self::overloaded(),
            DeskError::Fault(fault) => Self::fault(fault),
        }
    }
}

impl From<TaskError> for Problem {
    fn from(refusal: TaskError) -> Self {
        match refusal {
            TaskError::NotFound => Self::not_found(),
            TaskError::InvalidTransition { from, to } => Self::transition(from, to),
            TaskError::NotProcessing { status } => Self::transition(status, TaskStatus::Processing),
            TaskError::InProgress => Self::in_progress(&[]),
            // Ids are made for the request; only a damaged sequence gives one twice.
            TaskError::Exists => Self::fault(refusal),
        }
    }
}

impl From<DeleteTasksError> for Problem {
    fn from(refusal: DeleteTasksError) -> Self {
        match refusal {
            DeleteTasksError::InProgress { ids } => Self::in_progress(&ids),
        }
    }
}

impl From<LogInError> for Problem {
    fn from(refusal: LogInError) -> Self {
        match refusal {
            LogInError::Disabled => Self::account_disabled(),
            LogInError::CredentialsMoved => Self::concurrent_change(),
            LogInError::Session(refusal) => refusal.into(),
        }
    }
}

impl From<SessionError> for Problem {
    fn from(refusal: SessionError) -> Self {
        match refusal {
            SessionError::NotFound => Self::not_logged_in(),
            // Tokens are random; one that exists is a fault.
            SessionError::Exists => Self::fault(refusal),
        }
    }
}

impl From<MediaError> for Problem {
    fn from(refusal: MediaError) -> Self {
        match refusal {
            MediaError::NotFound => Self::not_found(),
            // Ids are random; one that exists is a fault.
            MediaError::Exists | MediaError::Foreign | MediaError::AlreadyStored => {
                Self::fault(refusal)
            }
        }
    }
}

refuses_ids!();
faults!(LoadError, FileError, BrokeOff);
