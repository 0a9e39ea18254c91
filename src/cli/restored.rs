//! `shiji restored`.

use serde_json::json;

use super::show::{self, Output};
use super::{Exit, logs, store};
use crate::ledger;
use crate::settings::StoreSettings;

/// Where.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreSettings,
    #[command(flatten)]
    output: Output,
}

/// Raises the log's generation. Nodes that run notice it and are not ready until they are started again.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    logs::start_quiet();
    let database = store::existing(&args.store).await?;
    store::with(database, async |database| {
        let explain = |error| store::explain(&error);
        let mut owner = database.connect_owner().await.map_err(explain)?;
        let generation = ledger::raise_generation(&mut owner)
            .await
            .map_err(explain)?;
        if args.output.json {
            show::json(&json!({ "generation": generation }))?;
        } else {
            show::line(&format!(
                "The log is at generation {generation} now. Start nodes that run again."
            ))?;
        }
        Ok(Exit::Fine)
    })
    .await
}
