//! The databases of the server that the stock service and `pgbench` share.

use anyhow::Result;
use shiji::postgres::Database;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::Postgres;

/// What `pgbench` needs beside our own tables.
const BARE: &str = include_str!("databases.sql");

/// The tasks that the services get over HTTP.
const TASKS: &str = "
    INSERT INTO tasks (id, position, created_by, created_at, status, priority, kind, note, input, result)
    SELECT id, id, 1, now(), 0, id % 10, 'image', 'measured', 'https://pictures.example/0123456789.jpg', ''
    FROM generate_series(1, $1) AS id";

/// Makes an empty database for the stock service, and one for `pgbench` with our tables and `seed_tasks` tasks.
///
/// # Errors
///
/// When a statement fails.
pub async fn create_databases(postgres: &Postgres, seed_tasks: usize) -> Result<()> {
    let mut server = connect(postgres, "postgres").await?;
    let path = shiji::projections::search_path().join(", ");
    for statement in [
        "CREATE DATABASE stock",
        "CREATE DATABASE bare",
        &format!("ALTER DATABASE bare SET search_path = {path}, public"),
    ] {
        sqlx::raw_sql(statement).execute(&mut server).await?;
    }
    server.close().await?;

    let database = Database::from_url(&postgres.url("bare").into())?;
    shiji::postgres::migrate(&database, &shiji::projections::schemas()).await?;
    let mut bare = connect(postgres, "bare").await?;
    sqlx::raw_sql(BARE).execute(&mut bare).await?;
    sqlx::query(TASKS)
        .bind(i64::try_from(seed_tasks)?)
        .execute(&mut bare)
        .await?;
    for statement in [
        "UPDATE tasks_total SET total = (SELECT count(*) FROM tasks)",
        "VACUUM ANALYZE",
    ] {
        sqlx::raw_sql(statement).execute(&mut bare).await?;
    }
    bare.close().await?;
    Ok(())
}

async fn connect(postgres: &Postgres, database: &str) -> Result<PgConnection> {
    let options: PgConnectOptions = postgres.url(database).parse()?;
    Ok(options.connect().await?)
}
