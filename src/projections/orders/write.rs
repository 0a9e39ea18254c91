//! What a batch comes to, as a handful of statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{CartLines, Changes, Placed};
use crate::events::order::OrderStatus;

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.placed.is_empty() {
            insert(tx, self.placed).await?;
        }
        if !self.settled.is_empty() {
            settle(tx, self.settled).await?;
        }
        cart(tx, self.cart).await
    }
}

async fn insert(tx: &mut PgConnection, placed: BTreeMap<i64, Placed<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut times: (Vec<_>, Vec<_>) = Default::default();
    let mut uids = Vec::with_capacity(placed.len());
    let mut items: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, order) in placed {
        numbers.0.push(id);
        numbers.1.push(order.position);
        numbers.2.push(order.price_fen);
        numbers.3.push(order.status.number());
        times.0.push(order.created_at);
        times.1.push(order.updated_at);
        uids.push(order.uid.to_owned());
        for line in order.lines {
            items.0.push(id);
            items.1.push(line.ticket_id);
            items.2.push(line.price_fen);
        }
    }
    sqlx::query!(
        "WITH items AS (
             INSERT INTO order_items (order_id, ticket_id, price_fen)
             SELECT unnest($8::bigint[]), unnest($9::bigint[]), unnest($10::bigint[])
         )
         INSERT INTO orders (id, position, price_fen, status, created_at, updated_at, uid)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::smallint[]),
                unnest($5::timestamptz[]), unnest($6::timestamptz[]), unnest($7::text[])",
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &times.0,
        &times.1,
        &uids,
        &items.0,
        &items.1,
        &items.2,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn settle(
    tx: &mut PgConnection,
    settled: BTreeMap<i64, (OrderStatus, DateTime<Utc>)>,
) -> sqlx::Result<()> {
    let (mut ids, mut status, mut updated_at) = (Vec::new(), Vec::new(), Vec::new());
    for (id, (to, at)) in settled {
        ids.push(id);
        status.push(to.number());
        updated_at.push(at);
    }
    sqlx::query!(
        "UPDATE orders o
         SET status = n.status, updated_at = n.updated_at
         FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[]) AS n(id, status, updated_at)
         WHERE o.id = n.id",
        &ids,
        &status,
        &updated_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn cart(tx: &mut PgConnection, lines: CartLines<'_>) -> sqlx::Result<()> {
    if !lines.gone.is_empty() {
        let (uids, tickets): (Vec<String>, Vec<i64>) = lines
            .gone
            .into_iter()
            .map(|(uid, ticket)| (uid.to_owned(), ticket))
            .unzip();
        sqlx::query!(
            "DELETE FROM cart_items c
             USING unnest($1::text[], $2::bigint[]) AS n(uid, ticket_id)
             WHERE c.uid = n.uid AND c.ticket_id = n.ticket_id",
            &uids,
            &tickets,
        )
        .execute(&mut *tx)
        .await?;
    }
    if !lines.refreshed.is_empty() {
        let (mut uids, mut tickets, mut updated_at) = (Vec::new(), Vec::new(), Vec::new());
        for ((uid, ticket), at) in lines.refreshed {
            uids.push(uid.to_owned());
            tickets.push(ticket);
            updated_at.push(at);
        }
        sqlx::query!(
            "UPDATE cart_items c
             SET updated_at = n.updated_at
             FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS n(uid, ticket_id, updated_at)
             WHERE c.uid = n.uid AND c.ticket_id = n.ticket_id",
            &uids,
            &tickets,
            &updated_at,
        )
        .execute(&mut *tx)
        .await?;
    }
    if lines.new.is_empty() {
        return Ok(());
    }
    let (mut uids, mut tickets) = (Vec::new(), Vec::new());
    let mut times: (Vec<_>, Vec<_>) = Default::default();
    for ((uid, ticket), (created_at, updated_at)) in lines.new {
        uids.push(uid.to_owned());
        tickets.push(ticket);
        times.0.push(created_at);
        times.1.push(updated_at);
    }
    sqlx::query!(
        "INSERT INTO cart_items (uid, ticket_id, created_at, updated_at)
         SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::timestamptz[]), unnest($4::timestamptz[])",
        &uids,
        &tickets,
        &times.0,
        &times.1,
    )
    .execute(tx)
    .await?;
    Ok(())
}
