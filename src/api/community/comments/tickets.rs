//! Comments of tickets, and the circle of those that are talked about (`contract/community.md` 3.79 … 3.82).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Published;
use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::PageParams;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::events::party::TargetKind;
use crate::projections::comments::{self, CircleItem, CommentItem};

/// A comment on a ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::CommentOnTicket)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct PublishBody {
    /// Ticket id.
    #[schema(minimum = 1, example = 1991)]
    ticket_id: i64,
    /// The text.
    #[schema(min_length = 1, max_length = 1_000, example = "期待")]
    content: String,
}

/// Comment on a ticket (写票评论)
///
/// Any member, bought or not. The ticket comes to the top of the circle.
#[utoipa::path(
    post, path = "/community/api/v1/ticket_comment_publish", tag = SURFACE,
    operation_id = "community_ticket_comment_publish",
    request_body = PublishBody,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Published>)),
)]
pub async fn publish(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::publish(&app, &call, TargetKind::Ticket, "ticket_id").await
}

/// Which comments.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::TicketCommentIds)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CommentIds {
    /// Comment ids.
    #[schema(min_items = 1, max_items = 100, example = json!([63]))]
    ticket_comment_id_list: Vec<i64>,
}

/// Delete ticket comments (票评论删除)
///
/// The caller's own: one of somebody else's and none is deleted. Those that are not there are passed over.
#[utoipa::path(
    post, path = "/community/api/v1/ticket_comment_del", tag = SURFACE, operation_id = "community_ticket_comment_del",
    request_body = CommentIds,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409, 423", body = Answer<Nothing>)),
)]
pub async fn delete(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let ids = call.fields.ids("ticket_comment_id_list", super::DELETED)?;
    super::delete(&app, &call, TargetKind::Ticket, ids.required()?).await
}

/// Which part of a ticket's comments.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::TicketCommentsQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct CommentsQuery {
    /// Ticket id.
    #[param(minimum = 1, example = 1991)]
    #[schema(minimum = 1, example = 1991)]
    ticket_id: i64,
    /// Comments wanted; more than 100 count as 100.
    #[param(minimum = 1, default = 100)]
    #[schema(minimum = 1, default = 100)]
    limit: Option<i64>,
    /// Comments to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A comment on a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::TicketComment)]
pub struct TicketCommentData {
    #[schema(example = 63)]
    ticket_comment_id: i64,
    /// Who wrote it.
    #[schema(example = "7c9e6679742540de944be07fc1f90ae7")]
    uid: String,
    content: String,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
}

impl From<CommentItem> for TicketCommentData {
    fn from(comment: CommentItem) -> Self {
        Self {
            ticket_comment_id: comment.id,
            uid: comment.author.id,
            content: comment.content,
            created_at: comment.created_at.timestamp_millis(),
        }
    }
}

/// A page of a ticket's comments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::TicketCommentList)]
pub struct CommentList {
    ticket_comment_list: Vec<TicketCommentData>,
}

/// List ticket comments (读票评论列表)
///
/// Newest first.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/ticket_comment_list", tag = SURFACE,
    operation_id = "community_ticket_comment_list",
    params(CommentsQuery), request_body = CommentsQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<CommentList>)),
)]
pub async fn list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("ticket_id")?.required()?;
    let page = call.fields.page(super::LIST)?;
    let stamp = call.as_of(&app).await?;
    let found = super::found(&app, &call, TargetKind::Ticket, id, page).await?;
    let ticket_comment_list = found.into_iter().map(TicketCommentData::from).collect();
    let list = CommentList {
        ticket_comment_list,
    };
    Ok(envelope::found(stamp, list))
}

/// A ticket that is talked about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CircleTicket)]
pub struct CircleTicket {
    #[schema(example = 1991)]
    ticket_id: i64,
    name: String,
    /// A media name.
    image: String,
    intro: String,
    /// When the ticket was made, milliseconds since the epoch.
    created_at: i64,
}

/// Who said something in the circle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CircleAuthor)]
pub struct CircleAuthor {
    uid: String,
    nickname: String,
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    gender: i16,
    /// Dialling code.
    #[schema(example = "86")]
    country: String,
    province: Option<String>,
    city: Option<String>,
    /// Milliseconds since the epoch.
    birthday: Option<i64>,
    intro: Option<String>,
    /// When the author came, milliseconds since the epoch.
    created_at: i64,
    score: i64,
    level: i64,
    exp: i64,
}

/// What was said last about a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CircleComment)]
pub struct CircleComment {
    #[schema(example = 63)]
    comment_id: i64,
    content: String,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
    author: CircleAuthor,
}

/// A ticket that is talked about, with what was said last.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CircleItem)]
pub struct CircleData {
    ticket: CircleTicket,
    last_comment: CircleComment,
}

impl From<CircleItem> for CircleData {
    fn from(item: CircleItem) -> Self {
        Self {
            ticket: CircleTicket {
                ticket_id: item.ticket_id,
                name: item.name,
                image: item.image,
                intro: item.intro,
                created_at: item.created_at.timestamp_millis(),
            },
            last_comment: CircleComment {
                comment_id: item.comment_id,
                content: item.content,
                created_at: item.commented_at.timestamp_millis(),
                author: CircleAuthor {
                    uid: item.author,
                    nickname: item.nickname,
                    avatar: item.avatar,
                    gender: item.gender,
                    country: item.country,
                    province: item.province,
                    city: item.city,
                    birthday: item.birthday_ms,
                    intro: item.intro_of_author,
                    created_at: item.joined_at.timestamp_millis(),
                    score: item.score,
                    level: item.level,
                    exp: item.exp,
                },
            },
        }
    }
}

/// A page of the circle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Circle)]
pub struct Circle {
    ticket_circle: Vec<CircleData>,
}

/// Ticket circle: tickets being talked about (票儿--玩圈)
///
/// Sold ones among them; the one last talked about first.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/ticket_circle", tag = SURFACE, operation_id = "community_ticket_circle",
    params(PageParams), request_body = PageParams,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<Circle>)),
)]
pub async fn circle(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(super::LIST)?;
    let stamp = call.as_of(&app).await?;
    let found = comments::circle(app.reads(), page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let ticket_circle = found.into_iter().map(CircleData::from).collect();
    Ok(envelope::found(stamp, Circle { ticket_circle }))
}
