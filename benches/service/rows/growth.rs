//! A store that has grown: appends and lists cost what they cost in a small one.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::article_like::Like;
use super::article_list::Feed;
use super::task_create::CreateTask;
use super::task_list::{ListTasks, PAGE};
use super::{Bound, Row};
use crate::contest::{Metric, contest};
use crate::load::Case;
use crate::report::{Figure, Report};
use crate::servers::{Grown, Service};
use crate::stage::{Pair, Stage, closed};

/// The number of connections.
const CONNECTIONS: usize = 64;

/// What is left of the throughput.
const LEFT: Bound = Bound::AtLeast(0.9);

/// The row.
pub struct Growth;

#[async_trait(?Send)]
impl Row for Growth {
    fn id(&self) -> &'static str {
        "growth"
    }

    fn what(&self) -> &'static str {
        "appends and lists in a store of 10 million events (--growth-events), beside one of a hundredth"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let Some(Pair { small, large }) = stage.grown(report).await? else {
            return Ok(());
        };
        for (name, called, case) in CASES {
            let mut contenders = [&mut *small, &mut *large].map(|store| {
                let case = case(&store.service);
                closed(&mut store.service, case)
            });
            let standings = contest(&mut contenders, CONNECTIONS, rounds, span).await?;
            drop(contenders);
            let [few, many] = [&standings[0], &standings[1]];
            report.figure(Figure {
                id: format!("{}.{name}", self.id()),
                what: format!(
                    "{name}, {CONNECTIONS} connections: throughput on {} events ÷ on {}",
                    large.events, small.events
                ),
                value: many.median(Metric::Throughput),
                unit: Metric::Throughput.unit(),
                baseline: Some(few.median(Metric::Throughput)),
                bound: Some(LEFT),
            });
            for (mut standing, called) in standings.into_iter().zip(called) {
                standing.name = called;
                report.keep(self, standing);
            }
        }
        for Grown { ours, events, .. } in [small, large] {
            ours.verify_log().await?;
            report.note(format!(
                "a store of {events} events: `shiji audit verify` passes"
            ));
        }
        Ok(())
    }
}

type Make = fn(&Service) -> Rc<dyn Case>;

/// What is asked, and what both stores are called meanwhile. Lists first, while the stores are as they were filled.
const CASES: [(&str, [&str; 2], Make); 4] = [
    ("task_list", ["tasks, small", "tasks, large"], |service| {
        Rc::new(ListTasks::new(&service.wire, PAGE))
    }),
    (
        "article_list",
        ["feed, small", "feed, large"],
        |service| match &service.community {
            Some(community) => Rc::new(Feed::new(community)),
            None => unreachable!("members come when a store is made"),
        },
    ),
    (
        "task_create",
        ["create, small", "create, large"],
        |service| Rc::new(CreateTask::new(&service.wire)),
    ),
    ("article_like", ["like, small", "like, large"], |service| {
        Rc::new(Like::new(service))
    }),
];
