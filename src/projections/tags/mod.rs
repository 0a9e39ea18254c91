//! Tags of the case library, how often and by whom cases were looked up by them.

mod queries;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::PgConnection;

pub use queries::{TagItem, TagList, fold, hot, list, searched_by};

use super::{FoldError, Handling, Projection, number};
use crate::events::{Event, Fact, TagEvent, VisitEvent};

/// The read model `tags`.
pub struct Tags;

#[async_trait]
impl Projection for Tags {
    fn name(&self) -> &'static str {
        "tags"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Tag", "Visit"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Tag(event) => match event {
                TagEvent::TagCreated { .. }
                | TagEvent::TagRenamed { .. }
                | TagEvent::TagDeleted {} => Handling::Handled,
                // Which cases carry it stands with the cases.
                TagEvent::TagAssigned { .. } | TagEvent::TagUnassigned { .. } => Handling::Ignored,
            },
            Event::Visit(event) => match event {
                VisitEvent::TagSearched { .. } => Handling::Handled,
                VisitEvent::CardViewed { .. }
                | VisitEvent::CardForwarded { .. }
                | VisitEvent::CardPhoneCalled { .. }
                | VisitEvent::CardWechatSaved { .. }
                | VisitEvent::CardPosterSaved { .. }
                | VisitEvent::ProductViewed { .. }
                | VisitEvent::ProductForwarded { .. }
                | VisitEvent::ProductConsulted { .. }
                | VisitEvent::WebsiteViewed { .. }
                | VisitEvent::CaseBrowsed { .. }
                | VisitEvent::DiaryRead { .. }
                | VisitEvent::ShowcaseViewed { .. } => Handling::Ignored,
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
    made: BTreeMap<i64, Made<'f>>,
    renamed: BTreeMap<i64, &'f str>,
    removed: BTreeSet<i64>,
    counts: BTreeMap<i64, Searched>,
    /// The last search of each customer by each tag.
    searches: BTreeMap<(i64, i64), i64>,
}

/// A tag of this batch, as it stands at its end.
struct Made<'f> {
    company_id: i64,
    position: i64,
    name: &'f str,
}

/// How often, and when last.
#[derive(Default)]
struct Searched {
    times: i64,
    position: i64,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        let position = fact.place.position;
        match &fact.event {
            Event::Tag(event) => {
                let id = number(fact, &fact.place.stream.id)?;
                self.tag(id, position, event);
            }
            Event::Visit(VisitEvent::TagSearched {
                customer_id,
                tag_id,
                ..
            }) => {
                let count = self.counts.entry(*tag_id).or_default();
                count.times += 1;
                count.position = count.position.max(position);
                let last = self.searches.entry((*customer_id, *tag_id)).or_default();
                *last = position.max(*last);
            }
            _ => {}
        }
        Ok(())
    }

    fn tag(&mut self, id: i64, position: i64, event: &'f TagEvent) {
        match event {
            TagEvent::TagCreated { company_id, name } => {
                let made = Made {
                    company_id: *company_id,
                    position,
                    name,
                };
                self.made.insert(id, made);
            }
            TagEvent::TagRenamed { name } => match self.made.get_mut(&id) {
                Some(made) => made.name = name,
                None => {
                    self.renamed.insert(id, name);
                }
            },
            TagEvent::TagDeleted {} => {
                self.renamed.remove(&id);
                if self.made.remove(&id).is_none() {
                    self.removed.insert(id);
                }
            }
            TagEvent::TagAssigned { .. } | TagEvent::TagUnassigned { .. } => {}
        }
    }

    async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.removed.is_empty() {
            let removed: Vec<i64> = self.removed.into_iter().collect();
            sqlx::query!("DELETE FROM tags WHERE id = ANY($1)", &removed)
                .execute(&mut *tx)
                .await?;
        }
        if !self.made.is_empty() {
            insert(tx, self.made).await?;
        }
        if !self.renamed.is_empty() {
            rename(tx, self.renamed).await?;
        }
        if !self.counts.is_empty() {
            count(tx, self.counts).await?;
            remember(tx, self.searches).await?;
        }
        Ok(())
    }
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<i64, Made<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut names: (Vec<_>, Vec<_>) = Default::default();
    for (id, tag) in made {
        numbers.0.push(id);
        numbers.1.push(tag.company_id);
        numbers.2.push(tag.position);
        names.0.push(tag.name.to_owned());
        names.1.push(fold(tag.name));
    }
    sqlx::query!(
        "INSERT INTO tags (id, company_id, position, name, folded)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]),
                unnest($5::text[])",
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &names.0,
        &names.1,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn rename(tx: &mut PgConnection, renamed: BTreeMap<i64, &str>) -> sqlx::Result<()> {
    let ids: Vec<i64> = renamed.keys().copied().collect();
    let folded: Vec<String> = renamed.values().map(|name| fold(name)).collect();
    let names: Vec<String> = renamed.into_values().map(str::to_owned).collect();
    sqlx::query!(
        "UPDATE tags t
         SET name = n.name, folded = n.folded
         FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n(id, name, folded)
         WHERE t.id = n.id",
        &ids,
        &names,
        &folded,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn count(tx: &mut PgConnection, counts: BTreeMap<i64, Searched>) -> sqlx::Result<()> {
    let ids: Vec<i64> = counts.keys().copied().collect();
    let (times, positions): (Vec<i64>, Vec<i64>) = counts
        .into_values()
        .map(|count| (count.times, count.position))
        .unzip();
    sqlx::query!(
        "INSERT INTO tag_counts AS c (tag_id, search_count, position)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[])
         ON CONFLICT (tag_id) DO UPDATE
         SET search_count = c.search_count + EXCLUDED.search_count,
             position = greatest(c.position, EXCLUDED.position)",
        &ids,
        &times,
        &positions,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn remember(tx: &mut PgConnection, searches: BTreeMap<(i64, i64), i64>) -> sqlx::Result<()> {
    let (customers, tags): (Vec<i64>, Vec<i64>) = searches.keys().copied().unzip();
    let positions: Vec<i64> = searches.into_values().collect();
    sqlx::query!(
        "INSERT INTO tag_searches AS s (customer_id, tag_id, position)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[])
         ON CONFLICT (customer_id, tag_id) DO UPDATE
         SET position = greatest(s.position, EXCLUDED.position)",
        &customers,
        &tags,
        &positions,
    )
    .execute(tx)
    .await?;
    Ok(())
}
