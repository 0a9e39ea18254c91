//! `cargo bench --bench ledger`: the append, and the experiments the ledger's shape rests on, as ratios within one run.
//!
//! | line | says |
//! |---|---|
//! | append | appended jobs per second through one appender, beside one-row inserts on 32 connections |
//! | two appenders | the same load through two nodes: appenders add no append rate |
//! | chain | the hash written out in the function, beside the same through a helper function |
//! | head row | a head row updated once per batch while an old snapshot stands, beside the last row of `events` |
//! | versions | named streams looked up by a sub-select, beside a join planned on an empty table |

mod experiments;
mod load;

use std::time::Duration;

use clap::Parser;
use shiji::postgres::{Database, migrate};
use shiji::settings::StoreSettings;

/// What to measure, and for how long.
#[derive(Parser)]
struct Options {
    /// Seconds per line.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Concurrent callers of the append.
    #[arg(long, default_value_t = 256)]
    callers: usize,
    /// Only lines whose name contains this.
    filter: Option<String>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Parser)]
struct Store {
    #[command(flatten)]
    store: StoreSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data").display().to_string();
    let Store { store } = Store::parse_from(["bench", "--data-dir", &data]);
    let database = Database::open(&store).await?;
    migrate(&database, &[]).await?;
    let wanted = |name: &str| {
        options
            .filter
            .as_ref()
            .is_none_or(|f| name.contains(f.as_str()))
    };
    let time = Duration::from_secs(options.seconds);
    println!(
        "{:<16} {:>14} {:>14} {:>8}  of what",
        "line", "value", "baseline", "ratio"
    );
    if wanted("append") {
        let inserts = load::inserts(&database, 32, time).await?;
        let one = load::appends(&database, 1, options.callers, time).await?;
        line("append", one, inserts, "jobs/s beside one-row inserts/s");
        if wanted("two appenders") {
            let two = load::appends(&database, 2, options.callers, time).await?;
            line("two appenders", two, one, "jobs/s beside one appender");
        }
    }
    if wanted("chain") {
        let (inline, helper) = experiments::chain(&database).await?;
        line(
            "chain",
            inline,
            helper,
            "ms for 20,000 links beside a helper function",
        );
    }
    if wanted("head row") {
        let (last, head) = experiments::head_row(&database, time).await?;
        line(
            "head row",
            last,
            head,
            "batches/s beside an updated head row under an old snapshot",
        );
    }
    if wanted("versions") {
        let (subselect, join) = experiments::versions(&database).await?;
        line(
            "versions",
            subselect,
            join,
            "ms for 200 look-ups of 256 streams beside a stale join",
        );
    }
    database.close().await;
    Ok(())
}

fn line(name: &str, value: f64, baseline: f64, what: &str) {
    println!(
        "{name:<16} {value:>14.1} {baseline:>14.1} {:>8.2}  {what}",
        value / baseline
    );
}
