//! Binding a customer to an enterprise user and to whoever brought them (`contract/zhugeleida.md` 3.2).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Call, Recording};
use super::envelope::{self, Answer};
use super::{Problem, SURFACE, login};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::customer::{BindCustomer, Binding, identity_claim, identity_holder};
use crate::events::NameClaim;
use crate::events::customer::UserType;

const PATH: &str = "/zhugeleida/xiaochengxu/login/binding";

/// What is asked to bind.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct BindingQuery {
    /// The customer; may be absent where `code` is there.
    user_id: Option<i64>,
    /// The enterprise user; `u_id` is the same.
    uid: i64,
    /// The customer whose share it was; empty: straight from the enterprise user.
    pid: Option<i64>,
    /// 1 scan (扫码), 2 forward (转发).
    #[param(minimum = 1, maximum = 2)]
    source: i64,
    /// 1 official account (微信公众号), 2 mini-program (微信小程序).
    #[param(minimum = 1, maximum = 2)]
    user_type: i64,
    /// One-time code of `wx.login`, where there is no `user_id`.
    code: Option<String>,
    /// Unix time in milliseconds; from the second binding on.
    timestamp: Option<String>,
    /// `md5_hex(timestamp + token)`; from the second binding on.
    rand_str: Option<String>,
}

/// Bind customer to enterprise user and parent (绑定-客户与用户的关系)
///
/// A first binding needs no signature; a signature that is there must be right. For one enterprise user the first binding
/// counts: calling again changes nothing.
#[utoipa::path(
    get, path = PATH, tag = SURFACE, operation_id = "zhugeleida_binding",
    params(BindingQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 401, 404", body = Answer<envelope::Nothing>)),
    security((), ("zhugeleida_signature" = [])),
)]
pub async fn bind(State(app): State<App>, Recording(call): Recording) -> Result<Response, Problem> {
    let signer = if call.is_signed()? {
        Some(call.customer(&app).await?.0)
    } else {
        None
    };
    let uid = call.uid()?;
    let pid = parent(&call)?;
    let (user_type, source) = login::origin(&call)?;
    let binding = Binding {
        uid,
        pid,
        source: source.ok_or_else(Problem::wrong_type)?,
        user_type: user_type.ok_or_else(Problem::wrong_type)?,
    };
    let customer_id = match signer {
        Some(customer_id) => customer_id,
        None => named(&app, &call, binding.user_type).await?,
    };
    let bind = BindCustomer {
        customer_id,
        binding,
        signed: signer.is_some(),
    };
    let request = call.desk(&app, customer_id, PATH)?;
    let desk = app.desk().clone();
    let done = app.detached(async move { desk.run(&request, &bind).await });
    let done = done.await??;
    Ok((Stamp::of(&app, &done), envelope::success("绑定成功")).into_response())
}

/// Empty is nobody.
fn parent(call: &Call) -> Result<Option<i64>, Problem> {
    match call.params.as_sent("pid")?.optional() {
        Some(sent) if !sent.trim().is_empty() => Ok(call.params.quoted_int("pid")?.optional()),
        Some(_) | None => Ok(None),
    }
}

/// The customer who is named, by id or by a code of WeChat's.
async fn named(app: &App, call: &Call, user_type: UserType) -> Result<i64, Problem> {
    if let Some(user_id) = call.params.quoted_int("user_id")?.optional() {
        return Ok(user_id);
    }
    let code = call.params.quoted_text("code")?.chars(1..=256)?.optional();
    let code = code.ok_or_else(Problem::wrong_type)?;
    let known = login::exchange(app, user_type, &code).await?;
    let claim = identity_claim(app.ledger().keys(), user_type, &known.openid);
    let held = app.ledger().current::<NameClaim>(&claim).await?;
    identity_holder(&held.state).ok_or_else(Problem::no_such_id)
}
