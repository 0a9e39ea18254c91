//! `shiji audit stream <Aggregate:id>`.

use super::shown;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger::{AppendLimits, StreamId};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Events read at once.
const PAGE: i64 = 1_000;

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stream, as `Task:17` or `Account:backend:1`.
    #[arg(value_name = "AGGREGATE:ID")]
    stream: StreamId,
    #[command(flatten)]
    shown: shown::Shown,
}

/// Prints the stream, page by page; one that does not exist is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let mut after = 0;
    loop {
        let events = ledger.stream_after(&args.stream, after, PAGE).await?;
        let Some(last) = events.last() else { break };
        after = last.sequence;
        shown::print(&events, output, args.shown)?;
    }
    store::part(&ledger).await;
    if after == 0 {
        if !output.json {
            show::line(&format!("There is no stream {}.", args.stream))?;
        }
        return Ok(Exit::Finding);
    }
    Ok(Exit::Fine)
}
