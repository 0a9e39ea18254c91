//! Building the read tables anew: how fast, and what clients notice of it.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::task_create::CreateTask;
use super::{Bound, Row};
use crate::contest::{Metric, Standing, contest, median};
use crate::load::Case;
use crate::report::{Figure, Report};
use crate::stage::{Stage, paced};
use crate::stock::replay::replay;

/// How long the stock replay may go on.
const REPLAY: Duration = Duration::from_secs(15);
/// Events a second that all read models together should take, on two cores.
const WANTED: f64 = 200_000.0;
/// Creations a second while the tables are built beside.
const ARRIVALS: f64 = 500.0;
/// Connections that share them.
const CONNECTIONS: usize = 16;
/// Events a second that a rebuild may fold which leaves room for the service.
const THROTTLE: u32 = 5_000;

/// Unthrottled, while the service idles.
pub struct Rebuild;

#[async_trait(?Send)]
impl Row for Rebuild {
    fn id(&self) -> &'static str {
        "rebuild"
    }

    fn what(&self) -> &'static str {
        "all read tables built anew from a log of demo data; stock: `QueryReplay` of the tasks in the same log into a `GenericQuery`"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (rounds, stock) = (stage.options.rounds, stage.stock_url());
        let Some(archive) = stage.archive().await? else {
            return Ok(());
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut folded = 0.0;
        for round in 1..=rounds {
            let rebuilt = archive.rebuild().await?;
            let rate = rebuilt.events / rebuilt.seconds;
            let (events, seconds) = (rebuilt.events, rebuilt.seconds);
            eprintln!("  round {round}: ours {events} events in {seconds:.2} s, {rate:.0}/s");
            folded = events;
            ours.push(rate);
            if let Some(stock) = &stock {
                let rate = replay(archive.database()?, stock, REPLAY).await?;
                eprintln!("  round {round}: stock {rate:.0}/s");
                theirs.push(rate);
            }
        }
        let what = format!("events a second folded into all read tables, a log of {folded}");
        report.figure(Figure {
            id: format!("{}.events", self.id()),
            what: format!("{what} ÷ {WANTED}"),
            value: median(ours.clone()),
            unit: "1/s",
            baseline: Some(WANTED),
            bound: Some(Bound::AtLeast(1.0)),
        });
        if !theirs.is_empty() {
            report.figure(Figure {
                id: format!("{}.stock", self.id()),
                what: format!("{what} ÷ stock, one view"),
                value: median(ours),
                unit: "1/s",
                baseline: Some(median(theirs)),
                bound: Some(Bound::AtLeast(50.0)),
            });
        }
        Ok(())
    }
}

/// Throttled, while clients write.
pub struct RebuildBeside;

#[async_trait(?Send)]
impl Row for RebuildBeside {
    fn id(&self) -> &'static str {
        "rebuild_beside"
    }

    fn what(&self) -> &'static str {
        "create a task, 500 arrivals a second, with and without a rebuild of all read tables at 5,000 events a second beside it"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let log = stage.log_of("rebuild");
        let Some(archive) = stage.archive().await? else {
            return Ok(());
        };
        let case: Rc<dyn Case> = Rc::new(CreateTask::new(&archive.service.wire));
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            for busy in [false, true] {
                // It begins anew each time, so that it lasts longer than the round.
                let rebuild = busy.then(|| archive.rebuilding(THROTTLE, &log));
                let mut rebuild = rebuild.transpose()?;
                let mut one = [paced(&mut archive.service, Rc::clone(&case), ARRIVALS)];
                let standings = contest(&mut one, CONNECTIONS, 1, span).await?;
                if let Some(rebuild) = &mut rebuild {
                    rebuild
                        .alive()
                        .context("the rebuild must outlast the round: --rebuild-tasks")?;
                }
                let into = if busy { &mut beside } else { &mut alone };
                into.extend(standings.into_iter().flat_map(|standing| standing.rounds));
            }
        }
        let (alone, beside) = (
            Standing::of("alone", CONNECTIONS, alone),
            Standing::of("beside", CONNECTIONS, beside),
        );
        report.figure(Figure {
            id: format!("{}.p99", self.id()),
            what: format!(
                "create a task at {ARRIVALS}/s: p99 beside a rebuild at {THROTTLE} events a second ÷ p99 without"
            ),
            value: beside.median(Metric::P99),
            unit: Metric::P99.unit(),
            baseline: Some(alone.median(Metric::P99)),
            bound: Some(Bound::AtMost(2.0)),
        });
        report.keep(self, alone);
        report.keep(self, beside);
        Ok(())
    }
}
