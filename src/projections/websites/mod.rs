//! The pictures of each company's website.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{PgConnection, PgExecutor};

use super::{FoldError, Handling, Projection, number};
use crate::events::{Event, Fact, WebsiteEvent};

/// The read model `websites`.
pub struct Websites;

#[async_trait]
impl Projection for Websites {
    fn name(&self) -> &'static str {
        "websites"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Website"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Website(event) = event else {
            return Handling::Ignored;
        };
        match event {
            WebsiteEvent::WebsitePicturesSet { .. } => Handling::Handled,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut set = BTreeMap::new();
        for fact in batch {
            let Event::Website(event) = &fact.event else {
                continue;
            };
            let company_id = number(fact, &fact.place.stream.id)?;
            set.insert(company_id, event);
        }
        for (company_id, event) in set {
            let WebsiteEvent::WebsitePicturesSet {
                cover_picture,
                content_picture,
            } = event;
            // One by one: PostgreSQL has no lists of lists of different lengths, and websites seldom change.
            sqlx::query!(
                "INSERT INTO websites (company_id, cover_picture, content_picture)
                 VALUES ($1, $2, $3)
                 ON CONFLICT (company_id) DO UPDATE
                 SET cover_picture = EXCLUDED.cover_picture, content_picture = EXCLUDED.content_picture",
                company_id,
                cover_picture,
                content_picture,
            )
            .execute(&mut *tx)
            .await?;
        }
        Ok(())
    }
}

/// The pictures of a website, by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pictures {
    /// Those that scroll at its top, in order.
    pub cover_picture: Vec<String>,
    /// Those below, in order.
    pub content_picture: Vec<String>,
}

/// What a company's website shows; nothing until it is set.
///
/// # Errors
/// When the database says no.
pub async fn of(db: impl PgExecutor<'_>, company_id: i64) -> sqlx::Result<Pictures> {
    let found = sqlx::query_as!(
        Pictures,
        "SELECT cover_picture, content_picture FROM websites WHERE company_id = $1",
        company_id,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.unwrap_or_default())
}
