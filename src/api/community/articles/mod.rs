//! Articles: publishing and deleting them, reacting to them (`contract/community.md` 3.1 … 3.13). Reading is `lists.rs`, what
//! is said under them `comments.rs`.

pub mod comments;
pub mod lists;

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
use crate::commands::article::{DeleteArticles, IMAGES, PublishArticle};
use crate::commands::reaction::{React, Wish};
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};

/// Characters of an article, at most.
const CONTENT: usize = 5_000;
/// Articles deleted at once, at most.
const DELETED: usize = 100;

/// The functions of this folder.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(publish))
        .routes(routes!(delete))
        .routes(routes!(like))
        .routes(routes!(unlike))
        .routes(routes!(collect))
        .routes(routes!(uncollect))
        .routes(routes!(comments::publish))
        .routes(routes!(comments::reply))
        .routes(routes!(comments::delete))
        .routes(routes!(comments::up))
        .routes(routes!(lists::feed))
        .routes(routes!(lists::following))
        .routes(routes!(lists::mine))
        .routes(routes!(lists::collected))
        .routes(routes!(lists::detail))
        .routes(routes!(lists::comment_list))
}

/// An article to publish.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::PublishArticle)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct PublishBody {
    /// The text.
    #[schema(min_length = 1, max_length = 5_000, example = "春日踏青,汉服出行")]
    content: String,
    /// Media names of its pictures.
    #[schema(max_items = 9, default = json!([]), example = json!(["e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpeg"]))]
    images: Option<Vec<String>>,
}

/// The id of what was published.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::PublishedArticle)]
pub struct Published {
    #[schema(example = 61)]
    article_id: i64,
}

/// Publish an article (发布文章)
///
/// Text and 0 to 9 pictures.
#[utoipa::path(
    post, path = "/community/api/v1/article_publish", tag = SURFACE, operation_id = "community_article_publish",
    request_body = PublishBody,
    responses((status = 200, description = "Codes: 0, 400, 401, 409, 423", body = Answer<Published>)),
)]
pub async fn publish(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let content = call.fields.text("content")?;
    let images = call.fields.images("images", IMAGES)?;
    let publish = PublishArticle {
        id: app.ledger().next_id("article").await?,
        author: call.member.uid.clone(),
        content: content.chars(1..=CONTENT)?.required()?,
        images: images.or(Vec::new()),
    };
    let done = call.run(&app, publish).await?;
    let article_id = done.outcome;
    Ok(envelope::done(&app, &done, Published { article_id }))
}

/// Which articles.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::ArticleIds)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ArticleIds {
    /// Article ids.
    #[schema(min_items = 1, max_items = 100, example = json!([61]))]
    article_id_list: Vec<i64>,
}

/// Delete articles (删除文章)
///
/// The caller's own: one of somebody else's and none is deleted. Those that are not there are passed over.
#[utoipa::path(
    post, path = "/community/api/v1/article_del", tag = SURFACE, operation_id = "community_article_del",
    request_body = ArticleIds,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409, 423", body = Answer<Nothing>)),
)]
pub async fn delete(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let delete = DeleteArticles {
        ids: call.fields.ids("article_id_list", DELETED)?.required()?,
        author: call.member.uid.clone(),
    };
    let done = call.run(&app, delete).await?;
    Ok(envelope::done(&app, &done, Nothing {}))
}

/// Which article.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::ArticleId)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct ArticleId {
    /// Article id.
    #[schema(minimum = 1, example = 61)]
    article_id: i64,
}

/// Like an article (点赞)
#[utoipa::path(
    post, path = "/community/api/v1/article_like", tag = SURFACE, operation_id = "community_article_like",
    request_body = ArticleId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn like(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    react(&app, &call, ReactionKind::Like, Wish::Add(None)).await
}

/// Take back a like (取消点赞)
///
/// Also of an article that was deleted.
#[utoipa::path(
    post, path = "/community/api/v1/article_unlike", tag = SURFACE, operation_id = "community_article_unlike",
    request_body = ArticleId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn unlike(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    react(&app, &call, ReactionKind::Like, Wish::Remove).await
}

/// Collect an article (收藏)
#[utoipa::path(
    post, path = "/community/api/v1/article_collect", tag = SURFACE, operation_id = "community_article_collect",
    request_body = ArticleId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn collect(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    react(&app, &call, ReactionKind::Collect, Wish::Add(None)).await
}

/// Remove an article from the collection (取消收藏)
///
/// Also one that was deleted.
#[utoipa::path(
    post, path = "/community/api/v1/article_uncollect", tag = SURFACE, operation_id = "community_article_uncollect",
    request_body = ArticleId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn uncollect(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    react(&app, &call, ReactionKind::Collect, Wish::Remove).await
}

async fn react(
    app: &App,
    call: &MemberCall,
    kind: ReactionKind,
    wish: Wish,
) -> Result<Response, Problem> {
    let article_id = call.fields.id("article_id")?.required()?;
    let key = ReactionKey {
        actor: call.member.party(),
        kind,
        target: Target::new(TargetKind::Article, article_id),
    };
    let done = call.run(app, React { key, wish }).await?;
    Ok(envelope::done(app, &done, Nothing {}))
}
