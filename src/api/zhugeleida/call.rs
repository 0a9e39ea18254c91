//! A request as the endpoints of the mini-program want it (`contract/zhugeleida.md` 2.1): parameters in the query, or in a
//! body that is a form, multipart or JSON; the body wins.

use axum::extract::{DefaultBodyLimit, Form, FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method};

use super::signature::{self, PARAMETERS, Signature};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::request::Incoming;
use crate::api::wire::{Field, Params};
use crate::commands;
use crate::events::customer::Registered;
use crate::events::party::{Party, PartyKind};

/// How forms call themselves.
const FORM: &str = "application/x-www-form-urlencoded";

/// Rows on a page that nobody sized.
const PAGE: i64 = 20;
/// Rows on a page, at most.
const PAGE_MAX: i64 = 100;

/// A request with its parameters.
pub struct Call {
    /// The request.
    pub incoming: Incoming,
    /// Its parameters.
    pub params: Params,
}

/// A request that records something, also where it is a GET. `HEAD` never does.
pub struct Recording(pub Call);

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to pass over.
    pub offset: i64,
    /// Rows on it.
    pub limit: i64,
}

impl FromRequest<App> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let limit = app.settings().body_max_bytes;
        let incoming = Incoming::read(app, request, limit).await?;
        let query = one_name(incoming.query());
        let params = match incoming.method {
            Method::GET | Method::HEAD => query,
            _ => one_name(body(&incoming).await?).or(query),
        };
        Ok(Self { incoming, params })
    }
}

impl FromRequest<App> for Recording {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if request.method() == Method::HEAD {
            return Err(Problem::wrong_method());
        }
        Call::from_request(request, app).await.map(Self)
    }
}

/// `uid` and `u_id` are one parameter.
fn one_name(params: Params) -> Params {
    params.spelled("u_id", "uid")
}

async fn body(incoming: &Incoming) -> Result<Params, Problem> {
    let sent = incoming.headers.get(CONTENT_TYPE);
    let sent = sent.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = sent.split(';').next().unwrap_or("").trim();
    match essence.to_ascii_lowercase().as_str() {
        "multipart/form-data" => multipart(again(incoming, sent)).await,
        FORM => form(again(incoming, FORM)).await,
        // Some clients say nothing, or something else.
        _ if incoming.body.trim_ascii_start().first() == Some(&b'{') => Ok(incoming.json()?),
        named if named.ends_with("json") => Ok(incoming.json()?),
        _ => form(again(incoming, FORM)).await,
    }
}

/// The request once more, for extractors that want a whole one.
fn again(incoming: &Incoming, content_type: &str) -> Request {
    let mut request = Request::new(incoming.body.clone().into());
    *request.method_mut() = Method::POST;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        request.headers_mut().insert(CONTENT_TYPE, value);
    }
    // It was read up to its limit already.
    DefaultBodyLimit::disable().apply(&mut request);
    request
}

async fn form(request: Request) -> Result<Params, Problem> {
    let pairs = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let Form(pairs) = pairs.map_err(|_| Problem::wrong_type())?;
    Ok(Params::from_pairs(pairs))
}

/// Every part is a text; what is none is no parameter of ours.
async fn multipart(request: Request) -> Result<Params, Problem> {
    let unreadable = || Problem::wrong_type();
    let parts = Multipart::from_request(request, &()).await;
    let mut parts = parts.map_err(|_| unreadable())?;
    let mut pairs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
        let name = part.name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|_| unreadable())?;
        if let (Some(name), Ok(text)) = (name, String::from_utf8(bytes.into())) {
            pairs.push((name, text));
        }
    }
    Ok(Params::from_pairs(pairs))
}

impl Call {
    /// Who calls: an enabled customer, by their signature.
    pub async fn customer(&self, app: &App) -> Result<(i64, Registered), Problem> {
        signature::customer(app, &self.params).await
    }

    /// Did whoever calls sign?
    pub fn is_signed(&self) -> Result<bool, Problem> {
        Ok(Signature::is_there(&self.params)?)
    }

    /// A number that must be there.
    pub fn number(&self, field: &'static str) -> Result<i64, Problem> {
        let number = self.params.quoted_int(field)?.optional();
        number.ok_or_else(Problem::wrong_type)
    }

    /// The enterprise user it is about.
    pub fn uid(&self) -> Result<i64, Problem> {
        self.number("uid")
    }

    /// A number that stands for one of a few things, perhaps absent.
    pub fn choice<T>(
        &self,
        field: &'static str,
        of: impl FnOnce(i64) -> Option<T>,
    ) -> Result<Field<T>, Problem> {
        Ok(self.params.quoted_int(field)?.parse(of)?)
    }

    /// The page that is asked for, the first by default.
    pub fn page(&self) -> Result<Page, Problem> {
        let from_zero = 0..=i64::from(i32::MAX);
        let page = self.params.quoted_int("current_page")?;
        let page = page.within(from_zero)?.or(1).max(1);
        let length = self.params.quoted_int("length")?;
        let limit = length.within(1..=i64::MAX)?.or(PAGE).min(PAGE_MAX);
        Ok(Page {
            offset: (page - 1) * limit,
            limit,
        })
    }

    /// Is any page asked for?
    pub fn is_paged(&self) -> Result<bool, Problem> {
        let page = self.params.as_sent("current_page")?.optional();
        Ok(page.is_some() || self.params.as_sent("length")?.optional().is_some())
    }

    /// A command's request to the desk, by a customer. `endpoint` is its documented path.
    pub fn desk(
        &self,
        app: &App,
        customer_id: i64,
        endpoint: &str,
    ) -> Result<commands::Request, Problem> {
        self.desk_of(app, &actor(customer_id), endpoint)
    }

    /// The same by anybody. The signature says who asks, not what: the same key holds under another signature.
    pub fn desk_of(
        &self,
        app: &App,
        actor: &str,
        endpoint: &str,
    ) -> Result<commands::Request, Problem> {
        let digest = self.incoming.digest_of(&self.params.canonical(&PARAMETERS));
        Ok(self.incoming.desk(app, SURFACE, actor, endpoint, digest)?)
    }

    /// A command's request to the desk, by nobody known.
    pub fn anonymous(&self, app: &App) -> commands::Request {
        self.incoming.anonymous(app, SURFACE)
    }
}

/// How events name a customer.
pub fn actor(customer_id: i64) -> String {
    Party::new(PartyKind::Customer, customer_id).to_string()
}
