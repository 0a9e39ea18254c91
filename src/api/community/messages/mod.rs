//! Private messages: sending and throwing them away (`contract/community.md` 3.47, 3.70 … 3.73). Reading is `lists.rs`.

pub mod lists;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::MemberCall;
use super::envelope::{self, Answer, Nothing};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::commands::message::{DeleteMessages, SendText};
use crate::events::party::{Party, PartyKind};
use crate::postgres::Limit;

/// Characters of a message, at most.
const CONTENT: usize = 2_000;
/// Messages deleted at once, at most.
const DELETED: usize = 100;
/// Messages of one member, whoever they are for. Those that nobody received count, too.
const SENT: Limit = Limit {
    hits: 60,
    window: Duration::from_secs(60),
};

/// The functions of this folder.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(to_user))
        .routes(routes!(to_master))
        .routes(routes!(to_merchant))
        .routes(routes!(to_customer_service))
        .routes(routes!(delete))
        .routes(routes!(lists::page))
        .routes(routes!(lists::center))
}

/// The id of what was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::SentMessage)]
pub struct Sent {
    #[schema(example = 18)]
    message_id: i64,
}

/// A message to a member.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MessageToUser)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ToUser {
    /// The member's uid; not the caller's.
    #[schema(example = "7c9e6679742540de944be07fc1f90ae7")]
    to_uid: String,
    /// The text.
    #[schema(min_length = 1, max_length = 2_000, example = "在吗")]
    content: String,
}

/// Message a user (发送私信给用户)
#[utoipa::path(
    post, path = "/community/api/v1/send_message_to_user", tag = SURFACE, operation_id = "community_send_message_to_user",
    request_body = ToUser,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 429", body = Answer<Sent>)),
)]
pub async fn to_user(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let to_uid = call.fields.hex_id("to_uid")?;
    let to_uid = to_uid.check(|uid| *uid != call.member.uid)?.required()?;
    send(&app, &call, Party::new(PartyKind::Member, to_uid)).await
}

/// A message to a master.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MessageToMaster)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ToMaster {
    /// The master.
    #[schema(example = "0f8fad5bd9cb469fa16570867728950e")]
    master_id: String,
    /// The text.
    #[schema(min_length = 1, max_length = 2_000, example = "请问还有票吗")]
    content: String,
}

/// Message a master (发送私信给达人)
#[utoipa::path(
    post, path = "/community/api/v1/send_message_to_master", tag = SURFACE,
    operation_id = "community_send_message_to_master",
    request_body = ToMaster,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 429", body = Answer<Sent>)),
)]
pub async fn to_master(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let master_id = call.fields.hex_id("master_id")?.required()?;
    send(&app, &call, Party::new(PartyKind::Master, master_id)).await
}

/// A message to a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MessageToMerchant)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ToMerchant {
    /// The merchant.
    #[schema(example = "0f8fad5bd9cb469fa16570867728950e")]
    merchant_id: String,
    /// The text.
    #[schema(min_length = 1, max_length = 2_000, example = "请问有大码吗")]
    content: String,
}

/// Message a merchant (发送私信给商家)
#[utoipa::path(
    post, path = "/community/api/v1/send_message_to_merchant", tag = SURFACE,
    operation_id = "community_send_message_to_merchant",
    request_body = ToMerchant,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 429", body = Answer<Sent>)),
)]
pub async fn to_merchant(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let merchant_id = call.fields.hex_id("merchant_id")?.required()?;
    send(&app, &call, Party::new(PartyKind::Merchant, merchant_id)).await
}

/// A message to the customer service.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MessageToCustomerService)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ToCustomerService {
    /// The text.
    #[schema(min_length = 1, max_length = 2_000, example = "如何退票")]
    content: String,
}

/// Message the customer service (发送私信给客服)
#[utoipa::path(
    post, path = "/community/api/v1/send_message_to_customer_service", tag = SURFACE,
    operation_id = "community_send_message_to_customer_service",
    request_body = ToCustomerService,
    responses((status = 200, description = "Codes: 0, 400, 401, 409, 423, 429", body = Answer<Sent>)),
)]
pub async fn to_customer_service(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    send(&app, &call, Party::customer_service()).await
}

async fn send(app: &App, call: &MemberCall, to: Party) -> Result<Response, Problem> {
    let content = call.fields.text("content")?;
    let content = content.chars(1..=CONTENT)?.required()?;
    let key = format!("message:{}", call.member.uid);
    let within = app.rate_limits().hit(&key, SENT, app.now()).await;
    if !within.map_err(|error| Problem::query(app, error))? {
        return Err(Problem::too_often());
    }
    let send = SendText {
        id: app.ledger().next_id("message").await?,
        from: call.member.party(),
        to,
        content,
    };
    let done = call.run(app, send).await?;
    let message_id = done.outcome;
    Ok(envelope::done(app, &done, Sent { message_id }))
}

/// Which messages.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MessageIds)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct MessageIds {
    /// Message ids.
    #[schema(min_items = 1, max_items = 100, example = json!([18]))]
    message_id_list: Vec<i64>,
}

/// Delete private messages (删除私信)
///
/// The caller's copies; the other side keeps its own. One of a conversation of others and none is deleted. Those that are not
/// there are passed over.
#[utoipa::path(
    post, path = "/community/api/v1/message_del", tag = SURFACE, operation_id = "community_message_del",
    request_body = MessageIds,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409, 423", body = Answer<Nothing>)),
)]
pub async fn delete(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let delete = DeleteMessages {
        ids: call.fields.ids("message_id_list", DELETED)?.required()?,
        by: call.member.party(),
    };
    let done = call.run(&app, delete).await?;
    Ok(envelope::done(&app, &done, Nothing {}))
}
