//! Bringing a database up to this binary: the ledger's migrations, then the projections' schemas.

use sqlx::{Connection, Executor, PgConnection, migrate::Migrator};

use super::{Database, SERVICE_ROLE};

static LEDGER: Migrator = sqlx::migrate!("./migrations");

/// The oldest server that will do, as `server_version_num`.
const OLDEST: i32 = 150_000;
/// Names the lock under which schemas are made; any number that nobody else uses.
const SCHEMA_LOCK: i64 = 0x7368_696a_6900_0001;

/// The tables of one version of a projection.
#[derive(Debug, Clone)]
pub struct ProjectionSchema {
    /// The schema's name, `<projection>_v<VERSION>`, for example `tasks_v1`.
    pub name: String,
    /// What makes its tables, written without the schema's name.
    pub ddl: &'static str,
}

/// Runs the ledger's migrations, then makes the schemas that are missing. Any number of nodes may do so at once, and
/// again: what is there already is left alone.
///
/// # Errors
/// When the server is too old, or a statement fails; a schema is then made whole or not at all.
pub async fn migrate(
    database: &Database,
    schemas: &[ProjectionSchema],
) -> Result<(), MigrateError> {
    let mut owner = database
        .connect_owner()
        .await
        .map_err(MigrateError::Connect)?;
    let outcome = run(&mut owner, schemas).await;
    // Parting politely is all that can fail here.
    let _ = owner.close().await;
    outcome
}

async fn run(owner: &mut PgConnection, schemas: &[ProjectionSchema]) -> Result<(), MigrateError> {
    // Not checked macros: they would need the tables that are being made here.
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut *owner)
        .await
        .map_err(MigrateError::Connect)?;
    if version < OLDEST {
        return Err(MigrateError::TooOld {
            major: version / 10_000,
        });
    }
    LEDGER
        .run_direct(owner)
        .await
        .map_err(MigrateError::Ledger)?;
    for schema in schemas {
        make_schema(owner, schema)
            .await
            .map_err(|source| MigrateError::Projection {
                schema: schema.name.clone(),
                source,
            })?;
    }
    Ok(())
}

/// Makes the tables of one version of a projection, whole or not at all; what is there already is left alone.
///
/// # Errors
/// When a statement fails.
///
/// # Panics
/// When the schema's name needs quotes.
pub async fn make_schema(owner: &mut PgConnection, schema: &ProjectionSchema) -> sqlx::Result<()> {
    let name = &schema.name;
    assert!(
        is_plain(name),
        "a schema is named <projection>_v<VERSION> in small letters, not {name:?}"
    );
    let mut tx = owner.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(SCHEMA_LOCK)
        .execute(&mut *tx)
        .await?;
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
            .bind(name)
            .fetch_one(&mut *tx)
            .await?;
    if there {
        return tx.rollback().await;
    }
    let begin = format!("CREATE SCHEMA {name}; SET LOCAL search_path = {name}, public;");
    tx.execute(begin.as_str()).await?;
    tx.execute(schema.ddl).await?;
    let grant = format!(
        "GRANT USAGE ON SCHEMA {name} TO {SERVICE_ROLE};
         GRANT ALL ON ALL TABLES IN SCHEMA {name} TO {SERVICE_ROLE};
         GRANT ALL ON ALL SEQUENCES IN SCHEMA {name} TO {SERVICE_ROLE};"
    );
    tx.execute(grant.as_str()).await?;
    tx.commit().await?;
    tracing::info!("Made the tables of {name}");
    Ok(())
}

/// Names stand in statements as they are, so they are kept to what needs no quotes.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.len() <= 63
}

/// Why the database could not be brought up to this binary.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The server does not answer or refuses.
    #[error("PostgreSQL cannot be reached for the migration: {0}")]
    Connect(#[source] sqlx::Error),
    /// The server is older than what the ledger needs.
    #[error("this is PostgreSQL {major}; shiji needs version 15 or later")]
    TooOld {
        /// Its major version.
        major: i32,
    },
    /// A migration of the ledger failed.
    #[error("the ledger's migration failed: {0}")]
    Ledger(#[source] sqlx::migrate::MigrateError),
    /// The tables of a projection could not be made.
    #[error("the tables of {schema} could not be made: {source}")]
    Projection {
        /// Which.
        schema: String,
        /// Why.
        source: sqlx::Error,
    },
}
