//! The write at a fixed rate: what a client waits when the service is busy but not saturated.

use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::Row;
use super::task_create::{CreateTask, TaskCreate};
use crate::contest::{Metric, contest};
use crate::load::{Case, Span};
use crate::report::Report;
use crate::servers::Service;
use crate::stage::{Stage, closed, paced};

/// Connections that share the arrivals, and for which the maximum is measured. With fewer, those on their way would fill
/// them at half of the maximum already, and the row would say how long requests wait for a connection.
const CONNECTIONS: usize = 256;

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
        let mut contenders = Vec::new();
        for service in stage.services() {
            let case: Rc<dyn Case> = Rc::new(CreateTask::new(&service.wire));
            let known = report.at(
                TaskCreate.id(),
                service.name,
                CONNECTIONS,
                Metric::Throughput,
            );
            let most = match known {
                Some(most) => most,
                None => maximum(service, &case, span).await?,
            };
            contenders.push(paced(service, case, most / 2.0));
        }
        let standings = contest(&mut contenders, CONNECTIONS, rounds, span).await?;
        report.compare(self, standings, &[]);
        Ok(())
    }
}

/// The closed-loop maximum, when no other row has measured it.
async fn maximum(service: &mut Service, case: &Rc<dyn Case>, span: Span) -> Result<f64> {
    let mut alone = [closed(service, Rc::clone(case))];
    let standings = contest(&mut alone, CONNECTIONS, 1, span).await?;
    Ok(standings[0].median(Metric::Throughput))
}
