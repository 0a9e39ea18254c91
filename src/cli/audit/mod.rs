//! `shiji audit …`: what happened, and whether anybody changed it.
//!
//! [`head`], [`verify`] and [`proof`] need no master key: what the chain covers is the stored bytes. Personal values are shown as
//! whose they are, not what they say, unless `--personal` asks for it.

mod actor;
mod concerning;
mod erase;
mod events;
mod export;
mod head;
mod proof;
mod replay;
mod shown;
mod state;
mod stream;
mod trace;
mod verify;

use clap::Subcommand;

use super::show::Output;
use super::{Exit, logs, store};
use crate::commands::person::Person;
use crate::ledger::StreamId;
use crate::settings::StoreSettings;

/// Which question.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    question: Question,
    #[command(flatten)]
    store: StoreSettings,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Everything that happened to one thing, in order.
    Stream(stream::Args),
    /// What a stream added up to at a point, and what changed since an earlier one.
    State(state::Args),
    /// Everything one caller did.
    Actor(actor::Args),
    /// A request and all it caused.
    Trace(trace::Args),
    /// Fold every stream of the log through today's code and report what does not decode or fold.
    Replay,
    /// Events of the log, in order, as far as they match.
    Events(events::Args),
    /// Forget a person: destroy their key, blank what is beside the log, and say what was erased where.
    Erase(erase::Args),
    /// Write events to a file, as JSON lines or CSV; broken off, the same command goes on from there.
    Export(export::Args),
    /// Count: every event in the tables once, no hole in the log, every counter what it counts.
    Proof(proof::Args),
    /// Recompute the chain and name the first position that was changed, removed, inserted or moved.
    Verify(verify::Args),
    /// The last position and its link: keep it elsewhere, and verify from it later.
    Head,
}

/// Answers it.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    logs::start_quiet();
    let Args {
        question,
        store: settings,
        output,
    } = args;
    let database = store::existing(&settings).await?;
    store::with(database, async |database| match question {
        Question::Stream(args) => stream::run(database, &settings, output, args).await,
        Question::State(args) => state::run(database, &settings, output, args).await,
        Question::Actor(args) => actor::run(database, &settings, output, args).await,
        Question::Trace(args) => trace::run(database, &settings, output, args).await,
        Question::Replay => replay::run(database, &settings, output).await,
        Question::Events(args) => events::run(database, &settings, output, args).await,
        Question::Erase(args) => erase::run(database, &settings, output, args).await,
        Question::Export(args) => export::run(database, &settings, output, args).await,
        Question::Proof(args) => proof::run(database, output, args).await,
        Question::Verify(args) => verify::run(database, output, args).await,
        Question::Head => head::run(database, output).await,
    })
    .await
}

/// Somebody who can be forgotten, as the command line names them.
fn person(text: &str) -> Result<Person, &'static str> {
    let stream = text.parse::<StreamId>().ok();
    stream.and_then(|stream| Person::of(&stream)).ok_or(
        "it must name a person's stream, as Account:community:<uid>, Account:backend:7, Customer:17 or Card:3",
    )
}
