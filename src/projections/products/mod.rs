//! Products as customers of a company see them, and how often they were forwarded and asked about.

mod queries;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{ProductItem, ProductPage, counts, one, page};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::product::{ProductBlock, ProductContent, ProductStatus};
use crate::events::{Event, Fact, ProductEvent, VisitEvent};

/// The read model `products`.
pub struct Products;

#[async_trait]
impl Projection for Products {
    fn name(&self) -> &'static str {
        "products"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Product", "Visit"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Product(event) => match event {
                ProductEvent::ProductCreated { .. }
                | ProductEvent::ProductEdited { .. }
                | ProductEvent::ProductPublished {}
                | ProductEvent::ProductRecommended {}
                | ProductEvent::ProductWithdrawn {} => Handling::Handled,
            },
            Event::Visit(event) => match event {
                VisitEvent::ProductForwarded { .. } | VisitEvent::ProductConsulted { .. } => {
                    Handling::Handled
                }
                VisitEvent::CardViewed { .. }
                | VisitEvent::CardForwarded { .. }
                | VisitEvent::CardPhoneCalled { .. }
                | VisitEvent::CardWechatSaved { .. }
                | VisitEvent::CardPosterSaved { .. }
                | VisitEvent::ProductViewed { .. }
                | VisitEvent::WebsiteViewed { .. }
                | VisitEvent::CaseBrowsed { .. }
                | VisitEvent::TagSearched { .. }
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
    changed: BTreeMap<i64, Changed<'f>>,
    /// Forwards and consultations.
    counts: BTreeMap<i64, (i64, i64)>,
}

/// A product of this batch, as it stands at its end.
struct Made<'f> {
    position: i64,
    company_id: i64,
    now: Changed<'f>,
}

/// New values of what can change.
#[derive(Default)]
struct Changed<'f> {
    status: Option<ProductStatus>,
    /// When it came on the shelf first of all in this batch.
    published_at: Option<DateTime<Utc>>,
    name: Option<&'f str>,
    price: Option<&'f str>,
    reason: Option<&'f str>,
    content: Option<&'f ProductContent>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Product(event) => {
                let id = number(fact, &fact.place.stream.id)?;
                self.product(id, fact, event);
            }
            Event::Visit(VisitEvent::ProductForwarded { product_id, .. }) => {
                self.counts.entry(*product_id).or_default().0 += 1;
            }
            Event::Visit(VisitEvent::ProductConsulted { product_id, .. }) => {
                self.counts.entry(*product_id).or_default().1 += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn product(&mut self, id: i64, fact: &'f Fact, event: &'f ProductEvent) {
        match event {
            ProductEvent::ProductCreated {
                company_id,
                name,
                price,
                reason,
                content,
            } => {
                let made = Made {
                    position: fact.place.position,
                    company_id: *company_id,
                    now: Changed {
                        status: Some(ProductStatus::OffShelf),
                        published_at: None,
                        name: Some(name),
                        price: Some(price),
                        reason: Some(reason),
                        content: Some(content),
                    },
                };
                self.made.insert(id, made);
            }
            ProductEvent::ProductEdited {
                name,
                price,
                reason,
                content,
            } => {
                let product = self.of(id);
                product.name = name.as_deref().or(product.name);
                product.price = price.as_deref().or(product.price);
                product.reason = reason.as_deref().or(product.reason);
                product.content = content.as_ref().or(product.content);
            }
            ProductEvent::ProductPublished {} => self.show(id, fact, ProductStatus::Published),
            ProductEvent::ProductRecommended {} => self.show(id, fact, ProductStatus::Recommended),
            ProductEvent::ProductWithdrawn {} => {
                self.of(id).status = Some(ProductStatus::OffShelf);
            }
        }
    }

    fn show(&mut self, id: i64, fact: &Fact, status: ProductStatus) {
        let product = self.of(id);
        product.status = Some(status);
        product.published_at.get_or_insert(at(fact));
    }

    fn of(&mut self, id: i64) -> &mut Changed<'f> {
        match self.made.get_mut(&id) {
            Some(made) => &mut made.now,
            None => self.changed.entry(id).or_default(),
        }
    }

    async fn write(self, tx: &mut PgConnection) -> Result<(), FoldError> {
        if !self.made.is_empty() {
            insert(tx, self.made).await?;
        }
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        if !self.counts.is_empty() {
            count(tx, self.counts).await?;
        }
        Ok(())
    }
}

/// Blocks as they stand in the table.
fn blocks(blocks: &[ProductBlock]) -> Result<String, FoldError> {
    serde_json::to_string(blocks).map_err(|error| FoldError::Data(error.to_string()))
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<i64, Made<'_>>) -> Result<(), FoldError> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut published = Vec::with_capacity(made.len());
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, product) in made {
        let status = product.now.status.unwrap_or(ProductStatus::OffShelf);
        numbers.0.push(id);
        numbers.1.push(product.company_id);
        numbers.2.push(product.position);
        numbers.3.push(status.number());
        published.push(product.now.published_at);
        texts
            .0
            .push(product.now.name.unwrap_or_default().to_owned());
        texts
            .1
            .push(product.now.price.unwrap_or_default().to_owned());
        texts
            .2
            .push(product.now.reason.unwrap_or_default().to_owned());
        let content = product.now.content.cloned().unwrap_or_default();
        texts.3.push(blocks(&content.cover_data)?);
        texts.4.push(blocks(&content.article_data)?);
    }
    sqlx::query!(
        "INSERT INTO products (id, company_id, position, status, published_at, name, price, reason, cover_data, article_data)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::smallint[]),
                unnest($5::timestamptz[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]),
                unnest($9::text[]), unnest($10::text[])",
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &published as &[Option<DateTime<Utc>>],
        &texts.0,
        &texts.1,
        &texts.2,
        &texts.3,
        &texts.4,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The first time on the shelf stays.
async fn update(
    tx: &mut PgConnection,
    changed: BTreeMap<i64, Changed<'_>>,
) -> Result<(), FoldError> {
    let mut ids = Vec::with_capacity(changed.len());
    let mut statuses = Vec::with_capacity(changed.len());
    let mut published = Vec::with_capacity(changed.len());
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, product) in changed {
        ids.push(id);
        statuses.push(product.status.map(ProductStatus::number));
        published.push(product.published_at);
        texts.0.push(product.name.map(str::to_owned));
        texts.1.push(product.price.map(str::to_owned));
        texts.2.push(product.reason.map(str::to_owned));
        let content = product.content;
        texts.3.push(
            content
                .map(|content| blocks(&content.cover_data))
                .transpose()?,
        );
        texts.4.push(
            content
                .map(|content| blocks(&content.article_data))
                .transpose()?,
        );
    }
    sqlx::query!(
        "UPDATE products p
         SET status = coalesce(n.status, p.status),
             published_at = coalesce(p.published_at, n.published_at),
             name = coalesce(n.name, p.name),
             price = coalesce(n.price, p.price),
             reason = coalesce(n.reason, p.reason),
             cover_data = coalesce(n.cover_data, p.cover_data),
             article_data = coalesce(n.article_data, p.article_data)
         FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[])
              AS n(id, status, published_at, name, price, reason, cover_data, article_data)
         WHERE p.id = n.id",
        &ids,
        &statuses as &[Option<i16>],
        &published as &[Option<DateTime<Utc>>],
        &texts.0 as &[Option<String>],
        &texts.1 as &[Option<String>],
        &texts.2 as &[Option<String>],
        &texts.3 as &[Option<String>],
        &texts.4 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn count(tx: &mut PgConnection, counts: BTreeMap<i64, (i64, i64)>) -> Result<(), FoldError> {
    let ids: Vec<i64> = counts.keys().copied().collect();
    let (forwards, consultations): (Vec<i64>, Vec<i64>) = counts.into_values().unzip();
    sqlx::query!(
        "INSERT INTO product_counts AS c (product_id, forward_count, consult_count)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[])
         ON CONFLICT (product_id) DO UPDATE
         SET forward_count = c.forward_count + EXCLUDED.forward_count,
             consult_count = c.consult_count + EXCLUDED.consult_count",
        &ids,
        &forwards,
        &consultations,
    )
    .execute(tx)
    .await?;
    Ok(())
}
