//! What can be asked of the products.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A product as customers of an enterprise user see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the words of `events::product` and `events::card`"
)]
pub struct ProductItem {
    pub id: i64,
    pub name: String,
    pub price: String,
    pub reason: String,
    /// When it first came on the shelf.
    pub published_at: DateTime<Utc>,
    /// A JSON list of blocks.
    pub cover_data: String,
    /// A JSON list of blocks.
    pub article_data: String,
    /// 1 published, 3 recommended.
    pub status: i16,
    /// Of the enterprise user, as `username` and `position`; `""` where there is none.
    pub user_avatar: String,
    pub username: String,
    pub position: String,
}

/// A part of a company's shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPage {
    /// How many products are on the shelf.
    pub total: i64,
    /// Those of this page, newest first.
    pub items: Vec<ProductItem>,
}

/// A product, if it is on the shelf of the company of `uid`.
///
/// # Errors
/// When the database says no.
pub async fn one(
    db: impl PgExecutor<'_>,
    uid: i64,
    product_id: i64,
) -> sqlx::Result<Option<ProductItem>> {
    sqlx::query_as!(
        ProductItem,
        r#"SELECT p.id, p.name, p.price, p.reason, p.published_at AS "published_at!", p.cover_data, p.article_data,
                  p.status, c.avatar AS user_avatar, c.username, c.job AS position
           FROM products p
           JOIN cards c ON c.company_id = p.company_id
           WHERE p.id = $1 AND p.status <> 2 AND c.uid = $2"#,
        product_id,
        uid,
    )
    .fetch_optional(db)
    .await
}

/// The shelf of the company of `uid`, and how much stands on it, both from one moment.
///
/// # Errors
/// When the database says no.
pub async fn page(
    db: impl PgExecutor<'_>,
    uid: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<ProductPage> {
    let rows = sqlx::query!(
        r#"SELECT t.total AS "total!", p.id AS "id?", p.name AS "name?", p.price AS "price?", p.reason AS "reason?",
                  p.published_at, p.cover_data AS "cover_data?", p.article_data AS "article_data?",
                  p.status AS "status?", c.avatar, c.username, c.job
           FROM cards c
           CROSS JOIN LATERAL (
               SELECT count(*) AS total FROM products WHERE company_id = c.company_id AND status <> 2
           ) t
           LEFT JOIN LATERAL (
               SELECT id, name, price, reason, published_at, cover_data, article_data, status
               FROM products
               WHERE company_id = c.company_id AND status <> 2
               ORDER BY published_at DESC, id DESC
               OFFSET $2 LIMIT $3
           ) p ON true
           WHERE c.uid = $1
           ORDER BY p.published_at DESC, p.id DESC"#,
        uid,
        offset,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(ProductPage {
        total: rows.first().map_or(0, |row| row.total),
        items: rows
            .into_iter()
            .filter_map(|row| {
                Some(ProductItem {
                    id: row.id?,
                    name: row.name?,
                    price: row.price?,
                    reason: row.reason?,
                    published_at: row.published_at?,
                    cover_data: row.cover_data?,
                    article_data: row.article_data?,
                    status: row.status?,
                    user_avatar: row.avatar,
                    username: row.username,
                    position: row.job,
                })
            })
            .collect(),
    })
}

/// How often a product was forwarded and asked about. Not on the wire.
///
/// # Errors
/// When the database says no.
pub async fn counts(db: impl PgExecutor<'_>, product_id: i64) -> sqlx::Result<(i64, i64)> {
    let found = sqlx::query!(
        "SELECT forward_count, consult_count FROM product_counts WHERE product_id = $1",
        product_id,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.map_or((0, 0), |row| (row.forward_count, row.consult_count)))
}
