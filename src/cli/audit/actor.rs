//! `shiji audit actor <ACTOR>`: everything one caller did.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::events::{Pages, Which};
use super::shown;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger::{AppendLimits, Recorded};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Who, and what of it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who, as events name callers: `staff:1`, `member:<uid>`, `customer:7`, `system:expiry`, `anonymous`.
    #[arg(value_name = "ACTOR")]
    actor: String,
    #[command(flatten)]
    which: Which,
    /// At most so many; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    /// Only how often what was done, first and last.
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    shown: shown::Shown,
}

/// What was done how often; as much as there are types of events, however much was done.
#[derive(Debug, Default)]
struct Sum(BTreeMap<(String, String), Times>);

#[derive(Debug)]
struct Times {
    events: i64,
    first: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Sum {
    fn add(&mut self, event: &Recorded) {
        let surface = event.metadata().map(|m| m.surface).unwrap_or_default();
        let key = (surface, event.event_type.clone());
        let at = event.recorded_at;
        let times = self.0.entry(key).or_insert(Times {
            events: 0,
            first: at,
            last: at,
        });
        times.events += 1;
        times.last = at;
    }

    fn events(&self) -> i64 {
        self.0.values().map(|times| times.events).sum()
    }

    fn print(&self, actor: &str, output: Output) -> anyhow::Result<()> {
        if output.json {
            let line = |((surface, kind), times): (&(String, String), &Times)| {
                json!({
                    "surface": surface, "type": kind, "events": times.events, "first": times.first, "last": times.last,
                })
            };
            return show::json(&json!({
                "actor": actor, "events": self.events(), "types": self.0.iter().map(line).collect::<Vec<_>>(),
            }));
        }
        let mut table = show::table(["surface", "event", "times", "first (UTC)", "last (UTC)"]);
        for ((surface, kind), times) in &self.0 {
            let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S").to_string();
            table.add_row([
                surface.as_str().into(),
                kind.as_str().into(),
                show::number(times.events),
                time(times.first).into(),
                time(times.last).into(),
            ]);
        }
        show::line(&table.to_string())
    }
}

/// Prints it; who did nothing is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let wanted = args.which.search(Some(args.actor.clone()), args.shown);
    let mut pages = Pages::new(&ledger, wanted, args.limit).await?;
    let mut sum = Sum::default();
    while let Some(events) = pages.next().await? {
        for event in &events {
            sum.add(event);
        }
        if !args.summary {
            shown::print(&events, output, args.shown)?;
        }
    }
    store::part(&ledger).await;
    let nothing = sum.events() == 0;
    if nothing && !output.json {
        show::line(&format!("{} did nothing that matches.", args.actor))?;
    } else if args.summary || !output.json {
        sum.print(&args.actor, output)?;
    }
    Ok(if nothing { Exit::Finding } else { Exit::Fine })
}
