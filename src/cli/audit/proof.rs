//! `shiji audit proof`: everything that can be counted twice, counted twice.

use serde_json::{Value, json};

use crate::cli::progress::Progress;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger::{self, Gaps};
use crate::postgres::Database;
use crate::projections::counters::{self, Counted, Counter};
use crate::projections::projector::{ProjectionReport, report};
use crate::projections::{self, Projection};

/// Of what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these projections; the log itself is counted in any case.
    #[arg(long = "projection", value_name = "NAME", value_parser = projection)]
    projections: Vec<&'static str>,
}

fn projection(name: &str) -> Result<&'static str, String> {
    let known = projections::find(name).map(Projection::name);
    known.ok_or_else(|| format!("there is no projection {name:?}"))
}

/// What is counted of one projection.
struct Part {
    projection: &'static dyn Projection,
    /// `None` when it was never started on this database.
    report: Option<ProjectionReport>,
    counters: Vec<(&'static Counter, Counted)>,
}

impl Part {
    /// Does what was counted twice come to the same? What could not be compared is not proven.
    fn holds(&self) -> bool {
        self.report.as_ref().is_some_and(ProjectionReport::holds)
            && self.counters.iter().all(|(_, counted)| holds(counted))
    }
}

fn holds(counted: &Counted) -> bool {
    matches!(counted, Counted::Compared { differing: 0, .. })
}

/// Counts, and prints. What does not come to the same, and what could not be compared, is a finding.
pub async fn run(database: &Database, output: Output, args: Args) -> anyhow::Result<Exit> {
    let explain = |error: sqlx::Error| store::explain(&error);
    let pool = database.pool("cli", 2, &projections::search_path());
    let head = ledger::head(&pool).await.map_err(explain)?;
    let mut progress = Progress::new("Counting events", u64::try_from(head.position)?);
    let seen = |position: i64| progress.set(u64::try_from(position).unwrap_or(0));
    let gaps = ledger::gaps(&pool, seen).await.map_err(explain)?;
    drop(progress);
    let asked: Vec<&'static dyn Projection> = (projections::all().iter().copied())
        .filter(|p| args.projections.is_empty() || args.projections.contains(&p.name()))
        .collect();
    let mut progress = Progress::new("Counting projections", asked.len() as u64);
    let mut parts = Vec::new();
    for (n, projection) in asked.into_iter().enumerate() {
        let report = report(&pool, projection, true).await.map_err(explain)?;
        let mut counted = Vec::new();
        if report.is_some() {
            let mut db = pool.acquire().await.map_err(explain)?;
            let mine = |counter: &&Counter| counter.projection == projection.name();
            for counter in counters::ALL.iter().filter(mine) {
                let found = counters::count_again(&mut db, counter).await;
                counted.push((counter, found.map_err(explain)?));
            }
        }
        parts.push(Part {
            projection,
            report,
            counters: counted,
        });
        progress.set(n as u64 + 1);
    }
    drop(progress);
    pool.close().await;
    let holds = !gaps.any() && parts.iter().all(Part::holds);
    if output.json {
        show::json(&json!({
            "holds": holds, "log": gaps, "projections": parts.iter().map(object).collect::<Vec<_>>(),
        }))?;
    } else {
        print(&gaps, &parts, holds)?;
    }
    Ok(if holds { Exit::Fine } else { Exit::Finding })
}

fn object(part: &Part) -> Value {
    let counters: Vec<Value> = (part.counters.iter())
        .map(|(counter, counted)| {
            let name = format!("{}.{}", counter.table, counter.column);
            match counted {
                Counted::Compared {
                    rows,
                    differing,
                    first,
                } => json!({
                    "counter": name, "holds": holds(counted), "rows": rows, "differing": differing, "first": first,
                }),
                Counted::Apart(reason) => {
                    json!({ "counter": name, "holds": false, "not_compared": reason })
                }
            }
        })
        .collect();
    let events = part.report.as_ref().map(|report| {
        let lines = report.proof.iter().map(|line| {
            json!({
                "event": line.event, "in_log": line.in_log, "handled": line.handled, "ignored": line.ignored,
                "parked": line.parked, "holds": line.holds(),
            })
        });
        json!({ "position": report.position, "holds": report.holds(), "lines": lines.collect::<Vec<_>>() })
    });
    json!({ "name": part.projection.name(), "holds": part.holds(), "events": events, "counters": counters })
}

fn print(gaps: &Gaps, parts: &[Part], proven: bool) -> anyhow::Result<()> {
    let mut table = show::table([
        "projection",
        "position",
        "in the log",
        "handled",
        "ignored",
        "parked",
        "counters",
        "proof",
    ]);
    for part in parts {
        let Some(report) = &part.report else {
            table.add_row([part.projection.name(), "never started here"]);
            continue;
        };
        let sum = |of: fn(&crate::projections::projector::ProofLine) -> i64| {
            show::number(report.proof.iter().map(of).sum())
        };
        table.add_row([
            part.projection.name().into(),
            show::number(report.position),
            sum(|line| line.in_log),
            sum(|line| line.handled),
            sum(|line| line.ignored),
            sum(|line| line.parked),
            show::number(i64::try_from(part.counters.len())?),
            (if part.holds() { "holds" } else { "BROKEN" }).into(),
        ]);
    }
    show::line(&table.to_string())?;
    for line in findings(gaps, parts) {
        show::line(&line)?;
    }
    if proven {
        let (events, last) = (gaps.events, gaps.last);
        show::line(&format!(
            "{events} events up to position {last}, none missing; everything is counted once."
        ))?;
    }
    Ok(())
}

/// A sentence for everything that does not come to the same.
fn findings(gaps: &Gaps, parts: &[Part]) -> Vec<String> {
    let mut found = Vec::new();
    for hole in &gaps.first_holes {
        found.push(format!(
            "the log: positions {} to {} are missing",
            hole.from, hole.to
        ));
    }
    let more = gaps.holes - gaps.first_holes.len();
    if more > 0 {
        found.push(format!("the log: {more} more holes"));
    }
    for stream in &gaps.streams {
        found.push(format!(
            "the log: the events of {stream} do not number 1, 2, 3 …"
        ));
    }
    for part in parts {
        let name = part.projection.name();
        let lines = part.report.iter().flat_map(|report| &report.proof);
        for line in lines.filter(|line| !line.holds()) {
            found.push(format!(
                "{name}: {} is {} times in the log, but {} handled + {} ignored + {} parked ({} rows)",
                line.event, line.in_log, line.handled, line.ignored, line.parked, line.parked_rows
            ));
        }
        for (counter, counted) in &part.counters {
            let column = format!("{name}: {}.{}", counter.table, counter.column);
            match counted {
                Counted::Compared {
                    differing, first, ..
                } => {
                    for miscount in first {
                        found.push(format!(
                            "{column} of {:?} says {}, but counts {}",
                            miscount.key, miscount.counter, miscount.counted
                        ));
                    }
                    let more = differing - i64::try_from(first.len()).unwrap_or(0);
                    if more > 0 {
                        found.push(format!("{column}: {more} more rows"));
                    }
                }
                Counted::Apart(reason) => {
                    found.push(format!("{column} was not compared: {reason}"));
                }
            }
        }
    }
    found
}
