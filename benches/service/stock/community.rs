//! The routes of the stock service that members use.

use axum::extract::{FromRequestParts, Query, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use sqlx::types::Json as Stored;

use super::App;
use super::http::{Fault, refusal};
use super::order::{OrderCommand, OrderView, place};
use super::reaction::ReactionCommand;

/// All of them.
pub fn router() -> Router<App> {
    Router::new()
        .route("/community/api/v1/article_like", post(like))
        .route("/community/api/v1/article_like_total", get(total))
        .route("/community/api/v1/order_create", post(create_order))
        .route("/community/api/v1/order_pay", post(pay))
        .route("/community/api/v1/order_detail", get(detail))
}

/// Who calls.
struct Member {
    uid: String,
}

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or_else(|| refusal(401, "not_logged_in"))?;
        let found: Option<String> = sqlx::query_scalar(
            "SELECT members.uid FROM member_sessions JOIN members USING (uid)
             WHERE member_sessions.token = $1 AND member_sessions.expires_at > now()",
        )
        .bind(token)
        .fetch_optional(&app.pool)
        .await
        .map_err(|error| Fault::from(error).into_response())?;
        let uid = found.ok_or_else(|| refusal(401, "not_logged_in"))?;
        Ok(Self { uid })
    }
}

#[derive(Deserialize)]
struct Article {
    article_id: i64,
}

async fn like(
    State(app): State<App>,
    member: Member,
    Json(asked): Json<Article>,
) -> Result<Response, Fault> {
    let article_id = asked.article_id;
    let id = format!("{}:{article_id}", member.uid);
    let command = ReactionCommand::Add {
        uid: member.uid,
        article_id,
    };
    app.reactions.execute(&id, command).await?;
    Ok(Json(json!({"code": 0})).into_response())
}

/// What the benchmark compares with what was acknowledged.
async fn total(State(app): State<App>, _member: Member) -> Result<Response, Fault> {
    let total: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum((payload->>'likes')::bigint), 0)::bigint FROM like_count_view",
    )
    .fetch_one(&app.pool)
    .await?;
    Ok(Json(json!({"code": 0, "total": total})).into_response())
}

#[derive(Deserialize)]
struct NewOrder {
    ticket_id_list: Vec<i64>,
}

async fn create_order(
    State(app): State<App>,
    member: Member,
    Json(asked): Json<NewOrder>,
) -> Result<Response, Fault> {
    let order_id: i64 = sqlx::query_scalar("SELECT nextval('order_id')")
        .fetch_one(&app.pool)
        .await?;
    let tickets = asked.ticket_id_list;
    if !place(&app.orders, &app.tickets, order_id, member.uid, tickets).await? {
        return Ok(refusal(464, "not_for_sale"));
    }
    Ok(Json(json!({"code": 0, "order_id": order_id})).into_response())
}

#[derive(Deserialize)]
struct OrderId {
    order_id: i64,
}

async fn pay(
    State(app): State<App>,
    member: Member,
    Json(asked): Json<OrderId>,
) -> Result<Response, Fault> {
    let command = OrderCommand::Pay { uid: member.uid };
    let order = asked.order_id.to_string();
    app.orders.execute(&order, command).await?;
    Ok(Json(json!({"code": 0})).into_response())
}

async fn detail(
    State(app): State<App>,
    _member: Member,
    Query(asked): Query<OrderId>,
) -> Result<Response, Fault> {
    let found: Option<Stored<OrderView>> =
        sqlx::query_scalar("SELECT payload FROM order_view WHERE view_id = $1")
            .bind(asked.order_id.to_string())
            .fetch_optional(&app.pool)
            .await?;
    Ok(match found {
        Some(order) => Json(json!({"code": 0, "order_detail": order})).into_response(),
        None => refusal(404, "not_found"),
    })
}
