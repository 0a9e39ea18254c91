//! `shiji audit state <Aggregate:id>`: what a stream added up to at a point, and what changed since an earlier one.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{events, shown};
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::events::fold_of;
use crate::ledger::{AppendLimits, Recorded, StreamId};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Of which, and when.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stream, as `Task:17` or `Account:backend:1`.
    #[arg(value_name = "AGGREGATE:ID")]
    stream: StreamId,
    /// As it was at this position of the log, or at this time (see `audit events --since`); now without it.
    #[arg(long, value_name = "POSITION|TIME", value_parser = point)]
    at: Option<Point>,
    /// Also what changed since this earlier position or time.
    #[arg(long, value_name = "POSITION|TIME", value_parser = point)]
    since: Option<Point>,
    #[command(flatten)]
    shown: shown::Shown,
}

/// A moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Up to and with this position.
    Position(i64),
    /// Recorded before or at this time.
    Time(DateTime<Utc>),
}

impl Point {
    fn includes(self, event: &Recorded) -> bool {
        match self {
            Self::Position(position) => event.position <= position,
            Self::Time(time) => event.recorded_at <= time,
        }
    }
}

fn point(text: &str) -> Result<Point, &'static str> {
    match text.parse() {
        Ok(position) => Ok(Point::Position(position)),
        Err(_) => events::time(text).map(Point::Time),
    }
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
    let mut recorded = ledger.stream(&args.stream).await?;
    store::part(&ledger).await;
    if let Some(at) = args.at {
        recorded.retain(|event| at.includes(event));
    }
    let Some(last) = recorded.last() else {
        if !output.json {
            show::line(&format!("There was no stream {} then.", args.stream))?;
        }
        return Ok(Exit::Finding);
    };
    let (position, version) = (last.position, last.sequence);
    let state = folded(&args.stream, &recorded, args.shown)?;
    let changes = match args.since {
        Some(since) => {
            let earlier: Vec<Recorded> = (recorded.iter().filter(|event| since.includes(event)))
                .cloned()
                .collect();
            let before = folded(&args.stream, &earlier, args.shown)?;
            Some(changes(&before, &state))
        }
        None => None,
    };
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

fn folded(stream: &StreamId, recorded: &[Recorded], shown: shown::Shown) -> anyhow::Result<Value> {
    let mut fold = fold_of(&stream.aggregate).with_context(|| {
        format!(
            "this build does not know the aggregate {}",
            stream.aggregate
        )
    })?;
    for event in recorded {
        let place = || format!("event {} of {stream}", event.sequence);
        fold.apply(event).with_context(place)?;
    }
    let mut state = fold.state()?;
    shown.cover(&mut state);
    Ok(state)
}

/// The leaves that differ, by their paths.
fn changes(before: &Value, after: &Value) -> BTreeMap<String, (Value, Value)> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    leaves(before, String::new(), &mut old);
    leaves(after, String::new(), &mut new);
    let mut changes = BTreeMap::new();
    for path in old.keys().chain(new.keys()) {
        let of = |leaves: &BTreeMap<String, Value>| leaves.get(path).cloned().unwrap_or_default();
        let (before, after) = (of(&old), of(&new));
        if before != after {
            changes.insert(path.clone(), (before, after));
        }
    }
    changes
}

fn leaves(value: &Value, path: String, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, child) in map {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                leaves(child, path, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (n, child) in items.iter().enumerate() {
                leaves(child, format!("{path}[{n}]"), into);
            }
        }
        leaf => {
            into.insert(path, leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_the_leaves_that_differ() {
        let before = json!({ "Open": { "role": 0, "tags": ["a", "b"], "same": 1 } });
        let after = json!({ "Open": { "role": 1, "tags": ["a"], "same": 1, "new": null } });
        let found = changes(&before, &after);
        let expected = [
            ("Open.role".to_owned(), (json!(0), json!(1))),
            ("Open.tags[1]".to_owned(), (json!("b"), Value::Null)),
        ];
        assert_eq!(found, BTreeMap::from(expected));
    }

    #[test]
    fn a_point_is_a_position_or_a_time() {
        assert_eq!(point("42"), Ok(Point::Position(42)));
        assert!(matches!(point("2026-01-31"), Ok(Point::Time(_))));
        assert!(point("yesterday").is_err());
    }
}
