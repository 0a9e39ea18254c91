//! The test version of the login (`contract/zhugeleida.md` 3.25–3.27): its customers are on trial until they log in
//! properly, and need not sign here.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::Recording;
use super::envelope::{self, Answer};
use super::login::{self, Arrival, LoginData};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::events::customer::{Source, UserType};

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

/// Where it is switched off there is nothing under these paths.
pub fn switched_on(app: &App) -> Result<(), Problem> {
    if app.settings().zhugeleida_test_login {
        Ok(())
    } else {
        Err(Problem::unknown_path())
    }
}
