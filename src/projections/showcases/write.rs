//! What a batch comes to, as a handful of statements.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use super::{Changed, Changes, NewFile};
use crate::events::showcase::{Industry, Score};
use crate::projections::FoldError;

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> Result<(), FoldError> {
        if !self.cases.is_empty() {
            let counted: Vec<String> = (self.cases.iter())
                .filter(|(_, case)| case.shown.is_some() || case.industry.is_some())
                .map(|(id, _)| (*id).to_owned())
                .collect();
            total(tx, &counted, -1).await?;
            merge(tx, self.cases).await?;
            total(tx, &counted, 1).await?;
        }
        if !self.files.gone.is_empty() {
            remove(tx, self.files.gone).await?;
        }
        if !self.files.new.is_empty() {
            insert(tx, self.files.new).await?;
        }
        Ok(())
    }
}

/// Whichever comes first, the case or what is counted of it, makes the row. There is one writer, so nobody else can make
/// it in between.
async fn merge(tx: &mut PgConnection, cases: BTreeMap<&str, Changed<'_>>) -> sqlx::Result<()> {
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut scores, mut industries, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (id, case) in cases {
        texts.0.push(id.to_owned());
        texts.1.push(case.user_id.map(str::to_owned));
        numbers.0.push(case.position);
        numbers.1.push(case.update_time);
        numbers.2.push(case.counts.views);
        numbers.3.push(case.counts.likes);
        numbers.4.push(case.counts.comments);
        scores.push(case.score.map(hundredths));
        industries.push(case.industry.map(Industry::number));
        shown.push(case.shown);
    }
    sqlx::query!(
        "MERGE INTO showcases s
         USING unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                      $8::smallint[], $9::smallint[], $10::boolean[])
               AS n(id, user_id, position, update_time, view_cnt, like_cnt, comment_cnt,
                    score_hundredths, industry_type, shown)
         ON s.id = n.id
         WHEN MATCHED THEN UPDATE
         SET user_id = coalesce(n.user_id, s.user_id),
             position = coalesce(n.position, s.position),
             update_time = coalesce(n.update_time, s.update_time),
             view_cnt = s.view_cnt + n.view_cnt,
             like_cnt = s.like_cnt + n.like_cnt,
             comment_cnt = s.comment_cnt + n.comment_cnt,
             score_hundredths = coalesce(n.score_hundredths, s.score_hundredths),
             industry_type = coalesce(n.industry_type, s.industry_type),
             shown = coalesce(n.shown, s.shown)
         WHEN NOT MATCHED THEN
         INSERT (id, user_id, position, update_time, view_cnt, like_cnt, comment_cnt,
                 score_hundredths, industry_type, shown)
         VALUES (n.id, coalesce(n.user_id, ''), coalesce(n.position, 0), coalesce(n.update_time, 0),
                 n.view_cnt, n.like_cnt, n.comment_cnt,
                 coalesce(n.score_hundredths, 0), coalesce(n.industry_type, 0), coalesce(n.shown, false))",
        &texts.0,
        &texts.1 as &[Option<String>],
        &numbers.0 as &[Option<i64>],
        &numbers.1 as &[Option<i64>],
        &numbers.2,
        &numbers.3,
        &numbers.4,
        &scores as &[Option<i16>],
        &industries as &[Option<i16>],
        &shown as &[Option<bool>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes cases out of the totals as they stand, or into them.
async fn total(tx: &mut PgConnection, cases: &[String], sign: i64) -> sqlx::Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "MERGE INTO showcase_totals t
         USING (SELECT industry_type, $2 * count(*) AS n FROM showcases WHERE id = ANY($1) AND shown GROUP BY 1) s
         ON t.industry_type = s.industry_type
         WHEN MATCHED AND t.total + s.n = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET total = t.total + s.n
         WHEN NOT MATCHED THEN INSERT (industry_type, total) VALUES (s.industry_type, s.n)",
        cases,
        sign,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A score has at most ten thousand of them.
fn hundredths(score: Score) -> i16 {
    i16::try_from(score.hundredths()).unwrap_or(i16::MAX)
}

async fn remove(tx: &mut PgConnection, gone: BTreeSet<(&str, &str)>) -> sqlx::Result<()> {
    let (cases, files): (Vec<String>, Vec<String>) = gone
        .into_iter()
        .map(|(case, file)| (case.to_owned(), file.to_owned()))
        .unzip();
    sqlx::query!(
        "DELETE FROM showcase_files f
         USING unnest($1::text[], $2::text[]) AS n(task_id, file_id)
         WHERE f.task_id = n.task_id AND f.file_id = n.file_id",
        &cases,
        &files,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    new: BTreeMap<(&str, &str), NewFile<'_>>,
) -> Result<(), FoldError> {
    let mut keys: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for ((task_id, file_id), row) in new {
        let file = row.file;
        let size = i64::try_from(file.size_bytes);
        keys.0.push(task_id.to_owned());
        keys.1.push(file_id.to_owned());
        keys.2.push(file.user_id.clone());
        numbers.0.push(row.create_time);
        numbers.1.push(row.position);
        numbers.2.push(size.map_err(|_| {
            FoldError::Data(format!("{} bytes are no size of a file", file.size_bytes))
        })?);
        numbers.3.push(i64::from(file.width_pixels));
        numbers.4.push(i64::from(file.height_pixels));
        texts.0.push(file.name.clone());
        texts.1.push(file.mime_type.clone());
        texts.2.push(file.path.clone());
        texts.3.push(file.preview_path.clone().unwrap_or_default());
    }
    sqlx::query!(
        "INSERT INTO showcase_files (task_id, file_id, user_id, create_time, position, size_bytes, width, height,
                                     name, mime_type, path, preview_path)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]),
                unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
                unnest($9::text[]), unnest($10::text[]), unnest($11::text[]), unnest($12::text[])",
        &keys.0,
        &keys.1,
        &keys.2,
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &numbers.4,
        &texts.0,
        &texts.1,
        &texts.2,
        &texts.3,
    )
    .execute(tx)
    .await?;
    Ok(())
}
