//! The command line: one file a command, and what they share.
//!
//! Exit codes are for scripts: 0 all is well, 1 a finding (a log that does not verify, read tables that lag), 2 it could not be
//! found out (a wrong word, a database out of reach). Answers go to standard output, everything else to standard error.

mod audit;
mod bootstrap;
pub mod demo;
mod logs;
mod migrate;
mod openapi;
mod progress;
mod projections;
mod restored;
mod serve;
mod show;
mod store;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::settings;

/// One event-sourced service behind five documented HTTP APIs, on PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "shiji", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node: both listeners, the read tables, and a private PostgreSQL unless `DATABASE_URL` is given.
    Serve(serve::Args),
    /// Bring the database up to this program: the ledger's migrations and the tables of the projections.
    Migrate(migrate::Args),
    /// Fill the store with a believable data set, sent as real commands. Safe to run again.
    Demo(demo::Args),
    /// How far the read tables are, and what to do about it.
    Projections(projections::Args),
    /// Look at the log and check that nobody changed it.
    Audit(audit::Args),
    /// Say that the database was restored from a backup, so that positions of a lost tail are recognized.
    Restored(restored::Args),
    /// Print the OpenAPI document of everything the service answers.
    Openapi,
}

/// How a command that could do its work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// All is well.
    Fine,
    /// It found what it looks for.
    Finding,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// Runs a command line, the program's name included.
#[must_use]
pub fn main_with(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            let Some(sentence) = settings::sentence(&error) else {
                error.exit();
            };
            eprintln!("shiji: {sentence}");
            return ExitCode::from(2);
        }
    };
    match run(cli.command) {
        Ok(Exit::Fine) => ExitCode::SUCCESS,
        Ok(Exit::Finding) => ExitCode::from(1),
        // Whoever read our answer has seen enough of it (`shiji audit events | head`).
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shiji: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<Exit> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Command::Serve(args) = &command
        && let Some(threads) = args.worker_threads()
    {
        runtime.worker_threads(threads);
    }
    let runtime = runtime.enable_all().build()?;
    match command {
        Command::Serve(args) => runtime.block_on(serve::run(args)),
        Command::Migrate(args) => runtime.block_on(migrate::run(args)),
        Command::Demo(args) => runtime.block_on(demo::run(args)),
        Command::Projections(args) => runtime.block_on(on_worker(projections::run(args))),
        Command::Audit(args) => runtime.block_on(audit::run(args)),
        Command::Restored(args) => runtime.block_on(restored::run(args)),
        Command::Openapi => openapi::run(),
    }
}

/// Works on a thread that waits for sockets itself: on the main thread, each of many thousand answers of the database would come
/// through another one.
async fn on_worker(
    work: impl Future<Output = anyhow::Result<Exit>> + Send + 'static,
) -> anyhow::Result<Exit> {
    tokio::spawn(work).await?
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
