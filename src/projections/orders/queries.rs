//! What can be asked of carts and orders.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::projections::pages::page;

/// A line of `my_order_list`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::order`")]
pub struct OrderItem {
    pub id: i64,
    pub uid: String,
    pub price_fen: i64,
    /// 0 pending, 1 done, 2 cancelled.
    pub status: i16,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An order with its tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDetail {
    /// The order.
    pub order: OrderItem,
    /// Its tickets and their prices when they were ordered, by the tickets' ids.
    pub lines: Vec<(i64, i64)>,
}

/// A ticket in a cart, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::ticket`")]
pub struct CartLine {
    pub ticket_id: i64,
    pub name: String,
    pub image: String,
    pub intro: String,
    pub price_fen: i64,
    /// When it was put into the cart.
    pub created_at: DateTime<Utc>,
    /// When it was put in last.
    pub updated_at: DateTime<Utc>,
}

/// An order that nobody paid in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub id: i64,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
}

/// Somebody's orders of any status or of one, newest first.
///
/// # Errors
/// When the database says no.
pub async fn of_member(
    db: impl PgExecutor<'_>,
    uid: &str,
    status: Option<i16>,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<OrderItem>> {
    page!(
        OrderItem of db, offset, limit,
        "SELECT o.id, o.uid, o.price_fen, o.status, o.created_at, o.updated_at
         FROM orders o
         WHERE o.id = ANY (",
        "SELECT id FROM orders
         WHERE uid = $3 AND ($4::smallint IS NULL OR status = $4)
         ORDER BY created_at DESC, id",
        ")
         ORDER BY o.created_at DESC, o.id",
        uid,
        status,
    )
}

/// One of somebody's orders; `None` when there is none of that id or it is somebody else's.
///
/// # Errors
/// When the database says no.
pub async fn detail(
    db: impl PgExecutor<'_>,
    uid: &str,
    id: i64,
) -> sqlx::Result<Option<OrderDetail>> {
    let rows = sqlx::query!(
        "SELECT o.id, o.uid, o.price_fen, o.status, o.created_at, o.updated_at,
                i.ticket_id, i.price_fen AS ticket_price_fen
         FROM orders o
         JOIN order_items i ON i.order_id = o.id
         WHERE o.id = $1 AND o.uid = $2
         ORDER BY i.ticket_id",
        id,
        uid,
    )
    .fetch_all(db)
    .await?;
    let lines = rows
        .iter()
        .map(|row| (row.ticket_id, row.ticket_price_fen))
        .collect();
    Ok(rows.into_iter().next().map(|row| OrderDetail {
        order: OrderItem {
            id: row.id,
            uid: row.uid,
            price_fen: row.price_fen,
            status: row.status,
            created_at: row.created_at,
            updated_at: row.updated_at,
        },
        lines,
    }))
}

/// What is in somebody's cart and for sale now, what was put in last first. A cart has a limit, so there are no pages.
///
/// # Errors
/// When the database says no.
pub async fn cart(db: impl PgExecutor<'_>, uid: &str) -> sqlx::Result<Vec<CartLine>> {
    sqlx::query_as!(
        CartLine,
        "SELECT c.ticket_id, t.name, t.image, t.intro, t.price_fen, c.created_at, c.updated_at
         FROM cart_items c
         JOIN tickets t ON t.id = c.ticket_id
         JOIN projects p ON p.id = t.project_id
         JOIN masters m ON m.id = p.master_id
         WHERE c.uid = $1 AND t.state = 0 AND p.shown AND m.shown
         ORDER BY c.created_at DESC, c.ticket_id",
        uid,
    )
    .fetch_all(db)
    .await
}

/// Up to `limit` pending orders placed up to a moment, the oldest first, after one that was answered before.
///
/// # Errors
/// When the database says no.
pub async fn due(
    db: impl PgExecutor<'_>,
    placed_until: DateTime<Utc>,
    after: Option<Due>,
    limit: i64,
) -> sqlx::Result<Vec<Due>> {
    let after = after.unwrap_or(Due {
        id: 0,
        created_at: DateTime::UNIX_EPOCH,
    });
    sqlx::query_as!(
        Due,
        "SELECT id, created_at
         FROM orders
         WHERE status = 0 AND created_at <= $1 AND (created_at, id) > ($2, $3)
         ORDER BY created_at, id
         LIMIT $4",
        placed_until,
        after.created_at,
        after.id,
        limit,
    )
    .fetch_all(db)
    .await
}
