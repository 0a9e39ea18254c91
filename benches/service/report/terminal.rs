//! The report as people read it.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use super::{Line, Report};
use crate::contest::Metric;

impl Report {
    /// Prints everything.
    pub fn print(&self) {
        println!("\n{}", self.figures());
        let promised: Vec<&Line> = self
            .rows
            .iter()
            .filter(|line| line.bound.is_some())
            .collect();
        if !promised.is_empty() {
            println!("{}", promises(&promised));
        }
        for note in &self.notes {
            println!("{note}");
        }
    }

    fn figures(&self) -> Table {
        let mut table = new_table(&[
            "row",
            "connections",
            "contender",
            "per second",
            "p50 ms",
            "p99 ms",
            "ours ÷ it",
        ]);
        for (row, standing) in &self.measured {
            let ratio = self
                .measured
                .iter()
                .find(|(id, other)| {
                    id == row && other.connections == standing.connections && other.name == "ours"
                })
                .filter(|_| standing.name != "ours")
                .map(|(_, ours)| {
                    ours.median(Metric::Throughput) / standing.median(Metric::Throughput)
                });
            table.add_row(vec![
                Cell::new(row),
                right(standing.connections.to_string()),
                Cell::new(standing.name),
                right(format!("{:.0}", standing.median(Metric::Throughput))),
                right(format!("{:.3}", standing.median(Metric::P50))),
                right(format!("{:.3}", standing.median(Metric::P99))),
                right(ratio.map_or(String::new(), |ratio| format!("{ratio:.2} ×"))),
            ]);
        }
        table
    }
}

fn promises(lines: &[&Line]) -> Table {
    let mut table = new_table(&[
        "target",
        "ours",
        "baseline",
        "ratio",
        "at least / at most",
        "holds",
    ]);
    for line in lines {
        table.add_row(vec![
            Cell::new(&line.what),
            right(format!("{:.1} {}", line.value, line.unit)),
            right(line.baseline.map_or(String::new(), |baseline| {
                format!("{baseline:.1} {}", line.unit)
            })),
            right(
                line.ratio()
                    .map_or(String::new(), |ratio| format!("{ratio:.2}")),
            ),
            right(line.bound.map_or(String::new(), |bound| bound.to_string())),
            Cell::new(if line.holds() == Some(true) {
                "yes"
            } else {
                "NO"
            }),
        ]);
    }
    table
}

fn new_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
