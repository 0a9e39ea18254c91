//! Every reason of the community to say no, with its code and words (`contract/community.md` 1.3).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::App;
use crate::api::answer::{self, Broken};
use crate::api::app::BrokeOff;
use crate::api::login::LoginFailure;
use crate::api::passwords::PasswordFault;
use crate::api::problem::{faults, refuses_by_field, refuses_ids};
use crate::commands::account::AccountError;
use crate::commands::article::ArticleError;
use crate::commands::cart::CartError;
use crate::commands::comment::CommentError;
use crate::commands::follow::FollowError;
use crate::commands::media::MediaError;
use crate::commands::member::MemberError;
use crate::commands::message::MessageError;
use crate::commands::order::OrderError;
use crate::commands::phone_code::PhoneCodeError;
use crate::commands::reaction::ReactionError;
use crate::commands::session::{LogInError, SessionError};
use crate::commands::{DeskError, Refusal};
use crate::gateways::{FileError, SmsError};
use crate::ledger::LoadError;
use crate::processes::PayFailure;

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    failure: Failure,
    broken: Option<Broken>,
}

/// A failure as it is answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::Failure)]
pub(super) struct Failure {
    /// 400 parameters, 401 not logged in, 403 not yours, 404 not there, 409 state, 423 account disabled, 429 too often, 460 wrong
    /// phone or password, 461 SMS code, 462 phone registered, 463 phone not registered, 464 ticket not for sale; 404, 405,
    /// 413, 500 and 503 as the HTTP status says.
    #[schema(example = 404)]
    code: u16,
    /// Why.
    #[schema(example = "内容不存在")]
    msg: String,
    /// Details, where there are any: `field` with 400, `ticket_id_list` with 464.
    #[schema(value_type = Object)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl Problem {
    /// A business outcome: HTTP 200, the code in the body.
    fn refusal(code: u16, msg: impl Into<String>) -> Self {
        Self {
            status: StatusCode::OK,
            failure: Failure {
                code,
                msg: msg.into(),
                data: None,
            },
            broken: None,
        }
    }

    /// A case of the transport: the HTTP status says it, too.
    fn transport(status: StatusCode, msg: &str) -> Self {
        Self {
            status,
            ..Self::refusal(status.as_u16(), msg)
        }
    }

    fn with(mut self, data: Value) -> Self {
        self.failure.data = Some(data);
        self
    }

    /// A parameter, header or body that cannot be used.
    #[must_use]
    pub fn invalid(field: &str) -> Self {
        let refusal = Self::refusal(400, format!("参数错误: {field}"));
        refusal.with(json!({ "field": field }))
    }

    /// No token, or no good one.
    #[must_use]
    pub fn not_logged_in() -> Self {
        Self::refusal(401, "请先登录")
    }

    /// Not the caller's.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::refusal(403, "无权操作")
    }

    /// Unknown, deleted or withdrawn.
    #[must_use]
    pub fn not_found() -> Self {
        Self::refusal(404, "内容不存在")
    }

    /// The state does not allow it; also a race that was lost too often, and a key used for another request.
    #[must_use]
    pub fn conflict() -> Self {
        Self::refusal(409, "当前状态不允许此操作")
    }

    /// The account may not be used.
    #[must_use]
    pub fn account_disabled() -> Self {
        Self::refusal(423, "账户未启用")
    }

    /// Too often.
    #[must_use]
    pub fn too_often() -> Self {
        Self::refusal(429, "操作过于频繁")
    }

    /// Unknown phone or wrong password, one answer for both.
    #[must_use]
    pub fn wrong_credentials() -> Self {
        Self::refusal(460, "手机号或密码错误")
    }

    /// An SMS code that is wrong, used up or expired.
    #[must_use]
    pub fn wrong_code() -> Self {
        Self::refusal(461, "验证码错误或已过期")
    }

    /// Somebody has an account under this phone.
    #[must_use]
    pub fn phone_taken() -> Self {
        Self::refusal(462, "手机号已注册")
    }

    /// Nobody has an account under this phone.
    #[must_use]
    pub fn phone_unknown() -> Self {
        Self::refusal(463, "手机号未注册")
    }

    /// Tickets that cannot be bought.
    #[must_use]
    pub fn not_for_sale(tickets: &[i64]) -> Self {
        let refusal = Self::refusal(464, "票已售出或不可购买");
        refusal.with(json!({ "ticket_id_list": tickets }))
    }

    /// No such function.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::transport(StatusCode::NOT_FOUND, "内容不存在")
    }

    /// A known function, another method.
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

    /// A login that failed.
    #[must_use]
    pub fn login(app: &App, failure: LoginFailure) -> Self {
        match failure {
            LoginFailure::Wrong => Self::wrong_credentials(),
            LoginFailure::TooMany => Self::too_often(),
            LoginFailure::Moved => Self::conflict(),
            LoginFailure::Desk(error) => error.into(),
            LoginFailure::Load(fault) => Self::fault(fault),
            LoginFailure::Password(fault) => Self::fault(fault),
            LoginFailure::Limits(error) => Self::query(app, error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        answer::failed(self.status, &self.failure, self.broken)
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
            DeskError::Conflict | DeskError::VersionDiffers { .. } | DeskError::KeyReused => {
                Self::conflict()
            }
            DeskError::Overloaded | DeskError::Past => Self::overloaded(),
            DeskError::Fault(fault) => Self::fault(fault),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(refusal: AccountError) -> Self {
        match refusal {
            AccountError::NotFound => Self::not_found(),
            AccountError::NameTaken => Self::phone_taken(),
            // Uids are random, and members act on themselves where that is allowed.
            AccountError::Exists | AccountError::Oneself => Self::fault(refusal),
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

impl From<LogInError> for Problem {
    fn from(refusal: LogInError) -> Self {
        match refusal {
            LogInError::Disabled => Self::account_disabled(),
            LogInError::CredentialsMoved => Self::conflict(),
            LogInError::Session(refusal) => refusal.into(),
        }
    }
}

impl From<MediaError> for Problem {
    fn from(refusal: MediaError) -> Self {
        match refusal {
            MediaError::NotFound => Self::not_found(),
            MediaError::Foreign => Self::forbidden(),
            MediaError::AlreadyStored => Self::conflict(),
            // Ids are random; one that exists is a fault.
            MediaError::Exists => Self::fault(refusal),
        }
    }
}

impl From<MemberError> for Problem {
    fn from(refusal: MemberError) -> Self {
        match refusal {
            MemberError::WrongCode => Self::wrong_code(),
            MemberError::PhoneTaken => Self::phone_taken(),
            MemberError::PhoneUnknown => Self::phone_unknown(),
            MemberError::Disabled => Self::account_disabled(),
            MemberError::Account(refusal) => refusal.into(),
            MemberError::Session(refusal) => refusal.into(),
        }
    }
}

impl From<PhoneCodeError> for Problem {
    fn from(refusal: PhoneCodeError) -> Self {
        match refusal {
            PhoneCodeError::TooOften => Self::too_often(),
            PhoneCodeError::NoCode => Self::wrong_code(),
        }
    }
}

impl From<FollowError> for Problem {
    fn from(refusal: FollowError) -> Self {
        match refusal {
            FollowError::NoTarget => Self::not_found(),
            // Handlers name the parameter before they ask.
            FollowError::Oneself => Self::invalid("to_uid"),
        }
    }
}

impl From<ReactionError> for Problem {
    fn from(refusal: ReactionError) -> Self {
        match refusal {
            ReactionError::NoTarget => Self::not_found(),
        }
    }
}

impl From<ArticleError> for Problem {
    fn from(refusal: ArticleError) -> Self {
        match refusal {
            ArticleError::NotFound => Self::not_found(),
            ArticleError::Foreign => Self::forbidden(),
            // Ids are made for the request; only a damaged sequence gives one twice.
            ArticleError::Exists => Self::fault(refusal),
        }
    }
}

impl From<CommentError> for Problem {
    fn from(refusal: CommentError) -> Self {
        match refusal {
            CommentError::NotFound | CommentError::NoTarget => Self::not_found(),
            CommentError::Foreign => Self::forbidden(),
            // Ids are made for the request; only a damaged sequence gives one twice.
            CommentError::Exists => Self::fault(refusal),
        }
    }
}

impl From<MessageError> for Problem {
    fn from(refusal: MessageError) -> Self {
        match refusal {
            MessageError::NotFound | MessageError::NoRecipient => Self::not_found(),
            MessageError::Foreign => Self::forbidden(),
            // Ids are made for the request; only a damaged sequence gives one twice.
            MessageError::Exists => Self::fault(refusal),
        }
    }
}

impl From<CartError> for Problem {
    fn from(refusal: CartError) -> Self {
        match refusal {
            CartError::NoTicket => Self::not_found(),
            CartError::NotForSale { ticket_id } => Self::not_for_sale(&[ticket_id]),
            CartError::Full => Self::conflict(),
        }
    }
}

impl From<OrderError> for Problem {
    fn from(refusal: OrderError) -> Self {
        match refusal {
            OrderError::NotFound | OrderError::NoTickets { .. } => Self::not_found(),
            OrderError::NotForSale { ticket_ids } => Self::not_for_sale(&ticket_ids),
            OrderError::Size => Self::invalid("ticket_id_list"),
            OrderError::Done | OrderError::PaidOtherwise | OrderError::Cancelled => {
                Self::conflict()
            }
            // Ids are made for the request; only a damaged sequence gives one twice.
            OrderError::Exists => Self::fault(refusal),
        }
    }
}

impl From<PayFailure> for Problem {
    fn from(failure: PayFailure) -> Self {
        match failure {
            PayFailure::Declined => Self::conflict(),
            // The log has the cause; asking again is safe.
            PayFailure::Gateway(_) => Self::overloaded(),
            PayFailure::Load(error) => Self::fault(error),
            PayFailure::Desk(error) => error.into(),
        }
    }
}

refuses_ids!();
faults!(BrokeOff, FileError, LoadError, PasswordFault, SmsError);
