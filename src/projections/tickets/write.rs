//! What a batch comes to, as a handful of statements.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Changed, Changes, Issued, state_number};
use crate::events::ticket::Sale;
use crate::projections::listed::Columns;

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if let Some(columns) = self.projects.columns() {
            projects(tx, columns).await?;
        }
        if !self.issued.is_empty() {
            insert(tx, self.issued).await?;
        }
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        Ok(())
    }
}

async fn projects(tx: &mut PgConnection, rows: Columns<i64, 1>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO projects (id) SELECT unnest($1::bigint[]) ON CONFLICT (id) DO NOTHING",
        &rows.ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE projects t
         SET (created_at, shown, master_id, name, image, intro, recommended) = (
                 SELECT r.created_at, r.shown, r.master_id, r.name, r.image, r.intro, r.recommended
                 FROM jsonb_populate_record(t, n.fields) r),
             ticket_count = t.ticket_count + n.ticket_count
         FROM unnest($1::bigint[], $2::jsonb[], $3::bigint[]) AS n(id, fields, ticket_count)
         WHERE t.id = n.id",
        &rows.ids,
        &rows.fields,
        &rows.counts[0],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Which order holds a ticket in a state, or has bought it.
fn order_of(sale: Sale) -> Option<i64> {
    match sale {
        Sale::Reserved { order_id } | Sale::Sold { order_id } => Some(order_id),
        Sale::OnSale | Sale::Withdrawn => None,
    }
}

async fn insert(tx: &mut PgConnection, issued: BTreeMap<i64, Issued<'_>>) -> sqlx::Result<()> {
    let mut keys: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut times: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, ticket) in issued {
        let now = ticket.now;
        let sale = now.sale.unwrap_or(Sale::OnSale);
        keys.0.push(id);
        keys.1.push(ticket.position);
        keys.2.push(ticket.project_id);
        times.0.push(ticket.created_at);
        times.1.push(now.updated_at);
        times.2.push(now.sold_to.map(|(_, at)| at));
        numbers.0.push(state_number(sale));
        numbers.1.push(now.price_fen.unwrap_or_default());
        numbers.2.push(order_of(sale));
        texts.0.push(now.name.unwrap_or_default().to_owned());
        texts.1.push(now.image.unwrap_or_default().to_owned());
        texts.2.push(now.intro.unwrap_or_default().to_owned());
        texts.3.push(now.sold_to.map(|(owner, _)| owner.to_owned()));
    }
    sqlx::query!(
        "INSERT INTO tickets (id, position, project_id, created_at, updated_at, sold_at, state, price_fen, order_id,
                              name, image, intro, owner)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[]),
                unnest($5::timestamptz[]), unnest($6::timestamptz[]), unnest($7::smallint[]), unnest($8::bigint[]),
                unnest($9::bigint[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[]),
                unnest($13::text[])",
        &keys.0,
        &keys.1,
        &keys.2,
        &times.0,
        &times.1,
        &times.2 as &[Option<_>],
        &numbers.0,
        &numbers.1,
        &numbers.2 as &[Option<i64>],
        &texts.0,
        &texts.1,
        &texts.2,
        &texts.3 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<i64, Changed<'_>>) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(changed.len());
    let mut times: (Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, ticket) in changed {
        ids.push(id);
        times.0.push(ticket.updated_at);
        times.1.push(ticket.sold_to.map(|(_, at)| at));
        numbers.0.push(ticket.sale.map(state_number));
        numbers.1.push(ticket.price_fen);
        numbers.2.push(ticket.sale.and_then(order_of));
        texts.0.push(ticket.name.map(str::to_owned));
        texts.1.push(ticket.image.map(str::to_owned));
        texts.2.push(ticket.intro.map(str::to_owned));
        texts
            .3
            .push(ticket.sold_to.map(|(owner, _)| owner.to_owned()));
    }
    sqlx::query!(
        "UPDATE tickets t
         SET updated_at = n.updated_at,
             sold_at = coalesce(n.sold_at, t.sold_at),
             state = coalesce(n.state, t.state),
             price_fen = coalesce(n.price_fen, t.price_fen),
             order_id = CASE WHEN n.state IS NULL THEN t.order_id ELSE n.order_id END,
             name = coalesce(n.name, t.name),
             image = coalesce(n.image, t.image),
             intro = coalesce(n.intro, t.intro),
             owner = coalesce(n.owner, t.owner)
         FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::smallint[], $5::bigint[],
                     $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[])
              AS n(id, updated_at, sold_at, state, price_fen, order_id, name, image, intro, owner)
         WHERE t.id = n.id",
        &ids,
        &times.0,
        &times.1 as &[Option<_>],
        &numbers.0 as &[Option<i16>],
        &numbers.1 as &[Option<i64>],
        &numbers.2 as &[Option<i64>],
        &texts.0 as &[Option<String>],
        &texts.1 as &[Option<String>],
        &texts.2 as &[Option<String>],
        &texts.3 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
