//! Comments of articles: writing, answering, deleting them, voting on them (`contract/community.md` 3.2 … 3.6). Reading is
//! `lists.rs`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::comments::{self, Published};
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::commands::comment::ReplyToComment;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::Vote;

/// A comment on an article.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::CommentOnArticle)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct PublishBody {
    /// Article id.
    #[schema(minimum = 1, example = 61)]
    article_id: i64,
    /// The text.
    #[schema(min_length = 1, max_length = 1_000, example = "写得真好")]
    content: String,
}

/// Comment on an article (文章评论发表)
#[utoipa::path(
    post, path = "/community/api/v1/article_comment_publish", tag = SURFACE,
    operation_id = "community_article_comment_publish",
    request_body = PublishBody,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Published>)),
)]
pub async fn publish(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    comments::publish(&app, &call, TargetKind::Article, "article_id").await
}

/// An answer to a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::ReplyToArticleComment)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ReplyBody {
    /// Article id.
    #[schema(minimum = 1, example = 61)]
    article_id: i64,
    /// The comment that is answered.
    #[schema(minimum = 1, example = 53)]
    reply_id: i64,
    /// The text.
    #[schema(min_length = 1, max_length = 1_000, example = "同感")]
    content: String,
    /// Where the thread begins. It must be a comment of the article; where the thread really begins is found out.
    #[schema(minimum = 1, example = 53)]
    first_reply_id: Option<i64>,
}

/// Reply to an article comment (文章评论回复)
#[utoipa::path(
    post, path = "/community/api/v1/article_comment_reply", tag = SURFACE,
    operation_id = "community_article_comment_reply",
    request_body = ReplyBody,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Published>)),
)]
pub async fn reply(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let article_id = call.fields.id("article_id")?.required()?;
    let reply_id = call.fields.id("reply_id")?.required()?;
    let first_reply_id = call.fields.id("first_reply_id")?.optional();
    let reply = ReplyToComment {
        content: comments::content(&call)?,
        id: app.ledger().next_id("comment").await?,
        target: Target::new(TargetKind::Article, article_id),
        reply_id,
        first_reply_id,
        author: call.member.party(),
    };
    let done = call.run(&app, reply).await?;
    let comment_id = done.outcome;
    Ok(envelope::done(&app, &done, Published { comment_id }))
}

/// Which comments.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::ArticleCommentIds)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CommentIds {
    /// Comment ids.
    #[schema(min_items = 1, max_items = 100, example = json!([64]))]
    article_comment_id_list: Vec<i64>,
}

/// Delete article comments (删除文章评论)
///
/// The caller's own, and those under the caller's own articles: one of somebody else's and none is deleted. Those that are
/// not there are passed over; answers to them stay.
#[utoipa::path(
    post, path = "/community/api/v1/article_comment_del", tag = SURFACE, operation_id = "community_article_comment_del",
    request_body = CommentIds,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409, 423", body = Answer<Nothing>)),
)]
pub async fn delete(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let ids = call
        .fields
        .ids("article_comment_id_list", comments::DELETED)?;
    comments::delete(&app, &call, TargetKind::Article, ids.required()?).await
}

/// Which comment.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::ArticleCommentId)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CommentId {
    /// Comment id.
    #[schema(minimum = 1, example = 64)]
    article_comment_id: i64,
}

/// Vote an article comment up (评论点赞(顶))
#[utoipa::path(
    post, path = "/community/api/v1/article_comment_up", tag = SURFACE, operation_id = "community_article_comment_up",
    request_body = CommentId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn up(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("article_comment_id")?.required()?;
    comments::vote(&app, &call, TargetKind::Article, id, Vote::Up).await
}
