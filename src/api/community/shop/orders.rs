//! Orders: placing, paying and cancelling them (`contract/community.md` 3.58, 3.62 … 3.66).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::{PAGE, millis};
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::commands::order::{CancelOrder, PlaceOrder, TICKETS_MAX};
use crate::events::order::OrderStatus;
use crate::processes;
use crate::projections::orders::{self, OrderItem};

/// An order of the caller's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Order)]
pub struct OrderView {
    order_id: i64,
    uid: String,
    /// The sum of its tickets' prices when it was placed, in fen.
    #[schema(example = 1999)]
    price: i64,
    /// 0 pending, 1 done, 2 cancelled.
    status: i16,
    /// Milliseconds since the epoch.
    created_at: i64,
    /// Milliseconds since the epoch.
    updated_at: i64,
}

impl From<OrderItem> for OrderView {
    fn from(order: OrderItem) -> Self {
        Self {
            order_id: order.id,
            uid: order.uid,
            price: order.price_fen,
            status: order.status,
            created_at: millis(order.created_at),
            updated_at: millis(order.updated_at),
        }
    }
}

/// A ticket of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::OrderLine)]
pub struct OrderLineView {
    ticket_id: i64,
    /// Its price when it was ordered, in fen.
    price: i64,
    /// Milliseconds since the epoch.
    created_at: i64,
    /// Moves with the order's status; milliseconds since the epoch.
    updated_at: i64,
}

/// An order with its tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::OrderWithLines)]
pub struct OrderWithLines {
    #[serde(flatten)]
    order: OrderView,
    order_item_list: Vec<OrderLineView>,
}

/// Which tickets.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::OrderTickets)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct OrderTickets {
    /// Ticket ids; one that stands there twice counts once.
    #[schema(min_items = 1, max_items = 50, example = json!([1991, 1992]))]
    ticket_id_list: Vec<i64>,
}

/// The new order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::OrderPlaced)]
pub struct OrderPlaced {
    order_id: i64,
}

/// Create an order (buy directly) (创建订单 (直接购买))
///
/// All tickets are held for it, or none.
#[utoipa::path(
    post, path = "/community/api/v1/order_create", tag = SURFACE, operation_id = "community_order_create",
    request_body = OrderTickets,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 464", body = Answer<OrderPlaced>)),
)]
pub async fn create(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    place(&app, &call, false).await
}

/// Create an order (from the shopping cart) (创建订单（购物车）)
///
/// The tickets must be in the cart, and leave it.
#[utoipa::path(
    post, path = "/community/api/v1/order_create_by_shopping_cart", tag = SURFACE, operation_id = "community_order_create_by_shopping_cart",
    request_body = OrderTickets,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 464", body = Answer<OrderPlaced>)),
)]
pub async fn create_by_shopping_cart(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    place(&app, &call, true).await
}

async fn place(app: &App, call: &MemberCall, from_cart: bool) -> Result<Response, Problem> {
    let ticket_ids = call.fields.ids("ticket_id_list", TICKETS_MAX)?.required()?;
    let place = PlaceOrder {
        order_id: app.ledger().next_id("order").await?,
        uid: call.member.uid.clone(),
        ticket_ids: ticket_ids.into_iter().collect(),
        from_cart,
    };
    let done = call.run(app, place).await?;
    let order_id = done.outcome;
    Ok(envelope::done(app, &done, OrderPlaced { order_id }))
}

/// Which order.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::OrderId)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct OrderId {
    /// Order id.
    #[schema(minimum = 1, example = 1)]
    #[param(minimum = 1, example = 1)]
    order_id: i64,
}

/// Pay an order (订单支付)
///
/// A payment that was declined answers 409; when the gateway cannot be reached, 503: asking again takes nothing twice.
#[utoipa::path(
    post, path = "/community/api/v1/order_pay", tag = SURFACE, operation_id = "community_order_pay",
    request_body = OrderId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 503", body = Answer<Nothing>)),
)]
pub async fn pay(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let order_id = call.fields.id("order_id")?.required()?;
    let request = call.request(&app)?;
    let (desk, gateway) = (app.desk().clone(), app.payments().clone());
    let uid = call.member.uid.clone();
    let work = async move { processes::pay(&desk, &gateway, &request, order_id, &uid).await };
    let done = app.detached(work).await??;
    Ok(envelope::done(&app, &done, Nothing {}))
}

/// Cancel an order (取消订单)
///
/// Its tickets are for sale again.
#[utoipa::path(
    post, path = "/community/api/v1/order_cancel", tag = SURFACE, operation_id = "community_order_cancel",
    request_body = OrderId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn cancel(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let cancel = CancelOrder {
        order_id: call.fields.id("order_id")?.required()?,
        uid: Some(call.member.uid.clone()),
        reason: None,
    };
    let done = call.run(&app, cancel).await?;
    Ok(envelope::done(&app, &done, Nothing {}))
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::OrderDetail)]
pub struct OrderDetail {
    order_detail: OrderWithLines,
}

/// Order detail (读订单详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/order_detail", tag = SURFACE, operation_id = "community_order_detail",
    request_body = OrderId, params(OrderId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<OrderDetail>)),
)]
pub async fn detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.id("order_id")?.required()?;
    let order = orders::detail(app.reads(), &call.member.uid, id).await;
    let order = order.map_err(|error| Problem::query(&app, error))?;
    let order = order.ok_or_else(Problem::not_found)?;
    let (created_at, updated_at) = (order.order.created_at, order.order.updated_at);
    let line = |(ticket_id, price)| OrderLineView {
        ticket_id,
        price,
        created_at: millis(created_at),
        updated_at: millis(updated_at),
    };
    let order_detail = OrderWithLines {
        order: order.order.into(),
        order_item_list: order.lines.into_iter().map(line).collect(),
    };
    Ok(envelope::found(stamp, OrderDetail { order_detail }))
}

/// Which of the caller's orders.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::OrdersOf)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct OrdersOf {
    /// 0 pending, 1 done, 2 cancelled; absent: all.
    #[schema(minimum = 0, maximum = 2)]
    #[param(minimum = 0, maximum = 2)]
    status: Option<i64>,
    /// Rows to pass over.
    #[schema(minimum = 0, default = 0)]
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Rows wanted; more than 100 counts as 100.
    #[schema(minimum = 1, default = 100)]
    #[param(minimum = 1, default = 100)]
    limit: Option<i64>,
}

/// The caller's orders.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyOrderList)]
pub struct MyOrderList {
    my_order_list: Vec<OrderView>,
}

/// My orders (我的订单列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_order_list", tag = SURFACE, operation_id = "community_my_order_list",
    request_body = OrdersOf, params(OrdersOf),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyOrderList>)),
)]
pub async fn mine(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let status = call.fields.int("status")?.parse(OrderStatus::from_number)?;
    let status = status.optional().map(OrderStatus::number);
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let orders = orders::of_member(app.reads(), uid, status, page.offset, page.limit).await;
    let orders = orders.map_err(|error| Problem::query(&app, error))?;
    let my_order_list = orders.into_iter().map(OrderView::from).collect();
    Ok(envelope::found(stamp, MyOrderList { my_order_list }))
}
