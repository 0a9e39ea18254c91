//! Reading the chat (`contract/zhugeleida.md` 3.5, 3.8, 3.9). What a caller is shown of the end of it counts as read.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::parties::Parties;
use super::rows::{ChatRow, chat_rows};
use super::{in_passing, meaningless, read_through};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::backend;
use crate::api::zhugeleida::call::{Call, Recording};
use crate::api::zhugeleida::cards::{DEFAULT_AVATAR, usable};
use crate::api::zhugeleida::envelope::{self, Answer};
use crate::api::zhugeleida::params::{PageQuery, SignedQuery, UidQuery};
use crate::api::zhugeleida::{Problem, SURFACE};
use crate::events::conversation::{Pair, Side};
use crate::projections::messages::{self, ChatLook};

/// With whom.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct PartyQuery {
    /// The customer, where `user_id` is the enterprise user.
    customer_id: Option<i64>,
    /// The enterprise user, where `user_id` is the customer; `uid` is the same.
    u_id: Option<i64>,
}

/// How much was not read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::UnreadCount)]
pub struct UnreadCount {
    /// Messages of the enterprise user that the customer was not shown yet.
    #[schema(example = 1)]
    chatinfo_count: i64,
}

/// Chat history, paged (分页获取-所有的聊天信息记录)
///
/// Newest first. The first page counts as read by the caller.
#[utoipa::path(
    get, path = "/zhugeleida/qiyeweixin/chat", tag = SURFACE, operation_id = "zhugeleida_chat",
    params(SignedQuery, PartyQuery, PageQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = Answer<Vec<ChatRow>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn history(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let parties = Parties::of(&app, &call, None).await?;
    let page = call.page()?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let Parties { pair, caller } = parties;
    let look = messages::chat(app.reads(), pair, caller, page.offset, page.limit).await;
    let look = look.map_err(|error| Problem::query(&app, error))?;
    if page.offset == 0 {
        return shown(app, &call, parties, (stamp, look), "分页获取聊天消息成功").await;
    }
    Ok((stamp, rows(&app, &call, pair, look, "分页获取聊天消息成功")).into_response())
}

/// Newest chat messages (实时聊天-获取最新的聊天信息)
///
/// What the caller was not shown yet, own messages included: newest first, at most 100. Nothing new is a success without
/// rows. The number at the end of the path means nothing and may be left out.
#[utoipa::path(
    get, path = "/zhugeleida/qiyeweixin/chat/getmsg/{n}", tag = SURFACE, operation_id = "zhugeleida_getmsg",
    params(("n" = i64, Path, description = "Means nothing."), SignedQuery, PartyQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<Vec<ChatRow>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn news(
    State(app): State<App>,
    Path(n): Path<String>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let parties = Parties::of(&app, &call, None).await?;
    meaningless(&n)?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let look = messages::news(app.reads(), parties.pair, parties.caller).await;
    let look = look.map_err(|error| Problem::query(&app, error))?;
    shown(
        app,
        &call,
        parties,
        (stamp, look),
        "实时获取-最新聊天记录成功",
    )
    .await
}

/// Number of unread chat messages (聊天 - 获取聊天数量)
///
/// The number at the end of the path means nothing and may be left out.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/chat/query_num/{n}", tag = SURFACE,
    operation_id = "zhugeleida_query_num",
    params(("n" = i64, Path, description = "Means nothing."), SignedQuery, UidQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<UnreadCount>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn unread(
    State(app): State<App>,
    Path(n): Path<String>,
    call: Call,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    meaningless(&n)?;
    let uid = call.uid()?;
    usable(&app, uid).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let pair = Pair { uid, customer_id };
    let found = messages::unread(app.reads(), pair, Side::Customer).await;
    let data = UnreadCount {
        chatinfo_count: found.map_err(|error| Problem::query(&app, error))?,
    };
    Ok((stamp, envelope::data("查询成功", data)).into_response())
}

/// Answers with the end of a conversation, which the caller has read then.
async fn shown(
    app: App,
    call: &Call,
    parties: Parties,
    (stamp, look): (Stamp, ChatLook),
    msg: &'static str,
) -> Result<Response, Problem> {
    let Parties { pair, caller } = parties;
    let newest = look.items.first().map_or(0, |item| item.position);
    let is_news = newest > look.read_through;
    let answer = rows(&app, call, pair, look, msg);
    if !is_news {
        return Ok((stamp, answer).into_response());
    }
    let request = in_passing(&app, call, parties.actor());
    let work = app.clone();
    let read = async move { read_through(&work, &request, (pair, caller), newest).await };
    let done = app.detached(read).await??;
    Ok((stamp, Stamp::of(&app, &done), answer).into_response())
}

fn rows(app: &App, call: &Call, pair: Pair, look: ChatLook, msg: &'static str) -> Response {
    let base = backend::base(app, &call.incoming);
    let default_avatar = format!("{base}/{DEFAULT_AVATAR}");
    envelope::data(msg, chat_rows(pair, look, &default_avatar))
}
