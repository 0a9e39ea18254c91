//! `shiji audit state <Aggregate:id>`: what a stream added up to at a point, and what changed since an earlier one.

use serde_json::{Value, json};

use super::shown;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::events::past::{self, Point};
use crate::ledger::{AppendLimits, StreamId};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Of which, and when.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stream, as `Task:17` or `Account:backend:1`.
    #[arg(value_name = "AGGREGATE:ID")]
    stream: StreamId,
    /// As it was at this position of the log, or at this time (see `audit events --since`); now without it.
    #[arg(long, value_name = "POSITION|TIME")]
    at: Option<Point>,
    /// Also what changed since this earlier position or time.
    #[arg(long, value_name = "POSITION|TIME")]
    since: Option<Point>,
    #[command(flatten)]
    shown: shown::Shown,
}

/// Prints it; a stream that did not exist then is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let found = past::past(&ledger, &args.stream, args.at, args.since).await?;
    store::part(&ledger).await;
    let Some(found) = found else {
        if !output.json {
            show::line(&format!("There was no stream {} then.", args.stream))?;
        }
        return Ok(Exit::Finding);
    };
    let (position, version) = (found.position, found.version);
    let covered = |mut state: Value| {
        args.shown.cover(&mut state);
        state
    };
    let state = covered(found.state);
    let changes = (found.before).map(|before| past::changes(&covered(before), &state));
    if output.json {
        let changes = changes.map(|changes| {
            let one = |(path, (before, after)): (String, (Value, Value))| json!({ "path": path, "before": before, "after": after });
            changes.into_iter().map(one).collect::<Vec<_>>()
        });
        show::json(&json!({
            "stream": args.stream.to_string(), "version": version, "position": position, "state": state,
            "changes": changes,
        }))?;
        return Ok(Exit::Fine);
    }
    show::line(&format!(
        "{} at version {version}, position {position}:",
        args.stream
    ))?;
    show::line(&serde_json::to_string_pretty(&state)?)?;
    if let Some(changes) = changes {
        let mut table = show::table(["path", "before", "after"]);
        for (path, (before, after)) in &changes {
            table.add_row([path.clone(), before.to_string(), after.to_string()]);
        }
        let text = if changes.is_empty() {
            "Nothing changed since.".to_owned()
        } else {
            table.to_string()
        };
        show::line(&text)?;
    }
    Ok(Exit::Fine)
}
