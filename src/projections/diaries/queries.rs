//! What can be asked of the diaries. A diary is out of sight with its case.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A diary as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::diary`")]
pub struct DiaryItem {
    pub diary_id: i64,
    pub case_id: i64,
    pub company_id: i64,
    pub title: String,
    pub diary_date: DateTime<Utc>,
    /// JSON as it was sent.
    pub cover_picture: String,
    /// JSON as it was sent.
    pub content: String,
    /// 1: everybody sees it.
    pub status: i16,
    pub cover_show_type: i16,
    pub created_at: DateTime<Utc>,
    /// Whole calendar days (UTC+8) since the first published diary of its case.
    pub interval_days: i32,
    pub read_count: i64,
    pub comment_count: i64,
    pub up_count: i64,
    /// The caller praises it.
    pub praised: bool,
}

/// A part of a list of diaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryPage {
    /// How many there are on all pages.
    pub total: i64,
    /// Those of this page, the latest day first.
    pub items: Vec<DiaryItem>,
}

/// Which diaries of a company are asked for, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct DiariesWanted {
    /// Who asks.
    pub customer_id: i64,
    /// Whose diaries.
    pub company_id: i64,
    /// Of this case only.
    pub case_id: Option<i64>,
    /// Rows to pass over.
    pub offset: i64,
    /// Rows on the page.
    pub limit: i64,
}

/// A row of a page; all but the total are absent on an empty page.
struct Row {
    total: i64,
    diary_id: Option<i64>,
    case_id: Option<i64>,
    company_id: Option<i64>,
    title: Option<String>,
    diary_date: Option<DateTime<Utc>>,
    cover_picture: Option<String>,
    content: Option<String>,
    status: Option<i16>,
    cover_show_type: Option<i16>,
    created_at: Option<DateTime<Utc>>,
    interval_days: Option<i32>,
    read_count: Option<i64>,
    comment_count: Option<i64>,
    up_count: Option<i64>,
    praised: Option<bool>,
}

impl Row {
    fn item(self) -> Option<DiaryItem> {
        Some(DiaryItem {
            diary_id: self.diary_id?,
            case_id: self.case_id?,
            company_id: self.company_id?,
            title: self.title?,
            diary_date: self.diary_date?,
            cover_picture: self.cover_picture?,
            content: self.content?,
            status: self.status?,
            cover_show_type: self.cover_show_type?,
            created_at: self.created_at?,
            interval_days: self.interval_days.unwrap_or(0),
            read_count: self.read_count.unwrap_or(0),
            comment_count: self.comment_count.unwrap_or(0),
            up_count: self.up_count.unwrap_or(0),
            praised: self.praised.unwrap_or(false),
        })
    }
}

fn answer(rows: Vec<Row>) -> DiaryPage {
    DiaryPage {
        total: rows.first().map_or(0, |row| row.total),
        items: rows.into_iter().filter_map(Row::item).collect(),
    }
}

/// One statement of all lists: `$total` is how many there are, `$keys` the ids of the page. `$1` and `$2` are offset and
/// limit, `$3` is who asks.
macro_rules! diaries {
    ($db:expr, $total:literal, $keys:literal, $offset:expr, $limit:expr, $customer_id:expr $(, $argument:expr)+) => {
        sqlx::query_as!(
            Row,
            r#"SELECT t.total AS "total!", d.id AS "diary_id?", d.case_id AS "case_id?", d.company_id AS "company_id?",
                      d.title AS "title?", d.diary_date AS "diary_date?", d.cover_picture AS "cover_picture?",
                      d.content AS "content?", d.status AS "status?", d.cover_show_type AS "cover_show_type?",
                      d.created_at AS "created_at?", f.days AS "interval_days?", n.read_count AS "read_count?",
                      n.comment_count AS "comment_count?", n.up_count AS "up_count?",
                      EXISTS (
                          SELECT FROM reactions r
                          WHERE r.actor_id = $3 AND r.actor_kind = 'customer' AND r.kind = 'praise'
                            AND r.target_kind = 'diary' AND r.target_id = d.id::text
                          OFFSET 0
                      ) AS "praised?"
               FROM ("#
                + $total
                + r#") t(total)
               LEFT JOIN diaries d ON d.id = ANY (ARRAY("#
                + $keys
                + r#" OFFSET $1 LIMIT $2))
               LEFT JOIN diary_counts n ON n.diary_id = d.id
               LEFT JOIN LATERAL (
                   SELECT (d.diary_date AT TIME ZONE INTERVAL '8 hours')::date
                          - (f.diary_date AT TIME ZONE INTERVAL '8 hours')::date AS days
                   FROM diaries f
                   WHERE f.case_id = d.case_id AND f.status = 1
                   ORDER BY f.diary_date, f.id
                   LIMIT 1
               ) f ON true
               ORDER BY d.diary_date DESC, d.id DESC"#,
            $offset,
            $limit,
            $customer_id
            $(, $argument)+
        )
        .fetch_all($db)
        .await
        .map(answer)
    };
}

/// Published diaries of published cases, the latest day first.
///
/// # Errors
/// When the database says no.
pub async fn page(db: impl PgExecutor<'_>, wanted: DiariesWanted) -> sqlx::Result<DiaryPage> {
    let DiariesWanted {
        customer_id,
        company_id,
        case_id,
        offset,
        limit,
    } = wanted;
    let customer_id = customer_id.to_string();
    match case_id {
        Some(case_id) => diaries!(
            db,
            "SELECT count(*) FROM diaries d JOIN cases c ON c.id = d.case_id
             WHERE d.case_id = $5 AND c.company_id = $4 AND d.status = 1 AND c.status = 1",
            "SELECT d.id FROM diaries d JOIN cases c ON c.id = d.case_id
             WHERE d.case_id = $5 AND c.company_id = $4 AND d.status = 1 AND c.status = 1
             ORDER BY d.diary_date DESC, d.id DESC",
            offset,
            limit,
            customer_id,
            company_id,
            case_id
        ),
        None => diaries!(
            db,
            "SELECT coalesce(sum(n.total), 0)::bigint FROM diary_totals n JOIN cases c ON c.id = n.case_id
             WHERE n.company_id = $4 AND c.company_id = $4 AND c.status = 1",
            "SELECT d.id FROM diaries d JOIN cases c ON c.id = d.case_id
             WHERE d.company_id = $4 AND d.status = 1 AND c.status = 1
             ORDER BY d.diary_date DESC, d.id DESC",
            offset,
            limit,
            customer_id,
            company_id
        ),
    }
}

/// One of them.
///
/// # Errors
/// When the database says no.
pub async fn one(
    db: impl PgExecutor<'_>,
    customer_id: i64,
    company_id: i64,
    diary_id: i64,
) -> sqlx::Result<DiaryPage> {
    diaries!(
        db,
        "SELECT count(*) FROM diaries d JOIN cases c ON c.id = d.case_id
         WHERE d.id = $5 AND d.company_id = $4 AND d.status = 1 AND c.status = 1",
        "SELECT d.id FROM diaries d JOIN cases c ON c.id = d.case_id
         WHERE d.id = $5 AND d.company_id = $4 AND d.status = 1 AND c.status = 1",
        0,
        1,
        customer_id.to_string(),
        company_id,
        diary_id
    )
}

/// A comment under a diary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryComment {
    /// Who wrote it.
    pub customer_id: i64,
    /// That person's name now; `""` before it is known, and once erased.
    pub name: String,
    /// The picture of that person; `""` where there is none.
    pub avatar: String,
    /// The text.
    pub content: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// A part of the comments under a diary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryComments {
    /// How many there are on all pages.
    pub total: i64,
    /// Those of this page, newest first.
    pub items: Vec<DiaryComment>,
}

/// What customers say about a diary.
///
/// # Errors
/// When the database says no.
pub async fn comments(
    db: impl PgExecutor<'_>,
    diary_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<DiaryComments> {
    let rows = sqlx::query!(
        r#"SELECT t.total AS "total!", m.author_id AS "author_id?", m.content AS "content?", m.created_at AS "created_at?",
                  u.username AS "name?", u.headimgurl AS "avatar?"
           FROM (SELECT count(*) FROM comments WHERE target_id = $1 AND target_kind = 'diary') t(total)
           LEFT JOIN (
               SELECT id, author_kind, author_id, content, created_at
               FROM comments
               WHERE target_id = $1 AND target_kind = 'diary'
               ORDER BY created_at DESC, id DESC
               OFFSET $2 LIMIT $3
           ) m ON true
           LEFT JOIN customers u ON u.id = CASE WHEN m.author_kind = 'customer' THEN m.author_id::bigint END
           ORDER BY m.created_at DESC, m.id DESC"#,
        diary_id.to_string(),
        offset,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(DiaryComments {
        total: rows.first().map_or(0, |row| row.total),
        items: rows
            .into_iter()
            .filter_map(|row| {
                Some(DiaryComment {
                    customer_id: row.author_id?.parse().ok()?,
                    name: row.name.unwrap_or_default(),
                    avatar: row.avatar.unwrap_or_default(),
                    content: row.content?,
                    created_at: row.created_at?,
                })
            })
            .collect(),
    })
}
