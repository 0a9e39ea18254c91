//! Saying something in the chat (`contract/zhugeleida.md` 3.6, 3.7, 3.22).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::meaningless;
use super::parties::Parties;
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::wire::Field;
use crate::api::zhugeleida::call::Recording;
use crate::api::zhugeleida::companies::run;
use crate::api::zhugeleida::envelope::{self, Answer, Nothing};
use crate::api::zhugeleida::params::{SignedQuery, UidQuery};
use crate::api::zhugeleida::products::ProductQuery;
use crate::api::zhugeleida::{Problem, SURFACE, login};
use crate::commands::chat::{ChatContent, ConsultProduct, HandOverPhone, SendChat};
use crate::events::conversation::{Pair, Side};
use crate::gateways::decrypt_phone_number;

const SEND: &str = "/zhugeleida/qiyeweixin/chat/send_msg/{n}";
const PHONE: &str = "/zhugeleida/xiaochengxu/chat/encrypted_phone_number/{n}";
const CONSULT: &str = "/zhugeleida/xiaochengxu/mallManage/consult_product";

/// Characters of an encrypted phone number.
const ENCRYPTED_MAX: usize = 4096;
/// Characters of its initialization vector.
const IV_MAX: usize = 64;

/// A message, as a form, multipart or JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = zhugeleida::ChatMessage)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ChatMessage {
    /// The customer; absent where `u_id` names the enterprise user and the customer signs.
    #[schema(example = 7)]
    customer_id: Option<i64>,
    /// The enterprise user; absent: `user_id` of the query.
    #[schema(example = 1)]
    user_id: Option<i64>,
    /// JSON: `info_type` 1 text (`msg`), 2 product (`product_cover_url`, `product_name`, `product_price`), 3 phone number
    /// (`msg`), 4 picture (`url`), 5 video (`url`); further keys are kept. At most 4096 bytes. What is no JSON is a text.
    #[schema(example = "{\"msg\":\"您好\",\"info_type\":1}")]
    content: String,
    /// 1 the enterprise user writes, 2 the customer writes. It must fit who signed.
    #[schema(minimum = 1, maximum = 2)]
    send_type: Option<i64>,
}

/// A phone number as WeChat encrypted it, as a form, multipart or JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = zhugeleida::EncryptedPhone)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct EncryptedPhone {
    /// Whom it is handed to; `uid` is the same.
    #[schema(example = 1)]
    u_id: i64,
    /// Base64.
    #[schema(rename = "encryptedData", min_length = 1, max_length = 4096)]
    #[serde(rename = "encryptedData")]
    encrypted_data: String,
    /// Base64 of 16 bytes.
    #[schema(example = "EBESExQVFhcYGRobHB0eHw==")]
    iv: String,
}

/// Send a chat message (实时聊天-发送消息接口)
///
/// The number at the end of the path means nothing and may be left out.
#[utoipa::path(
    post, path = SEND, tag = SURFACE, operation_id = "zhugeleida_send_msg",
    params(("n" = i64, Path, description = "Means nothing."), SignedQuery),
    request_body(content = ChatMessage, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn send(
    State(app): State<App>,
    Path(n): Path<String>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let writer = call.choice("send_type", writer).map(Field::optional);
    let parties = Parties::of(&app, &call, *writer.as_ref().unwrap_or(&None)).await?;
    // Said only to who signed.
    writer?;
    meaningless(&n)?;
    let content = call.params.any("content").unwrap_or(&Value::Null);
    let content = ChatContent::read(content).map_err(|bad| Problem::field("content", &bad))?;
    let send = SendChat {
        id: app.ledger().next_id("message").await?,
        pair: parties.pair,
        writer: parties.caller,
        content,
    };
    let request = call.desk_of(&app, &parties.actor(), SEND)?;
    let desk = app.desk().clone();
    let done = app.detached(async move { desk.run(&request, &send).await });
    let done = done.await??;
    let answer = envelope::success("send msg successful");
    Ok((Stamp::of(&app, &done), answer).into_response())
}

/// Hand over the phone number (聊天信息 - 获取手机号)
///
/// Opened with the session key of the customer's last login; kept with the customer and shown in the chat. The same number
/// again changes nothing. The number at the end of the path means nothing and may be left out.
#[utoipa::path(
    post, path = PHONE, tag = SURFACE, operation_id = "zhugeleida_encrypted_phone_number",
    params(("n" = i64, Path, description = "Means nothing."), SignedQuery),
    request_body(content = EncryptedPhone, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 401, 404", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn hand_over_phone(
    State(app): State<App>,
    Path(n): Path<String>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    meaningless(&n)?;
    let uid = call.uid()?;
    // Not trimmed: a form may have made a blank of a `+` at either end.
    let text = |name, most| Ok::<_, Problem>(call.params.verbatim(name)?.chars(1..=most)?);
    let encrypted = text("encryptedData", ENCRYPTED_MAX)?.required()?;
    let iv = text("iv", IV_MAX)?.required()?;
    let session_key = login::session_key(&app, customer_id).await?;
    let app_id = app.wechat().app_id();
    let number = decrypt_phone_number(&session_key, &iv, &encrypted, app_id)
        .map_err(|bad| Problem::field("encryptedData", &bad))?;
    let hand_over = HandOverPhone {
        id: app.ledger().next_id("message").await?,
        pair: Pair { uid, customer_id },
        phone: number.phone_number,
        pure_phone: number.pure_phone_number,
        country_code: number.country_code,
    };
    let done = run(&app, &call, customer_id, PHONE, hand_over).await?;
    Ok((Stamp::of(&app, &done), envelope::success("查询成功")).into_response())
}

/// Consult about a product (咨询商品)
///
/// The enterprise user is told in the chat. The same question within a minute changes nothing.
#[utoipa::path(
    get, path = CONSULT, tag = SURFACE, operation_id = "zhugeleida_consult_product",
    params(SignedQuery, UidQuery, ProductQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn consult(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let uid = call.uid()?;
    let product_id = call.number("product_id")?;
    let consult = ConsultProduct {
        id: app.ledger().next_id("message").await?,
        pair: Pair { uid, customer_id },
        product_id,
        at: app.now(),
    };
    let done = run(&app, &call, customer_id, CONSULT, consult).await?;
    Ok((Stamp::of(&app, &done), envelope::success("咨询产品成功")).into_response())
}

/// Who writes, by `send_type`.
fn writer(send_type: i64) -> Option<Side> {
    match send_type {
        1 => Some(Side::Card),
        2 => Some(Side::Customer),
        _ => None,
    }
}
