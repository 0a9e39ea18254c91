//! The shopping cart (`contract/community.md` 3.75 … 3.77). It reserves nothing.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::millis;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::commands::cart::{AddToCart, CartCommand};
use crate::events::Cart;
use crate::events::cart::CartRemoval;
use crate::projections::orders::{self, CartLine};

/// A ticket in the cart, as it is now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CartLine)]
pub struct CartLineView {
    ticket_id: i64,
    #[schema(example = "票名称0")]
    ticket_name: String,
    /// The name of a picture.
    ticket_image: String,
    ticket_intro: String,
    /// In fen.
    #[schema(example = 1999)]
    ticket_price: i64,
    /// When it was put in; milliseconds since the epoch.
    created_at: i64,
    /// When it was put in last; milliseconds since the epoch.
    updated_at: i64,
}

impl From<CartLine> for CartLineView {
    fn from(line: CartLine) -> Self {
        Self {
            ticket_id: line.ticket_id,
            ticket_name: line.name,
            ticket_image: line.image,
            ticket_intro: line.intro,
            ticket_price: line.price_fen,
            created_at: millis(line.created_at),
            updated_at: millis(line.updated_at),
        }
    }
}

/// What is in the cart and for sale, put in last first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ShoppingCartInfo)]
pub struct CartInfo {
    shopping_cart_info: Vec<CartLineView>,
}

/// My shopping cart (读购物车信息)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/shopping_cart_info", tag = SURFACE, operation_id = "community_shopping_cart_info",
    responses((status = 200, description = "Codes: 0, 401, 423", body = Answer<CartInfo>)),
)]
pub async fn info(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let lines = orders::cart(app.reads(), &call.member.uid).await;
    let lines = lines.map_err(|error| Problem::query(&app, error))?;
    let shopping_cart_info = lines.into_iter().map(CartLineView::from).collect();
    Ok(envelope::found(stamp, CartInfo { shopping_cart_info }))
}

/// Which ticket.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::CartTicket)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CartTicket {
    /// Ticket id.
    #[schema(minimum = 1, example = 1991)]
    ticket_id: i64,
}

/// Add a ticket to the cart (添加商品到购物车)
///
/// One that is there already moves `updated_at`.
#[utoipa::path(
    post, path = "/community/api/v1/shopping_cart_add", tag = SURFACE, operation_id = "community_shopping_cart_add",
    request_body = CartTicket,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423, 464", body = Answer<Nothing>)),
)]
pub async fn add(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let add = AddToCart {
        ticket_id: call.fields.id("ticket_id")?.required()?,
        uid: call.member.uid.clone(),
    };
    let done = call.run(&app, add).await?;
    Ok(envelope::done(&app, &done, Nothing {}))
}

/// Remove a ticket from the cart (移除购物车商品)
#[utoipa::path(
    post, path = "/community/api/v1/shopping_cart_del", tag = SURFACE, operation_id = "community_shopping_cart_del",
    request_body = CartTicket,
    responses((status = 200, description = "Codes: 0, 400, 401, 409, 423", body = Answer<Nothing>)),
)]
pub async fn remove(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let remove = CartCommand::Remove {
        ticket_id: call.fields.id("ticket_id")?.required()?,
        reason: CartRemoval::Removed,
    };
    let uid = call.member.uid.clone();
    let done = call.execute::<Cart>(&app, uid, remove).await?;
    Ok(envelope::done(&app, &done, Nothing {}))
}
