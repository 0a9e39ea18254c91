//! Tickets (`contract/community.md` 3.53, 3.59, 3.83, 3.84).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::{MasterCardView, PAGE, PageParams, millis};
use crate::api::community::envelope::{self, Answer};
use crate::api::community::{Problem, SURFACE};
use crate::projections::tickets::{self, FollowedTicket, TicketItem};

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Ticket)]
pub struct TicketView {
    ticket_id: i64,
    #[schema(example = "票名称0")]
    name: String,
    /// The name of a picture.
    image: String,
    intro: String,
    /// In fen.
    #[schema(example = 1999)]
    price: i64,
    /// Milliseconds since the epoch.
    created_at: i64,
}

impl From<TicketItem> for TicketView {
    fn from(ticket: TicketItem) -> Self {
        Self {
            ticket_id: ticket.id,
            name: ticket.name,
            image: ticket.image,
            intro: ticket.intro,
            price: ticket.price_fen,
            created_at: millis(ticket.created_at),
        }
    }
}

/// A ticket, sold or not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::TicketInProject)]
pub struct TicketInProject {
    #[serde(flatten)]
    ticket: TicketView,
    project_id: i64,
    /// Milliseconds since the epoch.
    updated_at: i64,
}

/// A ticket for sale of a followed master.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::FollowedTicket)]
pub struct FollowedTicketView {
    #[serde(flatten)]
    ticket: TicketView,
    project_id: i64,
    master: MasterCardView,
}

impl From<FollowedTicket> for FollowedTicketView {
    fn from(followed: FollowedTicket) -> Self {
        Self {
            ticket: followed.item.into(),
            project_id: followed.project_id,
            master: followed.master.into(),
        }
    }
}

/// Which ticket.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::TicketId)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct TicketId {
    /// Ticket id.
    #[schema(minimum = 1, example = 1991)]
    #[param(minimum = 1, example = 1991)]
    ticket_id: i64,
}

/// A ticket, and how many its project has for sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::TicketDetail)]
pub struct TicketDetail {
    ticket_detail: TicketInProject,
    project_ticket_count: i64,
}

/// Ticket detail (读票详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/ticket_detail", tag = SURFACE, operation_id = "community_ticket_detail",
    request_body = TicketId, params(TicketId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<TicketDetail>)),
)]
pub async fn detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.id("ticket_id")?.required()?;
    let ticket = tickets::ticket(app.reads(), id).await;
    let ticket = ticket.map_err(|error| Problem::query(&app, error))?;
    let ticket = ticket.ok_or_else(Problem::not_found)?;
    let detail = TicketDetail {
        project_ticket_count: ticket.ticket_count,
        ticket_detail: TicketInProject {
            project_id: ticket.project_id,
            updated_at: millis(ticket.updated_at),
            ticket: ticket.item.into(),
        },
    };
    Ok(envelope::found(stamp, detail))
}

/// Of which project.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::TicketsOf)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct TicketsOf {
    /// A project; absent: tickets of all projects.
    #[schema(minimum = 1, example = 1)]
    #[param(minimum = 1, example = 1)]
    project_id: Option<i64>,
    /// Rows to pass over.
    #[schema(minimum = 0, default = 0)]
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Rows wanted; more than 100 counts as 100.
    #[schema(minimum = 1, default = 100)]
    #[param(minimum = 1, default = 100)]
    limit: Option<i64>,
}

/// Tickets for sale.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::TicketList)]
pub struct TicketList {
    ticket_list: Vec<TicketView>,
}

/// Tickets for sale (读票列表（分页）(商品，未出售))
#[utoipa::path(
    method(get, post), path = "/community/api/v1/ticket_list", tag = SURFACE, operation_id = "community_ticket_list",
    request_body = TicketsOf, params(TicketsOf),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<TicketList>)),
)]
pub async fn list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let project_id = call.fields.id("project_id")?.optional();
    let page = call.fields.page(PAGE)?;
    let tickets = tickets::for_sale(app.reads(), project_id, page.offset, page.limit).await;
    let tickets = tickets.map_err(|error| Problem::query(&app, error))?;
    let tickets = tickets.ok_or_else(Problem::not_found)?;
    let ticket_list = tickets.into_iter().map(TicketView::from).collect();
    Ok(envelope::found(stamp, TicketList { ticket_list }))
}

/// Tickets that the caller bought, paid last first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyTicketList)]
pub struct MyTicketList {
    my_ticket_list: Vec<TicketView>,
}

/// Tickets I bought (读我的票列表（分页）（已购买）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_ticket_list", tag = SURFACE, operation_id = "community_my_ticket_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyTicketList>)),
)]
pub async fn mine(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let tickets = tickets::owned(app.reads(), uid, page.offset, page.limit).await;
    let tickets = tickets.map_err(|error| Problem::query(&app, error))?;
    let my_ticket_list = tickets.into_iter().map(TicketView::from).collect();
    Ok(envelope::found(stamp, MyTicketList { my_ticket_list }))
}

/// Tickets for sale of followed masters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyFollowingMastersTicketList)]
pub struct FollowingTickets {
    my_following_masters_ticket_list: Vec<FollowedTicketView>,
}

/// Unsold tickets of the masters I follow (我关注的达人的票列表（分页）(商品，未出售))
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_following_masters_ticket_list", tag = SURFACE, operation_id = "community_my_following_masters_ticket_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<FollowingTickets>)),
)]
pub async fn following(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let tickets = tickets::followed_tickets(app.reads(), uid, page.offset, page.limit).await;
    let tickets = tickets.map_err(|error| Problem::query(&app, error))?;
    let my_following_masters_ticket_list =
        tickets.into_iter().map(FollowedTicketView::from).collect();
    Ok(envelope::found(
        stamp,
        FollowingTickets {
            my_following_masters_ticket_list,
        },
    ))
}
