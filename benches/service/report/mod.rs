//! The result: a table in the terminal ([`terminal`]) and `target/bench/report.json`.

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
    baseline: f64,
    bound: Option<Bound>,
}

impl Line {
    fn ratio(&self) -> f64 {
        self.value / self.baseline
    }

    fn holds(&self) -> Option<bool> {
        self.bound.map(|bound| bound.holds(self.ratio()))
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
        if ours.pending() > 0 {
            self.notes.push(format!(
                "{} at {connections} connections: {} answers came before the read tables were caught up",
                row.id(),
                ours.pending(),
            ));
        }
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
            baseline: theirs.median(their),
            bound,
        });
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
    pub fn compare_best(&mut self, row: &dyn Row, against: &'static str) {
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
                baseline,
                bound: None,
            });
        }
    }

    /// Saves everything as JSON.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
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
        println!("saved {SAVED}");
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
