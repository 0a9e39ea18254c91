//! What can be asked of the articles. A page's keys come from an index first ([`crate::projections::pages`]); all else is
//! joined to them.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::projections::pages::near;
use crate::projections::together::Question;

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the words of `events::article` and of the counters"
)]
pub struct ArticleItem {
    pub id: i64,
    pub created_at: DateTime<Utc>,
    pub content: String,
    pub images: Vec<String>,
    pub like_count: i64,
    pub collect_count: i64,
    pub comment_count: i64,
    /// Whether the reader likes it.
    pub is_like: bool,
    /// Whether the reader collected it.
    pub is_collect: bool,
    /// The uid of whoever wrote it.
    pub author: String,
    /// That member's name now; `""` once erased.
    pub nickname: String,
    /// That member's picture now.
    pub avatar: Option<String>,
}

/// Those of `$keys`, in their order, as the reader `$1` sees them.
macro_rules! page {
    ($db:expr, $keys:literal, $reader:expr, $from:expr, $to:expr) => {
        sqlx::query_as!(
            ArticleItem,
            "SELECT a.id, a.created_at, a.content, a.images,
                    coalesce(c.like_count, 0) AS \"like_count!\",
                    coalesce(c.collect_count, 0) AS \"collect_count!\",
                    coalesce(c.comment_count, 0) AS \"comment_count!\",
                    EXISTS (SELECT FROM reactions r
                            WHERE r.actor_id = $1 AND r.actor_kind = 'member' AND r.kind = 'like'
                              AND r.target_kind = 'article' AND r.target_id = a.id::text OFFSET 0) AS \"is_like!\",
                    EXISTS (SELECT FROM reactions r
                            WHERE r.actor_id = $1 AND r.actor_kind = 'member' AND r.kind = 'collect'
                              AND r.target_kind = 'article' AND r.target_id = a.id::text OFFSET 0) AS \"is_collect!\",
                    a.author, coalesce(m.nickname, '') AS \"nickname!\", m.avatar AS \"avatar?\"
             FROM unnest("
                + $keys
                + ") WITH ORDINALITY AS p(id, place)
             JOIN articles a ON a.id = p.id
             LEFT JOIN article_counts c ON c.article_id = a.id
             LEFT JOIN members m ON m.uid = a.author
             ORDER BY p.place",
            $reader,
            $from,
            $to,
        )
        .fetch_all($db)
        .await
    };
}

/// A page of everybody's articles, newest first, as several readers see it.
#[derive(Debug)]
pub struct Feed(Vec<FeedRow>);

#[derive(Debug)]
struct FeedRow {
    id: i64,
    created_at: DateTime<Utc>,
    content: String,
    images: Vec<String>,
    like_count: i64,
    collect_count: i64,
    comment_count: i64,
    author: String,
    nickname: String,
    avatar: Option<String>,
    /// The readers who like it, by their places from 1.
    liked: Vec<i64>,
    /// The readers who collected it.
    collected: Vec<i64>,
}

impl Feed {
    /// The page as the reader at a place (from 0) sees it.
    #[must_use]
    pub fn of(&self, reader: usize) -> Vec<ArticleItem> {
        let place = i64::try_from(reader).map_or(0, |place| place.saturating_add(1));
        let item = |row: &FeedRow| ArticleItem {
            id: row.id,
            created_at: row.created_at,
            content: row.content.clone(),
            images: row.images.clone(),
            like_count: row.like_count,
            collect_count: row.collect_count,
            comment_count: row.comment_count,
            is_like: row.liked.contains(&place),
            is_collect: row.collected.contains(&place),
            author: row.author.clone(),
            nickname: row.nickname.clone(),
            avatar: row.avatar.clone(),
        };
        self.0.iter().map(item).collect()
    }
}

/// Those of `$keys`, in their order, as the readers `$1` see them. What a reader gave is looked up reader by reader (the
/// offset keeps that so): an article may have many more likes than the page has readers. And a reader may have given more
/// than the page shows: of that, only what lies between the ends of the page is looked at, which for articles that follow each
/// other is little else than the page's own (where their ids grow by a digit, as text sorts them, there are two such parts). Each
/// column of the key is compared by itself, because a comparison of whole keys is where a walk begins, but not where it ends: it
/// would go on to the reader's last reaction.
macro_rules! feed {
    ($db:expr, $keys:literal, $readers:expr, $from:expr, $to:expr) => {
        sqlx::query_as!(
            FeedRow,
            "WITH page AS (SELECT "
                + $keys
                + " AS ids),
             ends AS (
                 SELECT min(id::text COLLATE \"C\") AS low, max(id::text COLLATE \"C\") AS high,
                        array_agg(id::text) AS texts
                 FROM page, unnest(ids) AS id
                 GROUP BY length(id::text)
             )
             SELECT a.id, a.created_at, a.content, a.images,
                    coalesce(c.like_count, 0) AS \"like_count!\",
                    coalesce(c.collect_count, 0) AS \"collect_count!\",
                    coalesce(c.comment_count, 0) AS \"comment_count!\",
                    coalesce(f.liked, '{}') AS \"liked!\", coalesce(f.collected, '{}') AS \"collected!\",
                    a.author, coalesce(m.nickname, '') AS \"nickname!\", m.avatar AS \"avatar?\"
             FROM page
             CROSS JOIN unnest(page.ids) WITH ORDINALITY AS p(id, place)
             JOIN articles a ON a.id = p.id
             LEFT JOIN article_counts c ON c.article_id = a.id
             LEFT JOIN members m ON m.uid = a.author
             LEFT JOIN (
                 SELECT g.target_id,
                        array_agg(r.place) FILTER (WHERE k.kind = 'like') AS liked,
                        array_agg(r.place) FILTER (WHERE k.kind = 'collect') AS collected
                 FROM unnest($1::text[]) WITH ORDINALITY AS r(uid, place)
                 CROSS JOIN (VALUES ('like'), ('collect')) AS k(kind)
                 CROSS JOIN ends
                 CROSS JOIN LATERAL (
                     SELECT target_id
                     FROM reactions
                     WHERE actor_id = r.uid AND actor_kind = 'member' AND kind = k.kind AND target_kind = 'article'
                       AND target_id BETWEEN ends.low AND ends.high
                     OFFSET 0
                 ) g
                 WHERE g.target_id = ANY (ends.texts)
                 GROUP BY g.target_id
             ) f ON f.target_id = a.id::text
             ORDER BY p.place",
            $readers,
            $from,
            $to,
        )
        .fetch_all($db)
        .await
    };
}

/// Everybody's, newest first, as each of these readers sees them.
///
/// # Errors
/// When the database says no.
pub async fn feed(
    db: impl PgExecutor<'_>,
    readers: &[String],
    offset: i64,
    limit: i64,
) -> sqlx::Result<Feed> {
    let rows = match near(offset, limit) {
        Some((from, to)) => feed!(
            db,
            "(ARRAY(SELECT id FROM articles ORDER BY created_at DESC, id LIMIT 100))[$2:$3]",
            readers,
            from,
            to
        ),
        None => feed!(
            db,
            "ARRAY(SELECT id FROM articles ORDER BY created_at DESC, id OFFSET $2 LIMIT $3)",
            readers,
            offset,
            limit
        ),
    };
    rows.map(Feed)
}

/// The feed, asked for by offset and limit, by readers with their uids.
pub struct Feeds;

impl Question for Feeds {
    type Key = (i64, i64);
    type Asker = String;
    type Answer = Feed;

    async fn ask(reads: &PgPool, page: &(i64, i64), readers: &[String]) -> sqlx::Result<Feed> {
        let (offset, limit) = *page;
        feed(reads, readers, offset, limit).await
    }
}

/// Those of the members the reader follows, newest first. A page of a hundred can only show the hundred members whose newest are
/// the newest, and of each only a hundred: no more are looked at.
///
/// # Errors
/// When the database says no.
pub async fn of_followed(
    db: impl PgExecutor<'_>,
    reader: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<ArticleItem>> {
    match near(offset, limit) {
        Some((from, to)) => page!(
            db,
            "(ARRAY(
                 SELECT n.id
                 FROM (
                     SELECT f.target
                     FROM follows f
                     CROSS JOIN LATERAL (
                         SELECT id, created_at FROM articles WHERE author = f.target ORDER BY created_at DESC, id LIMIT 1
                     ) l
                     WHERE f.follower = $1 AND f.kind = 'user'
                     ORDER BY l.created_at DESC, l.id
                     LIMIT 100
                 ) f
                 CROSS JOIN LATERAL (
                     SELECT id, created_at FROM articles WHERE author = f.target ORDER BY created_at DESC, id LIMIT 100
                 ) n
                 ORDER BY n.created_at DESC, n.id
                 LIMIT 100))[$2:$3]",
            reader,
            from,
            to
        ),
        None => page!(
            db,
            "ARRAY(
                 SELECT n.id
                 FROM (
                     SELECT f.target
                     FROM follows f
                     CROSS JOIN LATERAL (
                         SELECT id, created_at FROM articles WHERE author = f.target ORDER BY created_at DESC, id LIMIT 1
                     ) l
                     WHERE f.follower = $1 AND f.kind = 'user'
                     ORDER BY l.created_at DESC, l.id
                     LIMIT $2::bigint + $3::bigint
                 ) f
                 CROSS JOIN LATERAL (
                     SELECT id, created_at FROM articles WHERE author = f.target ORDER BY created_at DESC, id
                     LIMIT $2::bigint + $3::bigint
                 ) n
                 ORDER BY n.created_at DESC, n.id
                 OFFSET $2 LIMIT $3)",
            reader,
            offset,
            limit
        ),
    }
}

/// The reader's own, newest first.
///
/// # Errors
/// When the database says no.
pub async fn of_reader(
    db: impl PgExecutor<'_>,
    reader: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<ArticleItem>> {
    match near(offset, limit) {
        Some((from, to)) => page!(
            db,
            "(ARRAY(SELECT id FROM articles WHERE author = $1 ORDER BY created_at DESC, id LIMIT 100))[$2:$3]",
            reader,
            from,
            to
        ),
        None => page!(
            db,
            "ARRAY(SELECT id FROM articles WHERE author = $1 ORDER BY created_at DESC, id OFFSET $2 LIMIT $3)",
            reader,
            offset,
            limit
        ),
    }
}

/// Those the reader collected and that are still there, the last collected first.
///
/// # Errors
/// When the database says no.
pub async fn collected(
    db: impl PgExecutor<'_>,
    reader: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<ArticleItem>> {
    match near(offset, limit) {
        Some((from, to)) => page!(
            db,
            "(ARRAY(
                 SELECT a.id
                 FROM reactions r
                 JOIN articles a ON a.id = r.target_id::bigint
                 WHERE r.actor_kind || ':' || r.actor_id || ':' || r.target_kind = 'member:' || $1 || ':article'
                   AND r.kind LIKE 'collect'
                 ORDER BY r.position DESC
                 LIMIT 100))[$2:$3]",
            reader,
            from,
            to
        ),
        None => page!(
            db,
            "ARRAY(
                 SELECT a.id
                 FROM reactions r
                 JOIN articles a ON a.id = r.target_id::bigint
                 WHERE r.actor_kind || ':' || r.actor_id || ':' || r.target_kind = 'member:' || $1 || ':article'
                   AND r.kind LIKE 'collect'
                 ORDER BY r.position DESC
                 OFFSET $2 LIMIT $3)",
            reader,
            offset,
            limit
        ),
    }
}

/// An article with whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the words of `events::article` and of a member's profile"
)]
pub struct ArticleDetail {
    /// Whose question it answers, from 1.
    pub asker: i64,
    pub id: i64,
    pub created_at: DateTime<Utc>,
    pub content: String,
    pub images: Vec<String>,
    /// Whether the reader likes it.
    pub is_like: bool,
    /// Whether the reader collected it.
    pub is_collect: bool,
    /// The uid of whoever wrote it.
    pub author: String,
    pub nickname: String,
    pub avatar: Option<String>,
    pub gender: i16,
    pub country: String,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday_ms: Option<i64>,
    pub intro: Option<String>,
    /// When the author came to the community.
    pub joined_at: DateTime<Utc>,
    /// Whether the reader follows the author.
    pub is_follow: bool,
}

/// Articles by their ids, each as one reader sees it, who asks for it; none for an article that is not there or was deleted.
///
/// # Errors
/// When the database says no.
pub async fn details(
    db: impl PgExecutor<'_>,
    readers: &[String],
    ids: &[i64],
) -> sqlx::Result<Vec<ArticleDetail>> {
    sqlx::query_as!(
        ArticleDetail,
        r#"SELECT q.place AS "asker!", a.id, a.created_at, a.content, a.images,
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = q.reader AND r.actor_kind = 'member' AND r.kind = 'like'
                            AND r.target_kind = 'article' AND r.target_id = a.id::text OFFSET 0) AS "is_like!",
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = q.reader AND r.actor_kind = 'member' AND r.kind = 'collect'
                            AND r.target_kind = 'article' AND r.target_id = a.id::text OFFSET 0) AS "is_collect!",
                  a.author, coalesce(m.nickname, '') AS "nickname!", m.avatar AS "avatar?",
                  coalesce(m.gender, 0::smallint) AS "gender!", coalesce(m.country, '') AS "country!",
                  m.province AS "province?", m.city AS "city?", m.birthday_ms AS "birthday_ms?", m.intro AS "intro?",
                  coalesce(m.created_at, a.created_at) AS "joined_at!",
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = q.reader AND f.kind = 'user' AND f.target = a.author OFFSET 0) AS "is_follow!"
           FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS q(reader, id, place)
           JOIN articles a ON a.id = q.id
           LEFT JOIN members m ON m.uid = a.author"#,
        readers,
        ids,
    )
    .fetch_all(db)
    .await
}
