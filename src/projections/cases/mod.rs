//! The case library as customers see it: cases with the tags they carry. Their diaries stand in `diaries`.

mod queries;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{
    CaseItem, CasePage, CaseTag, LastDiary, browsed_by, by_tag, collected_by, library, one,
};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::{CaseEvent, DiaryEvent, Event, Fact};

/// Everybody sees it.
const PUBLISHED: i16 = 1;
/// Nobody sees it.
const UNPUBLISHED: i16 = 2;
/// It is gone for good.
const DELETED: i16 = 3;

/// The read model `cases`.
pub struct Cases;

#[async_trait]
impl Projection for Cases {
    fn name(&self) -> &'static str {
        "cases"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Case", "Diary"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Case(event) => match event {
                CaseEvent::CaseCreated { .. }
                | CaseEvent::CaseEdited { .. }
                | CaseEvent::CaseTagged { .. }
                | CaseEvent::CasePublished {}
                | CaseEvent::CaseWithdrawn {}
                | CaseEvent::CaseDeleted {} => Handling::Handled,
                CaseEvent::DiaryAdded { .. } | CaseEvent::DiaryRemoved { .. } => Handling::Ignored,
            },
            Event::Diary(event) => match event {
                DiaryEvent::DiaryEdited { .. } | DiaryEvent::DiaryPublished { .. } => {
                    Handling::Handled
                }
                // What nobody sees yet, or no longer, is no news of the case.
                DiaryEvent::DiaryCreated { .. }
                | DiaryEvent::DiaryWithdrawn { .. }
                | DiaryEvent::DiaryDeleted { .. } => Handling::Ignored,
            },
            _ => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    cases: BTreeMap<i64, Changed<'f>>,
    /// All the tags a case carries at the end of the batch, where that changed.
    tags: BTreeMap<i64, &'f [i64]>,
}

/// New values of a case. What it was made with changes once, from nothing.
#[derive(Default)]
struct Changed<'f> {
    updated_at: Option<DateTime<Utc>>,
    made: Option<Made>,
    status: Option<i16>,
    customer_name: Option<&'f str>,
    headimgurl: Option<&'f str>,
    cover_picture: Option<&'f str>,
}

/// What never changes.
#[derive(Clone, Copy)]
struct Made {
    position: i64,
    company_id: i64,
    created_at: DateTime<Utc>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Case(event) => {
                let id = number(fact, &fact.place.stream.id)?;
                self.case(id, fact, event);
            }
            Event::Diary(
                DiaryEvent::DiaryEdited { case_id, .. } | DiaryEvent::DiaryPublished { case_id },
            ) => self.touch(*case_id, fact),
            _ => {}
        }
        Ok(())
    }

    fn case(&mut self, id: i64, fact: &'f Fact, event: &'f CaseEvent) {
        match event {
            CaseEvent::CaseCreated {
                company_id,
                customer_name,
                headimgurl,
                cover_picture,
            } => {
                self.touch(id, fact);
                let case = self.of(id);
                case.made = Some(Made {
                    position: fact.place.position,
                    company_id: *company_id,
                    created_at: at(fact),
                });
                case.status = Some(UNPUBLISHED);
                case.customer_name = Some(customer_name);
                case.headimgurl = Some(headimgurl);
                case.cover_picture = Some(cover_picture);
            }
            CaseEvent::CaseEdited {
                customer_name,
                headimgurl,
                cover_picture,
            } => {
                self.touch(id, fact);
                let case = self.of(id);
                case.customer_name = customer_name.as_deref().or(case.customer_name);
                case.headimgurl = headimgurl.as_deref().or(case.headimgurl);
                case.cover_picture = cover_picture.as_deref().or(case.cover_picture);
            }
            CaseEvent::CaseTagged { tag_ids } => {
                self.touch(id, fact);
                self.tags.insert(id, tag_ids);
            }
            CaseEvent::CasePublished {} => {
                self.touch(id, fact);
                self.of(id).status = Some(PUBLISHED);
            }
            CaseEvent::CaseWithdrawn {} => self.of(id).status = Some(UNPUBLISHED),
            CaseEvent::CaseDeleted {} => {
                // Whom it told of is nobody's business any more.
                let case = self.of(id);
                case.status = Some(DELETED);
                case.customer_name = Some("");
                case.headimgurl = Some("");
                case.cover_picture = Some("");
                self.tags.insert(id, &[]);
            }
            CaseEvent::DiaryAdded { .. } | CaseEvent::DiaryRemoved { .. } => {}
        }
    }

    fn touch(&mut self, id: i64, fact: &Fact) {
        let case = self.of(id);
        case.updated_at = case.updated_at.max(Some(at(fact)));
    }

    fn of(&mut self, id: i64) -> &mut Changed<'f> {
        self.cases.entry(id).or_default()
    }

    async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.cases.is_empty() {
            cases(tx, self.cases).await?;
        }
        if !self.tags.is_empty() {
            tags(tx, self.tags).await?;
        }
        Ok(())
    }
}

async fn cases(tx: &mut PgConnection, cases: BTreeMap<i64, Changed<'_>>) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(cases.len());
    let mut times: (Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, case) in cases {
        ids.push(id);
        times.0.push(case.updated_at);
        times.1.push(case.made.map(|made| made.created_at));
        numbers.0.push(case.made.map(|made| made.position));
        numbers.1.push(case.made.map(|made| made.company_id));
        numbers.2.push(case.status);
        texts.0.push(case.customer_name.map(str::to_owned));
        texts.1.push(case.headimgurl.map(str::to_owned));
        texts.2.push(case.cover_picture.map(str::to_owned));
    }
    sqlx::query!(
        "WITH news AS (
             SELECT *
             FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::smallint[],
                         $7::text[], $8::text[], $9::text[])
                  AS n(id, updated_at, position, company_id, created_at, status, customer_name, headimgurl, cover_picture)
         ), known AS (
             UPDATE cases c
             SET updated_at = greatest(c.updated_at, n.updated_at),
                 position = coalesce(n.position, c.position),
                 company_id = coalesce(n.company_id, c.company_id),
                 created_at = coalesce(n.created_at, c.created_at),
                 status = coalesce(n.status, c.status),
                 customer_name = coalesce(n.customer_name, c.customer_name),
                 headimgurl = coalesce(n.headimgurl, c.headimgurl),
                 cover_picture = coalesce(n.cover_picture, c.cover_picture)
             FROM news n
             WHERE c.id = n.id
             RETURNING c.id
         )
         INSERT INTO cases (id, updated_at, position, company_id, created_at, status, customer_name, headimgurl, cover_picture)
         SELECT * FROM news n WHERE NOT EXISTS (SELECT FROM known k WHERE k.id = n.id)",
        &ids,
        &times.0 as &[Option<DateTime<Utc>>],
        &numbers.0 as &[Option<i64>],
        &numbers.1 as &[Option<i64>],
        &times.1 as &[Option<DateTime<Utc>>],
        &numbers.2 as &[Option<i16>],
        &texts.0 as &[Option<String>],
        &texts.1 as &[Option<String>],
        &texts.2 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Each of these cases carries these tags and no others.
async fn tags(tx: &mut PgConnection, tags: BTreeMap<i64, &[i64]>) -> sqlx::Result<()> {
    let cases: Vec<i64> = tags.keys().copied().collect();
    let pairs = tags
        .into_iter()
        .flat_map(|(case, tags)| tags.iter().map(move |tag| (case, *tag)));
    let (carriers, carried): (Vec<i64>, Vec<i64>) = pairs.unzip();
    sqlx::query!("DELETE FROM case_tags WHERE case_id = ANY($1)", &cases)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "INSERT INTO case_tags (case_id, tag_id) SELECT unnest($1::bigint[]), unnest($2::bigint[])",
        &carriers,
        &carried,
    )
    .execute(tx)
    .await?;
    Ok(())
}
