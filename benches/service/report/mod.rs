//! The result: a table in the terminal ([`terminal`]), `target/bench/report.json`, and a page with plots ([`page`]).

mod page;
mod terminal;

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::contest::{Metric, Standing};
use crate::rows::{Bound, Goal, Row};

/// The contenders that ours is compared with.
const BASELINES: [&str; 2] = ["stock", "pgbench"];

/// Where the report is saved, from the root of the package.
const SAVED: &str = "target/bench/report.json";

/// All figures of a run.
#[derive(Debug)]
pub struct Report {
    machine: Value,
    measured: Vec<(&'static str, Standing)>,
    rows: Vec<Line>,
    notes: Vec<String>,
}

/// One comparison.
#[derive(Debug)]
struct Line {
    id: String,
    what: String,
    value: f64,
    unit: &'static str,
    /// Nothing where a figure is only stated.
    baseline: Option<f64>,
    bound: Option<Bound>,
}

/// A figure of its own.
#[derive(Debug)]
pub struct Figure {
    /// A stable name.
    pub id: String,
    /// What it is, in one sentence.
    pub what: String,
    /// Ours.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// What it is compared with, if with anything.
    pub baseline: Option<f64>,
    /// What the ratio must be, if it is promised.
    pub bound: Option<Bound>,
}

impl Line {
    fn ratio(&self) -> Option<f64> {
        self.baseline.map(|baseline| self.value / baseline)
    }

    fn holds(&self) -> Option<bool> {
        Some(self.bound?.holds(self.ratio()?))
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "ratio": self.ratio(),
            "target": self.bound.map(|bound| bound.to_string()),
            "holds": self.holds(),
        })
    }
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(machine: Value) -> Self {
        Self {
            machine,
            measured: Vec::new(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a sentence for the end.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Adds the standings of a row at one number of connections, and compares ours with the others.
    pub fn compare(&mut self, row: &dyn Row, standings: Vec<Standing>, goals: &[Goal]) {
        if let Some(ours) = standings.iter().find(|standing| standing.name == "ours") {
            self.compare_ours(row, ours, &standings, goals);
        }
        self.measured
            .extend(standings.into_iter().map(|standing| (row.id(), standing)));
    }

    fn compare_ours(&mut self, row: &dyn Row, ours: &Standing, all: &[Standing], goals: &[Goal]) {
        let connections = ours.connections;
        self.note_pending(row, ours);
        for theirs in all
            .iter()
            .filter(|standing| BASELINES.contains(&standing.name))
        {
            let goals = goals
                .iter()
                .filter(|goal| goal.connections == connections && goal.against == theirs.name);
            let promised: Vec<&Goal> = goals.collect();
            for metric in Metric::ALL {
                let goal = promised
                    .iter()
                    .find(|goal| goal.ours == metric && goal.theirs == metric);
                self.push(
                    row,
                    ours,
                    metric,
                    theirs,
                    metric,
                    goal.map(|goal| goal.bound),
                );
            }
            for goal in promised.iter().filter(|goal| goal.ours != goal.theirs) {
                self.push(row, ours, goal.ours, theirs, goal.theirs, Some(goal.bound));
            }
        }
    }

    fn note_pending(&mut self, row: &dyn Row, standing: &Standing) {
        if standing.pending() > 0 {
            self.notes.push(format!(
                "{} ({}) at {} connections: {} answers came before the read tables were caught up",
                row.id(),
                standing.name,
                standing.connections,
                standing.pending(),
            ));
        }
    }

    fn push(
        &mut self,
        row: &dyn Row,
        ours: &Standing,
        metric: Metric,
        theirs: &Standing,
        their: Metric,
        bound: Option<Bound>,
    ) {
        let (connections, name) = (ours.connections, theirs.name);
        let their_name = if metric == their {
            String::new()
        } else {
            format!(".{}", their.name())
        };
        self.rows.push(Line {
            id: format!(
                "{}.{connections}.{}.{name}{their_name}",
                row.id(),
                metric.name()
            ),
            what: format!(
                "{}, {connections} connections: {} ÷ {name} {}",
                row.id(),
                metric.name(),
                their.name()
            ),
            value: ours.median(metric),
            unit: metric.unit(),
            baseline: Some(theirs.median(their)),
            bound,
        });
    }

    /// Adds the standing of ours in a row that nobody else takes part in: its figures are stated.
    pub fn state(&mut self, row: &dyn Row, ours: Standing) {
        for metric in Metric::ALL {
            self.rows.push(Line {
                id: format!("{}.{}.{}", row.id(), ours.connections, metric.name()),
                what: format!(
                    "{}, {} connections: {}",
                    row.id(),
                    ours.connections,
                    metric.name()
                ),
                value: ours.median(metric),
                unit: metric.unit(),
                baseline: None,
                bound: None,
            });
        }
        self.keep(row, ours);
    }

    /// Adds a figure that is no throughput and no latency of two contenders.
    pub fn figure(&mut self, figure: Figure) {
        self.rows.push(Line {
            id: figure.id,
            what: figure.what,
            value: figure.value,
            unit: figure.unit,
            baseline: figure.baseline,
            bound: figure.bound,
        });
    }

    /// Keeps a standing for the tables and plots, without a comparison.
    pub fn keep(&mut self, row: &dyn Row, standing: Standing) {
        self.note_pending(row, &standing);
        self.measured.push((row.id(), standing));
    }

    /// The figure of a contender in a row at one number of connections, if it was measured.
    #[must_use]
    pub fn at(
        &self,
        row: &str,
        contender: &str,
        connections: usize,
        metric: Metric,
    ) -> Option<f64> {
        self.measured
            .iter()
            .filter(|(id, _)| *id == row)
            .map(|(_, standing)| standing)
            .find(|standing| standing.name == contender && standing.connections == connections)
            .map(|standing| standing.median(metric))
    }

    /// The best figure of a contender in a row, over all numbers of connections.
    #[must_use]
    pub fn best(&self, row: &str, contender: &str, metric: Metric) -> Option<f64> {
        self.measured
            .iter()
            .filter(|(id, standing)| *id == row && standing.name == contender)
            .map(|(_, standing)| standing.median(metric))
            .max_by(f64::total_cmp)
    }

    /// Compares the best throughputs, each at its own best number of connections.
    pub fn compare_best(&mut self, row: &dyn Row, against: &'static str, bound: Option<Bound>) {
        let best = |name| self.best(row.id(), name, Metric::Throughput);
        if let (Some(value), Some(baseline)) = (best("ours"), best(against)) {
            self.rows.push(Line {
                id: format!("{}.best.throughput.{against}", row.id()),
                what: format!(
                    "{}, each at its best number of connections: throughput ÷ {against}",
                    row.id()
                ),
                value,
                unit: Metric::Throughput.unit(),
                baseline: Some(baseline),
                bound,
            });
        }
    }

    /// Saves everything, as JSON and as a page.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn save(&self) -> Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAVED);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let measurements: Vec<Value> = self
            .measured
            .iter()
            .map(|(row, standing)| {
                let mut value = standing.to_json();
                value["row"] = json!(row);
                value
            })
            .collect();
        let report = json!({
            "machine": self.machine,
            "rows": self.rows.iter().map(Line::to_json).collect::<Vec<_>>(),
            "measurements": measurements,
            "notes": self.notes,
        });
        std::fs::write(&path, serde_json::to_string_pretty(&report)?)?;
        std::fs::write(path.with_extension("html"), self.page())?;
        println!("saved {SAVED}, and a page with plots beside it");
        Ok(())
    }

    /// Fails when `strict` and a target does not hold.
    ///
    /// # Errors
    ///
    /// Names the targets that do not hold.
    pub fn verdict(&self, strict: bool) -> Result<()> {
        let missed: Vec<&str> = self
            .rows
            .iter()
            .filter(|line| line.holds() == Some(false))
            .map(|line| line.id.as_str())
            .collect();
        ensure!(
            !strict || missed.is_empty(),
            "missed: {}",
            missed.join(", ")
        );
        Ok(())
    }
}
