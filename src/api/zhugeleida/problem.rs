//! Every reason of the mini-program to say no, with its code and words (`contract/zhugeleida.md` 2.3).

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::envelope::Answer;
use crate::api::App;
use crate::api::answer::{self, Broken};
use crate::api::app::BrokeOff;
use crate::api::problem::{faults, refuses_ids};
use crate::api::request::{BadKey, BadPosition, BodyError};
use crate::api::wire::{Flaw, Invalid, Unreadable};
use crate::commands::card::CardError;
use crate::commands::customer::CustomerError;
use crate::commands::{DeskError, Refusal};
use crate::gateways::{FileError, PosterError, WechatError};
use crate::ledger::{DoesNotOpen, LoadError};

/// What is wrong with which field of a form.
pub type Flaws = BTreeMap<&'static str, Vec<String>>;

/// A failure on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    code: u16,
    msg: &'static str,
    flaws: Flaws,
    broken: Option<Broken>,
}

impl Problem {
    /// A business outcome: HTTP 200, the code in the body.
    fn refusal(code: u16, msg: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            code,
            msg,
            flaws: Flaws::new(),
            broken: None,
        }
    }

    /// A case of the transport: the HTTP status says it, too.
    fn transport(status: StatusCode, msg: &'static str) -> Self {
        Self {
            status,
            ..Self::refusal(status.as_u16(), msg)
        }
    }

    /// A parameter of the wrong type, or a number that is missing.
    #[must_use]
    pub fn wrong_type() -> Self {
        Self::refusal(301, "数据类型验证失败")
    }

    /// Something that is not there, is withdrawn, or does not belong together.
    #[must_use]
    pub fn no_such_id() -> Self {
        Self::refusal(302, "对应ID不存在")
    }

    /// The content of a form or message is missing or out of bounds.
    #[must_use]
    pub fn form(flaws: Flaws) -> Self {
        Self {
            flaws,
            ..Self::refusal(303, "form 验证错误")
        }
    }

    /// The same for one field.
    #[must_use]
    pub fn field(field: &'static str, reason: &impl ToString) -> Self {
        Self::form(Flaws::from([(field, vec![reason.to_string()])]))
    }

    /// The caller or the card may not be used.
    #[must_use]
    pub fn disabled() -> Self {
        Self::refusal(306, "账户未启用")
    }

    /// WeChat refused the code, or no session key is at hand.
    #[must_use]
    pub fn wrong_credentials() -> Self {
        Self::refusal(401, "账号密码错误")
    }

    /// A known path, another method: the table of codes defines it in the body, so HTTP says 200.
    #[must_use]
    pub fn wrong_method() -> Self {
        Self::refusal(402, "请求方式异常")
    }

    /// Whatever is wrong with a signature, one answer for all, so that ids cannot be probed; also somebody who is no
    /// party.
    #[must_use]
    pub fn illegal() -> Self {
        Self::refusal(404, "非法请求")
    }

    /// No such path.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::transport(StatusCode::NOT_FOUND, "非法请求")
    }

    /// The race was lost too often, or the idempotency key was used for another request.
    #[must_use]
    pub fn conflict() -> Self {
        Self::refusal(409, "请重试")
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
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self {
            broken: Some(Broken::new(Box::new(cause))),
            ..Self::transport(status, "服务器内部错误")
        }
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Code and words, for who is not answered over HTTP. What broke is logged here.
    #[must_use]
    pub fn said(self, to: &str) -> (u16, &'static str) {
        if let Some(broken) = &self.broken {
            broken.log(to);
        }
        (self.code, self.msg)
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
        let failure = Answer {
            code: self.code,
            msg: self.msg,
            data: self.flaws,
        };
        answer::failed(self.status, &failure, self.broken)
    }
}

impl From<Invalid> for Problem {
    fn from(Invalid { field, flaw }: Invalid) -> Self {
        match flaw {
            Flaw::WrongType => Self::wrong_type(),
            Flaw::Missing | Flaw::OutOfBounds => Self::field(field, &flaw),
        }
    }
}

impl From<Unreadable> for Problem {
    fn from(_: Unreadable) -> Self {
        Self::wrong_type()
    }
}

impl From<BadKey> for Problem {
    fn from(bad: BadKey) -> Self {
        Self::field("Idempotency-Key", &bad)
    }
}

impl From<BadPosition> for Problem {
    fn from(bad: BadPosition) -> Self {
        Self::field("X-Position", &bad)
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::body_too_large(),
            BodyError::BrokeOff => Self::wrong_type(),
        }
    }
}

impl<E: Refusal> From<DeskError<E>> for Problem
where
    Self: From<E>,
{
    fn from(error: DeskError<E>) -> Self {
        match error {
            DeskError::Refused(refusal) => refusal.into(),
            // Nobody sends `If-Match` here; toggles use it among themselves.
            DeskError::Conflict | DeskError::VersionDiffers { .. } | DeskError::KeyReused => {
                Self::conflict()
            }
            DeskError::Overloaded | DeskError::Past => Self::overloaded(),
            DeskError::Fault(fault) => Self::fault(fault),
        }
    }
}

impl From<CustomerError> for Problem {
    fn from(refusal: CustomerError) -> Self {
        match refusal {
            CustomerError::NotFound | CustomerError::NoCard | CustomerError::NoParent => {
                Self::no_such_id()
            }
            CustomerError::Disabled | CustomerError::CardDisabled => Self::disabled(),
            CustomerError::Unsigned => Self::illegal(),
            // Ids are made for the request, and logins bring one; only a bug gets here.
            CustomerError::Exists | CustomerError::IdNeeded => Self::fault(refusal),
        }
    }
}

impl From<CardError> for Problem {
    fn from(refusal: CardError) -> Self {
        match refusal {
            CardError::NotFound | CardError::NoCompany | CardError::NoPhoto { .. } => {
                Self::no_such_id()
            }
            CardError::Disabled => Self::disabled(),
            // Only staff can be told these.
            CardError::Exists | CardError::Full => Self::fault(refusal),
        }
    }
}

impl From<WechatError> for Problem {
    fn from(error: WechatError) -> Self {
        match error {
            WechatError::Refused { .. } | WechatError::NoSuchApp => Self::wrong_credentials(),
            WechatError::Away(_) | WechatError::Broken { .. } => Self::fault(error),
        }
    }
}

refuses_ids!();
faults!(LoadError, BrokeOff, DoesNotOpen, FileError, PosterError);
