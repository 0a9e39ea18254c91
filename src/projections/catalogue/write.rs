//! What a batch comes to: two statements a table. First the rows are made that are not there, then all get their new
//! values. Creations are few, and a reaction finds its row.

use sqlx::PgConnection;

use super::{COLLECTS, COMMENTS, Changes, LIKES};
use crate::projections::listed::Columns;

impl Changes {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if let Some(columns) = self.banners.columns() {
            banners(tx, columns).await?;
        }
        if let Some(columns) = self.cloths.columns() {
            cloths(tx, columns).await?;
        }
        if let Some(columns) = self.games.columns() {
            games(tx, columns).await?;
        }
        if let Some(columns) = self.masters.columns() {
            masters(tx, columns).await?;
        }
        if let Some(columns) = self.merchants.columns() {
            merchants(tx, columns).await?;
        }
        Ok(())
    }
}

async fn banners(tx: &mut PgConnection, rows: Columns<i64, 0>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO banners (id) SELECT unnest($1::bigint[]) ON CONFLICT (id) DO NOTHING",
        &rows.ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE banners t
         SET (created_at, shown, placement, image, url, position) = (
                 SELECT r.created_at, r.shown, r.placement, r.image, r.url, r.position
                 FROM jsonb_populate_record(t, n.fields) r)
         FROM unnest($1::bigint[], $2::jsonb[]) AS n(id, fields)
         WHERE t.id = n.id",
        &rows.ids,
        &rows.fields,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn cloths(tx: &mut PgConnection, rows: Columns<i64, 1>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO cloths (id) SELECT unnest($1::bigint[]) ON CONFLICT (id) DO NOTHING",
        &rows.ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE cloths t
         SET (created_at, shown, collection, merchant_id, name, image, intro, price_fen, dynasty,
              designer_intro, recommended) = (
                 SELECT r.created_at, r.shown, r.collection, r.merchant_id, r.name, r.image, r.intro,
                        r.price_fen, r.dynasty, r.designer_intro, r.recommended
                 FROM jsonb_populate_record(t, n.fields) r),
             collect_count = t.collect_count + n.collect_count
         FROM unnest($1::bigint[], $2::jsonb[], $3::bigint[]) AS n(id, fields, collect_count)
         WHERE t.id = n.id",
        &rows.ids,
        &rows.fields,
        &rows.counts[0],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn games(tx: &mut PgConnection, rows: Columns<i64, 3>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO games (id) SELECT unnest($1::bigint[]) ON CONFLICT (id) DO NOTHING",
        &rows.ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE games t
         SET (created_at, shown, name, image, intro, recommended) = (
                 SELECT r.created_at, r.shown, r.name, r.image, r.intro, r.recommended
                 FROM jsonb_populate_record(t, n.fields) r),
             like_count = t.like_count + n.like_count,
             collect_count = t.collect_count + n.collect_count,
             comment_count = t.comment_count + n.comment_count
         FROM unnest($1::bigint[], $2::jsonb[], $3::bigint[], $4::bigint[], $5::bigint[]) AS n(id, fields, like_count, collect_count, comment_count)
         WHERE t.id = n.id",
        &rows.ids,
        &rows.fields,
        &rows.counts[LIKES],
        &rows.counts[COLLECTS],
        &rows.counts[COMMENTS],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn masters(tx: &mut PgConnection, rows: Columns<String, 1>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO masters (id) SELECT unnest($1::text[]) ON CONFLICT (id) DO NOTHING",
        &rows.ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE masters t
         SET (created_at, shown, name, avatar, intro, address, birthday, recommended, uid) = (
                 SELECT r.created_at, r.shown, r.name, r.avatar, r.intro, r.address, r.birthday,
                        r.recommended, r.uid
                 FROM jsonb_populate_record(t, n.fields) r),
             follower_count = t.follower_count + n.follower_count
         FROM unnest($1::text[], $2::jsonb[], $3::bigint[]) AS n(id, fields, follower_count)
         WHERE t.id = n.id",
        &rows.ids,
        &rows.fields,
        &rows.counts[0],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn merchants(tx: &mut PgConnection, rows: Columns<String, 1>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO merchants (id) SELECT unnest($1::text[]) ON CONFLICT (id) DO NOTHING",
        &rows.ids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE merchants t
         SET (created_at, shown, name, logo, intro, address, phone, email) = (
                 SELECT r.created_at, r.shown, r.name, r.logo, r.intro, r.address, r.phone, r.email
                 FROM jsonb_populate_record(t, n.fields) r),
             follow_count = t.follow_count + n.follow_count
         FROM unnest($1::text[], $2::jsonb[], $3::bigint[]) AS n(id, fields, follow_count)
         WHERE t.id = n.id",
        &rows.ids,
        &rows.fields,
        &rows.counts[0],
    )
    .execute(tx)
    .await?;
    Ok(())
}
