//! What can be asked of the reactions.

use sqlx::PgExecutor;

/// A member who reacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reactor {
    /// Whose question it answers, from 1.
    pub asker: i64,
    /// `like` or `collect`.
    pub kind: String,
    /// 32 hex characters.
    pub uid: String,
    /// The name now; `""` once erased.
    pub nickname: String,
    /// The picture now.
    pub avatar: Option<String>,
}

/// The members who like some things of a kind, and those who collected them: of each the newest hundred, newest first.
///
/// # Errors
/// When the database says no.
pub async fn likes_and_collects(
    db: impl PgExecutor<'_>,
    target_kind: &str,
    target_ids: &[String],
) -> sqlx::Result<Vec<Reactor>> {
    sqlx::query_as!(
        Reactor,
        r#"SELECT q.place AS "asker!", n.kind AS "kind!", n.actor_id AS "uid!", coalesce(m.nickname, '') AS "nickname!",
                  m.avatar AS "avatar?"
           FROM unnest($2::text[]) WITH ORDINALITY AS q(id, place)
           CROSS JOIN LATERAL (
               (SELECT kind, actor_id, position
                FROM reactions
                WHERE kind || ':' || target_kind || ':' || target_id = 'like:' || $1 || ':' || q.id
                ORDER BY position DESC
                LIMIT 100)
               UNION ALL
               (SELECT kind, actor_id, position
                FROM reactions
                WHERE kind || ':' || target_kind || ':' || target_id = 'collect:' || $1 || ':' || q.id
                ORDER BY position DESC
                LIMIT 100)
           ) n
           LEFT JOIN members m ON m.uid = n.actor_id
           ORDER BY n.position DESC"#,
        target_kind,
        target_ids,
    )
    .fetch_all(db)
    .await
}
