//! `shiji audit events`.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::shown;
use crate::cli::show::Output;
use crate::cli::{Exit, store};
use crate::ledger::{AppendLimits, Search};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Events read at once.
const PAGE: i64 = 1_000;

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only events of this type, as `TaskCreated`.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events of this aggregate, as `Task`.
    #[arg(long, value_name = "AGGREGATE")]
    aggregate: Option<String>,
    /// Only events made by this actor, as `staff:1`.
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only what was recorded at or after this time: `2026-01-31`, `2026-01-31 08:00:00` (UTC) or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,
    /// Only what was recorded before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,
    /// Only what follows this position.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: i64,
    /// At most so many; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    #[command(flatten)]
    shown: shown::Shown,
}

/// Prints them, page by page.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let mut left = if args.limit == 0 {
        i64::MAX
    } else {
        args.limit
    };
    let mut wanted = Search {
        event_type: args.event_type,
        aggregate: args.aggregate,
        actor: args.actor,
        since: args.since,
        until: args.until,
        after: args.after,
    };
    while left > 0 {
        let page = left.min(PAGE);
        let events = ledger.search(&wanted, page).await?;
        let Some(last) = events.last() else { break };
        wanted.after = last.position;
        let found = i64::try_from(events.len())?;
        shown::print(&events, output, args.shown)?;
        if found < page {
            break;
        }
        left -= found;
    }
    store::part(&ledger).await;
    Ok(Exit::Fine)
}

pub(super) fn time(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let day =
        |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map(|time| time.and_utc())
        })
        .or_else(|_| day(text).map(|time| time.and_utc()))
        .map_err(
            |_| "it must be a time as 2026-01-31, 2026-01-31 08:00:00 or 2026-01-31T08:00:00+08:00",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_utc_unless_they_say_otherwise() {
        let eight = time("2026-01-31 00:00:00").unwrap();
        assert_eq!(time("2026-01-31").unwrap(), eight);
        assert_eq!(time("2026-01-31T08:00:00+08:00").unwrap(), eight);
        assert!(time("yesterday").is_err());
    }
}
