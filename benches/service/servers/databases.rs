//! The databases of the server that the stock service and `pgbench` share.

use anyhow::Result;
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection};

use super::Postgres;

/// Our own tables, for `pgbench` to fill one row at a time.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What `pgbench` needs besides.
const BARE_SCHEMA: &str = include_str!("databases.sql");

/// The tasks that the services get over HTTP.
const BARE_TASKS: &str = "
    INSERT INTO tasks (id, status, kind, priority, input, result, note, uid)
    SELECT id, 0, 'image', id % 10, 'https://pictures.example/0123456789.jpg', '', 'measured', 1
    FROM generate_series(1, $1) AS id";

/// Makes an empty database for the stock service, and one for `pgbench` with our tables and `seed_tasks` tasks.
///
/// # Errors
///
/// When a statement fails.
pub async fn create_databases(postgres: &Postgres, seed_tasks: usize) -> Result<()> {
    let connect = |database: &str| {
        let url = postgres.url(database);
        async move {
            let options: sqlx::postgres::PgConnectOptions = url.parse()?;
            anyhow::Ok(options.connect().await?)
        }
    };
    let mut server = connect("postgres").await?;
    for database in ["stock", "bare"] {
        sqlx::raw_sql(&format!("CREATE DATABASE {database}"))
            .execute(&mut server)
            .await?;
    }
    server.close().await?;
    let mut bare = connect("bare").await?;
    MIGRATIONS.run(&mut bare).await?;
    sqlx::raw_sql(BARE_SCHEMA).execute(&mut bare).await?;
    sqlx::query(BARE_TASKS)
        .bind(i64::try_from(seed_tasks)?)
        .execute(&mut bare)
        .await?;
    for statement in [
        "INSERT INTO task_totals SELECT count(*) FROM tasks",
        "VACUUM ANALYZE",
    ] {
        sqlx::raw_sql(statement).execute(&mut bare).await?;
    }
    bare.close().await?;
    Ok(())
}
