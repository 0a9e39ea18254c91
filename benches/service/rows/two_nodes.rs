//! A second node beside the first, on the same database: what both of them do together.

use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::article_like::Like;
use super::task_create::CreateTask;
use super::{Bound, Row};
use crate::contest::{Metric, Standing, contest};
use crate::load::{Case, Span, Tally};
use crate::report::{Figure, Report};
use crate::servers::{Ours, Service, until_ready};
use crate::stage::{Stage, closed, closed_beside};

/// Connections to one node, or half of them to each.
const CONNECTIONS: usize = 256;

/// The row.
pub struct TwoNodes;

#[async_trait(?Send)]
impl Row for TwoNodes {
    fn id(&self) -> &'static str {
        "two_nodes"
    }

    fn what(&self) -> &'static str {
        "likes and creations over one node, and over two on the same database with half of the connections each"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        stage.strangers(span.all(rounds * 2)).await?;
        let Some((service, ours)) = stage.ours() else {
            return Ok(());
        };
        let (like, create) = (Like::new(service), CreateTask::new(&service.wire));
        let cases: [(&str, [_; 2], Rc<dyn Case>); 2] = [
            ("article_like", ["like, one", "like, two"], Rc::new(like)),
            (
                "task_create",
                ["create, one", "create, two"],
                Rc::new(create),
            ),
        ];
        for (name, called, case) in cases {
            let [mut one, mut two] = called.map(|name| Standing::of(name, CONNECTIONS, Vec::new()));
            for _ in 0..rounds {
                let alone = alone(service, &case, span).await?;
                one.rounds.extend(alone);
                let both = together(service, ours, &case, span).await?;
                two.rounds.extend(both);
            }
            report.figure(Figure {
                id: format!("{}.{name}", self.id()),
                what: format!("{name}, {CONNECTIONS} connections: throughput of two nodes ÷ one"),
                value: two.median(Metric::Throughput),
                unit: Metric::Throughput.unit(),
                baseline: Some(one.median(Metric::Throughput)),
                bound: Some(Bound::AtLeast(1.0)),
            });
            report.keep(self, one);
            report.keep(self, two);
        }
        // Two appenders have written by turns.
        ours.verify_log().await
    }
}

/// A round over the first node.
async fn alone(service: &mut Service, case: &Rc<dyn Case>, span: Span) -> Result<Vec<Tally>> {
    let mut one = [closed(service, Rc::clone(case))];
    Ok(rounds(contest(&mut one, CONNECTIONS, 1, span).await?))
}

/// A round over both nodes; the second lives for as long as it lasts.
async fn together(
    service: &mut Service,
    ours: &Ours,
    case: &Rc<dyn Case>,
    span: Span,
) -> Result<Vec<Tally>> {
    let (mut node, address) = ours.beside()?;
    until_ready(address, &mut node)
        .await
        .context("the second node")?;
    let mut both = [closed_beside(service, Rc::clone(case), address)];
    let standings = contest(&mut both, CONNECTIONS, 1, span).await?;
    node.alive()?;
    Ok(rounds(standings))
}

fn rounds(standings: Vec<Standing>) -> Vec<Tally> {
    standings.into_iter().flat_map(|one| one.rounds).collect()
}
