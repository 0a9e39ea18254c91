//! `shiji audit events`, and which events other questions are about.

use chrono::{DateTime, Utc};

use super::shown;
use crate::cli::show::Output;
use crate::cli::{Exit, store};
use crate::events::past;
use crate::ledger::{AppendLimits, Condition, FeedError, Ledger, Recorded, Search};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Events read at once.
const PAGE: i64 = 1_000;

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only events made by this actor, as `staff:1`.
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    #[command(flatten)]
    which: Which,
    /// At most so many; 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    #[command(flatten)]
    shown: shown::Shown,
}

/// Which events, whoever made them.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// Only events of this type, as `TaskCreated`.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events of this aggregate, as `Task`.
    #[arg(long, value_name = "AGGREGATE")]
    aggregate: Option<String>,
    /// Only events with this field (`note`), or with a field that says this (`note=n`, `cover.url=…`, `images.0=…`); all of
    /// them when given several times. Personal fields are compared with what they say only with `--personal`.
    #[arg(long = "where", value_name = "FIELD[=VALUE]")]
    conditions: Vec<Condition>,
    /// Only what was recorded at or after this time: `2026-01-31`, `2026-01-31 08:00:00` (UTC) or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = past::time)]
    since: Option<DateTime<Utc>>,
    /// Only what was recorded before this time.
    #[arg(long, value_name = "TIME", value_parser = past::time)]
    until: Option<DateTime<Utc>>,
    /// Only what follows this position.
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: i64,
}

impl Which {
    /// What the log is asked for.
    pub fn search(self, actor: Option<String>, shown: shown::Shown) -> Search {
        Search {
            event_type: self.event_type,
            aggregate: self.aggregate,
            actor,
            since: self.since,
            until: self.until,
            conditions: self.conditions,
            opened: shown.personal,
            after: self.after,
            through: None,
        }
    }
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
    let wanted = args.which.search(args.actor, args.shown);
    let mut pages = Pages::new(&ledger, wanted, args.limit).await?;
    while let Some(events) = pages.next().await? {
        shown::print(&events, output, args.shown)?;
    }
    store::part(&ledger).await;
    Ok(Exit::Fine)
}

/// What matches a search, a page at a time.
pub struct Pages<'l> {
    ledger: &'l Ledger,
    wanted: Search,
    left: i64,
}

impl<'l> Pages<'l> {
    /// At most `limit` events; 0 for all.
    pub async fn new(ledger: &'l Ledger, mut wanted: Search, limit: i64) -> anyhow::Result<Self> {
        (ledger.settle(&mut wanted).await).map_err(|error| store::explain(&error))?;
        let left = if limit == 0 { i64::MAX } else { limit };
        Ok(Self {
            ledger,
            wanted,
            left,
        })
    }

    /// The next page, not empty; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Recorded>>, FeedError> {
        let page = self.left.min(PAGE);
        if page == 0 {
            return Ok(None);
        }
        let events = self.ledger.search(&self.wanted, page).await?;
        let Some(last) = events.last() else {
            return Ok(None);
        };
        self.wanted.after = last.position;
        let found = i64::try_from(events.len()).unwrap_or(i64::MAX);
        // A page that is not full was the last.
        self.left = if found < page { 0 } else { self.left - found };
        Ok(Some(events))
    }
}
