//! What stops a filter that costs too much in spite of all bounds.

use std::time::Duration;

use sqlx::PgConnection;

/// How long a statement with a filter in it may run.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// Bounds the statements of the transaction this connection is in to [`TIMEOUT`] each; the transaction's end lifts it.
///
/// # Errors
/// Those of the database.
pub async fn set_backstop(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Not a checked query: it belongs to no schema and returns nothing that is read.
    sqlx::query("SELECT set_config('statement_timeout', $1, true)")
        .bind(TIMEOUT.as_millis().to_string())
        .execute(transaction)
        .await
        .map(drop)
}

/// Whether the database gave up because of what the filter asked for: out of time, or a pattern that its engine finds too
/// large. The caller is to blame then, not the service.
#[must_use]
pub fn is_too_costly(error: &sqlx::Error) -> bool {
    const QUERY_CANCELED: &str = "57014";
    const INVALID_REGULAR_EXPRESSION: &str = "2201B";
    const STATEMENT_TOO_COMPLEX: &str = "54001";
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| {
            [
                QUERY_CANCELED,
                INVALID_REGULAR_EXPRESSION,
                STATEMENT_TOO_COMPLEX,
            ]
            .contains(&code.as_ref())
        })
}
