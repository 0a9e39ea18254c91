//! A start on a store that has grown: how long until the service says that it should be sent work.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::task_create::CreateTask;
use super::{Bound, Row};
use crate::contest::{contest, median};
use crate::load::Case;
use crate::report::{Figure, Report};
use crate::stage::{Stage, closed};

/// Seconds that a start may take.
const WANTED: f64 = 2.0;

/// Connections under whose load it is killed.
const CONNECTIONS: usize = 64;

/// The row.
pub struct Start;

#[async_trait(?Send)]
impl Row for Start {
    fn id(&self) -> &'static str {
        "start"
    }

    fn what(&self) -> &'static str {
        "from the start of the service to ready, on 10 million events (--growth-events), its PostgreSQL included"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let Some(pair) = stage.grown(report).await? else {
            return Ok(());
        };
        let store = &mut pair.large;
        let case: Rc<dyn Case> = Rc::new(CreateTask::new(&store.service.wire));
        let (mut after_stop, mut after_kill) = (Vec::new(), Vec::new());
        for round in 1..=rounds {
            let seconds = store.restart().await?;
            store.service.check_list().await?;
            eprintln!("  round {round}: ready {seconds:.2} s after it was stopped");
            after_stop.push(seconds);
            let mut load = [closed(&mut store.service, Rc::clone(&case))];
            contest(&mut load, CONNECTIONS, 1, span).await?;
            drop(load);
            let seconds = store.crash().await?;
            // What was acknowledged is there.
            store.service.check_list().await?;
            eprintln!("  round {round}: ready {seconds:.2} s after it was killed");
            after_kill.push(seconds);
        }
        store.ours.verify_log().await?;
        let events = store.events;
        report.figure(Figure {
            id: format!("{}.stopped", self.id()),
            what: format!("start on {events} events until ready ÷ {WANTED} s"),
            value: median(after_stop),
            unit: "s",
            baseline: Some(WANTED),
            bound: Some(Bound::AtMost(1.0)),
        });
        report.figure(Figure {
            id: format!("{}.killed", self.id()),
            what: format!(
                "start on {events} events until ready, after service and PostgreSQL were killed behind a load"
            ),
            value: median(after_kill),
            unit: "s",
            baseline: None,
            bound: None,
        });
        Ok(())
    }
}
