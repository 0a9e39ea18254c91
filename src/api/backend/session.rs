//! Testing the login, logging in and out (`contract/backend.md` 2.1–2.3).

use std::time::Duration;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{self, JsonCall, QueryCall};
use super::envelope::{self, Answer, DataAnswer};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::identity::{self, IdentityError, STAFF_COOKIE};
use crate::commands::session::{LogIn, LogInError, LoggedIn, SessionCommand, holder};
use crate::commands::{self, DeskError, Done};
use crate::events::{Account, NameClaim, Session};
use crate::ledger::Freshness;
use crate::postgres::Limit;

/// Failed logins of one name.
const FAILED_LOGINS: Limit = Limit {
    hits: 10,
    window: Duration::from_secs(15 * 60),
};

/// How often a password is verified anew when it changes under our hands.
const VERIFICATIONS: usize = 3;

/// The token of the session, for clients without a cookie jar.
const X_SESSION_TOKEN: HeaderName = HeaderName::from_static("x-session-token");

/// Test the login (测试登录)
#[utoipa::path(
    get, path = "/backend/api/v1/hola", tag = SURFACE, operation_id = "backend_hola",
    responses((status = 200, description = "Codes: 0, 401, 403", body = Answer)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn hola(State(app): State<App>, call: QueryCall) -> Result<Response, Problem> {
    call::staff(&app, &call.incoming).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    Ok((stamp, envelope::success("")).into_response())
}

/// What is sent to log in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::LoginRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct LoginRequest {
    /// Staff name, compared without letter case.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Compared as is.
    #[schema(min_length = 1, max_length = 128)]
    password: String,
}

/// Who logged in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::LoginData)]
pub struct LoginData {
    /// Staff id.
    uid: i64,
    /// Name as registered.
    name: String,
    /// 0 operator, 1 super administrator.
    role: u32,
    /// Bit set, below 2^53.
    perm: u64,
}

/// Log in (登录)
///
/// Opens a session: the token is in the cookie `backend_session` and in the header `X-Session-Token`.
#[utoipa::path(
    post, path = "/backend/api/v1/login", tag = SURFACE, operation_id = "backend_login",
    request_body = LoginRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 429", body = DataAnswer<LoginData>)),
    security(()),
)]
pub async fn login(State(app): State<App>, call: JsonCall) -> Result<Response, Problem> {
    let name = call.params.text("name")?;
    let password = call.params.verbatim("password")?;
    let attempt = Attempt {
        name: name.chars(1..=64)?.required()?,
        password: password.chars(1..=128)?.required()?,
        request: call.incoming.anonymous(&app, SURFACE),
    };
    let token = identity::new_token();
    let session = identity::session_id(&token);
    let work = app.clone();
    let (account, done) = app
        .detached(async move { attempt.run(&work, session).await })
        .await??;
    let uid = identity::staff_uid(&account).ok_or_else(Problem::wrong_credentials)?;
    let LoggedIn { name, role, perm } = done.outcome.clone();
    let data = LoginData {
        uid,
        name,
        role,
        perm,
    };
    let headers = [
        (SET_COOKIE, cookie(&token, &call.incoming.headers, "")),
        (X_SESSION_TOKEN, token),
    ];
    Ok((Stamp::of(&app, &done), headers, envelope::data("ok", data)).into_response())
}

/// Log out (登出)
///
/// Closes the session presented. Without a valid one the answer is the same.
#[utoipa::path(
    post, path = "/backend/api/v1/logout", tag = SURFACE, operation_id = "backend_logout",
    responses((status = 200, description = "Codes: 0", body = Answer)),
    security((), ("backend_session" = []), ("bearer" = [])),
)]
pub async fn logout(State(app): State<App>, call: QueryCall) -> Result<Response, Problem> {
    let incoming = call.incoming;
    let cleared = [(SET_COOKIE, cookie("", &incoming.headers, "; Max-Age=0"))];
    let stamp = match identity::staff(&app, &incoming.headers).await {
        Err(IdentityError::NotLoggedIn | IdentityError::Disabled) => Stamp::unchanged(&app),
        Err(fault @ IdentityError::Fault(_)) => return Err(fault.into()),
        Ok(staff) => {
            let request = call::desk(&app, &incoming, &staff)?;
            let desk = app.desk().clone();
            let close = async move {
                let close = SessionCommand::Close;
                desk.execute::<Session>(&request, &staff.session, close)
                    .await
            };
            Stamp::of(&app, &app.detached(close).await??)
        }
    };
    Ok((stamp, cleared, envelope::success("")).into_response())
}

/// The cookie with a token; `Secure` when the request came over TLS.
fn cookie(token: &str, headers: &HeaderMap, more: &str) -> String {
    let secure = if call::over_tls(headers) {
        "; Secure"
    } else {
        ""
    };
    format!("{STAFF_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{more}")
}

/// Somebody who says who they are.
struct Attempt {
    name: String,
    password: String,
    request: commands::Request,
}

impl Attempt {
    /// Answers the account and what came of opening the session.
    async fn run(self, app: &App, session: String) -> Result<(String, Done<LoggedIn>), Problem> {
        let name_claim = identity::staff_name_claim(app.ledger().keys(), &self.name);
        // The stream's id is a keyed hash of the name.
        let key = format!("backend-login:{name_claim}");
        if self.exhausted(app, &key).await? {
            return Err(Problem::too_many_attempts());
        }
        for _ in 0..VERIFICATIONS {
            let Some((account, verified)) = self.verified(app, &name_claim).await? else {
                let counted = app.rate_limits().hit(&key, FAILED_LOGINS, app.now()).await;
                return Err(match counted {
                    Ok(true) => Problem::wrong_credentials(),
                    Ok(false) => Problem::too_many_attempts(),
                    Err(error) => Problem::query(app, error),
                });
            };
            // Guesses that ran beside each other while the count was still low.
            if self.exhausted(app, &key).await? {
                return Err(Problem::too_many_attempts());
            }
            let log_in = LogIn {
                session: session.clone(),
                name_claim: name_claim.clone(),
                account: account.clone(),
                verified,
                expires_at: app.now() + app.settings().backend_session_ttl,
            };
            match app.desk().run(&self.request, &log_in).await {
                Err(DeskError::Refused(LogInError::CredentialsMoved)) => {}
                Err(error) => return Err(error.into()),
                Ok(done) => return Ok((account, done)),
            }
        }
        Err(Problem::concurrent_change())
    }

    async fn exhausted(&self, app: &App, key: &str) -> Result<bool, Problem> {
        let limits = app.rate_limits();
        let exhausted = limits.exhausted(key, FAILED_LOGINS, app.now()).await;
        exhausted.map_err(|error| Problem::query(app, error))
    }

    /// The account and the hash that the password was verified against, as they stand in the log now; `None` when the
    /// name is nobody's or the password is wrong, which takes the same time.
    async fn verified(
        &self,
        app: &App,
        name_claim: &str,
    ) -> Result<Option<(String, String)>, Problem> {
        let ledger = app.ledger();
        let claim = ledger
            .load::<NameClaim>(name_claim, Freshness::Reread)
            .await?;
        let account = holder(&claim.state).map(str::to_owned);
        // For a name that is nobody's, nobody's account is read: that takes its time, too.
        let id = account.as_deref().unwrap_or("backend:0");
        let loaded = ledger.load::<Account>(id, Freshness::Reread).await?;
        let open = loaded.state.open();
        let stored = open.and_then(|open| open.password_hash.as_ref()?.get().cloned());
        let right = app
            .passwords()
            .verify(&self.password, stored.clone())
            .await?;
        Ok(if right { account.zip(stored) } else { None })
    }
}
