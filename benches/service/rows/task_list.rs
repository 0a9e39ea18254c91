//! The read: the first page of the task list, newest first, with its total.

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

/// Tasks on the page.
const PAGE: usize = 20;

/// The statements of our list, as the bare database runs them.
const LIST: &str = "\
SELECT tasks.id, status, kind, priority, note, uid, staff.name
FROM tasks JOIN staff USING (uid)
ORDER BY tasks.id DESC
OFFSET 0 LIMIT 20;
SELECT total FROM task_totals;
";

const GOALS: [Goal; 1] = [Goal {
    connections: 64,
    ours: Metric::Throughput,
    against: "pgbench",
    theirs: Metric::Throughput,
    bound: Bound::AtLeast(0.8),
}];

/// The row.
pub struct TaskList;

#[async_trait(?Send)]
impl Row for TaskList {
    fn id(&self) -> &'static str {
        "task_list"
    }

    fn what(&self) -> &'static str {
        "first page of the task list with its total; pgbench: the statements of our list, prepared, same data"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let shown = PAGE.min(stage.options.seed_tasks);
        for connections in stage.options.connections.clone() {
            let mut contenders = stage.contenders(
                |service| Rc::new(ListTasks::new(&service.wire, shown)),
                ("task_list", LIST),
            )?;
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            report.compare(self, standings, &GOALS);
        }
        Ok(())
    }
}

struct ListTasks {
    request: Vec<u8>,
    shown: usize,
}

impl ListTasks {
    fn new(wire: &Wire, shown: usize) -> Self {
        Self {
            request: wire.get("/backend/api/v1/tasks?offset=0&limit=20"),
            shown,
        }
    }
}

impl Case for ListTasks {
    fn request(&self, _nth: u64) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.request)
    }

    fn judge(&self, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        let shown = count(answer.body, b"\"priority\":");
        let total = number_after(answer.body, b"\"total\":");
        if shown != self.shown || total.is_none_or(|total| total < 1) {
            return Err(format!("{shown} tasks of {total:?}: {}", answer.excerpt()));
        }
        Ok(None)
    }
}

/// How often a text occurs in another. Only places that begin like the text are compared.
fn count(body: &[u8], text: &[u8]) -> usize {
    body.windows(text.len())
        .filter(|window| window[1] == text[1] && *window == text)
        .count()
}
