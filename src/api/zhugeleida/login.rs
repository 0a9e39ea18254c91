//! Logging in with a WeChat code (`contract/zhugeleida.md` 3.1).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Recording};
use super::envelope::{self, Answer};
use super::signature::customer_token;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::customer::{CustomerError, LogIn, LoggedIn, identity_claim, identity_holder};
use crate::commands::{DeskError, Done, Request};
use crate::events::NameClaim;
use crate::events::customer::{Source, UserType};
use crate::gateways::{WechatApp, WechatLogin};
use crate::ledger::Freshness;

/// How often a login begins anew because its identity was let go of in between.
const ROUNDS: usize = 3;

/// What is asked to log in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct LoginQuery {
    /// One-time code of `wx.login`.
    #[param(min_length = 1, max_length = 256)]
    code: String,
    /// 1 official account (微信公众号), 2 mini-program (微信小程序).
    #[param(minimum = 1, maximum = 2, default = 2)]
    user_type: Option<i64>,
    /// 1 scan (扫码), 2 forward (转发).
    #[param(minimum = 1, maximum = 2, default = 1)]
    source: Option<i64>,
}

/// Who logged in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::LoginData)]
pub struct LoginData {
    /// Customer id for all later calls.
    #[schema(example = 1)]
    user_id: i64,
    /// Secret of the signatures, 32 hex characters.
    #[schema(example = "0123456789abcdef0123456789abcdef")]
    token: String,
    /// Enterprise user of the last binding; null: bind first.
    uid: Option<i64>,
    /// Parent customer of that binding.
    pid: Option<i64>,
}

/// Log in with a WeChat code (登录认证)
///
/// The same person always gets the same id and token.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/login", tag = SURFACE, operation_id = "zhugeleida_login",
    params(LoginQuery),
    responses(
        (status = 200, description = "Codes: 200, 301, 303, 306, 401", body = Answer<LoginData>),
        (status = 500, description = "Code 500: WeChat cannot be reached, or something broke", body = Answer<envelope::Nothing>),
    ),
    security(()),
)]
pub async fn login(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (user_type, source) = origin(&call)?;
    let arrival = Arrival {
        code: code(&call)?,
        user_type: user_type.unwrap_or(UserType::MiniProgram),
        source: source.unwrap_or(Source::Scan),
        trial: false,
    };
    arrival.answer(app, &call).await
}

/// The code of `wx.login`.
pub fn code(call: &Call) -> Result<String, Problem> {
    let code = call.params.quoted_text("code")?;
    Ok(code.chars(1..=256)?.required()?)
}

/// Through which kind of app somebody comes, and how, as far as they say.
pub fn origin(call: &Call) -> Result<(Option<UserType>, Option<Source>), Problem> {
    let user_type = call.choice("user_type", UserType::from_number)?;
    let source = call.choice("source", Source::from_number)?;
    Ok((user_type.optional(), source.optional()))
}

/// Whom WeChat vouches for by this code.
pub async fn exchange(app: &App, user_type: UserType, code: &str) -> Result<WechatLogin, Problem> {
    let kind = match user_type {
        UserType::OfficialAccount => WechatApp::OfficialAccount,
        UserType::MiniProgram => WechatApp::MiniProgram,
    };
    Ok(app.wechat().exchange(kind, code).await?)
}

/// Somebody who comes with a code.
pub struct Arrival {
    /// The code.
    pub code: String,
    /// Through which kind of app.
    pub user_type: UserType,
    /// How they came.
    pub source: Source,
    /// Through the test version of the login.
    pub trial: bool,
}

impl Arrival {
    /// Logs them in.
    pub async fn answer(self, app: App, call: &Call) -> Result<Response, Problem> {
        let request = call.anonymous(&app);
        let work = app.clone();
        let done = app.detached(async move { self.run(&work, request).await });
        let done = done.await??;
        let LoggedIn {
            user_id,
            token_version,
            uid,
            pid,
        } = done.outcome;
        let data = LoginData {
            user_id,
            token: customer_token(app.ledger().keys(), user_id, token_version),
            uid,
            pid,
        };
        Ok((Stamp::of(&app, &done), envelope::data("登录成功", data)).into_response())
    }

    async fn run(self, app: &App, request: Request) -> Result<Done<LoggedIn>, Problem> {
        let login = exchange(app, self.user_type, &self.code).await?;
        let claim = identity_claim(app.ledger().keys(), self.user_type, &login.openid);
        let done = self.log_in(app, &request, claim, &login).await?;
        if let Some(session_key) = &login.session_key {
            let user_id = done.outcome.user_id;
            let sealed = app.ledger().keys().sessions().seal(
                sealed_for(user_id).as_bytes(),
                session_key.expose_secret().as_bytes(),
            );
            let stored = app.wechat_sessions().put(user_id, &sealed, app.now()).await;
            stored.map_err(|error| Problem::query(app, error))?;
        }
        Ok(done)
    }

    /// An id is taken only for somebody who seems to be new: most logins are of people we know.
    async fn log_in(
        &self,
        app: &App,
        request: &Request,
        claim: String,
        login: &WechatLogin,
    ) -> Result<Done<LoggedIn>, Problem> {
        let mut freshness = Freshness::Cached;
        for _ in 0..ROUNDS {
            let held = app.ledger().load::<NameClaim>(&claim, freshness).await?;
            let new_id = match identity_holder(&held.state) {
                Some(_) => None,
                None => Some(app.ledger().next_id("customer").await?),
            };
            let command = LogIn {
                claim: claim.clone(),
                new_id,
                openid: login.openid.clone(),
                unionid: login.unionid.clone(),
                user_type: self.user_type,
                source: self.source,
                trial: self.trial,
            };
            match app.desk().run(request, &command).await {
                Err(DeskError::Refused(CustomerError::IdNeeded)) => freshness = Freshness::Reread,
                other => return Ok(other?),
            }
        }
        Err(Problem::conflict())
    }
}

/// The session key of a customer's last login.
pub async fn session_key(app: &App, user_id: i64) -> Result<SecretString, Problem> {
    let stored = app.wechat_sessions().get(user_id).await;
    let stored = stored.map_err(|error| Problem::query(app, error))?;
    let sealed = stored.ok_or_else(Problem::wrong_credentials)?;
    let keys = app.ledger().keys().sessions();
    let opened = keys.open(sealed_for(user_id).as_bytes(), &sealed)?;
    let key = String::from_utf8(opened).map_err(Problem::fault)?;
    Ok(key.into())
}

/// What a session key is sealed for.
fn sealed_for(user_id: i64) -> String {
    format!("Customer:{user_id}")
}
