//! `shiji projections retry <name>`.

use anyhow::bail;
use serde_json::json;

use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger::AppendLimits;
use crate::postgres::Database;
use crate::projections::{self, projector};
use crate::settings::StoreSettings;

/// Of which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The projection, as `tasks`.
    #[arg(value_name = "PROJECTION")]
    name: String,
}

/// Replays; streams that fail again are a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    let Some(projection) = projections::find(&args.name) else {
        let known: Vec<&str> = projections::all().iter().map(|p| p.name()).collect();
        bail!(
            "there is no projection {}; there are {}",
            args.name,
            known.join(", ")
        );
    };
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let replayed = projector::retry(&ledger, database, projection).await?;
    store::part(&ledger).await;
    let failed = &replayed.still_parked;
    if output.json {
        let failed: Vec<_> = failed
            .iter()
            .map(|(stream, reason)| json!({ "stream": stream.to_string(), "reason": reason }))
            .collect();
        let streams: Vec<String> = replayed.streams.iter().map(ToString::to_string).collect();
        show::json(&json!({ "replayed": streams, "still_parked": failed }))?;
    } else {
        show::line(&format!(
            "{} streams replayed, {} failed again.",
            replayed.streams.len(),
            failed.len()
        ))?;
        for (stream, reason) in failed {
            show::line(&format!("{stream}: {reason}"))?;
        }
    }
    Ok(if failed.is_empty() {
        Exit::Fine
    } else {
        Exit::Finding
    })
}
