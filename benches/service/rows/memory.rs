//! Memory of the service, without its database: how much, and whether it grows while the load does not.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::article_like::Like;
use super::mixed::{Mixture, maximum};
use super::task_list::PAGE;
use super::{Bound, Row};
use crate::contest::{Metric, Standing, contest, median};
use crate::load::{Case, Span};
use crate::machine::resident_megabytes;
use crate::report::{Figure, Report};
use crate::servers::Service;
use crate::stage::{Stage, closed, paced};

/// Connections of each kind of load.
const CONNECTIONS: usize = 256;

/// The time is cut into so many parts, in turns one of likes and one mixed: every fifth of it has one of each.
const PARTS: u32 = 10;

/// How often somebody looks.
const LOOK: Duration = Duration::from_secs(1);

/// The most it may be, in megabytes.
const WANTED: f64 = 200.0;

/// How much more it may be at the end than at the beginning.
const FLAT: f64 = 1.1;

/// The row.
pub struct Memory;

#[async_trait(?Send)]
impl Row for Memory {
    fn id(&self) -> &'static str {
        "memory"
    }

    fn what(&self) -> &'static str {
        "resident memory of the service under five minutes of likes and of mixed load (--memory-seconds), looked at every second"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let seconds = stage.options.memory_seconds;
        let span = Span {
            warmup: Duration::ZERO,
            measured: Duration::from_secs_f64(seconds / f64::from(PARTS)),
        };
        stage.strangers(span.all(PARTS)).await?;
        let shown = PAGE.min(stage.options.seed_tasks);
        let Some((service, _)) = stage.ours() else {
            return Ok(());
        };
        let process = service.process.id();
        let samples = RefCell::new(Vec::new());
        let load = load(service, shown, span, maximum(report));
        let standings = tokio::select! {
            standings = load => standings?,
            failed = look(process, &samples) => return failed,
        };
        for standing in standings {
            report.keep(self, standing);
        }
        self.figures(report, &samples.into_inner(), seconds)
    }
}

impl Memory {
    fn figures(&self, report: &mut Report, samples: &[f64], seconds: f64) -> Result<()> {
        let highest = samples.iter().copied().max_by(f64::total_cmp);
        let fifth = |nth: usize| {
            let (from, to) = (nth * samples.len() / 5, (nth + 1) * samples.len() / 5);
            median(samples[from..to].iter().copied())
        };
        report.figure(Figure {
            id: format!("{}.highest", self.id()),
            what: format!(
                "resident memory of the service in {seconds} s of load, the highest ÷ {WANTED} MB"
            ),
            value: highest.context("nobody has looked")?,
            unit: "MB",
            baseline: Some(WANTED),
            bound: Some(Bound::AtMost(1.0)),
        });
        report.figure(Figure {
            id: format!("{}.flat", self.id()),
            what: "the same, median of the last fifth of the time ÷ of the second".to_owned(),
            value: fifth(4),
            unit: "MB",
            baseline: Some(fifth(1)),
            bound: Some(Bound::AtMost(FLAT)),
        });
        Ok(())
    }
}

/// Likes as fast as they are answered, and mixed load at half of its maximum, in turns.
async fn load(
    service: &mut Service,
    tasks: usize,
    span: Span,
    most: Option<f64>,
) -> Result<Vec<Standing>> {
    let like: Rc<dyn Case> = Rc::new(Like::new(service));
    let mixture: Rc<dyn Case> = Rc::new(Mixture::new(service, tasks)?);
    let most = if let Some(most) = most {
        most
    } else {
        let mut alone = [closed(service, Rc::clone(&mixture))];
        let standings = contest(&mut alone, CONNECTIONS, 1, span).await?;
        standings[0].median(Metric::Throughput)
    };
    let [mut likes, mut mixed] =
        ["likes", "mixed"].map(|name| Standing::of(name, CONNECTIONS, Vec::new()));
    for part in 0..PARTS {
        let (load, into) = if part % 2 == 0 {
            (closed(service, Rc::clone(&like)), &mut likes)
        } else {
            (paced(service, Rc::clone(&mixture), most / 2.0), &mut mixed)
        };
        for standing in contest(&mut [load], CONNECTIONS, 1, span).await? {
            into.rounds.extend(standing.rounds);
        }
    }
    Ok(vec![likes, mixed])
}

/// Looks until it is dropped.
async fn look(process: u32, samples: &RefCell<Vec<f64>>) -> Result<()> {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let megabytes = resident_megabytes(process)?;
        samples.borrow_mut().push(megabytes);
    }
}
