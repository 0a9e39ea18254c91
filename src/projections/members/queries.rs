//! What can be asked of the members.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A member with everything known of it. Whether it may do something is asked of the ledger, never of this.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::account`")]
pub struct Member {
    pub uid: String,
    /// `""` once erased.
    pub nickname: String,
    pub avatar: Option<String>,
    pub gender: i16,
    pub country: String,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday_ms: Option<i64>,
    pub phone: String,
    pub email: Option<String>,
    pub category: i64,
    pub enabled: bool,
    pub score: i64,
    pub level: i64,
    pub exp: i64,
    pub invitation_code: Option<String>,
    pub inviter: Option<String>,
    pub intro: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Members it follows.
    pub follow_count: i64,
    /// Members that follow it.
    pub follower_count: i64,
    /// Its articles.
    pub article_count: i64,
}

/// A member as another one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::account`")]
pub struct SeenMember {
    pub uid: String,
    /// `""` once erased.
    pub nickname: String,
    pub avatar: Option<String>,
    pub gender: i16,
    pub country: String,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday_ms: Option<i64>,
    pub score: i64,
    pub level: i64,
    pub exp: i64,
    pub intro: Option<String>,
    pub created_at: DateTime<Utc>,
    pub follow_count: i64,
    pub follower_count: i64,
    pub article_count: i64,
    /// The one who looks follows it.
    pub is_follow: bool,
}

/// The member of a uid.
///
/// # Errors
/// When the database says no.
pub async fn by_uid(db: impl PgExecutor<'_>, uid: &str) -> sqlx::Result<Option<Member>> {
    sqlx::query_as!(
        Member,
        r#"SELECT m.uid, m.nickname, m.avatar, m.gender, m.country, m.province, m.city, m.birthday_ms, m.phone, m.email,
                  m.category, m.enabled, m.score, m.level, m.exp, m.invitation_code, m.inviter, m.intro, m.created_at,
                  coalesce(c.follow_count, 0) AS "follow_count!", coalesce(c.follower_count, 0) AS "follower_count!",
                  coalesce(c.article_count, 0) AS "article_count!"
           FROM members m
           LEFT JOIN member_counts c ON c.uid = m.uid
           WHERE m.uid = $1"#,
        uid,
    )
    .fetch_optional(db)
    .await
}

/// The member of a uid as another one sees it.
///
/// # Errors
/// When the database says no.
pub async fn seen_by(
    db: impl PgExecutor<'_>,
    viewer: &str,
    uid: &str,
) -> sqlx::Result<Option<SeenMember>> {
    sqlx::query_as!(
        SeenMember,
        r#"SELECT m.uid, m.nickname, m.avatar, m.gender, m.country, m.province, m.city, m.birthday_ms, m.score, m.level,
                  m.exp, m.intro, m.created_at,
                  coalesce(c.follow_count, 0) AS "follow_count!", coalesce(c.follower_count, 0) AS "follower_count!",
                  coalesce(c.article_count, 0) AS "article_count!",
                  EXISTS (SELECT FROM follows f WHERE f.follower = $2 AND f.kind = 'user' AND f.target = m.uid)
                      AS "is_follow!"
           FROM members m
           LEFT JOIN member_counts c ON c.uid = m.uid
           WHERE m.uid = $1"#,
        uid,
        viewer,
    )
    .fetch_optional(db)
    .await
}
