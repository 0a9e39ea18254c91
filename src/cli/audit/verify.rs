//! `shiji audit verify`.

use super::head::Kept;
use crate::cli::progress::Progress;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger;
use crate::postgres::Database;

/// From where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A head that `shiji audit head` printed earlier: only what follows it is checked, and that the log still contains it.
    /// Without one the whole log is checked; a cut-off tail and a chain recomputed from the start show only against a
    /// kept head.
    #[arg(long, value_name = "HEAD")]
    from: Option<Kept>,
}

/// Checks the chain; a log that was tampered with is a finding.
pub async fn run(database: &Database, output: Output, args: Args) -> anyhow::Result<Exit> {
    let pool = store::pool(database);
    let head = ledger::head(&pool)
        .await
        .map_err(|error| store::explain(&error))?;
    let start = args.from.map_or(0, |kept| kept.mark.position);
    let count = |position: i64| u64::try_from(position - start).unwrap_or(0);
    let mut progress = Progress::new("Checking events", count(head.position));
    let kept = args.from.map(|kept| (kept.mark.position, kept.link));
    let verified = ledger::verify(&pool, kept, |position| progress.set(count(position)))
        .await
        .map_err(|error| store::explain(&error))?;
    drop(progress);
    if output.json {
        show::json(&verified)?;
    }
    if let Some(tampering) = &verified.tampering {
        if !output.json {
            show::line(&format!(
                "The log does not verify. {tampering}\nSound up to position {} ({} events checked).",
                verified.position, verified.events
            ))?;
        }
        return Ok(Exit::Finding);
    }
    if !output.json {
        let after = match args.from {
            Some(kept) => format!(" after {}", kept.mark),
            None => String::new(),
        };
        show::line(&format!(
            "The log verifies: {} events{after}, up to {}-{}:{}",
            verified.events, head.generation, verified.position, verified.chain
        ))?;
    }
    Ok(Exit::Fine)
}
