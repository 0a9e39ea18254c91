//! `shiji projections …`: how far the read tables are, building them anew, and taking parked streams up again.

mod list;
mod prune;
mod rebuild;
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

/// Which projections.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// By their names, as `tasks`.
    #[arg(value_name = "PROJECTION")]
    names: Vec<String>,
    /// All of this build.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Every projection of this build, and what it feeds on.
    List,
    /// Build read tables anew beside the live ones, compare, and put them in their place. The service runs on; what was
    /// broken off goes on where it was.
    Rebuild(rebuild::Args),
    /// Compare the tables a rebuild has built with the live ones.
    Diff(Which),
    /// Put the tables a rebuild has built in the place of the live ones.
    Switch(Which),
    /// Go back to the tables that served before the last switch.
    Rollback(Which),
    /// Drop the tables that nobody runs: of other versions, and what rebuilds left.
    Prune(prune::Args),
    /// How far every projection is, what is parked, and the proof by counts.
    Status(status::Args),
    /// Replay the parked streams of a projection, after the fix.
    Retry(retry::Args),
}

/// Does it.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    logs::start_quiet();
    if let Task::List = args.task {
        return list::run(args.output);
    }
    let database = store::existing(&args.store).await?;
    let (settings, output) = (&args.store, args.output);
    store::with(database, async |database| match args.task {
        Task::List => list::run(output),
        Task::Rebuild(task) => rebuild::run(database, settings, output, task).await,
        Task::Diff(which) => {
            rebuild::carry_out(database, settings, output, &which, rebuild::Plan::DIFF).await
        }
        Task::Switch(which) => {
            rebuild::carry_out(database, settings, output, &which, rebuild::Plan::SWITCH).await
        }
        Task::Rollback(which) => rebuild::rollback(database, settings, output, &which).await,
        Task::Prune(task) => prune::run(database, output, task).await,
        Task::Status(task) => status::run(database, args.output, task).await,
        Task::Retry(task) => retry::run(database, &args.store, args.output, task).await,
    })
    .await
}
