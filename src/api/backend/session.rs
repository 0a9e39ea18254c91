//! Testing the login, logging in and out (`contract/backend.md` 2.1–2.3).

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
use crate::api::login::PasswordLogin;
use crate::commands::session::{LoggedIn, SessionCommand};
use crate::events::Session;

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
    let name = name.chars(1..=64)?.required()?;
    let password = password.chars(1..=128)?.required()?;
    let token = identity::new_token();
    let attempt = PasswordLogin {
        door: SURFACE,
        name_claim: identity::staff_name_claim(app.ledger().keys(), &name),
        nobody: "backend:0",
        password,
        session: identity::session_id(&token),
        ttl: app.settings().backend_session_ttl,
    };
    let (work, request) = (app.clone(), call.incoming.anonymous(&app, SURFACE));
    let login = async move { attempt.run(&work, &request).await };
    let login = app.detached(login).await?;
    let (account, done) = login.map_err(|failure| Problem::login(&app, failure))?;
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
