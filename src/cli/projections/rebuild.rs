//! `shiji projections rebuild`, and its parts on their own: `diff`, `switch`, `rollback`.

use std::time::Instant;

use anyhow::bail;
use serde_json::json;

use super::Which;
use crate::cli::progress::Progress;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::events::past::Point;
use crate::ledger::AppendLimits;
use crate::postgres::Database;
use crate::projections::projector::rebuild::{Compared, Past, Rebuild};
use crate::settings::StoreSettings;

/// Of which, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Fold at most so many events a second, to leave room for the service.
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Throw away what an earlier rebuild left and begin at the first event.
    #[arg(long)]
    fresh: bool,
    /// Stop before this step; `diff` and `switch` take it up from there.
    #[arg(long, value_name = "STEP")]
    stop_before: Option<Step>,
    /// Build the tables as they were at a position of the log, or at a time, beside all others, for `shiji serve --as-of`.
    #[arg(long, value_name = "POSITION|TIME", conflicts_with = "stop_before")]
    as_of: Option<Point>,
}

/// The steps after building.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// Comparing new and live tables.
    Diff,
    /// Putting the new tables into place.
    Switch,
}

/// Which part of it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    rate: Option<u32>,
    fresh: bool,
    diff: bool,
    switch: bool,
}

impl From<&Args> for Plan {
    fn from(args: &Args) -> Self {
        Self {
            rate: args.rate,
            fresh: args.fresh,
            diff: args.stop_before != Some(Step::Diff),
            switch: args.stop_before.is_none(),
        }
    }
}

impl Plan {
    /// Only compares.
    pub const DIFF: Self = Self {
        rate: None,
        fresh: false,
        diff: true,
        switch: false,
    };
    /// Only switches.
    pub const SWITCH: Self = Self {
        rate: None,
        fresh: false,
        diff: false,
        switch: true,
    };
}

/// Builds, catches up, compares, switches. Differences are a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    if let Some(point) = args.as_of {
        return as_of(database, settings, output, &args, point).await;
    }
    let plan = Plan::from(&args);
    carry_out(database, settings, output, &args.which, plan).await
}

/// Does what is planned with the tables that a rebuild makes or left.
pub async fn carry_out(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    which: &Which,
    plan: Plan,
) -> anyhow::Result<Exit> {
    let projections = which.projections()?;
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 3).await?;
    let mut rebuild =
        Rebuild::begin(&ledger, database, &projections, plan.rate, plan.fresh).await?;
    let (from, began) = (rebuild.position(), Instant::now());
    build(&mut rebuild).await?;
    let events = rebuild.position() - from;
    let seconds = began.elapsed().as_secs_f64();
    rebuild.analyze().await?;
    let compared = if plan.diff {
        Some(compare(&mut rebuild).await?)
    } else {
        None
    };
    if plan.switch {
        rebuild.switch().await?;
    }
    let parked = rebuild.parked();
    let position = rebuild.position();
    rebuild.close().await;
    store::part(&ledger).await;
    let names: Vec<&str> = projections.iter().map(|p| p.name()).collect();
    if output.json {
        show::json(&json!({
            "projections": names, "events": events, "seconds": seconds, "position": position,
            "parked_streams": parked, "compared": compared, "switched": plan.switch,
        }))?;
    } else {
        let rate = rate(events, seconds);
        show::line(&format!(
            "Folded {events} events into {} in {seconds:.1} s ({rate} a second), up to position {position}.",
            names.join(", ")
        ))?;
        if parked > 0 {
            show::line(&format!(
                "{parked} streams could not be folded and are set aside."
            ))?;
        }
        if let Some(compared) = &compared {
            tell(compared)?;
        }
        show::line(if plan.switch {
            "The new tables serve; `shiji projections rollback` goes back to the old ones."
        } else {
            "The live tables serve as before; `shiji projections switch` puts the new ones in their place."
        })?;
    }
    let differs = compared.is_some_and(|compared| compared.differing > 0);
    Ok(if differs || parked > 0 {
        Exit::Finding
    } else {
        Exit::Fine
    })
}

/// Builds the tables of a position.
async fn as_of(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: &Args,
    point: Point,
) -> anyhow::Result<Exit> {
    let projections = args.which.projections()?;
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 3).await?;
    let position = point.position(&ledger).await?;
    let how = (args.rate, args.fresh);
    let mut past = Past::begin(&ledger, database, &projections, position, how).await?;
    let (from, began) = (past.reached(), Instant::now());
    let done = |reached: i64| u64::try_from(reached - from).unwrap_or(0);
    let mut progress = Progress::new("Folding events", done(position));
    past.build(|reached| progress.set(done(reached))).await?;
    drop(progress);
    let seconds = began.elapsed().as_secs_f64();
    let (events, parked) = (position - from, past.parked());
    past.finish().await?.release().await;
    store::part(&ledger).await;
    let names: Vec<&str> = projections.iter().map(|p| p.name()).collect();
    if output.json {
        show::json(&json!({
            "projections": names, "events": events, "seconds": seconds, "as_of": position, "parked_streams": parked,
        }))?;
    } else {
        let rate = rate(events, seconds);
        show::line(&format!(
            "Folded {events} events into {} in {seconds:.1} s ({rate} a second): the tables as of position {position} are there.",
            names.join(", ")
        ))?;
        if parked > 0 {
            show::line(&format!("{parked} streams could not be folded."))?;
        }
        show::line(&format!(
            "`shiji serve --as-of {position}` serves them, `shiji projections prune` drops them."
        ))?;
    }
    Ok(if parked > 0 {
        Exit::Finding
    } else {
        Exit::Fine
    })
}

/// Goes back to the tables that served before the last switch.
pub async fn rollback(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    which: &Which,
) -> anyhow::Result<Exit> {
    let projections = which.projections()?;
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 3).await?;
    let mut old = Rebuild::of_old(&ledger, database, &projections).await?;
    build(&mut old).await?;
    old.switch().await?;
    let position = old.position();
    old.close().await;
    store::part(&ledger).await;
    if output.json {
        show::json(&json!({ "position": position, "switched": true }))?;
    } else {
        show::line(&format!(
            "The tables from before the last switch serve again, up to position {position}."
        ))?;
    }
    Ok(Exit::Fine)
}

async fn build(rebuild: &mut Rebuild) -> anyhow::Result<()> {
    let from = rebuild.position();
    let done = |position: i64| u64::try_from(position - from).unwrap_or(0);
    let mut progress = Progress::new("Folding events", done(rebuild.head().await?));
    while rebuild.step().await? {
        progress.set(done(rebuild.position()));
    }
    Ok(())
}

async fn compare(rebuild: &mut Rebuild) -> anyhow::Result<Compared> {
    let mut progress = Progress::new("Comparing rows", 0);
    let compared = rebuild
        .diff(|rows| progress.set(u64::try_from(rows).unwrap_or(0)))
        .await?;
    Ok(compared)
}

fn rate(events: i64, seconds: f64) -> i64 {
    let events = f64::from(i32::try_from(events).unwrap_or(i32::MAX));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a speed for people to read"
    )]
    let rate = (events / seconds.max(0.001)) as i64;
    rate
}

fn tell(compared: &Compared) -> anyhow::Result<()> {
    if compared.differing == 0 {
        return show::line(&format!(
            "{} rows compared at position {}: they are equal.",
            compared.rows, compared.position
        ));
    }
    show::line(&format!(
        "{} rows compared, {} differ.",
        compared.rows, compared.differing
    ))?;
    let mut table = show::table(["table", "key", "column", "live", "rebuilt"]);
    for difference in &compared.differences {
        table.add_row([
            difference.table.clone(),
            difference.key.to_string(),
            difference.column.clone(),
            difference.live.to_string(),
            difference.rebuilt.to_string(),
        ]);
    }
    show::line(&table.to_string())
}

impl Which {
    /// What is meant.
    pub fn projections(&self) -> anyhow::Result<Vec<&'static dyn crate::projections::Projection>> {
        use crate::projections;
        if self.all {
            return Ok(projections::all().to_vec());
        }
        let mut found = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let Some(projection) = projections::find(name) else {
                let known: Vec<&str> = projections::all().iter().map(|p| p.name()).collect();
                bail!(
                    "there is no projection {name}; there are {}",
                    known.join(", ")
                );
            };
            found.push(projection);
        }
        Ok(found)
    }
}
