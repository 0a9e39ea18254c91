//! What can be asked of the cases.

use serde::Deserialize;
use sqlx::PgExecutor;
use sqlx::types::Json;

/// A case as everybody sees it. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::showcase`")]
pub struct ShowcaseItem {
    pub id: String,
    pub user_id: String,
    /// The author's name now; `""` once erased.
    pub username: String,
    pub update_time: i64,
    pub view_cnt: i64,
    pub like_cnt: i64,
    pub comment_cnt: i64,
    pub score_hundredths: i16,
    /// Oldest first.
    pub files: Vec<FileItem>,
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the words of `events::showcase`")]
pub struct FileItem {
    pub id: String,
    pub user_id: String,
    pub create_time: i64,
    pub size_bytes: i64,
    pub width: i64,
    pub height: i64,
    pub name: String,
    pub mime_type: String,
    pub path: String,
    /// `""` without a preview.
    pub preview_path: String,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowcasePage {
    /// How many cases match on all pages.
    pub total: i64,
    /// Those of this page, last published, edited or scored first.
    pub items: Vec<ShowcaseItem>,
}

/// What of the list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShowcasesWanted {
    /// The number of an industry; 0 for all.
    pub industry_type: i16,
    /// Cases to pass over.
    pub offset: i64,
    /// Cases on the page.
    pub limit: i64,
}

/// Cases from the top of the list whose pages are near.
const NEAR: i64 = 100;

/// A row of a page; all but the total are absent on an empty page.
struct Row {
    total: i64,
    id: Option<String>,
    user_id: Option<String>,
    username: Option<String>,
    update_time: Option<i64>,
    view_cnt: Option<i64>,
    like_cnt: Option<i64>,
    comment_cnt: Option<i64>,
    score_hundredths: Option<i16>,
    files: Option<Json<Vec<FileItem>>>,
}

impl Row {
    fn item(self) -> Option<ShowcaseItem> {
        Some(ShowcaseItem {
            id: self.id?,
            user_id: self.user_id?,
            username: self.username.unwrap_or_default(),
            update_time: self.update_time?,
            view_cnt: self.view_cnt?,
            like_cnt: self.like_cnt?,
            comment_cnt: self.comment_cnt?,
            score_hundredths: self.score_hundredths?,
            files: self.files.map(|Json(files)| files).unwrap_or_default(),
        })
    }
}

/// A page of the list with all files, and the total, from one moment.
///
/// # Errors
/// When the database says no.
pub async fn page(db: impl PgExecutor<'_>, wanted: ShowcasesWanted) -> sqlx::Result<ShowcasePage> {
    let rows = if wanted.offset.saturating_add(wanted.limit) <= NEAR {
        near(db, wanted).await?
    } else {
        deep(db, wanted).await?
    };
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows.into_iter().filter_map(Row::item).collect();
    Ok(ShowcasePage { total, items })
}

/// The commonest pages. A limit that is a parameter is taken for a tenth of the table, so the server would plan anew for
/// every call; with a fixed limit it keeps one plan.
async fn near(db: impl PgExecutor<'_>, wanted: ShowcasesWanted) -> sqlx::Result<Vec<Row>> {
    let int = |number: i64| i32::try_from(number).unwrap_or(0);
    sqlx::query_as!(
        Row,
        r#"SELECT c.total AS "total!", p.id AS "id?", p.user_id AS "user_id?", p.name AS "username?",
                  p.update_time AS "update_time?", p.view_cnt AS "view_cnt?", p.like_cnt AS "like_cnt?",
                  p.comment_cnt AS "comment_cnt?", p.score_hundredths AS "score_hundredths?",
                  p.files AS "files?: Json<Vec<FileItem>>"
           FROM (
               SELECT coalesce(sum(total), 0)::bigint AS total
               FROM showcase_totals
               WHERE $1 = 0::smallint OR industry_type = $1
           ) c
           LEFT JOIN (
               SELECT s.*, a.name, (
                          SELECT json_agg(json_build_object(
                                     'id', f.file_id, 'user_id', f.user_id, 'create_time', f.create_time,
                                     'size_bytes', f.size_bytes, 'width', f.width, 'height', f.height,
                                     'name', f.name, 'mime_type', f.mime_type,
                                     'path', f.path, 'preview_path', f.preview_path
                                 ) ORDER BY f.create_time, f.file_id)
                          FROM showcase_files f
                          WHERE f.task_id = s.id
                      ) AS files
               FROM showcases s
               LEFT JOIN authors a ON a.id = s.user_id
               WHERE s.id = ANY ((ARRAY(
                         SELECT id
                         FROM showcases
                         WHERE shown AND ($1 = 0::smallint OR industry_type = $1)
                         ORDER BY update_time DESC, id
                         LIMIT 100
                     ))[$2:$3])
           ) p ON true
           ORDER BY p.update_time DESC, p.id"#,
        wanted.industry_type,
        int(wanted.offset.saturating_add(1)),
        int(wanted.offset.saturating_add(wanted.limit)),
    )
    .fetch_all(db)
    .await
}

async fn deep(db: impl PgExecutor<'_>, wanted: ShowcasesWanted) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT c.total AS "total!", p.id AS "id?", p.user_id AS "user_id?", p.name AS "username?",
                  p.update_time AS "update_time?", p.view_cnt AS "view_cnt?", p.like_cnt AS "like_cnt?",
                  p.comment_cnt AS "comment_cnt?", p.score_hundredths AS "score_hundredths?",
                  p.files AS "files?: Json<Vec<FileItem>>"
           FROM (
               SELECT coalesce(sum(total), 0)::bigint AS total
               FROM showcase_totals
               WHERE $1 = 0::smallint OR industry_type = $1
           ) c
           LEFT JOIN (
               SELECT s.*, a.name, (
                          SELECT json_agg(json_build_object(
                                     'id', f.file_id, 'user_id', f.user_id, 'create_time', f.create_time,
                                     'size_bytes', f.size_bytes, 'width', f.width, 'height', f.height,
                                     'name', f.name, 'mime_type', f.mime_type,
                                     'path', f.path, 'preview_path', f.preview_path
                                 ) ORDER BY f.create_time, f.file_id)
                          FROM showcase_files f
                          WHERE f.task_id = s.id
                      ) AS files
               FROM showcases s
               LEFT JOIN authors a ON a.id = s.user_id
               WHERE s.id = ANY (ARRAY(
                         SELECT id
                         FROM showcases
                         WHERE shown AND ($1 = 0::smallint OR industry_type = $1)
                         ORDER BY update_time DESC, id
                         OFFSET $2
                         LIMIT $3
                     ))
           ) p ON true
           ORDER BY p.update_time DESC, p.id"#,
        wanted.industry_type,
        wanted.offset,
        wanted.limit,
    )
    .fetch_all(db)
    .await
}

/// Where a file of a case is served.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::showcase`")]
pub struct FilePlace {
    pub mime_type: String,
    pub path: String,
    /// `""` without a preview.
    pub preview_path: String,
}

/// A file of a case that everybody sees, unless there is none.
///
/// # Errors
/// When the database says no.
pub async fn file(
    db: impl PgExecutor<'_>,
    task_id: &str,
    file_id: &str,
) -> sqlx::Result<Option<FilePlace>> {
    sqlx::query_as!(
        FilePlace,
        "SELECT f.mime_type, f.path, f.preview_path
         FROM showcase_files f
         JOIN showcases s ON s.id = f.task_id
         WHERE f.task_id = $1 AND f.file_id = $2 AND s.shown",
        task_id,
        file_id,
    )
    .fetch_optional(db)
    .await
}
