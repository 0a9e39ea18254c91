//! `shiji migrate`.

use super::{Exit, logs, show, store};
use crate::postgres::{Database, migrate};
use crate::projections;
use crate::settings::StoreSettings;

/// Where.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreSettings,
}

/// Brings the database up to this program. Done already is fine, too.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    logs::start_quiet();
    let database = Database::attach(&args.store).await?;
    store::with(database, async |database| {
        migrate(database, &projections::schemas()).await?;
        show::line(&format!(
            "The database {} is up to this program.",
            database.name()
        ))?;
        Ok(Exit::Fine)
    })
    .await
}
