//! `shiji audit trace <ID>`: a request and all it caused.

use super::shown;
use crate::cli::progress::Progress;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger::AppendLimits;
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Events read at once.
const PAGE: usize = 500;

/// Of what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A request's id (`X-Request-Id`), the correlation of several requests, or an event's id.
    #[arg(value_name = "ID")]
    start: String,
    #[command(flatten)]
    shown: shown::Shown,
}

/// Prints the events, each with how many causes lie between; an id that recorded nothing is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let explain = |error: sqlx::Error| store::explain(&error);
    let total = ledger.head().await.map_err(explain)?.position;
    let mut progress = Progress::new("Looking through events", u64::try_from(total)?);
    let seen = |position: i64| progress.set(u64::try_from(position).unwrap_or(0));
    let found = ledger.caused_by(&args.start, seen).await.map_err(explain)?;
    drop(progress);
    let positions: Vec<i64> = found.keys().copied().collect();
    for page in positions.chunks(PAGE) {
        let events = ledger.events_at(page).await?;
        let level = |position: i64| found.get(&position).copied();
        shown::print_with(&events, output, args.shown, |event| level(event.position))?;
    }
    store::part(&ledger).await;
    if found.is_empty() {
        if !output.json {
            show::line(&format!("Nothing was recorded under {}.", args.start))?;
        }
        return Ok(Exit::Finding);
    }
    Ok(Exit::Fine)
}
