//! The read: the first page of the task list, newest first, with its total.

use std::borrow::Cow;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::{Bound, Goal, Row};
use crate::contest::{Metric, contest};
use crate::load::{Answer, Case, count, number_after};
use crate::report::Report;
use crate::servers::Wire;
use crate::stage::Stage;

/// Tasks on the page.
pub const PAGE: usize = 20;

/// Where our list asks the database; `pgbench` gets the statement from there, so that it is always the same one.
const QUERIES: &str = include_str!("../../../src/projections/tasks/queries.rs");

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
        let script = script()?;
        let shown = PAGE.min(stage.options.seed_tasks);
        for connections in stage.options.connections.clone() {
            let mut contenders = stage.contenders(
                |service| Rc::new(ListTasks::new(&service.wire, shown)),
                ("task_list", &script),
            )?;
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            report.compare(self, standings, &GOALS);
        }
        Ok(())
    }
}

/// Our list's statement for its first page, as a script of `pgbench`.
fn script() -> Result<String> {
    let statement = QUERIES
        .split_once("pub async fn page(")
        .and_then(|(_, function)| function.split_once("r#\""))
        .and_then(|(_, literal)| literal.split_once("\"#"))
        .map(|(statement, _)| statement)
        .context("the list's statement is not where this benchmark looks for it")?;
    let statement = statement.replace("$1:$2", ":first : :last");
    Ok(format!("\\set first 1\n\\set last {PAGE}\n{statement};\n"))
}

/// The first page of the task list.
pub struct ListTasks {
    request: Vec<u8>,
    shown: usize,
}

impl ListTasks {
    /// For one of the services, which shows so many on the page.
    #[must_use]
    pub fn new(wire: &Wire, shown: usize) -> Self {
        Self {
            request: wire.get("/backend/api/v1/tasks?offset=0&limit=20"),
            shown,
        }
    }
}

impl Case for ListTasks {
    fn request(&self, _nth: u64) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(&self.request))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        let shown = count(answer.body, b"\"priority\":");
        let total = number_after(answer.body, b"\"total\":");
        if shown != self.shown || total.is_none_or(|total| total < 1) {
            return Err(format!("{shown} tasks of {total:?}: {}", answer.excerpt()));
        }
        Ok(None)
    }
}
