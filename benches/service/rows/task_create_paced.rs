//! The write at a fixed rate: what a client waits when the service is busy but not saturated.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::Row;
use super::task_create::CreateTask;
use crate::contest::{Metric, Standing, contest};
use crate::report::Report;
use crate::stage::{Stage, paced};

/// Connections that share the arrivals.
const CONNECTIONS: usize = 64;

/// The row.
pub struct TaskCreatePaced;

#[async_trait(?Send)]
impl Row for TaskCreatePaced {
    fn id(&self) -> &'static str {
        "task_create_paced"
    }

    fn what(&self) -> &'static str {
        "create a task, arrivals at half of each service's closed-loop maximum; latency from the scheduled time"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let mut standings = Vec::new();
        for service in [&mut stage.ours, &mut stage.stock].into_iter().flatten() {
            let case = Rc::new(CreateTask::new(&service.wire));
            let most = report.best(
                super::task_create::TaskCreate.id(),
                service.name,
                Metric::Throughput,
            );
            let rate = match most {
                Some(most) => most / 2.0,
                None => {
                    let mut closed = [crate::stage::closed(service, Rc::clone(&case) as _)];
                    let found = contest(&mut closed, CONNECTIONS, 1, span).await?;
                    found[0].median(Metric::Throughput) / 2.0
                }
            };
            let mut standing = Standing {
                name: service.name,
                connections: CONNECTIONS,
                rounds: Vec::new(),
            };
            for round in 1..=rounds {
                let tally = paced(service, Rc::clone(&case) as _, CONNECTIONS, rate, span).await?;
                eprintln!(
                    "  {rate:.0}/s, round {round}: {:<8} p50 {:>8.3} ms  p99 {:>8.3} ms",
                    service.name,
                    tally.quantile_ms(0.50),
                    tally.quantile_ms(0.99),
                );
                standing.rounds.push(tally);
            }
            standings.push(standing);
        }
        report.compare(self, standings, &[]);
        Ok(())
    }
}
