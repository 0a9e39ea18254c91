//! What can be asked of projects and tickets. Those of a withdrawn master are out of sight. Lists come newest first unless
//! they say otherwise.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::projections::catalogue::{Listed, MasterCard};
use crate::projections::pages::page;

/// A ticket in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::ticket`")]
pub struct TicketItem {
    pub id: i64,
    pub name: String,
    pub image: String,
    pub intro: String,
    pub price_fen: i64,
    pub created_at: DateTime<Utc>,
}

/// A ticket, whoever has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::ticket`")]
pub struct TicketDetail {
    pub item: TicketItem,
    pub project_id: i64,
    pub updated_at: DateTime<Utc>,
    /// Tickets of its project for sale now.
    pub ticket_count: i64,
}

/// A ticket for sale of a master that somebody follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::ticket`")]
pub struct FollowedTicket {
    pub item: TicketItem,
    pub project_id: i64,
    pub master: MasterCard,
}

/// A project with its master.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::project`")]
pub struct Project {
    pub id: i64,
    pub name: String,
    pub image: String,
    pub intro: String,
    pub created_at: DateTime<Utc>,
    pub master: Listed,
    /// Its tickets for sale now.
    pub ticket_count: i64,
}

/// Which projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projects<'a> {
    /// Everybody's.
    All,
    /// Those that are recommended.
    Recommended,
    /// Those of one master.
    Of(&'a str),
}

/// A project and its master, as one row.
struct ProjectRow {
    id: i64,
    name: String,
    image: String,
    intro: String,
    created_at: DateTime<Utc>,
    ticket_count: i64,
    master_id: String,
    master_name: String,
    avatar: Option<String>,
    master_intro: String,
    address: String,
    birthday: Option<NaiveDate>,
    master_created_at: DateTime<Utc>,
    is_follow: bool,
}

impl From<ProjectRow> for Project {
    fn from(row: ProjectRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            image: row.image,
            intro: row.intro,
            created_at: row.created_at,
            ticket_count: row.ticket_count,
            master: Listed {
                card: MasterCard {
                    id: row.master_id,
                    name: row.master_name,
                    avatar: row.avatar,
                    intro: row.master_intro,
                    address: row.address,
                    birthday: row.birthday,
                    created_at: row.master_created_at,
                },
                is_follow: row.is_follow,
            },
        }
    }
}

/// Projects as a member sees them.
///
/// # Errors
/// When the database says no.
pub async fn projects(
    db: impl PgExecutor<'_>,
    uid: &str,
    which: Projects<'_>,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Project>> {
    let (only_recommended, of) = match which {
        Projects::All => (false, None),
        Projects::Recommended => (true, None),
        Projects::Of(master_id) => (false, Some(master_id)),
    };
    let rows: sqlx::Result<Vec<ProjectRow>> = page!(
        ProjectRow of db, offset, limit,
        r#"SELECT p.id, p.name, p.image, p.intro, p.created_at, p.ticket_count,
                  m.id AS master_id, m.name AS master_name, m.avatar, m.intro AS master_intro, m.address,
                  m.birthday, m.created_at AS master_created_at,
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = $3 AND f.kind = 'master' AND f.target = m.id OFFSET 0) AS "is_follow!"
           FROM projects p
           JOIN masters m ON m.id = p.master_id
           WHERE p.id = ANY ("#,
        r"SELECT k.id
           FROM projects k
           JOIN masters km ON km.id = k.master_id
           WHERE k.shown AND km.shown AND (k.recommended OR NOT $4) AND ($5::text IS NULL OR k.master_id = $5)
           ORDER BY k.created_at DESC, k.id",
        r")
           ORDER BY p.created_at DESC, p.id",
        uid,
        only_recommended,
        of,
    );
    Ok(rows?.into_iter().map(Project::from).collect())
}

/// Projects of the masters that a member follows.
///
/// # Errors
/// When the database says no.
pub async fn followed_projects(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Project>> {
    let rows: sqlx::Result<Vec<ProjectRow>> = page!(
        ProjectRow of db, offset, limit,
        r#"SELECT p.id, p.name, p.image, p.intro, p.created_at, p.ticket_count,
                  m.id AS master_id, m.name AS master_name, m.avatar, m.intro AS master_intro, m.address,
                  m.birthday, m.created_at AS master_created_at, true AS "is_follow!"
           FROM projects p
           JOIN masters m ON m.id = p.master_id
           WHERE p.id = ANY ("#,
        r"SELECT k.id
           FROM follows kf
           JOIN masters km ON km.id = kf.target
           JOIN projects k ON k.master_id = km.id
           WHERE kf.follower = $3 AND kf.kind = 'master' AND k.shown AND km.shown
           ORDER BY k.created_at DESC, k.id",
        r")
           ORDER BY p.created_at DESC, p.id",
        uid,
    );
    Ok(rows?.into_iter().map(Project::from).collect())
}

/// A project, if it is shown.
///
/// # Errors
/// When the database says no.
pub async fn project(db: impl PgExecutor<'_>, uid: &str, id: i64) -> sqlx::Result<Option<Project>> {
    let row = sqlx::query_as!(
        ProjectRow,
        r#"SELECT p.id, p.name, p.image, p.intro, p.created_at, p.ticket_count,
                  m.id AS master_id, m.name AS master_name, m.avatar, m.intro AS master_intro, m.address,
                  m.birthday, m.created_at AS master_created_at,
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = $2 AND f.kind = 'master' AND f.target = m.id) AS "is_follow!"
           FROM projects p
           JOIN masters m ON m.id = p.master_id
           WHERE p.id = $1 AND p.shown AND m.shown"#,
        id,
        uid,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Project::from))
}

/// Tickets for sale: those of one project, or of all that are shown. `None` when there is no such project.
///
/// # Errors
/// When the database says no.
pub async fn for_sale(
    db: impl PgExecutor<'_> + Copy,
    project_id: Option<i64>,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Option<Vec<TicketItem>>> {
    let Some(project_id) = project_id else {
        return for_sale_anywhere(db, offset, limit).await.map(Some);
    };
    let tickets = for_sale_of(db, project_id, offset, limit).await?;
    if tickets.is_empty() && !is_shown(db, project_id).await? {
        return Ok(None);
    }
    Ok(Some(tickets))
}

async fn for_sale_anywhere(
    db: impl PgExecutor<'_>,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<TicketItem>> {
    page!(
        TicketItem of db, offset, limit,
        "SELECT t.id, t.name, t.image, t.intro, t.price_fen, t.created_at
         FROM tickets t
         WHERE t.id = ANY (",
        "SELECT k.id
         FROM tickets k
         JOIN projects p ON p.id = k.project_id
         JOIN masters m ON m.id = p.master_id
         WHERE k.state = 0 AND p.shown AND m.shown
         ORDER BY k.created_at DESC, k.id",
        ")
         ORDER BY t.created_at DESC, t.id",
    )
}

async fn for_sale_of(
    db: impl PgExecutor<'_>,
    project_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<TicketItem>> {
    page!(
        TicketItem of db, offset, limit,
        "SELECT t.id, t.name, t.image, t.intro, t.price_fen, t.created_at
         FROM tickets t
         WHERE t.id = ANY (",
        "SELECT k.id
         FROM tickets k
         JOIN projects p ON p.id = k.project_id
         JOIN masters m ON m.id = p.master_id
         WHERE k.project_id = $3 AND k.state = 0 AND p.shown AND m.shown
         ORDER BY k.created_at DESC, k.id",
        ")
         ORDER BY t.created_at DESC, t.id",
        project_id,
    )
}

async fn is_shown(db: impl PgExecutor<'_>, project_id: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM projects p JOIN masters m ON m.id = p.master_id
               WHERE p.id = $1 AND p.shown AND m.shown) AS "shown!""#,
        project_id,
    )
    .fetch_one(db)
    .await
}

/// A ticket, if it is not withdrawn and its project is shown.
///
/// # Errors
/// When the database says no.
pub async fn ticket(db: impl PgExecutor<'_>, id: i64) -> sqlx::Result<Option<TicketDetail>> {
    let row = sqlx::query!(
        "SELECT t.id, t.name, t.image, t.intro, t.price_fen, t.created_at, t.project_id, t.updated_at,
                p.ticket_count
         FROM tickets t
         JOIN projects p ON p.id = t.project_id
         JOIN masters m ON m.id = p.master_id
         WHERE t.id = $1 AND t.state <> 3 AND p.shown AND m.shown",
        id,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| TicketDetail {
        item: TicketItem {
            id: row.id,
            name: row.name,
            image: row.image,
            intro: row.intro,
            price_fen: row.price_fen,
            created_at: row.created_at,
        },
        project_id: row.project_id,
        updated_at: row.updated_at,
        ticket_count: row.ticket_count,
    }))
}

/// Tickets that somebody bought, paid last first. What became of their projects does not matter.
///
/// # Errors
/// When the database says no.
pub async fn owned(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<TicketItem>> {
    page!(
        TicketItem of db, offset, limit,
        "SELECT t.id, t.name, t.image, t.intro, t.price_fen, t.created_at
         FROM tickets t
         WHERE t.id = ANY (",
        "SELECT id FROM tickets WHERE owner = $3 AND state = 2 ORDER BY sold_at DESC, id",
        ")
         ORDER BY t.sold_at DESC, t.id",
        uid,
    )
}

/// A ticket of a followed master, as one row.
struct FollowedRow {
    id: i64,
    name: String,
    image: String,
    intro: String,
    price_fen: i64,
    created_at: DateTime<Utc>,
    project_id: i64,
    master_id: String,
    master_name: String,
    avatar: Option<String>,
    master_intro: String,
    address: String,
    birthday: Option<NaiveDate>,
    master_created_at: DateTime<Utc>,
}

/// Tickets for sale of the masters that a member follows.
///
/// # Errors
/// When the database says no.
pub async fn followed_tickets(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<FollowedTicket>> {
    let rows: sqlx::Result<Vec<FollowedRow>> = page!(
        FollowedRow of db, offset, limit,
        "SELECT t.id, t.name, t.image, t.intro, t.price_fen, t.created_at, t.project_id,
                m.id AS master_id, m.name AS master_name, m.avatar, m.intro AS master_intro, m.address,
                m.birthday, m.created_at AS master_created_at
         FROM tickets t
         JOIN projects p ON p.id = t.project_id
         JOIN masters m ON m.id = p.master_id
         WHERE t.id = ANY (",
        "SELECT k.id
         FROM follows kf
         JOIN masters km ON km.id = kf.target
         JOIN projects kp ON kp.master_id = km.id
         JOIN tickets k ON k.project_id = kp.id
         WHERE kf.follower = $3 AND kf.kind = 'master' AND km.shown AND kp.shown AND k.state = 0
         ORDER BY k.created_at DESC, k.id",
        ")
         ORDER BY t.created_at DESC, t.id",
        uid,
    );
    let ticket = |row: FollowedRow| FollowedTicket {
        item: TicketItem {
            id: row.id,
            name: row.name,
            image: row.image,
            intro: row.intro,
            price_fen: row.price_fen,
            created_at: row.created_at,
        },
        project_id: row.project_id,
        master: MasterCard {
            id: row.master_id,
            name: row.master_name,
            avatar: row.avatar,
            intro: row.master_intro,
            address: row.address,
            birthday: row.birthday,
            created_at: row.master_created_at,
        },
    };
    Ok(rows?.into_iter().map(ticket).collect())
}
