//! What can be asked of who follows whom.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::projections::pages::page;

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
    page!(
        PublicMember of db, offset, limit,
        "SELECT m.uid, m.nickname, m.avatar, m.gender, m.country, m.province, m.city, m.birthday_ms, m.intro, m.created_at
         FROM members m
         JOIN follows f ON f.follower = m.uid AND f.kind = 'user' AND f.target = $3
         WHERE m.uid = ANY (",
        "SELECT follower FROM follows WHERE kind || ':' || target = 'user:' || $3 ORDER BY followed_at DESC, follower",
        ")
         ORDER BY f.followed_at DESC, f.follower",
        uid,
    )
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
    page!(
        PublicMember of db, offset, limit,
        "SELECT m.uid, m.nickname, m.avatar, m.gender, m.country, m.province, m.city, m.birthday_ms, m.intro, m.created_at
         FROM members m
         JOIN follows f ON f.follower = $3 AND f.kind = 'user' AND f.target = m.uid
         WHERE m.uid = ANY (",
        "SELECT target FROM follows WHERE kind || ':' || follower = 'user:' || $3 ORDER BY followed_at DESC, target",
        ")
         ORDER BY f.followed_at DESC, f.target",
        uid,
    )
}
