//! The test version of the login (`contract/zhugeleida.md` 3.25–3.27): its customers are on trial until they log in
//! properly, and need not sign here.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Call, Recording};
use super::envelope::{self, Answer};
use super::login::{self, Arrival, LoginData};
use super::profile::{self, FormId, UserInfo};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::events::Customer;
use crate::events::customer::{Source, UserType};

const SEND_FORM_ID: &str = "/zhugeleida/xiaochengxu/test_login/send_form_id";
const SEND_USER_INFO: &str = "/zhugeleida/xiaochengxu/test_login/send_user_info";

/// What is asked to log in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct TestLoginQuery {
    /// One-time code of `wx.login`.
    #[param(min_length = 1, max_length = 256)]
    code: String,
}

/// Log in, test version (登录认证)
///
/// As the login of a mini-program by scan. Only where the test version is switched on.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/test_login", tag = SURFACE, operation_id = "zhugeleida_test_login",
    params(TestLoginQuery),
    responses(
        (status = 200, description = "Codes: 200, 303, 306, 401", body = Answer<LoginData>),
        (status = 404, description = "Code 404: switched off", body = Answer<envelope::Nothing>),
        (status = 500, description = "Code 500: WeChat cannot be reached, or something broke", body = Answer<envelope::Nothing>),
    ),
    security(()),
)]
pub async fn login(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    switched_on(&app)?;
    let arrival = Arrival {
        code: login::code(&call)?,
        user_type: UserType::MiniProgram,
        source: Source::Scan,
        trial: true,
    };
    arrival.answer(app, &call).await
}

/// Send formId, test version (发送 formID)
///
/// Customers on trial need not sign.
#[utoipa::path(
    post, path = SEND_FORM_ID, tag = SURFACE, operation_id = "zhugeleida_test_send_form_id",
    params(("user_id" = i64, Query, description = "The customer.")),
    request_body(content = FormId, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Codes: 200, 301, 303, 306, 404", body = Answer<envelope::Nothing>),
        (status = 404, description = "Code 404: switched off", body = Answer<envelope::Nothing>),
    ),
    security((), ("zhugeleida_signature" = [])),
)]
pub async fn send_form_id(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let customer_id = customer(&app, &call).await?;
    profile::keep_form_id(app, &call, customer_id, SEND_FORM_ID).await
}

/// Store the profile, test version (授权后发送用户信息入库)
///
/// Customers on trial need not sign.
#[utoipa::path(
    post, path = SEND_USER_INFO, tag = SURFACE, operation_id = "zhugeleida_test_send_user_info",
    params(("user_id" = i64, Query, description = "The customer.")),
    request_body(content = UserInfo, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Codes: 200, 301, 303, 306, 404", body = Answer<envelope::Nothing>),
        (status = 404, description = "Code 404: switched off", body = Answer<envelope::Nothing>),
    ),
    security((), ("zhugeleida_signature" = [])),
)]
pub async fn send_user_info(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let customer_id = customer(&app, &call).await?;
    profile::keep_profile(app, &call, customer_id, SEND_USER_INFO).await
}

/// Who calls: by their signature, or, on trial, by their word. A signature that is there must be right.
async fn customer(app: &App, call: &Call) -> Result<i64, Problem> {
    switched_on(app)?;
    if call.is_signed()? {
        return Ok(call.customer(app).await?.0);
    }
    let user_id = call.params.quoted_int("user_id")?.optional();
    let user_id = user_id.ok_or_else(Problem::illegal)?;
    let id = user_id.to_string();
    let found = app.ledger().current::<Customer>(&id).await?.state;
    match found.registered() {
        Some(customer) if !customer.trial => Err(Problem::illegal()),
        Some(customer) if !customer.enabled => Err(Problem::disabled()),
        Some(_) => Ok(user_id),
        None => Err(Problem::illegal()),
    }
}

/// Where it is switched off there is nothing under these paths.
fn switched_on(app: &App) -> Result<(), Problem> {
    if app.settings().zhugeleida_test_login {
        Ok(())
    } else {
        Err(Problem::unknown_path())
    }
}
