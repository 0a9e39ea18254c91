//! What a batch comes to, as a handful of statements.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use super::{Changed, Changes, Counts, Made};

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.made.is_empty() {
            insert(tx, self.made).await?;
        }
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        if !self.counts.is_empty() {
            count(tx, self.counts).await?;
        }
        if !self.photos_gone.is_empty() || !self.forgotten.is_empty() {
            remove_photos(tx, self.photos_gone, self.forgotten).await?;
        }
        if !self.photos_new.is_empty() {
            add_photos(tx, self.photos_new).await?;
        }
        Ok(())
    }
}

/// The eleven texts of a card, a column each.
#[derive(Default)]
struct Texts([Vec<Option<String>>; 11]);

impl Texts {
    fn push(&mut self, changed: &Changed<'_>) {
        let texts = [
            changed.username,
            changed.avatar,
            changed.mingpian_avatar,
            changed.address,
            changed.job,
            changed.email,
            changed.wechat,
            changed.mingpian_phone,
            changed.sign,
            changed.qr_code_url,
            changed.poster_url,
        ];
        for (column, text) in self.0.iter_mut().zip(texts) {
            column.push(text.map(str::to_owned));
        }
    }
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<i64, Made<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut created_at, mut enabled) = (Vec::new(), Vec::new());
    let mut texts = Texts::default();
    for (uid, card) in made {
        numbers.0.push(uid);
        numbers.1.push(card.company_id);
        numbers.2.push(card.position);
        numbers.3.push(card.now.position);
        created_at.push(card.created_at);
        enabled.push(card.now.enabled.unwrap_or_default());
        texts.push(&card.now);
    }
    let [
        username,
        avatar,
        mingpian_avatar,
        address,
        job,
        email,
        wechat,
        phone,
        sign,
        qr_code,
        poster,
    ] = texts.0;
    sqlx::query!(
        "INSERT INTO cards (uid, company_id, position, changed, created_at, enabled, username, avatar, mingpian_avatar,
                            address, job, email, wechat, mingpian_phone, sign, qr_code_url, poster_url)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]),
                unnest($5::timestamptz[]), unnest($6::boolean[]), unnest($7::text[]), unnest($8::text[]),
                unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[]),
                unnest($13::text[]), unnest($14::text[]), unnest($15::text[]), unnest($16::text[]),
                unnest($17::text[])",
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &created_at,
        &enabled,
        &username as &[Option<String>],
        &avatar as &[Option<String>],
        &mingpian_avatar as &[Option<String>],
        &address as &[Option<String>],
        &job as &[Option<String>],
        &email as &[Option<String>],
        &wechat as &[Option<String>],
        &phone as &[Option<String>],
        &sign as &[Option<String>],
        &qr_code as &[Option<String>],
        &poster as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<i64, Changed<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>) = Default::default();
    let mut enabled = Vec::with_capacity(changed.len());
    let mut texts = Texts::default();
    for (uid, card) in changed {
        numbers.0.push(uid);
        numbers.1.push(card.position);
        enabled.push(card.enabled);
        texts.push(&card);
    }
    let [
        username,
        avatar,
        mingpian_avatar,
        address,
        job,
        email,
        wechat,
        phone,
        sign,
        qr_code,
        poster,
    ] = texts.0;
    sqlx::query!(
        "UPDATE cards c
         SET changed = greatest(n.changed, c.changed),
             enabled = coalesce(n.enabled, c.enabled),
             username = coalesce(n.username, c.username),
             avatar = coalesce(n.avatar, c.avatar),
             mingpian_avatar = coalesce(n.mingpian_avatar, c.mingpian_avatar),
             address = coalesce(n.address, c.address),
             job = coalesce(n.job, c.job),
             email = coalesce(n.email, c.email),
             wechat = coalesce(n.wechat, c.wechat),
             mingpian_phone = coalesce(n.mingpian_phone, c.mingpian_phone),
             sign = coalesce(n.sign, c.sign),
             qr_code_url = coalesce(n.qr_code_url, c.qr_code_url),
             poster_url = coalesce(n.poster_url, c.poster_url)
         FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
              AS n(uid, changed, enabled, username, avatar, mingpian_avatar, address, job, email, wechat,
                   mingpian_phone, sign, qr_code_url, poster_url)
         WHERE c.uid = n.uid",
        &numbers.0,
        &numbers.1,
        &enabled as &[Option<bool>],
        &username as &[Option<String>],
        &avatar as &[Option<String>],
        &mingpian_avatar as &[Option<String>],
        &address as &[Option<String>],
        &job as &[Option<String>],
        &email as &[Option<String>],
        &wechat as &[Option<String>],
        &phone as &[Option<String>],
        &sign as &[Option<String>],
        &qr_code as &[Option<String>],
        &poster as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// In two statements: a row inserted with a step down would offend the check, whatever stands there already.
async fn count(tx: &mut PgConnection, counts: BTreeMap<i64, Counts>) -> sqlx::Result<()> {
    let mut uids = Vec::with_capacity(counts.len());
    let mut steps: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (uid, counts) in counts {
        uids.push(uid);
        steps.0.push(counts.popularity);
        steps.1.push(counts.praise);
        steps.2.push(counts.forward);
        steps.3.push(counts.sign);
    }
    sqlx::query!(
        "INSERT INTO card_counts (uid)
         SELECT uid FROM unnest($1::bigint[]) AS n(uid)
         ON CONFLICT (uid) DO NOTHING",
        &uids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE card_counts c
         SET popularity_num = c.popularity_num + n.popularity,
             praise_num = c.praise_num + n.praise,
             forward_num = c.forward_num + n.forward,
             sign_num = c.sign_num + n.sign
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
              AS n(uid, popularity, praise, forward, sign)
         WHERE c.uid = n.uid",
        &uids,
        &steps.0,
        &steps.1,
        &steps.2,
        &steps.3,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn remove_photos(
    tx: &mut PgConnection,
    gone: BTreeSet<(i64, i64)>,
    forgotten: BTreeSet<i64>,
) -> sqlx::Result<()> {
    let (uids, photos): (Vec<i64>, Vec<i64>) = gone.into_iter().unzip();
    let forgotten: Vec<i64> = forgotten.into_iter().collect();
    sqlx::query!(
        "DELETE FROM card_photos
         WHERE (uid, photo_id) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[])) OR uid = ANY($3)",
        &uids,
        &photos,
        &forgotten,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn add_photos(tx: &mut PgConnection, photos: BTreeMap<(i64, i64), &str>) -> sqlx::Result<()> {
    let mut keys: (Vec<_>, Vec<_>) = Default::default();
    let mut urls = Vec::with_capacity(photos.len());
    for ((uid, photo_id), url) in photos {
        keys.0.push(uid);
        keys.1.push(photo_id);
        urls.push(url.to_owned());
    }
    sqlx::query!(
        "INSERT INTO card_photos (uid, photo_id, photo_url)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::text[])",
        &keys.0,
        &keys.1,
        &urls,
    )
    .execute(tx)
    .await?;
    Ok(())
}
