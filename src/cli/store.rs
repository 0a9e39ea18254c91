//! The store as a command finds it: beside a running service, or alone.

use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, bail};
use sqlx::PgPool;

use crate::gateways::FileStore;
use crate::ledger::{AppendLimits, Clock, Keys, Ledger, LedgerOptions, OpenError, Secret};
use crate::postgres::Database;
use crate::settings::{FileSettings, StoreSettings};

/// SQLSTATEs of a database that was never migrated: there is no such table, or no such role.
const UNMIGRATED: [&str; 2] = ["42P01", "22023"];

/// How long connections in use may take to come back.
const PARTING: Duration = Duration::from_secs(1);

/// The database of the settings for a command that only looks: what is not there is not made.
pub async fn existing(settings: &StoreSettings) -> anyhow::Result<Database> {
    if settings.database_url.is_none() && !was_made(&settings.data_dir) {
        bail!(
            "there is no data in {}; name the folder with SHIJI_DATA_DIR or --data-dir, or let `shiji serve` make it",
            settings.data_dir.display()
        );
    }
    Ok(Database::attach(settings).await?)
}

fn was_made(data_dir: &Path) -> bool {
    data_dir.join("postgres").exists() || data_dir.join("postgres.path").exists()
}

/// The keys of the settings' master key.
pub fn keys(settings: &StoreSettings) -> anyhow::Result<Keys> {
    let master = settings.obtain_master_key()?;
    Ok(Keys::derive(&Secret::new(*master.expose())))
}

/// The stored files of the settings.
pub fn files(store: &StoreSettings, settings: &FileSettings) -> anyhow::Result<FileStore> {
    let folder = store.data_dir.join("files");
    FileStore::configured(settings, &folder).map_err(|error| {
        let place = match &settings.s3_bucket {
            Some(bucket) => format!("SHIJI_S3_BUCKET {bucket}"),
            None => format!("the folder of stored files {}", folder.display()),
        };
        anyhow!("{place} cannot be used: {error}")
    })
}

/// Opens the log as a node of its own with `connections` for loads and reads.
pub async fn ledger(
    database: &Database,
    keys: Keys,
    limits: AppendLimits,
    cache_entries: usize,
    connections: u32,
) -> anyhow::Result<Ledger> {
    let options = LedgerOptions {
        pool: database.pool("ledger", connections, &[]),
        tail_pool: database.pool("tail", 2, &[]),
        append: database.service_options("appender", &[]),
        keys,
        limits,
        cache_entries,
        clock: Clock::system(),
    };
    Ledger::open(options).await.map_err(|error| match error {
        OpenError::Database(error) => explain(&error),
        error @ OpenError::ForeignMasterKey => error.into(),
    })
}

/// Gives the connections for loads and reads back, so that a server that stops has nobody to cut off.
pub async fn part(ledger: &Ledger) {
    let _ = tokio::time::timeout(PARTING, ledger.close()).await;
}

/// A few connections for questions that need no keys.
pub fn pool(database: &Database) -> PgPool {
    database.pool("cli", 2, &[])
}

/// A database error as one sentence; one that was never migrated is told what to do.
pub fn explain(error: &sqlx::Error) -> anyhow::Error {
    let unmigrated = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| UNMIGRATED.contains(&code.as_ref()));
    if unmigrated {
        anyhow!("there is no log in this database yet; `shiji migrate` makes it")
    } else {
        anyhow!("the database says: {error}")
    }
}

/// Runs `work` on the database and stops a private server that was started for it, whatever came of it.
pub async fn with<T>(
    database: Database,
    work: impl AsyncFnOnce(&Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let outcome = work(&database).await;
    database.close().await;
    outcome
}
