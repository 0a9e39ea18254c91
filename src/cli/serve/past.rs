//! `shiji serve --as-of …`: the whole API as it answered at a position, for audits.
//!
//! The read tables of that position are built beside the live ones and asked instead of them. Nothing is written: the desk
//! refuses every command, connections only read, files are only read, nobody leads, sweeps or cancels orders. Who is calling
//! is a question to the log of today: sessions are opened and closed, rights given and taken at the service that runs.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{append_limits, broke_off, doors, ended, welcome};
use crate::api::ops::{self, Ops, Readiness};
use crate::api::{self, App, AppParts};
use crate::cli::progress::Progress;
use crate::cli::store;
use crate::commands::Desk;
use crate::events::past::Point;
use crate::gateways::{ApprovesAll, LoggedSms, StandIn};
use crate::ledger::{Keys, Ledger};
use crate::postgres::Database;
use crate::projections;
use crate::projections::projector::Slot;
use crate::projections::projector::rebuild::Past;
use crate::settings::Settings;

/// Builds the tables unless they are there, and serves them until told to stop.
pub async fn run(
    settings: &Settings,
    keys: Keys,
    point: Point,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let database = tokio::select! {
        database = store::existing(&settings.store) => database?,
        () = stop.cancelled() => return Ok(()),
    };
    store::with(database, async |database| {
        let limits = &settings.limits;
        let reader = database.only_read();
        let ledger = store::ledger(
            &reader,
            keys,
            append_limits(limits),
            limits.state_cache_entries,
            u32::try_from(limits.pool_connections)?,
        )
        .await?;
        let position = point.position(&ledger).await?;
        let past = tokio::select! {
            past = build(&ledger, database, position) => past?,
            () = stop.cancelled() => {
                info!("The tables as of position {position} are not complete; the same command goes on from there");
                return Ok(());
            }
        };
        serve(settings, &reader, &ledger, past, stop.clone()).await
    })
    .await
}

async fn build(ledger: &Ledger, database: &Database, position: i64) -> anyhow::Result<Past> {
    let all = projections::all();
    let mut past = Past::begin(ledger, database, all, position, (None, false)).await?;
    let (from, began) = (past.reached(), Instant::now());
    let done = |reached: i64| u64::try_from(reached - from).unwrap_or(0);
    let mut progress = Progress::logged("Folding events", done(position));
    past.build(|reached| progress.set(done(reached))).await?;
    let (events, seconds) = (position - from, began.elapsed().as_secs_f64());
    if events > 0 {
        info!(events, seconds, "Folded {events} events in {seconds:.1} s");
    }
    Ok(past)
}

async fn serve(
    settings: &Settings,
    reader: &Database,
    ledger: &Ledger,
    past: Past,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (position, parked) = (past.reached(), past.parked());
    if parked > 0 {
        warn!("{parked} streams could not be folded and are not in the tables");
    }
    let kept = past.finish().await?;
    projections::stand_still(ledger.watermark(), position);
    let path = projections::search_path_of(Slot::AsOf(position));
    let connections = u32::try_from(settings.limits.pool_connections)?;
    let app = App::new(AppParts {
        desk: Desk::new(ledger.as_of(position), settings.limits.projection_wait_ms),
        reads: reader.pool("reads", connections, &path),
        files: store::files(&settings.store, &settings.files)?.only_read(),
        // Commands are refused before any of these is asked; none of them leads out of the house.
        payments: Arc::new(ApprovesAll),
        sms: Arc::new(LoggedSms),
        wechat: Arc::new(StandIn),
        settings: settings.into(),
    });
    let readiness = Readiness::of_past(ledger.clone(), kept.observer(), parked);
    let (public, inner, places) = doors(settings)?;
    let ops = Ops {
        ledger: ledger.clone(),
        pool: app.reads().clone(),
        readiness: readiness.clone(),
        stop: stop.clone(),
    };
    let tasks = TaskTracker::new();
    let surfaces = api::router(app.clone(), readiness);
    let public = tasks.spawn(public.serve(surfaces, api::word, stop.clone()));
    let inner = tasks.spawn(inner.serve(ops::router(ops), ops::word, stop.clone()));
    tasks.spawn(ops::metrics::upkeep(stop.clone()));
    tasks.close();
    welcome::say_past(&places, &ledger.mark(position));
    let broken = ended(&stop, public, inner).await;
    stop.cancel();
    app.hang_up();
    tasks.wait().await;
    app.finish().await;
    kept.release().await;
    store::part(ledger).await;
    app.close().await;
    info!("The tables as of position {position} stay; `shiji projections prune` drops them");
    broke_off(broken)
}
