//! The write: create a task; the answer comes when it is durable and the list shows it.

use std::borrow::Cow;
use std::rc::Rc;

use anyhow::Result;
use async_trait::async_trait;

use super::{Bound, Goal, Row};
use crate::contest::{Metric, contest};
use crate::load::{Answer, Case, number_after};
use crate::report::Report;
use crate::servers::Wire;
use crate::stage::Stage;

/// One event inserted in one transaction: what the bare database does for a write.
const INSERT: &str = r#"\set id random(1, 9000000000000000)
INSERT INTO events (event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, recorded_at, chain)
VALUES (gen_random_uuid(), 'Task', :id::text, 1, 'TaskCreated', '1',
    '{"type":"image","priority":3,"input":"https://pictures.example/0123456789.jpg","note":"measured","by":"backend:1","at":1767225600000}',
    '{"actor":"staff:1","surface":"backend","request_id":"0192f0c1-2345-7000-8000-0123456789ab","at":1767225600000}',
    now(), '\x8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92');
"#;

const GOALS: [Goal; 4] = [
    five_times_stock(64),
    five_times_stock(256),
    Goal {
        connections: 256,
        ours: Metric::P99,
        against: "stock",
        theirs: Metric::P50,
        bound: Bound::AtMost(1.0),
    },
    Goal {
        connections: 1,
        ours: Metric::P50,
        against: "pgbench",
        theirs: Metric::P50,
        bound: Bound::AtMost(4.0),
    },
];

const fn five_times_stock(connections: usize) -> Goal {
    Goal {
        connections,
        ours: Metric::Throughput,
        against: "stock",
        theirs: Metric::Throughput,
        bound: Bound::AtLeast(5.0),
    }
}

/// The row.
pub struct TaskCreate;

#[async_trait(?Send)]
impl Row for TaskCreate {
    fn id(&self) -> &'static str {
        "task_create"
    }

    fn what(&self) -> &'static str {
        "create a task, answered when durable and listed; pgbench: one-row insert into a bare events table"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        for connections in stage.options.connections.clone() {
            let mut contenders = stage.contenders(
                |service| Rc::new(CreateTask::new(&service.wire)),
                ("task_create", INSERT),
            )?;
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            report.compare(self, standings, &GOALS);
        }
        report.compare_best(self, "pgbench", None);
        Ok(())
    }
}

/// The request and its answer.
pub struct CreateTask {
    wire: Wire,
}

impl CreateTask {
    /// For one of the services.
    #[must_use]
    pub fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone() }
    }
}

impl Case for CreateTask {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let kind = if nth.is_multiple_of(4) {
            "video"
        } else {
            "image"
        };
        let priority = nth % 10;
        let body = format!(
            r#"{{"type":"{kind}","priority":{priority},"input":"https://pictures.example/{nth:010}.jpg","note":"measured"}}"#
        );
        Some(Cow::Owned(self.wire.post("/backend/api/v1/task", &body)))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        match number_after(answer.body, b"\"id\":") {
            Some(id) if id > 0 => Ok(Some(id)),
            _ => Err(format!("no id: {}", answer.excerpt())),
        }
    }
}
