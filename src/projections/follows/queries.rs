//! What can be asked of who follows whom.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A member as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::account`")]
pub struct PublicMember {
    pub uid: String,
    /// `""` once erased.
    pub nickname: String,
    pub avatar: Option<String>,
    pub gender: i16,
    pub country: String,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday_ms: Option<i64>,
    pub intro: Option<String>,
    /// When it signed up.
    pub created_at: DateTime<Utc>,
}

/// The members that follow a member, the latest first.
///
/// # Errors
/// When the database says no.
pub async fn followers_of(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<PublicMember>> {
    sqlx::query_as!(
        PublicMember,
        "SELECT m.uid, m.nickname, m.avatar, m.gender, m.country, m.province, m.city, m.birthday_ms, m.intro, m.created_at
         FROM (SELECT follower, followed_at
               FROM follows
               WHERE target = $1 AND kind = 'user'
               ORDER BY followed_at DESC, follower
               OFFSET $2 LIMIT $3) f
         JOIN members m ON m.uid = f.follower
         ORDER BY f.followed_at DESC, f.follower",
        uid,
        offset,
        limit,
    )
    .fetch_all(db)
    .await
}

/// The members that a member follows, the latest first.
///
/// # Errors
/// When the database says no.
pub async fn followed_by(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<PublicMember>> {
    sqlx::query_as!(
        PublicMember,
        "SELECT m.uid, m.nickname, m.avatar, m.gender, m.country, m.province, m.city, m.birthday_ms, m.intro, m.created_at
         FROM (SELECT target, followed_at
               FROM follows
               WHERE follower = $1 AND kind = 'user'
               ORDER BY followed_at DESC, target
               OFFSET $2 LIMIT $3) f
         JOIN members m ON m.uid = f.target
         ORDER BY f.followed_at DESC, f.target",
        uid,
        offset,
        limit,
    )
    .fetch_all(db)
    .await
}
