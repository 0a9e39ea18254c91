//! What can be asked of the comments.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::projections::pages::page;
use crate::projections::together::part_of;

/// A comment as a member reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the words of `events::comment` and of the counters"
)]
pub struct CommentItem {
    pub id: i64,
    pub created_at: DateTime<Utc>,
    pub content: String,
    pub up_count: i64,
    pub down_count: i64,
    /// The reader's vote: `up` or `down`.
    pub vote: Option<String>,
    pub author: Author,
    /// Of a reply: what it answers.
    pub reply: Option<(i64, Author)>,
    /// Of a reply: where its thread begins.
    pub first_reply: Option<(i64, Author)>,
}

/// Who wrote a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The id within its kind; of a member the uid.
    pub id: String,
    /// A member's name now; `""` once erased.
    pub nickname: String,
    /// A member's picture now.
    pub avatar: Option<String>,
}

/// What stands under something; without comments it is one row that says whether that is there.
struct Row {
    /// Whose question it answers, from 1.
    asker: i64,
    there: bool,
    id: Option<i64>,
    created_at: Option<DateTime<Utc>>,
    content: Option<String>,
    up_count: i64,
    down_count: i64,
    vote: Option<String>,
    author_id: Option<String>,
    nickname: Option<String>,
    avatar: Option<String>,
    reply_id: Option<i64>,
    reply_author_id: Option<String>,
    reply_nickname: Option<String>,
    reply_avatar: Option<String>,
    first_reply_id: Option<i64>,
    first_reply_author_id: Option<String>,
    first_nickname: Option<String>,
    first_avatar: Option<String>,
}

impl Row {
    fn comment(self) -> Option<CommentItem> {
        let author = |nickname: Option<String>, avatar| {
            move |id| Author {
                id,
                nickname: nickname.unwrap_or_default(),
                avatar,
            }
        };
        let answered = self.reply_author_id;
        let answered = answered.map(author(self.reply_nickname, self.reply_avatar));
        let first = self.first_reply_author_id;
        let first = first.map(author(self.first_nickname, self.first_avatar));
        Some(CommentItem {
            id: self.id?,
            created_at: self.created_at?,
            content: self.content?,
            up_count: self.up_count,
            down_count: self.down_count,
            vote: self.vote,
            author: self.author_id.map(author(self.nickname, self.avatar))?,
            reply: self.reply_id.zip(answered),
            first_reply: self.first_reply_id.zip(first),
        })
    }
}

/// What stands under something, newest first, answers among the rest; `None` when that is not there to be read.
///
/// # Errors
/// When the database says no.
pub async fn page(
    db: impl PgExecutor<'_>,
    reader: &str,
    (kind, id): (&str, &str),
    offset: i64,
    limit: i64,
) -> sqlx::Result<Option<Vec<CommentItem>>> {
    let (reader, id) = ([reader.to_owned()], [id.to_owned()]);
    let mut found = pages(db, &reader, (kind, &id), offset, limit).await?;
    Ok(found.pop().flatten())
}

/// [`page`] for several readers, each of whom asks about one thing. Whether it is there is no `EXISTS`, which the server
/// would answer from all things of the kind, hashed, as soon as there are several readers.
///
/// # Errors
/// When the database says no.
pub async fn pages(
    db: impl PgExecutor<'_>,
    readers: &[String],
    (kind, ids): (&str, &[String]),
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Option<Vec<CommentItem>>>> {
    let rows: Vec<Row> = page!(
        Row of db,
        offset,
        limit,
        "SELECT q.place AS \"asker!\", q.there AS \"there!\",
                    c.id AS \"id?\", c.created_at AS \"created_at?\", c.content AS \"content?\",
                    coalesce(v.up_count, 0) AS \"up_count!\", coalesce(v.down_count, 0) AS \"down_count!\",
                    (SELECT r.value
                     FROM reactions r
                     WHERE r.actor_id = q.reader AND r.actor_kind = 'member' AND r.kind = 'vote'
                       AND r.target_kind = 'comment' AND r.target_id = c.id::text) AS \"vote?\",
                    c.author_id AS \"author_id?\", m.nickname AS \"nickname?\", m.avatar AS \"avatar?\",
                    c.reply_id, c.reply_author_id, ma.nickname AS \"reply_nickname?\", ma.avatar AS \"reply_avatar?\",
                    c.first_reply_id, c.first_reply_author_id,
                    mf.nickname AS \"first_nickname?\", mf.avatar AS \"first_avatar?\"
             FROM (
                 SELECT n.reader, n.id, n.place, CASE $4::text
                     WHEN 'article' THEN (SELECT true FROM articles a WHERE a.id = n.id::bigint) IS NOT NULL
                     WHEN 'game' THEN (SELECT true FROM games g WHERE g.id = n.id::bigint AND g.shown) IS NOT NULL
                     WHEN 'ticket' THEN (
                         SELECT true
                         FROM tickets k
                         JOIN projects j ON j.id = k.project_id
                         JOIN masters s ON s.id = j.master_id
                         WHERE k.id = n.id::bigint AND k.state <> 3 AND j.shown AND s.shown) IS NOT NULL
                     ELSE true
                 END AS there
                 FROM unnest($3::text[], $5::text[]) WITH ORDINALITY AS n(reader, id, place)
             ) q
             LEFT JOIN LATERAL (
                 SELECT c.*, p.place
                 FROM unnest(",
        "SELECT k.id FROM comments k WHERE k.target_kind = $4 AND k.target_id = q.id ORDER BY k.created_at DESC, k.id",
        ") WITH ORDINALITY AS p(id, place)
                 JOIN comments c ON c.id = p.id
             ) c ON q.there
             LEFT JOIN comment_votes v ON v.comment_id = c.id
             LEFT JOIN members m ON m.uid = c.author_id AND c.author_kind = 'member'
             LEFT JOIN members ma ON ma.uid = c.reply_author_id AND c.reply_author_kind = 'member'
             LEFT JOIN members mf ON mf.uid = c.first_reply_author_id AND c.first_reply_author_kind = 'member'
             ORDER BY q.place, c.place",
        readers,
        kind,
        ids,
    )?;
    let mut found: Vec<Option<Vec<CommentItem>>> = vec![None; readers.len()];
    for row in rows.into_iter().filter(|row| row.there) {
        if let Some(said) = part_of(row.asker, &mut found) {
            said.get_or_insert_default().extend(row.comment());
        }
    }
    Ok(found)
}

/// A ticket that is talked about, and the newest of what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the words of `events::ticket`, `events::comment` and of a member's profile"
)]
pub struct CircleItem {
    pub ticket_id: i64,
    pub name: String,
    pub image: String,
    pub intro: String,
    /// When the ticket was made.
    pub created_at: DateTime<Utc>,
    pub comment_id: i64,
    pub content: String,
    pub commented_at: DateTime<Utc>,
    /// The uid of whoever said it.
    pub author: String,
    pub nickname: String,
    pub avatar: Option<String>,
    pub gender: i16,
    pub country: String,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday_ms: Option<i64>,
    pub intro_of_author: Option<String>,
    /// When the author came to the community.
    pub joined_at: DateTime<Utc>,
    pub score: i64,
    pub level: i64,
    pub exp: i64,
}

/// The tickets that are talked about and can be seen, the one last talked about first.
///
/// # Errors
/// When the database says no.
pub async fn circle(
    db: impl PgExecutor<'_>,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<CircleItem>> {
    page!(
        CircleItem of db,
        offset,
        limit,
        "SELECT t.id AS ticket_id, t.name, t.image, t.intro, t.created_at,
                    c.id AS comment_id, c.content, c.created_at AS commented_at, c.author_id AS author,
                    coalesce(m.nickname, '') AS \"nickname!\", m.avatar AS \"avatar?\",
                    coalesce(m.gender, 0::smallint) AS \"gender!\", coalesce(m.country, '') AS \"country!\",
                    m.province AS \"province?\", m.city AS \"city?\", m.birthday_ms AS \"birthday_ms?\",
                    m.intro AS \"intro_of_author?\", coalesce(m.created_at, c.created_at) AS \"joined_at!\",
                    coalesce(m.score, 0) AS \"score!\", coalesce(m.level, 0) AS \"level!\", coalesce(m.exp, 0) AS \"exp!\"
             FROM unnest(",
        // Asked of one ticket after the other: joined, a far page would read all of them.
        "SELECT q.ticket_id
         FROM ticket_circle q
         WHERE (
             SELECT k.state <> 3 AND j.shown AND s.shown
             FROM tickets k
             JOIN projects j ON j.id = k.project_id
             JOIN masters s ON s.id = j.master_id
             WHERE k.id = q.ticket_id)
         ORDER BY q.commented_at DESC, q.ticket_id",
        ") WITH ORDINALITY AS p(id, place)
             JOIN tickets t ON t.id = p.id
             JOIN ticket_circle q ON q.ticket_id = t.id
             JOIN comments c ON c.id = q.comment_id
             LEFT JOIN members m ON m.uid = c.author_id AND c.author_kind = 'member'
             ORDER BY p.place",
    )
}
