//! Sending the data set, as far as it is not in the log yet.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::stories::{Story, tell};
use super::teams;
use super::{community, market, mini_program, showcases, staff};
use crate::cli::progress::Progress;
use crate::commands::task::TaskError;
use crate::commands::{Desk, DeskError, ReceiptKey, Request};
use crate::events::Task;
use crate::ledger::Metadata;

/// The door these commands come through, in the metadata of their events.
pub(super) const SURFACE: &str = "demo";
/// Stories told at once.
const AT_ONCE: usize = 64;
/// How long one command may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What a run has sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Tasks of the data set, sent now or by earlier runs.
    pub tasks: u64,
    /// Staff accounts opened now.
    pub accounts_opened: u64,
    /// Tasks created now.
    pub tasks_created: u64,
    /// What the other surfaces got now.
    pub parts: Vec<Part>,
    /// Commands accepted now, creations among them.
    pub commands: u64,
    /// Stories that end early, because somebody moved their task.
    pub cut_short: u64,
}

/// What one surface got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its main things, as `work teams`.
    pub what: &'static str,
    /// How many of them were made now.
    pub made: u64,
    /// Commands accepted now.
    pub commands: u64,
}

impl Part {
    const fn new(what: &'static str, made: u64, commands: u64) -> Self {
        Self {
            what,
            made,
            commands,
        }
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tasks,
            accounts_opened,
            tasks_created,
            parts,
            commands,
            cut_short,
        } = self;
        if *commands == 0 {
            return write!(f, "All {tasks} tasks of the demo data are there already.");
        }
        write!(
            f,
            "Demo data: {tasks} tasks, {tasks_created} of them new; {accounts_opened} staff accounts"
        )?;
        for Part { made, what, .. } in parts {
            write!(f, ", {made} {what}")?;
        }
        write!(f, " opened or made; {commands} commands sent.")?;
        if *cut_short > 0 {
            write!(
                f,
                " {cut_short} stories ended early: somebody moved their task."
            )?;
        }
        Ok(())
    }
}

/// What the log has of each story: the id of its stream, and how many events it was given.
pub(super) type Done = HashMap<String, (String, i64)>;

#[derive(Default)]
struct Tally {
    tasks_created: AtomicU64,
    commands: AtomicU64,
    cut_short: AtomicU64,
}

pub(super) struct Sender {
    pub(super) desk: Desk,
    pub(super) seed: u64,
    /// What is in the log, by correlation: the task and how many events it was given.
    done: Done,
    /// Of everybody in [`staff::EVERYBODY`].
    pub(super) uids: Vec<i64>,
    tally: Tally,
}

/// What a bar says while stories are told.
pub const TELLING: &str = "Telling the stories of tasks";

/// Sends `size` stories of a data set, as far as they are not told yet.
///
/// # Errors
/// When something breaks; what was sent stays, and the next run goes on from there.
pub async fn fill(
    desk: &Desk,
    seed: u64,
    size: u32,
    mut progress: Progress,
) -> anyhow::Result<Filled> {
    let prefix = format!("demo/{seed}/");
    let traces = desk.ledger().traces(SURFACE, &prefix).await?;
    let of = |aggregate: &str| -> Done {
        let mine = traces
            .iter()
            .filter(|trace| trace.stream.aggregate == aggregate);
        mine.map(|trace| {
            (
                trace.correlation.clone(),
                (trace.stream.id.clone(), trace.events),
            )
        })
        .collect()
    };
    let accounts = of("Account");
    let mut sender = Sender {
        desk: desk.clone(),
        seed,
        done: of("Task"),
        uids: Vec::new(),
        tally: Tally::default(),
    };
    let accounts_opened = staff::enter(&mut sender, &accounts).await?;
    let sender = Arc::new(sender);
    let mut telling = JoinSet::new();
    let mut told = 0;
    for number in 0..size {
        let story = tell(seed, number);
        // Ids are taken one after the other, so that they follow the stories.
        let id = sender.id(&story).await?;
        let teller = Arc::clone(&sender);
        telling.spawn(async move { teller.send(story, id).await });
        while telling.len() >= AT_ONCE || number + 1 == size {
            let Some(end) = telling.join_next().await else {
                break;
            };
            end??;
            told += 1;
            progress.set(told);
        }
    }
    progress.now("Entering work teams and customer cases");
    let teams = teams::fill(desk).await?;
    let cases = showcases::fill(desk).await?;
    progress.now("Entering companies, cards and case diaries");
    let cards = mini_program::fill(desk).await?;
    progress.now("Letting members write, comment and like");
    let community = community::fill(desk, community::members(size)).await?;
    progress.now("Filling the catalogue, and selling tickets");
    let market = market::fill(desk).await?;
    let parts = vec![
        Part::new("work teams", teams.teams, teams.commands),
        Part::new("customer cases", cases.cases, cases.commands),
        Part::new("cards", cards.cards, cards.commands),
        Part::new("articles", community.articles, community.commands),
        Part::new("things in the catalogue", market.things, market.commands),
        Part::new("orders", market.orders, 0),
    ];
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let beside: u64 = parts.iter().map(|part| part.commands).sum();
    Ok(Filled {
        tasks: size.into(),
        accounts_opened,
        tasks_created: count(&sender.tally.tasks_created),
        parts,
        commands: count(&sender.tally.commands) + accounts_opened + beside,
        cut_short: count(&sender.tally.cut_short),
    })
}

impl Sender {
    /// The id of a story's task: the one it has, or a new one.
    async fn id(&self, story: &Story) -> anyhow::Result<String> {
        Ok(match self.done.get(&self.correlation(story)) {
            Some((id, _)) => id.clone(),
            None => self.desk.ledger().next_id("task").await?.to_string(),
        })
    }

    /// Sends what the log does not have of a story.
    async fn send(&self, story: Story, mut id: String) -> anyhow::Result<()> {
        let correlation = self.correlation(&story);
        let mut told = self.done.get(&correlation).map_or(0, |(_, events)| *events);
        for step in &story.steps {
            if told >= step.events {
                told -= step.events;
                continue;
            }
            let uid = self.uids[step.by];
            let command = step.what.command(uid);
            let actor = format!("staff:{uid}");
            let creates = matches!(command, crate::commands::task::TaskCommand::Create { .. });
            let outcome = if creates {
                // Two runs at once shall not both create it.
                let request =
                    self.request(&actor, correlation.clone(), Some(receipt(&correlation)));
                self.desk.create::<Task>(&request, &id, command).await
            } else {
                let request = self.request(&actor, correlation.clone(), None);
                self.desk.execute::<Task>(&request, &id, command).await
            };
            match outcome {
                Ok(done) => {
                    if creates && done.repeated {
                        if let Some(change) = done.changes.first() {
                            id.clone_from(&change.id);
                        }
                    } else if creates {
                        self.tally.tasks_created.fetch_add(1, Ordering::Relaxed);
                    }
                    if !done.repeated {
                        self.tally.commands.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(DeskError::Refused(refusal)) => {
                    self.cut_short(&id, &refusal);
                    return Ok(());
                }
                Err(error) => return Err(error).with_context(|| format!("task {id}")),
            }
        }
        Ok(())
    }

    fn cut_short(&self, id: &str, refusal: &TaskError) {
        tracing::debug!("The story of task {id} ends early: {refusal}");
        self.tally.cut_short.fetch_add(1, Ordering::Relaxed);
    }

    fn correlation(&self, story: &Story) -> String {
        format!("demo/{}/{}", self.seed, story.number)
    }

    pub(super) fn request(
        &self,
        actor: &str,
        correlation: String,
        receipt: Option<ReceiptKey>,
    ) -> Request {
        Request {
            metadata: Metadata {
                actor: actor.to_owned(),
                surface: SURFACE.to_owned(),
                request_id: Uuid::now_v7(),
                causation: None,
                correlation: Some(correlation),
                at: self.desk.ledger().clock().now(),
            },
            receipt,
            if_match: None,
            deadline: Instant::now() + PATIENCE,
        }
    }
}

/// What tells a command that may be sent once: its correlation.
pub(super) fn receipt(correlation: &str) -> ReceiptKey {
    let key = Sha256::digest(correlation.as_bytes()).into();
    ReceiptKey { key, digest: key }
}
