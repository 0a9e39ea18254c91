//! What visitors do with a card: calls, forwards, praise (`contract/zhugeleida.md` 3.12–3.16).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Recording};
use super::cards::shown;
use super::envelope::{self, Answer};
use super::{Problem, SURFACE, toggle};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::Done;
use crate::commands::card::{CardVisit, ReactToCard, VisitCard};
use crate::commands::reaction::Toggled;
use crate::events::reaction::ReactionKind;

const CALLING: &str = "/zhugeleida/xiaochengxu/mingpian/calling";
const SAVE_WECHAT: &str = "/zhugeleida/xiaochengxu/mingpian/save_wechat";
const PRAISE: &str = "/zhugeleida/xiaochengxu/mingpian/praise";
const FORWARD: &str = "/zhugeleida/xiaochengxu/mingpian/forward";
const UP_SIGN: &str = "/zhugeleida/xiaochengxu/mingpian/up_sign";

const LOGGED: &str = "记录日志成功";

/// Who signed, and which card.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct CardQuery {
    /// The caller.
    user_id: i64,
    /// Unix time in milliseconds, as text.
    #[param(example = "1528871213546")]
    timestamp: String,
    /// `md5_hex(timestamp + token)`.
    #[param(example = "3eb2d45dd640c392d2cfa6f9e9b70aa9")]
    rand_str: String,
    /// The enterprise user whose card it is; `u_id` is the same.
    uid: i64,
}

/// The same, with a state to set.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct ToggleQuery {
    /// The caller.
    user_id: i64,
    /// Unix time in milliseconds, as text.
    #[param(example = "1528871213546")]
    timestamp: String,
    /// `md5_hex(timestamp + token)`.
    #[param(example = "3eb2d45dd640c392d2cfa6f9e9b70aa9")]
    rand_str: String,
    /// The enterprise user whose card it is; `u_id` is the same.
    uid: i64,
    /// 1: let it stand, 0: take it back; absent: the other way round than it is.
    #[param(minimum = 0, maximum = 1)]
    status: Option<i64>,
}

/// A signature's likes after a change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::UpSignData)]
pub struct UpSignData {
    ret_data: SignState,
}

/// A signature's likes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::SignState)]
pub struct SignState {
    /// How many there are now.
    #[schema(example = 11)]
    sign_num: i64,
    /// Whether the caller's is among them.
    is_sign: bool,
}

/// Record a phone call (名片里-记录拨打手机的动作)
#[utoipa::path(
    get, path = CALLING, tag = SURFACE, operation_id = "zhugeleida_calling",
    params(CardQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<envelope::Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn calling(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    log(app, &call, CardVisit::Call, CALLING).await
}

/// Record that the WeChat id was saved (名片里-保存了您的微信提示接口)
#[utoipa::path(
    get, path = SAVE_WECHAT, tag = SURFACE, operation_id = "zhugeleida_save_wechat",
    params(CardQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<envelope::Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn save_wechat(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    log(app, &call, CardVisit::SaveWechat, SAVE_WECHAT).await
}

/// Record a forward (名片里-记录转发动作)
#[utoipa::path(
    get, path = FORWARD, tag = SURFACE, operation_id = "zhugeleida_forward",
    params(CardQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<envelope::Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn forward(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    log(app, &call, CardVisit::Forward, FORWARD).await
}

/// Praise or un-praise a card (名片里-记录点赞或者取消点赞)
///
/// Flips, unless `status` says which way. The very same request again within two seconds flips nothing.
#[utoipa::path(
    get, path = PRAISE, tag = SURFACE, operation_id = "zhugeleida_praise",
    params(ToggleQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404, 409", body = Answer<envelope::Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn praise(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (_, done) = react(&app, call, ReactionKind::Praise, PRAISE).await?;
    Ok((Stamp::of(&app, &done), envelope::success(LOGGED)).into_response())
}

/// Like or un-like the signature (名片里-记录点赞签名)
///
/// Flips, unless `status` says which way. The very same request again within two seconds flips nothing.
#[utoipa::path(
    get, path = UP_SIGN, tag = SURFACE, operation_id = "zhugeleida_up_sign",
    params(ToggleQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404, 409", body = Answer<UpSignData>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn up_sign(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (uid, done) = react(&app, call, ReactionKind::Sign, UP_SIGN).await?;
    let ret_data = SignState {
        sign_num: shown(&app, uid).await?.sign_num,
        is_sign: done.outcome.stands,
    };
    let data = UpSignData { ret_data };
    Ok((Stamp::of(&app, &done), envelope::data(LOGGED, data)).into_response())
}

async fn log(
    app: App,
    call: &Call,
    visit: CardVisit,
    endpoint: &'static str,
) -> Result<Response, Problem> {
    let (_, done) = record(&app, call, visit, endpoint).await?;
    Ok((Stamp::of(&app, &done), envelope::success(LOGGED)).into_response())
}

/// Records a visit; answers the customer, too.
pub async fn record(
    app: &App,
    call: &Call,
    visit: CardVisit,
    endpoint: &'static str,
) -> Result<(i64, Done<()>), Problem> {
    let (customer_id, _) = call.customer(app).await?;
    let visit = VisitCard {
        customer_id,
        uid: call.uid()?,
        visit,
    };
    let request = call.desk(app, customer_id, endpoint)?;
    let desk = app.desk().clone();
    let done = app.detached(async move { desk.run(&request, &visit).await });
    Ok((customer_id, done.await??))
}

/// What the caller makes of a card; answers whose it is, too.
async fn react(
    app: &App,
    call: Call,
    kind: ReactionKind,
    endpoint: &'static str,
) -> Result<(i64, Done<Toggled>), Problem> {
    let (customer_id, _) = call.customer(app).await?;
    let uid = call.uid()?;
    let wish = toggle::wish(&call)?;
    let request = call.desk(app, customer_id, endpoint)?;
    let key = ReactToCard::key(customer_id, kind, uid);
    let react = ReactToCard {
        key: key.clone(),
        wish,
        at: request.metadata.at,
    };
    let work = app.clone();
    let done =
        app.detached(async move { toggle::run(&work, &call, request, (&key, wish), &react).await });
    Ok((uid, done.await??))
}
