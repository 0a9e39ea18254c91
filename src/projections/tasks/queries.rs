//! What can be asked of the tasks.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A task with everything known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::task`")]
pub struct TaskDetail {
    pub id: i64,
    pub status: i16,
    pub kind: String,
    pub priority: i16,
    pub input: String,
    /// `""` until one is recorded.
    pub result: String,
    pub note: String,
    pub created_by: i64,
    pub created_at: DateTime<Utc>,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::task`")]
pub struct TaskItem {
    pub id: i64,
    pub status: i16,
    pub kind: String,
    pub priority: i16,
    pub note: String,
    /// Who made it.
    pub user_uid: i64,
    /// That person's name now; `""` once erased.
    pub user_name: String,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// How many tasks there are on all pages.
    pub total: i64,
    /// Those of this page, newest first.
    pub items: Vec<TaskItem>,
}

/// The task of an id, unless there is none or it was deleted.
///
/// # Errors
/// When the database says no.
pub async fn detail(db: impl PgExecutor<'_>, id: i64) -> sqlx::Result<Option<TaskDetail>> {
    sqlx::query_as!(
        TaskDetail,
        "SELECT id, status, kind, priority, input, result, note, created_by, created_at
         FROM tasks
         WHERE id = $1",
        id,
    )
    .fetch_optional(db)
    .await
}

/// Tasks from the top of the list whose pages are near.
const NEAR: i64 = 100;

/// A row of a page; all but the total are absent on an empty page.
struct Row {
    total: i64,
    id: Option<i64>,
    status: Option<i16>,
    kind: Option<String>,
    priority: Option<i16>,
    note: Option<String>,
    created_by: Option<i64>,
    name: Option<String>,
}

/// A page of the list, newest first, and the total, both from one moment. Keys come from the index first, so that a deep
/// page does not visit the rows it skips.
///
/// # Errors
/// When the database says no.
pub async fn page(db: impl PgExecutor<'_>, offset: i64, limit: i64) -> sqlx::Result<TaskPage> {
    let (from, to) = (offset.saturating_add(1), offset.saturating_add(limit));
    let rows = if to <= NEAR {
        near(db, from, to).await?
    } else {
        deep(db, offset, limit).await?
    };
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows
        .into_iter()
        .filter_map(|row| {
            Some(TaskItem {
                id: row.id?,
                status: row.status?,
                kind: row.kind?,
                priority: row.priority?,
                note: row.note?,
                user_uid: row.created_by?,
                user_name: row.name.unwrap_or_default(),
            })
        })
        .collect();
    Ok(TaskPage { total, items })
}

/// The commonest pages. A limit that is a parameter is taken for a tenth of the table, so the server would plan anew for
/// every call, which takes longer than the page; with a fixed limit it keeps one plan.
async fn near(db: impl PgExecutor<'_>, from: i64, to: i64) -> sqlx::Result<Vec<Row>> {
    let int = |number: i64| i32::try_from(number).unwrap_or(0);
    sqlx::query_as!(
        Row,
        r#"SELECT c.total, p.id AS "id?", p.status AS "status?", p.kind AS "kind?", p.priority AS "priority?",
                  p.note AS "note?", p.created_by AS "created_by?", p.name AS "name?"
           FROM (SELECT total FROM tasks_total ORDER BY position DESC LIMIT 1) c
           LEFT JOIN (
               SELECT t.id, t.status, t.kind, t.priority, t.note, t.created_by, s.name
               FROM tasks t
               LEFT JOIN staff s ON s.uid = t.created_by
               WHERE t.id = ANY ((ARRAY(SELECT id FROM tasks ORDER BY id DESC LIMIT 100))[$1:$2])
           ) p ON true
           ORDER BY p.id DESC"#,
        int(from),
        int(to),
    )
    .fetch_all(db)
    .await
}

async fn deep(db: impl PgExecutor<'_>, offset: i64, limit: i64) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT c.total, p.id AS "id?", p.status AS "status?", p.kind AS "kind?", p.priority AS "priority?",
                  p.note AS "note?", p.created_by AS "created_by?", p.name AS "name?"
           FROM (SELECT total FROM tasks_total ORDER BY position DESC LIMIT 1) c
           LEFT JOIN (
               SELECT t.id, t.status, t.kind, t.priority, t.note, t.created_by, s.name
               FROM tasks t
               LEFT JOIN staff s ON s.uid = t.created_by
               WHERE t.id = ANY (ARRAY(SELECT id FROM tasks ORDER BY id DESC OFFSET $1 LIMIT $2))
           ) p ON true
           ORDER BY p.id DESC"#,
        offset,
        limit,
    )
    .fetch_all(db)
    .await
}
