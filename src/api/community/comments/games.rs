//! Comments of games (`contract/community.md` 3.23 … 3.27).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Published;
use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::api::wire::{Flaw, Invalid};
use crate::events::party::TargetKind;
use crate::events::reaction::Vote;
use crate::projections::comments::CommentItem;

/// A comment on a game.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::CommentOnGame)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct PublishBody {
    /// Game id.
    #[schema(minimum = 1, example = 3)]
    game_id: i64,
    /// The text.
    #[schema(min_length = 1, max_length = 1_000, example = "好玩")]
    content: String,
}

/// Comment on a game (游戏评论发表)
#[utoipa::path(
    post, path = "/community/api/v1/game_comment_publish", tag = SURFACE, operation_id = "community_game_comment_publish",
    request_body = PublishBody,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Published>)),
)]
pub async fn publish(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::publish(&app, &call, TargetKind::Game, "game_id").await
}

/// Which comments.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::GameCommentIds)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CommentIds {
    /// Comment ids; also a single one.
    #[schema(min_items = 1, max_items = 100, example = json!([47]))]
    comment_id: Option<Vec<i64>>,
    /// The same under another name; one of the two is needed.
    #[schema(min_items = 1, max_items = 100)]
    comment_id_list: Option<Vec<i64>>,
}

/// Delete game comments (游戏评论删除)
///
/// The caller's own: one of somebody else's and none is deleted. Those that are not there are passed over.
#[utoipa::path(
    post, path = "/community/api/v1/game_comment_del", tag = SURFACE, operation_id = "community_game_comment_del",
    request_body = CommentIds,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409, 423", body = Answer<Nothing>)),
)]
pub async fn delete(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let ids = call.fields.ids("comment_id", super::DELETED)?.optional();
    let list = call.fields.ids("comment_id_list", super::DELETED)?;
    let missing = Invalid {
        field: "comment_id",
        flaw: Flaw::Missing,
    };
    let ids = ids.or(list.optional()).ok_or(missing)?;
    super::delete(&app, &call, TargetKind::Game, ids).await
}

/// Which comment.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::GameCommentId)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CommentId {
    /// Comment id.
    #[schema(minimum = 1, example = 47)]
    comment_id: i64,
}

/// Vote a game comment up (游戏评论顶)
///
/// A vote down moves.
#[utoipa::path(
    post, path = "/community/api/v1/game_comment_up", tag = SURFACE, operation_id = "community_game_comment_up",
    request_body = CommentId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn up(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("comment_id")?.required()?;
    super::vote(&app, &call, TargetKind::Game, id, Vote::Up).await
}

/// Vote a game comment down (游戏评论踩)
///
/// A vote up moves.
#[utoipa::path(
    post, path = "/community/api/v1/game_comment_down", tag = SURFACE, operation_id = "community_game_comment_down",
    request_body = CommentId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn down(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("comment_id")?.required()?;
    super::vote(&app, &call, TargetKind::Game, id, Vote::Down).await
}

/// Which part of a game's comments.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::GameCommentsQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct CommentsQuery {
    /// Game id.
    #[param(minimum = 1, example = 3)]
    #[schema(minimum = 1, example = 3)]
    game_id: i64,
    /// Comments wanted; more than 100 count as 100.
    #[param(minimum = 1, default = 100)]
    #[schema(minimum = 1, default = 100)]
    limit: Option<i64>,
    /// Comments to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A comment on a game.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::GameComment)]
pub struct GameCommentData {
    #[schema(example = 47)]
    comment_id: i64,
    /// Who wrote it.
    #[schema(example = "7c9e6679742540de944be07fc1f90ae7")]
    uid: String,
    content: String,
    /// Always null: comments on games are not answered.
    reply_id: Option<i64>,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
    up_count: i64,
    down_count: i64,
    /// The caller voted it up.
    is_up: bool,
    /// The caller voted it down.
    is_down: bool,
}

impl From<CommentItem> for GameCommentData {
    fn from(comment: CommentItem) -> Self {
        let voted = |way: Vote| comment.vote.as_deref() == Some(way.word());
        let (is_up, is_down) = (voted(Vote::Up), voted(Vote::Down));
        Self {
            comment_id: comment.id,
            uid: comment.author.id,
            content: comment.content,
            reply_id: None,
            created_at: comment.created_at.timestamp_millis(),
            up_count: comment.up_count,
            down_count: comment.down_count,
            is_up,
            is_down,
        }
    }
}

/// A page of a game's comments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::GameCommentList)]
pub struct CommentList {
    game_comment_list: Vec<GameCommentData>,
}

/// List game comments (读游戏评论列表)
///
/// Newest first.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/game_comment_list", tag = SURFACE,
    operation_id = "community_game_comment_list",
    params(CommentsQuery), request_body = CommentsQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<CommentList>)),
)]
pub async fn list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("game_id")?.required()?;
    let page = call.fields.page(super::LIST)?;
    let stamp = call.as_of(&app).await?;
    let found = super::found(&app, &call, TargetKind::Game, id, page).await?;
    let game_comment_list = found.into_iter().map(GameCommentData::from).collect();
    Ok(envelope::found(stamp, CommentList { game_comment_list }))
}
