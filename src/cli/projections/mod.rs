//! `shiji projections …`: how far the read tables are, and taking parked streams up again.

mod retry;
mod status;

use clap::Subcommand;

use super::show::Output;
use super::{Exit, logs, store};
use crate::settings::StoreSettings;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
    #[command(flatten)]
    store: StoreSettings,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// How far every projection is, what is parked, and the proof by counts.
    Status(status::Args),
    /// Replay the parked streams of a projection, after the fix.
    Retry(retry::Args),
}

/// Does it.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    logs::start_quiet();
    let database = store::existing(&args.store).await?;
    store::with(database, async |database| match args.task {
        Task::Status(task) => status::run(database, args.output, task).await,
        Task::Retry(task) => retry::run(database, &args.store, args.output, task).await,
    })
    .await
}
