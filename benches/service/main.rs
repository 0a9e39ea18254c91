//! `make bench`: the service, a stock service and the bare database, measured in one run.
//!
//! - [`rows`] says what is measured: one file a line of the report. Start there to add one.
//! - [`load`] is the load generator: raw HTTP/1.1, closed and open loop, every answer checked.
//! - [`servers`] starts what is measured: PostgreSQL, our service, the stock service.
//! - [`filling`] writes what a large store holds.
//! - [`stock`] is the service one would write from the README of `postgres-es`.
//! - [`contest`] runs the contenders in turns and takes medians; [`report`] prints and saves them.
//!
//! `docs/performance.md` explains what each figure means.

mod contest;
mod filling;
mod load;
mod machine;
mod options;
mod pgbench;
mod report;
mod rows;
mod servers;
mod stage;
mod stock;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::options::{Cli, Mode, Options};
use crate::report::Report;
use crate::stage::Stage;

/// The stock service gets the same allocator as ours.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.mode {
        Some(Mode::Stock(options)) => {
            runtime_of_all_cores().and_then(|runtime| runtime.block_on(stock::serve(options)))
        }
        Some(Mode::Fill(options)) => {
            runtime_of_all_cores().and_then(|runtime| runtime.block_on(filling::fill(&options)))
        }
        None => {
            generator_runtime().and_then(|runtime| runtime.block_on(interruptible(cli.options)))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn runtime_of_all_cores() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// One thread: the generator must not take more than it needs from the cores it shares.
fn generator_runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Runs the benchmark; when told to leave, everything it started is stopped and removed.
async fn interruptible(options: Options) -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = run(options) => outcome,
        _ = terminated.recv() => anyhow::bail!("terminated; nothing was saved"),
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted; nothing was saved"),
    }
}

async fn run(options: Options) -> Result<()> {
    let rows = rows::chosen(&options)?;
    if options.list {
        for row in &rows {
            println!("{:<20} {}", row.id(), row.what());
        }
        return Ok(());
    }

    let mut stage = Stage::set_up(options).await?;
    let mut report = Report::new(machine::describe(&stage).await?);
    for row in &rows {
        eprintln!("\n{}: {}", row.id(), row.what());
        row.run(&mut stage, &mut report).await?;
    }
    stage.verify(&mut report).await?;
    let strict = stage.options.strict;
    // Waiting for processes to leave blocks, and nothing else is left to run.
    drop(stage);

    report.print();
    report.save()?;
    report.verdict(strict)
}
