//! What can be asked of the tags.

use sqlx::PgExecutor;

/// Tags that a list without pages shows, at most.
const LIST_MAX: i64 = 200;
/// Tags of somebody's history, at most.
const HISTORY_MAX: i64 = 20;
/// Hot tags, at most.
const HOT_MAX: i64 = 10;

/// A tag as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::tag`")]
pub struct TagItem {
    pub id: i64,
    pub name: String,
}

/// Some of a company's tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagList {
    /// How many match.
    pub total: i64,
    /// The first of them.
    pub items: Vec<TagItem>,
}

/// A text without letter case, in any script.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// A company's tags whose names contain a text, by id.
///
/// # Errors
/// When the database says no.
pub async fn list(
    db: impl PgExecutor<'_>,
    company_id: i64,
    containing: &str,
) -> sqlx::Result<TagList> {
    let rows = sqlx::query!(
        r#"SELECT id, name, count(*) OVER () AS "total!"
           FROM tags
           WHERE company_id = $1 AND strpos(folded, $2) > 0
           ORDER BY id
           LIMIT $3"#,
        company_id,
        fold(containing),
        LIST_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(TagList {
        total: rows.first().map_or(0, |row| row.total),
        items: rows
            .into_iter()
            .map(|row| TagItem {
                id: row.id,
                name: row.name,
            })
            .collect(),
    })
}

/// The tags of a company by which a customer looked cases up, the last first.
///
/// # Errors
/// When the database says no.
pub async fn searched_by(
    db: impl PgExecutor<'_>,
    customer_id: i64,
    company_id: i64,
) -> sqlx::Result<Vec<TagItem>> {
    sqlx::query_as!(
        TagItem,
        "SELECT t.id, t.name
         FROM tag_searches s
         JOIN tags t ON t.id = s.tag_id
         WHERE s.customer_id = $1 AND t.company_id = $2
         ORDER BY s.position DESC, t.id
         LIMIT $3",
        customer_id,
        company_id,
        HISTORY_MAX,
    )
    .fetch_all(db)
    .await
}

/// The tags of a company by which cases are looked up most.
///
/// # Errors
/// When the database says no.
pub async fn hot(db: impl PgExecutor<'_>, company_id: i64) -> sqlx::Result<Vec<TagItem>> {
    sqlx::query_as!(
        TagItem,
        "SELECT t.id, t.name
         FROM tags t
         JOIN tag_counts c ON c.tag_id = t.id
         WHERE t.company_id = $1
         ORDER BY c.search_count DESC, c.position DESC, t.id
         LIMIT $2",
        company_id,
        HOT_MAX,
    )
    .fetch_all(db)
    .await
}
