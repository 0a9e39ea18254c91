//! `shiji audit erase <Aggregate:id>`.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;
use uuid::Uuid;

use super::person;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::commands::account::Actor;
use crate::commands::person::{EraseError, Person};
use crate::commands::{Desk, DeskError, Request};
use crate::ledger::{AppendLimits, Ledger, Metadata};
use crate::postgres::Database;
use crate::processes::{ForgetFailure, Receipt, forget};
use crate::projections;
use crate::projections::projector::{Projector, ProjectorOptions};
use crate::settings::{FileSettings, StoreSettings};

/// How long the command may take to reach the log.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the read tables are waited for.
const FOLLOWING: Duration = Duration::from_secs(10);
/// As a node does where nobody says otherwise.
const BATCH: usize = 2_000;
const LEASE: Duration = Duration::from_secs(5);

/// Whom.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The person, by their stream: `Account:community:<uid>`, `Account:backend:7`, `Customer:17`, `Card:3` …
    #[arg(value_name = "AGGREGATE:ID", value_parser = person)]
    subject: Person,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Where the service keeps files: pictures of the person are among them.
    #[command(flatten)]
    files: FileSettings,
}

/// Forgets somebody; one who does not exist is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    if !args.yes && !confirmed(&args.subject)? {
        return Ok(Exit::Finding);
    }
    let files = store::files(settings, &args.files)?;
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 16, 3).await?;
    let reads = database.pool("erase", 2, &projections::search_path());
    // Beside a running service it only listens how far the tables are; alone it moves them itself.
    let options = ProjectorOptions::new(BATCH, LEASE);
    let projector = Projector::start(ledger.clone(), database, options)
        .await
        .map_err(|error| store::explain(&error))?;
    let desk = Desk::new(ledger.clone(), FOLLOWING);
    let erased = (args.subject.clone(), Actor::Another);
    let forgotten = forget(&desk, (&reads, &files), &request(&ledger), erased).await;
    projector.shutdown().await;
    reads.close().await;
    store::part(&ledger).await;
    match forgotten {
        Ok(done) if output.json => show::json(&done.outcome)?,
        Ok(done) => tell(&done.outcome)?,
        Err(ForgetFailure::Desk(DeskError::Refused(EraseError::NotFound))) => {
            if !output.json {
                show::line(&format!("There is no {}.", args.subject))?;
            }
            return Ok(Exit::Finding);
        }
        Err(error) => bail!("{error}"),
    }
    Ok(Exit::Fine)
}

fn confirmed(person: &Person) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("there is nobody to ask; --yes erases {person} without asking");
    }
    let mut asked = io::stderr();
    write!(
        asked,
        "{person} will be forgotten: their key is destroyed, and nothing brings it back.\n\
         `shiji audit export --person {person}` hands them what the log holds of them first.\n\
         Type {person} to go on: "
    )?;
    asked.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == person.to_string())
}

fn request(ledger: &Ledger) -> Request {
    Request {
        metadata: Metadata {
            actor: "system:erasure".to_owned(),
            surface: "cli".to_owned(),
            request_id: Uuid::now_v7(),
            causation: None,
            correlation: None,
            at: ledger.clock().now(),
        },
        receipt: None,
        if_match: None,
        deadline: Instant::now() + PATIENCE,
    }
}

fn tell(receipt: &Receipt) -> anyhow::Result<()> {
    let mut table = show::table(["where", "what", "how many"]);
    for events in &receipt.events {
        let name = format!("log: {} {}", events.aggregate, events.event_type);
        let unreadable = "personal fields unreadable";
        table.add_row([name.into(), unreadable.into(), show::number(events.events)]);
    }
    for shown in &receipt.tables {
        let name = format!("table: {}", shown.table);
        let columns = shown.columns.join(", ");
        table.add_row([name.into(), columns.into(), show::number(shown.rows)]);
    }
    let others = [
        ("snapshots", receipt.snapshots),
        ("kept answers", receipt.receipts),
        ("rate limits", receipt.rate_limits),
        ("WeChat sessions", receipt.wechat_sessions),
        ("posters", receipt.posters),
    ];
    for (name, rows) in others {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        table.add_row([name.into(), "dropped".into(), show::number(rows)]);
    }
    show::line(&table.to_string())?;
    let when = if receipt.already { "was" } else { "is" };
    show::line(&format!(
        "{} {when} forgotten at position {}; {} names released, {} sessions closed.",
        receipt.subject, receipt.position, receipt.names_released, receipt.sessions_closed
    ))?;
    if !receipt.pending.is_empty() {
        show::line(&format!(
            "These read tables have not followed yet: {}. Ask again when they have.",
            receipt.pending.join(", ")
        ))?;
    }
    Ok(())
}
