//! `shiji demo`: a believable data set, sent as real commands through the desk.
//!
//! What is sent follows from the seed alone (`stories.rs`, `staff.rs`), so that a larger run begins with the smaller one. Every
//! command carries `demo/<seed>/<story>` as its correlation: a run finds in the log what earlier runs have done and sends
//! only the rest ([`fill`]). Running it again, after an interruption or at another size, is safe.

pub mod community;
mod dice;
mod fill;
mod library;
pub mod market;
pub mod mini_program;
pub mod showcases;
mod staff;
mod stories;
pub mod teams;
mod words;

use std::time::Duration;

use super::progress::Progress;
use super::show::{self, Output};
use super::{Exit, logs, store};
use crate::commands::Desk;
use crate::ledger::AppendLimits;
use crate::postgres::{Database, migrate};
use crate::projections;
use crate::settings::StoreSettings;

pub use fill::{TELLING, fill};

/// Tasks of a data set that nobody sized.
pub const SIZE: u32 = 3_000;
/// The seed of a data set that nobody seeded.
pub const SEED: u64 = 20_260_101;

/// How much of what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many tasks, 0…10000000. The community has as many members, but at least 60 and at most 2000.
    #[arg(long, value_name = "TASKS", default_value_t = SIZE, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    size: u32,
    /// What the data set is made from: the same seed gives the same tasks, another one gives others beside them.
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    seed: u64,
    #[command(flatten)]
    store: StoreSettings,
    #[command(flatten)]
    output: Output,
}

/// Fills the store of the settings, beside a running service or alone.
pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    logs::start_quiet();
    let keys = store::keys(&args.store)?;
    let database = Database::attach(&args.store).await?;
    store::with(database, async |database| {
        migrate(database, &projections::schemas()).await?;
        let ledger = store::ledger(database, keys, AppendLimits::default(), 10_000, 8).await?;
        // Here nobody moves the read tables: a running service does, or the next start of one.
        let desk = Desk::new(ledger.clone(), Duration::ZERO);
        let progress = Progress::new(TELLING, args.size.into());
        let filled = fill(&desk, args.seed, args.size, progress).await?;
        store::part(&ledger).await;
        if args.output.json {
            show::json(&filled)?;
        } else {
            show::line(&filled.to_string())?;
        }
        Ok(Exit::Fine)
    })
    .await
}
