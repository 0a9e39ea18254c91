//! What a batch comes to, as a handful of statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Changed, Changes, Counts, Made, UNPUBLISHED};
use crate::events::diary::CoverShowType;

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        let changed = self.changed.iter();
        let counted: Vec<i64> = changed
            .filter(|(_, diary)| diary.status.is_some())
            .map(|(id, _)| *id)
            .chain(self.made.keys().copied())
            .chain(self.removed.iter().copied())
            .collect();
        total(tx, &counted, -1).await?;
        if !self.removed.is_empty() {
            let removed: Vec<i64> = self.removed.into_iter().collect();
            sqlx::query!("DELETE FROM diaries WHERE id = ANY($1)", &removed)
                .execute(&mut *tx)
                .await?;
        }
        if !self.made.is_empty() {
            insert(tx, self.made).await?;
        }
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        total(tx, &counted, 1).await?;
        if !self.counts.is_empty() {
            count(tx, self.counts).await?;
        }
        Ok(())
    }
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<i64, Made<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut times: (Vec<_>, Vec<_>) = Default::default();
    let mut kinds: (Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, diary) in made {
        let now = diary.now;
        numbers.0.push(id);
        numbers.1.push(diary.case_id);
        numbers.2.push(diary.company_id);
        numbers.3.push(diary.position);
        times.0.push(diary.created_at);
        times.1.push(now.diary_date.unwrap_or(diary.created_at));
        kinds.0.push(now.status.unwrap_or(UNPUBLISHED));
        kinds
            .1
            .push(now.cover_show_type.unwrap_or_default().number());
        texts.0.push(now.title.unwrap_or_default().to_owned());
        texts
            .1
            .push(now.cover_picture.unwrap_or_default().to_owned());
        texts.2.push(now.content.unwrap_or_default().to_owned());
    }
    sqlx::query!(
        "INSERT INTO diaries (id, case_id, company_id, position, created_at, diary_date, status, cover_show_type,
                              title, cover_picture, content)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]),
                unnest($5::timestamptz[]), unnest($6::timestamptz[]), unnest($7::smallint[]), unnest($8::smallint[]),
                unnest($9::text[]), unnest($10::text[]), unnest($11::text[])",
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &times.0,
        &times.1,
        &kinds.0,
        &kinds.1,
        &texts.0,
        &texts.1,
        &texts.2,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<i64, Changed<'_>>) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(changed.len());
    let mut dates = Vec::with_capacity(changed.len());
    let mut kinds: (Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, diary) in changed {
        ids.push(id);
        dates.push(diary.diary_date);
        kinds.0.push(diary.status);
        kinds
            .1
            .push(diary.cover_show_type.map(CoverShowType::number));
        texts.0.push(diary.title.map(str::to_owned));
        texts.1.push(diary.cover_picture.map(str::to_owned));
        texts.2.push(diary.content.map(str::to_owned));
    }
    sqlx::query!(
        "UPDATE diaries d
         SET diary_date = coalesce(n.diary_date, d.diary_date),
             status = coalesce(n.status, d.status),
             cover_show_type = coalesce(n.cover_show_type, d.cover_show_type),
             title = coalesce(n.title, d.title),
             cover_picture = coalesce(n.cover_picture, d.cover_picture),
             content = coalesce(n.content, d.content)
         FROM unnest($1::bigint[], $2::timestamptz[], $3::smallint[], $4::smallint[], $5::text[], $6::text[], $7::text[])
              AS n(id, diary_date, status, cover_show_type, title, cover_picture, content)
         WHERE d.id = n.id",
        &ids,
        &dates as &[Option<DateTime<Utc>>],
        &kinds.0 as &[Option<i16>],
        &kinds.1 as &[Option<i16>],
        &texts.0 as &[Option<String>],
        &texts.1 as &[Option<String>],
        &texts.2 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes diaries out of the totals as they stand, or into them.
async fn total(tx: &mut PgConnection, diaries: &[i64], sign: i64) -> sqlx::Result<()> {
    if diaries.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "MERGE INTO diary_totals t
         USING (
             SELECT company_id, case_id, $2 * count(*) AS n
             FROM diaries
             WHERE id = ANY($1) AND status = 1
             GROUP BY 1, 2
         ) d
         ON t.company_id = d.company_id AND t.case_id = d.case_id
         WHEN MATCHED AND t.total + d.n = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET total = t.total + d.n
         WHEN NOT MATCHED THEN INSERT (company_id, case_id, total) VALUES (d.company_id, d.case_id, d.n)",
        diaries,
        sign,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What is taken back was given before, so no count ever stays below 0.
async fn count(tx: &mut PgConnection, counts: BTreeMap<i64, Counts>) -> sqlx::Result<()> {
    let ids: Vec<i64> = counts.keys().copied().collect();
    let mut steps: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for count in counts.into_values() {
        steps.0.push(count.read);
        steps.1.push(count.comment);
        steps.2.push(count.up);
    }
    sqlx::query!(
        "INSERT INTO diary_counts AS c (diary_id, read_count, comment_count, up_count)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[])
         ON CONFLICT (diary_id) DO UPDATE
         SET read_count = c.read_count + EXCLUDED.read_count,
             comment_count = c.comment_count + EXCLUDED.comment_count,
             up_count = c.up_count + EXCLUDED.up_count",
        &ids,
        &steps.0,
        &steps.1,
        &steps.2,
    )
    .execute(tx)
    .await?;
    Ok(())
}
