//! `shiji projections status`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::postgres::Database;
use crate::projections::projector::rebuild::{self, PastTables};
use crate::projections::projector::{ProjectionReport, ProofLine, report};
use crate::projections::{self, Projection};

/// Under load the tables are always some events behind; longer than commands wait for them is too long.
const USUAL: Duration = Duration::from_secs(2);

/// How much of it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Leave out the proof, which counts the whole log.
    #[arg(long)]
    quick: bool,
}

/// Prints it. A lag of more than two seconds, something parked or a proof that does not hold is a finding.
pub async fn run(database: &Database, output: Output, args: Args) -> anyhow::Result<Exit> {
    let pool = store::pool(database);
    let mut reports = Vec::new();
    for &projection in projections::all() {
        let found = report(&pool, projection, !args.quick)
            .await
            .map_err(|error| store::explain(&error))?;
        reports.push((projection, found));
    }
    let pasts = rebuild::pasts(&pool)
        .await
        .map_err(|error| store::explain(&error))?;
    pool.close().await;
    let well = reports
        .iter()
        .all(|(_, report)| report.as_ref().is_some_and(is_well));
    if output.json {
        let projections: Vec<Value> = reports
            .iter()
            .map(|(projection, report)| object(*projection, report.as_ref(), args.quick))
            .collect();
        show::json(&json!({ "well": well, "projections": projections, "as_of": pasts }))?;
    } else {
        print(&reports, args.quick)?;
        print_pasts(&pasts)?;
    }
    Ok(if well { Exit::Fine } else { Exit::Finding })
}

fn is_well(report: &ProjectionReport) -> bool {
    report.lag <= USUAL && report.parked_events == 0 && report.holds()
}

fn object(
    projection: &'static dyn Projection,
    report: Option<&ProjectionReport>,
    quick: bool,
) -> Value {
    let Some(report) = report else {
        return json!({ "name": projection.name(), "version": projection.version(), "started": false });
    };
    let line = |line: &ProofLine| {
        json!({
            "event": line.event, "in_log": line.in_log, "handled": line.handled, "ignored": line.ignored,
            "parked": line.parked, "parked_rows": line.parked_rows, "holds": line.holds(),
        })
    };
    let proof = (!quick).then(|| {
        json!({
            "holds": report.holds(), "lines": report.proof.iter().map(line).collect::<Vec<_>>(),
        })
    });
    json!({
        "name": report.name, "version": report.version, "started": true, "position": report.position,
        "head": report.head, "lag_events": report.lag_events(),
        "lag_ms": u64::try_from(report.lag.as_millis()).unwrap_or(u64::MAX),
        "parked_streams": report.parked_streams, "parked_events": report.parked_events, "proof": proof,
    })
}

fn print(
    reports: &[(&'static dyn Projection, Option<ProjectionReport>)],
    quick: bool,
) -> anyhow::Result<()> {
    let mut table = show::table([
        "projection",
        "version",
        "position",
        "head",
        "lag",
        "parked",
        "proof",
    ]);
    for (projection, report) in reports {
        let version = show::number(projection.version().into());
        let Some(report) = report else {
            table.add_row([
                projection.name().into(),
                version,
                "never started here".into(),
            ]);
            continue;
        };
        let lag = match report.lag_events() {
            0 => "0".to_owned(),
            events => format!("{events} events, {:.1} s", report.lag.as_secs_f64()),
        };
        let parked = match report.parked_events {
            0 => "0".to_owned(),
            events => format!("{events} events of {} streams", report.parked_streams),
        };
        let proof = match (quick, report.holds()) {
            (true, _) => "not asked for",
            (false, true) => "holds",
            (false, false) => "BROKEN",
        };
        table.add_row([
            report.name.into(),
            version,
            show::number(report.position),
            show::number(report.head),
            lag.into(),
            parked.into(),
            proof.into(),
        ]);
    }
    show::line(&table.to_string())?;
    for report in reports.iter().filter_map(|(_, report)| report.as_ref()) {
        for line in report.proof.iter().filter(|line| !line.holds()) {
            show::line(&format!(
                "{}: {} is {} times in the log, but {} handled + {} ignored + {} parked ({} rows)",
                report.name,
                line.event,
                line.in_log,
                line.handled,
                line.ignored,
                line.parked,
                line.parked_rows
            ))?;
        }
    }
    Ok(())
}

/// Tables as of positions, if there are any.
fn print_pasts(pasts: &[PastTables]) -> anyhow::Result<()> {
    if pasts.is_empty() {
        return Ok(());
    }
    let mut table = show::table(["as of", "projections", "parked streams", "bytes", "in use"]);
    for past in pasts {
        let complete = if past.complete { "all" } else { "not all" };
        table.add_row([
            show::number(past.position),
            format!("{}, {complete}", past.projections).into(),
            show::number(past.parked_streams),
            show::number(past.bytes),
            if past.held { "yes" } else { "no" }.into(),
        ]);
    }
    show::line(&table.to_string())
}
