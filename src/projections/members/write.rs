//! What a batch comes to, as a handful of statements.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Counts, Row};

/// The rows of these members that are there.
pub(super) async fn rows(
    tx: &mut PgConnection,
    uids: &[String],
) -> sqlx::Result<BTreeMap<String, Row>> {
    if uids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = sqlx::query!(
        "SELECT uid, position, created_at, birthday_ms, category, score, level, exp, gender, enabled, nickname, country,
                phone, avatar, province, city, email, intro, invitation_code, inviter
         FROM members
         WHERE uid = ANY($1)",
        uids,
    )
    .fetch_all(tx)
    .await?;
    let rows = found.into_iter().map(|row| {
        let member = Row {
            position: row.position,
            created_at: row.created_at,
            birthday_ms: row.birthday_ms,
            category: row.category,
            score: row.score,
            level: row.level,
            exp: row.exp,
            gender: row.gender,
            enabled: row.enabled,
            nickname: row.nickname,
            country: row.country,
            phone: row.phone,
            avatar: row.avatar,
            province: row.province,
            city: row.city,
            email: row.email,
            intro: row.intro,
            invitation_code: row.invitation_code,
            inviter: row.inviter,
        };
        (row.uid, member)
    });
    Ok(rows.collect())
}

/// Writes rows, new and old.
pub(super) async fn members(
    tx: &mut PgConnection,
    rows: BTreeMap<String, Row>,
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut numbers: [Vec<i64>; 5] = Default::default();
    let (mut created_at, mut birthdays) = (Vec::new(), Vec::new());
    let (mut genders, mut enabled) = (Vec::new(), Vec::new());
    let mut texts: [Vec<String>; 4] = Default::default();
    let mut perhaps: [Vec<Option<String>>; 7] = Default::default();
    for (uid, row) in rows {
        let each = [row.position, row.category, row.score, row.level, row.exp];
        push(&mut numbers, each);
        created_at.push(row.created_at);
        birthdays.push(row.birthday_ms);
        genders.push(row.gender);
        enabled.push(row.enabled);
        push(&mut texts, [uid, row.nickname, row.country, row.phone]);
        let each = [
            row.avatar,
            row.province,
            row.city,
            row.email,
            row.intro,
            row.invitation_code,
            row.inviter,
        ];
        push(&mut perhaps, each);
    }
    sqlx::query!(
        "INSERT INTO members (uid, position, created_at, birthday_ms, category, score, level, exp, gender, enabled, nickname,
                              country, phone, avatar, province, city, email, intro, invitation_code, inviter)
         SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::timestamptz[]), unnest($4::bigint[]),
                unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
                unnest($9::smallint[]), unnest($10::boolean[]), unnest($11::text[]), unnest($12::text[]),
                unnest($13::text[]), unnest($14::text[]), unnest($15::text[]), unnest($16::text[]),
                unnest($17::text[]), unnest($18::text[]), unnest($19::text[]), unnest($20::text[])
         ON CONFLICT (uid) DO UPDATE SET
             birthday_ms = EXCLUDED.birthday_ms,
             category = EXCLUDED.category,
             score = EXCLUDED.score,
             level = EXCLUDED.level,
             exp = EXCLUDED.exp,
             gender = EXCLUDED.gender,
             enabled = EXCLUDED.enabled,
             nickname = EXCLUDED.nickname,
             country = EXCLUDED.country,
             phone = EXCLUDED.phone,
             avatar = EXCLUDED.avatar,
             province = EXCLUDED.province,
             city = EXCLUDED.city,
             email = EXCLUDED.email,
             intro = EXCLUDED.intro,
             invitation_code = EXCLUDED.invitation_code,
             inviter = EXCLUDED.inviter",
        &texts[0],
        &numbers[0],
        &created_at,
        &birthdays as &[Option<i64>],
        &numbers[1],
        &numbers[2],
        &numbers[3],
        &numbers[4],
        &genders,
        &enabled,
        &texts[1],
        &texts[2],
        &texts[3],
        &perhaps[0] as &[Option<String>],
        &perhaps[1] as &[Option<String>],
        &perhaps[2] as &[Option<String>],
        &perhaps[3] as &[Option<String>],
        &perhaps[4] as &[Option<String>],
        &perhaps[5] as &[Option<String>],
        &perhaps[6] as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One value at the end of each column.
fn push<T, const N: usize>(columns: &mut [Vec<T>; N], values: [T; N]) {
    for (column, value) in columns.iter_mut().zip(values) {
        column.push(value);
    }
}

/// Moves counters. A row is made first, so that no row that would be below 0 is ever proposed.
pub(super) async fn counts(
    tx: &mut PgConnection,
    counts: BTreeMap<String, Counts>,
) -> sqlx::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let mut uids = Vec::with_capacity(counts.len());
    let mut numbers: [Vec<i64>; 3] = Default::default();
    for (uid, moved) in counts {
        uids.push(uid);
        push(
            &mut numbers,
            [moved.follows, moved.followers, moved.articles],
        );
    }
    sqlx::query!(
        "INSERT INTO member_counts (uid) SELECT unnest($1::text[]) ON CONFLICT (uid) DO NOTHING",
        &uids,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE member_counts c
         SET follow_count = c.follow_count + n.follows,
             follower_count = c.follower_count + n.followers,
             article_count = c.article_count + n.articles
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n(uid, follows, followers, articles)
         WHERE c.uid = n.uid",
        &uids,
        &numbers[0],
        &numbers[1],
        &numbers[2],
    )
    .execute(tx)
    .await?;
    Ok(())
}
