//! What can be asked of the staff.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A staff account as it is shown. Whether a caller may do something is asked of the ledger, never of this.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::account`")]
pub struct StaffMember {
    pub uid: i64,
    /// `""` once erased.
    pub name: String,
    pub role: i64,
    pub perm: i64,
    pub enabled: bool,
    pub created_at: DateTime<Utc>,
}

/// The account of a uid.
///
/// # Errors
/// When the database says no.
pub async fn by_uid(db: impl PgExecutor<'_>, uid: i64) -> sqlx::Result<Option<StaffMember>> {
    sqlx::query_as!(
        StaffMember,
        "SELECT uid, name, role, perm, enabled, created_at FROM staff WHERE uid = $1",
        uid,
    )
    .fetch_optional(db)
    .await
}

/// The next accounts after a uid, in order of their uids.
///
/// # Errors
/// When the database says no.
pub async fn page(
    db: impl PgExecutor<'_>,
    after_uid: i64,
    limit: i64,
) -> sqlx::Result<Vec<StaffMember>> {
    sqlx::query_as!(
        StaffMember,
        "SELECT uid, name, role, perm, enabled, created_at
         FROM staff
         WHERE uid > $1
         ORDER BY uid
         LIMIT $2",
        after_uid,
        limit,
    )
    .fetch_all(db)
    .await
}

/// Is there any staff account, in whatever state?
///
/// # Errors
/// When the database says no.
pub async fn any(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM staff) AS "any!""#)
        .fetch_one(db)
        .await
}
