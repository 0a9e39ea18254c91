//! SMS codes, signing up, logging in and out, and a new password (`contract/community.md` 3.74 and 3.87–3.90).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, MemberCall};
use super::envelope::{self, Answer, Nothing};
use super::members::{MyUserInfo, myself};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::identity;
use crate::api::login::PasswordLogin;
use crate::commands::Done;
use crate::commands::member::{
    LogInByCode, MemberError, OpenMember, Phone, ResetPassword, SignUp, TryCode, member_uid,
    new_hex_id,
};
use crate::commands::phone_code::{CodeTried, PhoneCodeCommand};
use crate::commands::session::{SessionCommand, holder};
use crate::events::{NameClaim, PhoneCode, Session};
use crate::gateways::SmsMessage;
use crate::ledger::Freshness;
use crate::projections::sessions;

/// A phone.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::PhoneRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct PhoneRequest {
    /// Dialling code, 1 to 4 digits; a leading `+` is dropped.
    #[schema(default = "86")]
    country: Option<String>,
    /// 5 to 15 digits; under 86 eleven that begin with 1.
    #[schema(example = "13800000000")]
    phone: String,
}

/// Send an SMS code (发送短信验证码)
///
/// Six digits, good for five minutes and one use. At most one a minute and ten a day.
#[utoipa::path(
    post, path = "/community/api/v1/send_sms_code", tag = SURFACE, operation_id = "community_send_sms_code",
    request_body = PhoneRequest,
    responses((status = 200, description = "Codes: 0, 400, 429", body = Answer<Nothing>)),
    security(()),
)]
pub async fn send_code(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let phone = call.fields.phone()?.required()?;
    let keys = app.ledger().keys();
    let (id, code) = (phone.codes(keys), new_code(&app));
    let issue = PhoneCodeCommand::Issue {
        code_hash: keys.code(&id, &code),
        now: app.now(),
    };
    let message = SmsMessage {
        country: phone.country().to_owned(),
        phone: phone.number().to_owned(),
        code,
    };
    let (work, request) = (app.clone(), call.incoming.anonymous(&app, SURFACE));
    // First the code counts, then it is sent: a gateway that fails costs a minute, never a code more than a day may see.
    let sending = async move {
        let issued = work
            .desk()
            .execute::<PhoneCode>(&request, &id, issue)
            .await?;
        work.sms().send(&message).await?;
        Ok::<_, Problem>(issued)
    };
    let done = app.detached(sending).await??;
    Ok(envelope::done(&app, &done, Nothing {}))
}

fn new_code(app: &App) -> String {
    let fixed = app.settings().sms_fixed_code.clone();
    fixed.unwrap_or_else(|| format!("{:06}", rand::random::<u64>() % 1_000_000))
}

/// What is sent to sign up.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::SignupRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct SignupRequest {
    /// Dialling code, 1 to 4 digits; a leading `+` is dropped.
    #[schema(default = "86")]
    country: Option<String>,
    /// 5 to 15 digits; under 86 eleven that begin with 1.
    phone: String,
    /// The code sent to it.
    #[schema(example = "012345")]
    code: String,
    /// Compared as is.
    #[schema(min_length = 6, max_length = 64)]
    password: String,
    /// `nick-` and the phone when absent.
    #[schema(min_length = 1, max_length = 32)]
    nickname: Option<String>,
}

/// A session and whose it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::LoggedIn)]
pub struct LoggedIn {
    /// For all other functions, 32 hex characters.
    token: String,
    /// 32 hex characters.
    uid: String,
    /// The profile.
    my_user_info: MyUserInfo,
}

/// Sign up by phone (手机号注册)
///
/// Two that sign up with one phone at once: one has the account, the other is told that the phone is registered.
#[utoipa::path(
    post, path = "/community/api/v1/user_signup", tag = SURFACE, operation_id = "community_user_signup",
    request_body = SignupRequest,
    responses((status = 200, description = "Codes: 0, 400, 461, 462", body = Answer<LoggedIn>)),
    security(()),
)]
pub async fn sign_up(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (phone, code) = (call.fields.phone()?, call.fields.sms_code()?);
    let password = call.fields.verbatim("password")?.chars(6..=64)?;
    let nickname = call.fields.text("nickname")?.chars(1..=32)?;
    let (phone, code) = (phone.required()?, code.required()?);
    let password = password.required()?;
    let nickname = nickname.or(format!("nick-{}", phone.number()));
    let code = right_code(&app, &call, &phone, &code).await?;
    let token = identity::new_member_token();
    let uid = new_hex_id();
    let sign_up = SignUp {
        code,
        member: OpenMember {
            uid: uid.clone(),
            phone_claim: phone.claim(app.ledger().keys()),
            phone,
            nickname,
            password_hash: Some(app.passwords().hash(&password).await?),
        },
        session: identity::session_id(&token),
        expires_at: app.now() + app.settings().community_session_ttl,
    };
    let done = call.run(&app, sign_up).await?;
    done.outcome.clone()?;
    logged_in(&app, &done, token, uid).await
}

/// What is sent to log in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::LoginRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct LoginRequest {
    /// Dialling code, 1 to 4 digits; a leading `+` is dropped.
    #[schema(default = "86")]
    country: Option<String>,
    /// 5 to 15 digits; under 86 eleven that begin with 1.
    phone: String,
    /// One of the two; when both are there, the password decides.
    #[schema(min_length = 1, max_length = 64)]
    password: Option<String>,
    /// The code sent to the phone.
    code: Option<String>,
}

/// Log in by phone, with password or SMS code (手机号登录)
#[utoipa::path(
    post, path = "/community/api/v1/user_login", tag = SURFACE, operation_id = "community_user_login",
    request_body = LoginRequest,
    responses((status = 200, description = "Codes: 0, 400, 423, 429, 460, 461, 463", body = Answer<LoggedIn>)),
    security(()),
)]
pub async fn log_in(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (phone, code) = (call.fields.phone()?, call.fields.sms_code()?);
    let password = call.fields.verbatim("password")?.chars(1..=64)?;
    let phone = phone.required()?;
    match (password.optional(), code.optional()) {
        (Some(password), _) => by_password(&app, &call, &phone, password).await,
        (None, Some(code)) => by_code(&app, &call, &phone, &code).await,
        (None, None) => Err(Problem::invalid("password")),
    }
}

async fn by_password(
    app: &App,
    call: &Call,
    phone: &Phone,
    password: String,
) -> Result<Response, Problem> {
    let token = identity::new_member_token();
    let attempt = PasswordLogin {
        door: SURFACE,
        name_claim: phone.claim(app.ledger().keys()),
        nobody: "community:nobody",
        password,
        session: identity::session_id(&token),
        ttl: app.settings().community_session_ttl,
    };
    let (work, request) = (app.clone(), call.incoming.anonymous(app, SURFACE));
    let login = async move { attempt.run(&work, &request).await };
    let login = app.detached(login).await?;
    let (account, done) = login.map_err(|failure| Problem::login(app, failure))?;
    let uid = member_uid(&account).ok_or_else(Problem::wrong_credentials)?;
    logged_in(app, &done, token, uid.to_owned()).await
}

async fn by_code(app: &App, call: &Call, phone: &Phone, code: &str) -> Result<Response, Problem> {
    let token = identity::new_member_token();
    let log_in = LogInByCode {
        code: tried(app, phone, code),
        phone_claim: phone.claim(app.ledger().keys()),
        session: identity::session_id(&token),
        expires_at: app.now() + app.settings().community_session_ttl,
    };
    let done = call.run(app, log_in).await?;
    let uid = done.outcome.clone()?;
    logged_in(app, &done, token, uid).await
}

/// Log out (用户登出)
///
/// Ends the session of this token, and no other.
#[utoipa::path(
    post, path = "/community/api/v1/user_logout", tag = SURFACE, operation_id = "community_user_logout",
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<Nothing>)),
)]
pub async fn log_out(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let session = call.member.session.clone();
    let done = call.execute::<Session>(&app, session, SessionCommand::Close);
    Ok(envelope::done(&app, &done.await?, Nothing {}))
}

/// What is sent to set a new password.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::PasswordUpdateRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct PasswordUpdateRequest {
    /// Dialling code, 1 to 4 digits; a leading `+` is dropped.
    #[schema(default = "86")]
    country: Option<String>,
    /// 5 to 15 digits; under 86 eleven that begin with 1.
    phone: String,
    /// The new one.
    #[schema(min_length = 6, max_length = 64)]
    password: String,
    /// The code sent to the phone.
    code: String,
}

/// Reset the password by SMS code (重置密码)
///
/// Every session of the member ends.
#[utoipa::path(
    post, path = "/community/api/v1/user_password_update", tag = SURFACE,
    operation_id = "community_user_password_update",
    request_body = PasswordUpdateRequest,
    responses((status = 200, description = "Codes: 0, 400, 423, 461, 463", body = Answer<Nothing>)),
    security(()),
)]
pub async fn update_password(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (phone, code) = (call.fields.phone()?, call.fields.sms_code()?);
    let password = call.fields.verbatim("password")?.chars(6..=64)?;
    let (phone, code) = (phone.required()?, code.required()?);
    let password = password.required()?;
    let code = right_code(&app, &call, &phone, &code).await?;
    let phone_claim = phone.claim(app.ledger().keys());
    let claim = app.ledger().current::<NameClaim>(&phone_claim).await?;
    let sessions = match holder(&claim.state) {
        Some(account) => sessions::open_of(app.reads(), account, app.now()).await,
        None => Ok(Vec::new()),
    };
    let reset = ResetPassword {
        code,
        phone_claim,
        password_hash: app.passwords().hash(&password).await?,
        sessions: sessions.map_err(|error| Problem::query(&app, error))?,
    };
    let done = call.run(&app, reset).await?;
    done.outcome.clone()?;
    Ok(envelope::done(&app, &done, Nothing {}))
}

fn tried(app: &App, phone: &Phone, code: &str) -> CodeTried {
    let keys = app.ledger().keys();
    let phone_code = phone.codes(keys);
    CodeTried {
        code_hash: keys.code(&phone_code, code),
        phone_code,
        now: app.now(),
    }
}

/// A code that is right as things stand; a wrong one is counted, and no password is hashed for it.
async fn right_code(
    app: &App,
    call: &Call,
    phone: &Phone,
    code: &str,
) -> Result<CodeTried, Problem> {
    let code = tried(app, phone, code);
    let ledger = app.ledger();
    let codes = ledger
        .load::<PhoneCode>(&code.phone_code, Freshness::Reread)
        .await?;
    if codes.state.accepts(&code.code_hash, code.now) {
        return Ok(code);
    }
    call.run(app, TryCode(code)).await?;
    Err(MemberError::WrongCode.into())
}

/// The answer to whoever is in now.
async fn logged_in<T>(
    app: &App,
    done: &Done<T>,
    token: String,
    uid: String,
) -> Result<Response, Problem> {
    let my_user_info = myself(app, &uid).await?;
    let body = LoggedIn {
        token,
        uid,
        my_user_info,
    };
    Ok(envelope::done(app, done, body))
}
