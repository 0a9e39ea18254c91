//! How far each side of the mini-program's conversations has read, and how much it has not.
//!
//! The messages and the reading are streams of their own. A message is counted once it lies beyond the cursor there is; when
//! a cursor moves or copies go, what lies beyond it is counted anew. So both come to the same in either order.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Sent, Sides};
use crate::events::conversation::Pair;
use crate::events::party::Party;

pub(super) async fn write(
    tx: &mut PgConnection,
    sent: &[Sent<'_>],
    read: &BTreeMap<(Party, Party), i64>,
    thrown: &Sides,
) -> sqlx::Result<()> {
    let mut news = Sides::default();
    let mut positions = Vec::new();
    for message in sent {
        if Pair::of(message.from, message.to).is_some() {
            news.push(message.to, message.from);
            positions.push(message.fact.place.position);
        }
    }
    if !positions.is_empty() {
        count(tx, &news, &positions).await?;
    }
    let mut moved = Sides::default();
    for (owner, peer) in read.keys() {
        moved.push(owner, peer);
    }
    if !read.is_empty() {
        let through: Vec<i64> = read.values().copied().collect();
        advance(tx, &moved, &through).await?;
    }
    for sides in [&moved, thrown] {
        if !sides.owner_ids.is_empty() {
            recount(tx, sides).await?;
        }
    }
    Ok(())
}

/// Adds messages that came to what their readers have not read.
async fn count(tx: &mut PgConnection, to: &Sides, positions: &[i64]) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH news AS (
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
                 AS n(owner_kind, owner_id, peer_kind, peer_id, position)
         )
         INSERT INTO conversation_cursors AS c (owner_kind, owner_id, peer_kind, peer_id, read_through, unread_count)
         SELECT owner_kind, owner_id, peer_kind, peer_id, 0, count(*)
         FROM news
         GROUP BY owner_kind, owner_id, peer_kind, peer_id
         ON CONFLICT (owner_id, owner_kind, peer_id, peer_kind) DO UPDATE
         SET unread_count = c.unread_count + (
             SELECT count(*)
             FROM news n
             WHERE n.owner_id = c.owner_id AND n.owner_kind = c.owner_kind
               AND n.peer_id = c.peer_id AND n.peer_kind = c.peer_kind AND n.position > c.read_through)",
        &to.owner_kinds,
        &to.owner_ids,
        &to.peer_kinds,
        &to.peer_ids,
        positions,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves cursors forward, and makes those that are not there yet.
async fn advance(tx: &mut PgConnection, of: &Sides, through: &[i64]) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO conversation_cursors AS c (owner_kind, owner_id, peer_kind, peer_id, read_through, unread_count)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]), 0
         ON CONFLICT (owner_id, owner_kind, peer_id, peer_kind) DO UPDATE
         SET read_through = greatest(c.read_through, EXCLUDED.read_through)",
        &of.owner_kinds,
        &of.owner_ids,
        &of.peer_kinds,
        &of.peer_ids,
        through,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts what lies beyond cursors anew, where there are cursors.
async fn recount(tx: &mut PgConnection, of: &Sides) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE conversation_cursors c
         SET unread_count = (
             SELECT count(*)
             FROM message_copies m
             WHERE m.owner_id = c.owner_id AND m.owner_kind = c.owner_kind AND m.peer_id = c.peer_id
               AND m.peer_kind = c.peer_kind AND m.position > c.read_through AND m.incoming)
         FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                   AS n(owner_kind, owner_id, peer_kind, peer_id)) s
         WHERE c.owner_id = s.owner_id AND c.owner_kind = s.owner_kind
           AND c.peer_id = s.peer_id AND c.peer_kind = s.peer_kind",
        &of.owner_kinds,
        &of.owner_ids,
        &of.peer_kinds,
        &of.peer_ids,
    )
    .execute(tx)
    .await?;
    Ok(())
}
