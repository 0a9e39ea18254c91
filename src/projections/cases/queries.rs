//! What can be asked of the case library. Every list answers its rows, with the tags and the last diary of each, and how
//! many there are, in one statement.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgExecutor;
use sqlx::types::Json;

/// A case as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::case`")]
pub struct CaseItem {
    pub case_id: i64,
    pub company_id: i64,
    pub customer_name: String,
    pub headimgurl: String,
    /// JSON as it was sent.
    pub cover_picture: String,
    /// 1: everybody sees it.
    pub status: i16,
    /// By id.
    pub tags: Vec<CaseTag>,
    /// The published diary of the latest day.
    pub last_diary: Option<LastDiary>,
    pub created_at: DateTime<Utc>,
    /// What the list is ordered by: the last change, or when it was looked at or collected.
    pub at: DateTime<Utc>,
}

/// A tag of a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the words of `events::tag`")]
pub struct CaseTag {
    pub id: i64,
    pub name: String,
}

/// The last diary of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::diary`")]
pub struct LastDiary {
    pub diary_id: i64,
    pub title: String,
    pub diary_date: DateTime<Utc>,
    pub cover_picture: String,
    pub content: String,
    pub status: i16,
    pub cover_show_type: i16,
    pub created_at: DateTime<Utc>,
}

/// A part of a list of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasePage {
    /// How many there are on all pages.
    pub total: i64,
    /// Those of this page.
    pub items: Vec<CaseItem>,
}

/// A row of a page; all but the total are absent on an empty page, all of the diary where there is none.
struct Row {
    total: i64,
    at: Option<DateTime<Utc>>,
    case_id: Option<i64>,
    company_id: Option<i64>,
    customer_name: Option<String>,
    headimgurl: Option<String>,
    cover_picture: Option<String>,
    status: Option<i16>,
    created_at: Option<DateTime<Utc>>,
    tags: Option<Json<Vec<CaseTag>>>,
    diary_id: Option<i64>,
    diary_title: Option<String>,
    diary_date: Option<DateTime<Utc>>,
    diary_cover_picture: Option<String>,
    diary_content: Option<String>,
    diary_status: Option<i16>,
    diary_cover_show_type: Option<i16>,
    diary_created_at: Option<DateTime<Utc>>,
}

impl Row {
    fn item(self) -> Option<CaseItem> {
        let last_diary = (|| {
            Some(LastDiary {
                diary_id: self.diary_id?,
                title: self.diary_title?,
                diary_date: self.diary_date?,
                cover_picture: self.diary_cover_picture?,
                content: self.diary_content?,
                status: self.diary_status?,
                cover_show_type: self.diary_cover_show_type?,
                created_at: self.diary_created_at?,
            })
        })();
        Some(CaseItem {
            case_id: self.case_id?,
            company_id: self.company_id?,
            customer_name: self.customer_name?,
            headimgurl: self.headimgurl?,
            cover_picture: self.cover_picture?,
            status: self.status?,
            tags: self.tags.map(|Json(tags)| tags).unwrap_or_default(),
            last_diary,
            created_at: self.created_at?,
            at: self.at?,
        })
    }
}

fn answer(rows: Vec<Row>) -> CasePage {
    CasePage {
        total: rows.first().map_or(0, |row| row.total),
        items: rows.into_iter().filter_map(Row::item).collect(),
    }
}

/// One statement of all lists: `$total` is how many there are, `$keys` the cases of the page, each with the time the list is
/// about and a number that tells equals apart, `$order` what they are ordered by. `$1` and `$2` are offset and limit.
macro_rules! cases {
    ($db:expr, $total:literal, $keys:literal, $order:literal, $offset:expr, $limit:expr $(, $argument:expr)+) => {
        sqlx::query_as!(
            Row,
            r#"SELECT t.total AS "total!", k.at AS "at?", c.id AS "case_id?", c.company_id, c.customer_name, c.headimgurl,
                      c.cover_picture, c.status, c.created_at, g.tags AS "tags?: Json<Vec<CaseTag>>",
                      d.id AS "diary_id?", d.title AS "diary_title?", d.diary_date AS "diary_date?",
                      d.cover_picture AS "diary_cover_picture?", d.content AS "diary_content?",
                      d.status AS "diary_status?", d.cover_show_type AS "diary_cover_show_type?",
                      d.created_at AS "diary_created_at?"
               FROM ("#
                + $total
                + r#") t(total)
               LEFT JOIN ("#
                + $keys
                + r#" OFFSET $1 LIMIT $2) k(case_id, at, tie) ON true
               LEFT JOIN cases c ON c.id = k.case_id
               LEFT JOIN LATERAL (
                   SELECT json_agg(json_build_object('id', g.id, 'name', g.name) ORDER BY g.id) AS tags
                   FROM case_tags ct
                   JOIN tags g ON g.id = ct.tag_id
                   WHERE ct.case_id = c.id
               ) g ON true
               LEFT JOIN LATERAL (
                   SELECT *
                   FROM diaries d
                   WHERE d.case_id = c.id AND d.status = 1
                   ORDER BY d.diary_date DESC, d.id DESC
                   LIMIT 1
               ) d ON true
               ORDER BY "#
                + $order,
            $offset,
            $limit
            $(, $argument)+
        )
        .fetch_all($db)
        .await
        .map(answer)
    };
}

/// A company's published cases, the last changed first.
///
/// # Errors
/// When the database says no.
pub async fn library(
    db: impl PgExecutor<'_>,
    company_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<CasePage> {
    cases!(
        db,
        "SELECT count(*) FROM cases WHERE company_id = $3 AND status = 1",
        "SELECT id, updated_at, id FROM cases WHERE company_id = $3 AND status = 1 ORDER BY updated_at DESC, id DESC",
        "k.at DESC, k.tie DESC",
        offset,
        limit,
        company_id
    )
}

/// Those of them that carry a tag.
///
/// # Errors
/// When the database says no.
pub async fn by_tag(
    db: impl PgExecutor<'_>,
    company_id: i64,
    tag_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<CasePage> {
    cases!(
        db,
        "SELECT count(*) FROM case_tags ct JOIN cases c ON c.id = ct.case_id
         WHERE ct.tag_id = $4 AND c.company_id = $3 AND c.status = 1",
        "SELECT c.id, c.updated_at, c.id FROM case_tags ct JOIN cases c ON c.id = ct.case_id
         WHERE ct.tag_id = $4 AND c.company_id = $3 AND c.status = 1 ORDER BY c.updated_at DESC, c.id DESC",
        "k.at DESC, k.tie DESC",
        offset,
        limit,
        company_id,
        tag_id
    )
}

/// One of them, if it carries the tag that is asked for, if one is.
///
/// # Errors
/// When the database says no.
pub async fn one(
    db: impl PgExecutor<'_>,
    company_id: i64,
    case_id: i64,
    tag_id: Option<i64>,
) -> sqlx::Result<CasePage> {
    cases!(
        db,
        "SELECT count(*) FROM cases c WHERE c.id = $4 AND c.company_id = $3 AND c.status = 1
           AND ($5::bigint IS NULL OR EXISTS (SELECT FROM case_tags WHERE case_id = c.id AND tag_id = $5))",
        "SELECT id, updated_at, id FROM cases c WHERE c.id = $4 AND c.company_id = $3 AND c.status = 1
           AND ($5::bigint IS NULL OR EXISTS (SELECT FROM case_tags WHERE case_id = c.id AND tag_id = $5))",
        "k.at DESC, k.tie DESC",
        0,
        1,
        company_id,
        case_id,
        tag_id
    )
}

/// The cases of a company that a customer opened, once for each time, the last first.
///
/// # Errors
/// When the database says no.
pub async fn browsed_by(
    db: impl PgExecutor<'_>,
    customer_id: i64,
    company_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<CasePage> {
    cases!(
        db,
        "SELECT count(*) FROM visits v JOIN cases c ON c.id = v.target_id
         WHERE v.customer_id = $4 AND v.action = 'CaseBrowsed' AND v.company_id = $3 AND c.status = 1",
        "SELECT c.id, v.at, v.position FROM visits v JOIN cases c ON c.id = v.target_id
         WHERE v.customer_id = $4 AND v.action = 'CaseBrowsed' AND v.company_id = $3 AND c.status = 1
         ORDER BY v.position DESC",
        "k.tie DESC",
        offset,
        limit,
        company_id,
        customer_id
    )
}

/// The cases of a company that a customer collected, the last first.
///
/// # Errors
/// When the database says no.
pub async fn collected_by(
    db: impl PgExecutor<'_>,
    customer_id: i64,
    company_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<CasePage> {
    // Ids of other kinds of targets are no numbers.
    cases!(
        db,
        "SELECT count(*) FROM reactions r
         JOIN cases c ON c.id = CASE WHEN r.target_kind = 'case' THEN r.target_id::bigint END
         WHERE r.actor_id = $4 AND r.actor_kind = 'customer' AND r.kind = 'collect' AND r.target_kind = 'case'
           AND c.company_id = $3 AND c.status = 1",
        "SELECT c.id, r.reacted_at, r.position FROM reactions r
         JOIN cases c ON c.id = CASE WHEN r.target_kind = 'case' THEN r.target_id::bigint END
         WHERE r.actor_kind || ':' || r.actor_id || ':' || r.target_kind = 'customer:' || $4 || ':case'
           AND r.kind LIKE 'collect'
           AND c.company_id = $3 AND c.status = 1
         ORDER BY r.position DESC",
        "k.tie DESC",
        offset,
        limit,
        company_id,
        customer_id.to_string()
    )
}
