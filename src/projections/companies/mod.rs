//! Companies of the mini-program: cards and everything else of a company take its name from here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{FoldError, Handling, Projection, number};
use crate::events::{CompanyEvent, Event, Fact};

/// The read model `companies`.
pub struct Companies;

#[async_trait]
impl Projection for Companies {
    fn name(&self) -> &'static str {
        "companies"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Company"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Company(event) = event else {
            return Handling::Ignored;
        };
        match event {
            CompanyEvent::CompanyCreated { .. } | CompanyEvent::CompanyRenamed { .. } => {
                Handling::Handled
            }
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut made: BTreeMap<i64, Made> = BTreeMap::new();
        let mut renamed: BTreeMap<i64, &str> = BTreeMap::new();
        for fact in batch {
            let Event::Company(event) = &fact.event else {
                continue;
            };
            let id = number(fact, &fact.place.stream.id)?;
            match (event, made.get_mut(&id)) {
                (CompanyEvent::CompanyCreated { name }, _) => {
                    let company = Made {
                        position: fact.place.position,
                        created_at: fact.place.recorded_at,
                        name,
                    };
                    made.insert(id, company);
                }
                (CompanyEvent::CompanyRenamed { name }, Some(company)) => company.name = name,
                (CompanyEvent::CompanyRenamed { name }, None) => {
                    renamed.insert(id, name);
                }
            }
        }
        if !made.is_empty() {
            insert(tx, made).await?;
        }
        if !renamed.is_empty() {
            update(tx, renamed).await?;
        }
        Ok(())
    }
}

/// A company of this batch, as it stands at its end.
struct Made<'f> {
    position: i64,
    created_at: DateTime<Utc>,
    name: &'f str,
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<i64, Made<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>) = Default::default();
    let (mut created_at, mut names) = (Vec::new(), Vec::new());
    for (id, company) in made {
        numbers.0.push(id);
        numbers.1.push(company.position);
        created_at.push(company.created_at);
        names.push(company.name.to_owned());
    }
    sqlx::query!(
        "INSERT INTO companies (id, position, created_at, name)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::timestamptz[]), unnest($4::text[])",
        &numbers.0,
        &numbers.1,
        &created_at,
        &names,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, renamed: BTreeMap<i64, &str>) -> sqlx::Result<()> {
    let (ids, names): (Vec<i64>, Vec<String>) = renamed
        .into_iter()
        .map(|(id, name)| (id, name.to_owned()))
        .unzip();
    sqlx::query!(
        "UPDATE companies c
         SET name = n.name
         FROM unnest($1::bigint[], $2::text[]) AS n(id, name)
         WHERE c.id = n.id",
        &ids,
        &names,
    )
    .execute(tx)
    .await?;
    Ok(())
}
