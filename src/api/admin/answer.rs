//! The envelope of the staff endpoint, and its codes (contract README section 4).

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::fields::Flaws;
use super::target::Target;
use crate::api::answer::{self, Broken, Stamp};
use crate::api::app::{App, BrokeOff};
use crate::api::identity::IdentityError;
use crate::api::passwords::PasswordFault;
use crate::api::request::BodyError;
use crate::api::server::Trouble;
use crate::commands::account::AccountError;
use crate::commands::article::ArticleError;
use crate::commands::card::CardError;
use crate::commands::case::CaseError;
use crate::commands::chat::ChatError;
use crate::commands::comment::CommentError;
use crate::commands::company::CompanyError;
use crate::commands::customer::CustomerError;
use crate::commands::diary::DiaryError;
use crate::commands::listed::ListedError;
use crate::commands::media::MediaError;
use crate::commands::message::MessageError;
use crate::commands::order::OrderError;
use crate::commands::product::ProductError;
use crate::commands::session::{OpenSessionError, SessionError};
use crate::commands::showcase::ShowcaseError;
use crate::commands::tag::TagError;
use crate::commands::task::TaskError;
use crate::commands::team::TeamError;
use crate::commands::ticket::TicketError;
use crate::commands::website::WebsiteError;
use crate::commands::{DeskError, Done, Refusal};
use crate::events::past::PastError;
use crate::gateways::FileError;
use crate::ledger::{FeedError, IdError, LoadError};

/// What a command that was done answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffAnswer)]
pub(super) struct Envelope {
    /// 0: done. Otherwise a refusal: 300 name taken, 302 not found, 303 validation, 304 has children, 305 oneself,
    /// 306 account disabled, 400 malformed, 401 not logged in, 403 forbidden, 409 conflict.
    code: u16,
    /// `ok`, or the refusal for people.
    msg: &'static str,
    /// `""`, or the refusal for programs.
    error: &'static str,
    /// What was done.
    data: Data,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffDone)]
pub(super) struct Data {
    /// The aggregate's name.
    aggregate: &'static str,
    /// The id part of the stream, also of what was just made.
    id: String,
    /// The version of the named stream afterwards.
    version: i64,
    /// The events, of other streams of the same command, too; empty when it was so already.
    events: Vec<String>,
    /// What some commands add: `token`, `ticket_ids`, `photo_id` …
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// A refusal, or a fault.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StaffRefusal)]
pub(super) struct Refused {
    /// Its number.
    code: u16,
    /// For people.
    msg: &'static str,
    /// For programs.
    error: &'static str,
    /// With `validation`: `{"<field>":["<reason>"]}`. Otherwise empty.
    #[schema(value_type = Object)]
    data: Value,
}

/// A command that was done.
pub(super) struct Success {
    stamp: Stamp,
    data: Data,
}

impl Success {
    /// What a command to `id` came to.
    pub fn of<T: Target, O>(app: &App, id: &str, done: &Done<O>) -> Self {
        let named =
            |change: &&crate::commands::Change| change.aggregate == T::AGGREGATE && change.id == id;
        let version = done
            .changes
            .iter()
            .find(named)
            .map_or(0, |change| change.version);
        let events = done.changes.iter().flat_map(|change| change.events.clone());
        Self {
            stamp: Stamp::of(app, done),
            data: Data {
                aggregate: T::AGGREGATE,
                id: id.to_owned(),
                version,
                events: events.collect(),
                more: Map::new(),
            },
        }
    }

    /// The same with one thing more in `data`.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.more.insert(name.to_owned(), value.into());
        self
    }

    /// The same where the version is not what the command saw: streams that it wrote without a look.
    pub fn at(mut self, version: i64) -> Self {
        self.data.version = version;
        self
    }

    pub fn answer(self) -> Response {
        let Self { stamp, data } = self;
        let envelope = Envelope {
            code: 0,
            msg: "ok",
            error: "",
            data,
        };
        (stamp, answer::json(StatusCode::OK, &envelope)).into_response()
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub(super) enum Failure {
    Malformed,
    NameTaken,
    NotFound,
    Invalid(Flaws),
    HasChildren,
    Oneself,
    AccountDisabled,
    NotLoggedIn,
    Forbidden,
    UnknownAggregate,
    WrongMethod,
    Conflict,
    KeyReused,
    BodyTooLarge,
    Overloaded,
    Broken(Broken),
}

impl Failure {
    pub(super) fn broken(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Broken(Broken::new(Box::new(cause)))
    }

    /// HTTP status, code, words for programs and for people.
    fn words(&self) -> (StatusCode, u16, &'static str, &'static str) {
        const OK: StatusCode = StatusCode::OK;
        match self {
            Self::Malformed => (OK, 400, "malformed_command", "请求格式错误"),
            Self::NameTaken => (OK, 300, "name_taken", "名称已存在"),
            Self::NotFound => (OK, 302, "not_found", "对应ID不存在"),
            Self::Invalid(_) => (OK, 303, "validation", "form 验证错误"),
            Self::HasChildren => (
                OK,
                304,
                "has_children",
                "含有子级数据,请先删除或转移子级数据",
            ),
            Self::Oneself => (OK, 305, "self_forbidden", "不允许删除自己"),
            Self::AccountDisabled => (OK, 306, "account_disabled", "账户未启用"),
            Self::NotLoggedIn => (OK, 401, "not_logged_in", "请先登录"),
            Self::Forbidden => (OK, 403, "forbidden", "无权操作"),
            Self::UnknownAggregate => (StatusCode::NOT_FOUND, 404, "unknown_aggregate", "非法请求"),
            Self::WrongMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                405,
                "method_not_allowed",
                "请求方式错误",
            ),
            Self::Conflict => (OK, 409, "conflict", "当前状态不允许此操作"),
            Self::KeyReused => (OK, 409, "idempotency_conflict", "当前状态不允许此操作"),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                413,
                "body_too_large",
                "请求内容过大",
            ),
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                503,
                "overloaded",
                "服务繁忙",
            ),
            Self::Broken(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                500,
                "internal",
                "服务器内部错误",
            ),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code, error, msg) = self.words();
        let (data, broken) = match self {
            Self::Invalid(flaws) => (flaws.into_json(), None),
            Self::Broken(broken) => (json!({}), Some(broken)),
            _ => (json!({}), None),
        };
        let refused = Refused {
            code,
            msg,
            error,
            data,
        };
        let mut response = answer::json(status, &refused);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = axum::http::HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, soon);
        }
        match broken {
            Some(broken) => (broken, response).into_response(),
            None => response,
        }
    }
}

/// Trouble around a request, in this endpoint's words.
#[must_use]
pub fn word(trouble: Trouble) -> Response {
    let failure = match trouble {
        Trouble::UnknownPath => Failure::UnknownAggregate,
        Trouble::WrongMethod => Failure::WrongMethod,
        Trouble::Overloaded => Failure::Overloaded,
        Trouble::BodyTooLarge => Failure::BodyTooLarge,
        Trouble::TimedOut | Trouble::Panicked => Failure::broken(trouble),
    };
    failure.into_response()
}

impl From<AccountError> for Failure {
    fn from(refusal: AccountError) -> Self {
        match refusal {
            AccountError::NotFound => Self::NotFound,
            AccountError::Exists => Self::Conflict,
            AccountError::NameTaken => Self::NameTaken,
            AccountError::Oneself => Self::Oneself,
        }
    }
}

impl From<SessionError> for Failure {
    fn from(refusal: SessionError) -> Self {
        match refusal {
            SessionError::NotFound => Self::NotFound,
            SessionError::Exists => Self::Conflict,
        }
    }
}

impl From<OpenSessionError> for Failure {
    fn from(refusal: OpenSessionError) -> Self {
        match refusal {
            OpenSessionError::NoAccount => Self::NotFound,
            OpenSessionError::Disabled => Self::AccountDisabled,
            OpenSessionError::Session(refusal) => refusal.into(),
        }
    }
}

impl From<TeamError> for Failure {
    fn from(refusal: TeamError) -> Self {
        match refusal {
            TeamError::NotFound | TeamError::NoAccount { .. } | TeamError::NoRole { .. } => {
                Self::NotFound
            }
            TeamError::CodeTaken | TeamError::RoleNameTaken => Self::NameTaken,
            TeamError::RoleHeld | TeamError::HasMembers => Self::HasChildren,
            TeamError::Exists | TeamError::Full => Self::Conflict,
        }
    }
}

impl From<ShowcaseError> for Failure {
    fn from(refusal: ShowcaseError) -> Self {
        match refusal {
            ShowcaseError::NotFound | ShowcaseError::NoAuthor { .. } => Self::NotFound,
            ShowcaseError::Exists | ShowcaseError::FileExists { .. } | ShowcaseError::Full => {
                Self::Conflict
            }
        }
    }
}

impl From<CompanyError> for Failure {
    fn from(refusal: CompanyError) -> Self {
        match refusal {
            CompanyError::NotFound => Self::NotFound,
            CompanyError::Exists => Self::Conflict,
        }
    }
}

impl From<CardError> for Failure {
    fn from(refusal: CardError) -> Self {
        match refusal {
            CardError::NotFound | CardError::NoCompany | CardError::NoPhoto { .. } => {
                Self::NotFound
            }
            CardError::Disabled => Self::AccountDisabled,
            CardError::Exists | CardError::Full => Self::Conflict,
        }
    }
}

impl From<CustomerError> for Failure {
    fn from(refusal: CustomerError) -> Self {
        match refusal {
            CustomerError::NotFound | CustomerError::NoCard | CustomerError::NoParent => {
                Self::NotFound
            }
            CustomerError::Disabled | CustomerError::CardDisabled => Self::AccountDisabled,
            CustomerError::Exists | CustomerError::Unsigned | CustomerError::IdNeeded => {
                Self::Conflict
            }
        }
    }
}

impl From<CommentError> for Failure {
    fn from(refusal: CommentError) -> Self {
        match refusal {
            CommentError::NotFound | CommentError::NoTarget => Self::NotFound,
            CommentError::Exists | CommentError::Foreign => Self::Conflict,
        }
    }
}

impl From<ArticleError> for Failure {
    fn from(refusal: ArticleError) -> Self {
        match refusal {
            ArticleError::NotFound => Self::NotFound,
            ArticleError::Exists | ArticleError::Foreign => Self::Conflict,
        }
    }
}

impl From<ChatError> for Failure {
    fn from(refusal: ChatError) -> Self {
        match refusal {
            ChatError::NobodyThere | ChatError::NoProduct => Self::NotFound,
            ChatError::Disabled => Self::AccountDisabled,
            ChatError::Content(_) => Self::Malformed,
            ChatError::Exists => Self::Conflict,
        }
    }
}

impl From<MessageError> for Failure {
    fn from(refusal: MessageError) -> Self {
        match refusal {
            MessageError::NotFound | MessageError::NoRecipient => Self::NotFound,
            MessageError::Exists | MessageError::Foreign => Self::Conflict,
        }
    }
}

impl From<ListedError> for Failure {
    fn from(refusal: ListedError) -> Self {
        match refusal {
            ListedError::NotFound | ListedError::NoOwner { .. } => Self::NotFound,
            ListedError::Exists => Self::Conflict,
            ListedError::Lacks { field } => {
                let mut flaws = Flaws::default();
                flaws.say(&field, "does not belong to a thing of this kind");
                Self::Invalid(flaws)
            }
            ListedError::MemberTaken => Self::NameTaken,
        }
    }
}

impl From<TicketError> for Failure {
    fn from(refusal: TicketError) -> Self {
        match refusal {
            TicketError::NotFound | TicketError::NoProject => Self::NotFound,
            TicketError::Exists
            | TicketError::NotOnSale
            | TicketError::NotHeld
            | TicketError::PriceFixed => Self::Conflict,
        }
    }
}

impl From<OrderError> for Failure {
    fn from(refusal: OrderError) -> Self {
        match refusal {
            OrderError::NotFound | OrderError::NoTickets { .. } => Self::NotFound,
            OrderError::Exists
            | OrderError::NotForSale { .. }
            | OrderError::Size
            | OrderError::Done
            | OrderError::PaidOtherwise
            | OrderError::Cancelled => Self::Conflict,
        }
    }
}

impl From<ProductError> for Failure {
    fn from(refusal: ProductError) -> Self {
        match refusal {
            ProductError::NotFound | ProductError::NoCompany { .. } => Self::NotFound,
            ProductError::Exists => Self::Conflict,
        }
    }
}

impl From<WebsiteError> for Failure {
    fn from(refusal: WebsiteError) -> Self {
        match refusal {
            WebsiteError::NoCompany { .. } => Self::NotFound,
        }
    }
}

impl From<TagError> for Failure {
    fn from(refusal: TagError) -> Self {
        match refusal {
            TagError::NotFound | TagError::NoCompany { .. } => Self::NotFound,
            TagError::NameTaken => Self::NameTaken,
            TagError::Carried => Self::HasChildren,
            TagError::Exists => Self::Conflict,
        }
    }
}

impl From<CaseError> for Failure {
    fn from(refusal: CaseError) -> Self {
        match refusal {
            CaseError::NotFound | CaseError::NoCompany { .. } | CaseError::NoTag { .. } => {
                Self::NotFound
            }
            CaseError::HasDiaries => Self::HasChildren,
            CaseError::Exists | CaseError::Full => Self::Conflict,
        }
    }
}

impl From<DiaryError> for Failure {
    fn from(refusal: DiaryError) -> Self {
        match refusal {
            DiaryError::NotFound => Self::NotFound,
            DiaryError::Exists => Self::Conflict,
            DiaryError::Case(refusal) => refusal.into(),
        }
    }
}

impl From<TaskError> for Failure {
    fn from(refusal: TaskError) -> Self {
        match refusal {
            TaskError::NotFound => Self::NotFound,
            TaskError::Exists
            | TaskError::InvalidTransition { .. }
            | TaskError::NotProcessing { .. }
            | TaskError::InProgress => Self::Conflict,
        }
    }
}

impl From<MediaError> for Failure {
    fn from(refusal: MediaError) -> Self {
        match refusal {
            MediaError::NotFound => Self::NotFound,
            MediaError::Foreign => Self::Forbidden,
            MediaError::Exists | MediaError::AlreadyStored => Self::Conflict,
        }
    }
}

impl<E: Refusal> From<DeskError<E>> for Failure
where
    Self: From<E>,
{
    fn from(error: DeskError<E>) -> Self {
        match error {
            DeskError::Refused(refusal) => refusal.into(),
            DeskError::Conflict | DeskError::VersionDiffers { .. } => Self::Conflict,
            DeskError::KeyReused => Self::KeyReused,
            DeskError::Overloaded | DeskError::Past => Self::Overloaded,
            DeskError::Fault(fault) => Self::broken(fault),
        }
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::NotLoggedIn => Self::NotLoggedIn,
            IdentityError::Disabled => Self::AccountDisabled,
            IdentityError::Fault(fault) => Self::broken(fault),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::BodyTooLarge,
            BodyError::BrokeOff => Self::Malformed,
        }
    }
}

impl From<IdError> for Failure {
    fn from(error: IdError) -> Self {
        match error {
            // A command, and none is taken here.
            IdError::Past => Self::Overloaded,
            IdError::Database(_) | IdError::Stopping => Self::broken(error),
        }
    }
}

/// What breaks is a fault, whatever it is.
macro_rules! faults {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::broken(error)
            }
        }
    )+};
}

faults!(
    FeedError,
    FileError,
    LoadError,
    PasswordFault,
    PastError,
    BrokeOff,
    sqlx::Error
);
