//! Comments, whatever they stand under: what the functions of articles, games and tickets have in common.

pub mod games;
pub mod tickets;

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Problem;
use super::call::MemberCall;
use super::envelope::{self, Nothing};
use super::fields::Page;
use crate::api::App;
use crate::commands::comment::{DeleteComments, PublishComment};
use crate::commands::reaction::VoteOnComment;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::Vote;
use crate::projections::comments::{self, Author, CommentItem};

/// Characters of a comment, at most.
const CONTENT: usize = 1_000;
/// Comments deleted at once, at most.
pub const DELETED: usize = 100;
/// Comments of a page, unless the caller says how many.
pub const LIST: i64 = 100;

/// The functions of this folder.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(games::publish))
        .routes(routes!(games::delete))
        .routes(routes!(games::up))
        .routes(routes!(games::down))
        .routes(routes!(games::list))
        .routes(routes!(tickets::publish))
        .routes(routes!(tickets::delete))
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::circle))
}

/// The id of what was written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::PublishedComment)]
pub struct Published {
    #[schema(example = 64)]
    pub comment_id: i64,
}

/// The text of a comment.
pub fn content(call: &MemberCall) -> Result<String, Problem> {
    let content = call.fields.text("content")?;
    Ok(content.chars(1..=CONTENT)?.required()?)
}

/// Comments on what `field` names.
pub async fn publish(
    app: &App,
    call: &MemberCall,
    kind: TargetKind,
    field: &'static str,
) -> Result<Response, Problem> {
    let target = call.fields.id(field)?.required()?;
    let publish = PublishComment {
        content: content(call)?,
        id: app.ledger().next_id("comment").await?,
        target: Target::new(kind, target),
        author: call.member.party(),
    };
    let done = call.run(app, publish).await?;
    let comment_id = done.outcome;
    Ok(envelope::done(app, &done, Published { comment_id }))
}

/// Deletes comments under things of one kind.
pub async fn delete(
    app: &App,
    call: &MemberCall,
    kind: TargetKind,
    ids: Vec<i64>,
) -> Result<Response, Problem> {
    let by = call.member.party();
    let done = call.run(app, DeleteComments { ids, kind, by }).await?;
    Ok(envelope::done(app, &done, Nothing {}))
}

/// Votes on a comment under something of one kind.
pub async fn vote(
    app: &App,
    call: &MemberCall,
    under: TargetKind,
    comment_id: i64,
    vote: Vote,
) -> Result<Response, Problem> {
    let by = call.member.party();
    let vote = VoteOnComment {
        by,
        comment_id,
        under,
        vote,
    };
    let done = call.run(app, vote).await?;
    Ok(envelope::done(app, &done, Nothing {}))
}

/// A page of what stands under something, if that is there to be read.
pub async fn found(
    app: &App,
    call: &MemberCall,
    kind: TargetKind,
    id: i64,
    page: Page,
) -> Result<Vec<CommentItem>, Problem> {
    let id = id.to_string();
    let target = (kind.word(), id.as_str());
    let found = comments::page(
        app.reads(),
        &call.member.uid,
        target,
        page.offset,
        page.limit,
    );
    let found = found.await.map_err(|error| Problem::query(app, error))?;
    found.ok_or_else(Problem::not_found)
}

/// Who wrote something, in few words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::AuthorTiny)]
pub struct AuthorTiny {
    #[schema(example = "nick-18685555555")]
    nickname: String,
    avatar: Option<String>,
}

impl From<Author> for AuthorTiny {
    fn from(author: Author) -> Self {
        Self {
            nickname: author.nickname,
            avatar: author.avatar,
        }
    }
}

/// A comment on an article.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Comment)]
pub struct CommentData {
    #[schema(example = 64)]
    comment_id: i64,
    /// Who wrote it.
    #[schema(example = "7c9e6679742540de944be07fc1f90ae7")]
    uid: String,
    content: String,
    /// Of a reply: the comment that is answered.
    #[schema(example = 53)]
    reply_id: Option<i64>,
    /// Of a reply: who wrote that.
    reply_uid: Option<String>,
    /// Of a reply: where its thread begins.
    #[schema(example = 53)]
    first_reply_id: Option<i64>,
    /// Of a reply: who wrote that.
    first_reply_uid: Option<String>,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
    up_count: i64,
    down_count: i64,
    /// The caller voted it up.
    is_up: bool,
    /// The caller voted it down.
    is_down: bool,
    author: AuthorTiny,
    /// Only with replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_author: Option<AuthorTiny>,
    /// Only with replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_reply_author: Option<AuthorTiny>,
}

impl From<CommentItem> for CommentData {
    fn from(comment: CommentItem) -> Self {
        let voted = |way: Vote| comment.vote.as_deref() == Some(way.word());
        let (is_up, is_down) = (voted(Vote::Up), voted(Vote::Down));
        let (reply_id, reply_author) = comment.reply.unzip();
        let (first_reply_id, first_reply_author) = comment.first_reply.unzip();
        let uid = |author: &Author| author.id.clone();
        Self {
            comment_id: comment.id,
            uid: comment.author.id.clone(),
            content: comment.content,
            reply_id,
            reply_uid: reply_author.as_ref().map(uid),
            first_reply_id,
            first_reply_uid: first_reply_author.as_ref().map(uid),
            created_at: comment.created_at.timestamp_millis(),
            up_count: comment.up_count,
            down_count: comment.down_count,
            is_up,
            is_down,
            author: comment.author.into(),
            reply_author: reply_author.map(AuthorTiny::from),
            first_reply_author: first_reply_author.map(AuthorTiny::from),
        }
    }
}
