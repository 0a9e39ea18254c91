//! `shiji serve`: everything of one node, from its start to its graceful end.
//!
//! It is ready as soon as both listeners are open. Demo data then comes in like any other load, so that a newcomer can log
//! in while the list grows.

mod past;
mod stop;
mod upkeep;
mod welcome;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::bootstrap::{self, First};
use super::progress::Progress;
use super::{Exit, demo, logs, store};
use crate::api::ops::{self, Ops, Readiness};
use crate::api::server::{Door, DoorLimits};
use crate::api::{self, App, AppParts};
use crate::commands::Desk;
use crate::events::past::Point;
use crate::gateways::{
    ApprovesAll, HttpPayments, HttpSms, LoggedSms, PaymentGateway, SmsGateway, StandIn, Wechat,
    WechatApi,
};
use crate::ledger::{AppendLimits, Keys, Ledger};
use crate::postgres::{Database, migrate};
use crate::processes::Expiry;
use crate::projections;
use crate::projections::projector::{self, Projector, ProjectorHandle, ProjectorOptions};
use crate::settings::{Limits, Settings, WechatSettings};

/// How long the read tables may take to show the last events before we leave; the next leader does the rest.
const LAST_FOLDS: Duration = Duration::from_secs(2);

/// How long the doors stay shut for read tables that are behind.
const CATCH_UP: Duration = Duration::from_secs(10);

/// What `serve` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Fill an empty store with demo data, and make an administrator `admin` with a new password where none is named.
    #[arg(long)]
    demo_if_empty: bool,
    /// Serve the read tables as they were at a position of the log, or at a time (2026-01-31T08:00:00+08:00, or milliseconds):
    /// read-only, beside a running service. They are built first, unless they are there.
    #[arg(long, value_name = "POSITION|TIME", conflicts_with = "demo_if_empty")]
    as_of: Option<Point>,
    #[command(flatten)]
    settings: Box<Settings>,
}

impl Args {
    /// How many threads serve, if the operator said so.
    pub fn worker_threads(&self) -> Option<usize> {
        self.settings.worker_threads
    }
}

/// Serves until told to stop.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let settings = *args.settings;
    let _logs = logs::start(settings.log_format, &settings.log);
    ops::metrics::recorder();
    let stop = stop::signals()?;
    // Asked for before anything is started: with DATABASE_URL it must be given.
    let keys = store::keys(&settings.store)?;
    if let Some(point) = args.as_of {
        past::run(&settings, keys, point, stop).await?;
        info!("Stopped");
        return Ok(Exit::Fine);
    }
    let database = tokio::select! {
        database = Database::open(&settings.store) => database?,
        () = stop.cancelled() => return Ok(Exit::Fine),
    };
    store::with(database, async |database| {
        let node = tokio::select! {
            node = Node::start(&settings, database, keys) => node?,
            () = stop.cancelled() => return Ok(()),
        };
        node.serve(&settings, args.demo_if_empty, stop.clone())
            .await
    })
    .await?;
    info!("Stopped");
    Ok(Exit::Fine)
}

/// Everything that runs under the listeners.
struct Node {
    app: App,
    ledger: Ledger,
    projector: ProjectorHandle,
    readiness: Readiness,
}

/// What is there before the first request.
struct Opened {
    public: Door,
    inner: Door,
    places: welcome::Places,
    /// Nothing has ever happened here.
    empty: bool,
    first: First,
}

impl Node {
    async fn start(settings: &Settings, database: &Database, keys: Keys) -> anyhow::Result<Self> {
        let wechat = wechat(&settings.wechat)?;
        migrate(database, &projections::schemas()).await?;
        let limits = &settings.limits;
        let connections = u32::try_from(limits.pool_connections)?;
        let ledger = store::ledger(
            database,
            keys,
            append_limits(limits),
            limits.state_cache_entries,
            connections,
        )
        .await?;
        let reads = projector::reads(
            database,
            connections,
            ledger.watermark(),
            projections::all(),
            limits.projection_wait_ms,
        );
        let files = store::files(&settings.store, &settings.files)?;
        let desk = Desk::new(ledger.clone(), limits.projection_wait_ms);
        let app = App::new(AppParts {
            desk,
            reads,
            files,
            payments: payments(settings)?,
            sms: sms(settings)?,
            wechat,
            settings: settings.into(),
        });
        let options = ProjectorOptions::new(limits.projector_batch_events, limits.lease_ms);
        if database.server().is_some() {
            projector::vacate(app.reads()).await?;
        }
        let projector = Projector::start(ledger.clone(), database, options).await?;
        catch_up(&ledger).await?;
        let readiness = Readiness::of_node(ledger.clone(), projector.observer());
        Ok(Self {
            app,
            ledger,
            projector,
            readiness,
        })
    }

    /// Opens both doors and sees to it that somebody may come in.
    async fn open(&self, settings: &Settings, or_make: bool) -> anyhow::Result<Opened> {
        let (public, inner, places) = doors(settings)?;
        let empty = self.ledger.head().await?.position == 0;
        let first = bootstrap::first(self.app.desk(), settings, or_make).await?;
        Ok(Opened {
            public,
            inner,
            places,
            empty,
            first,
        })
    }

    async fn serve(
        self,
        settings: &Settings,
        demo_if_empty: bool,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let Opened {
            public,
            inner,
            places,
            empty,
            first,
        } = match self.open(settings, demo_if_empty).await {
            Ok(opened) => opened,
            Err(error) => {
                // So that the next start need not wait for the lease to run out.
                self.projector.shutdown().await;
                return Err(error);
            }
        };
        let ops = Ops {
            ledger: self.ledger.clone(),
            pool: self.app.reads().clone(),
            readiness: self.readiness.clone(),
            stop: stop.clone(),
        };
        let tasks = TaskTracker::new();
        let surfaces = api::router(self.app.clone(), self.readiness.clone());
        let public = tasks.spawn(public.serve(surfaces, api::word, stop.clone()));
        let inner = tasks.spawn(inner.serve(ops::router(ops), ops::word, stop.clone()));
        tasks.spawn(ops::metrics::upkeep(stop.clone()));
        tasks.spawn(upkeep::sweep(self.app.clone(), stop.clone()));
        if !settings.order_pay_window_secs.is_zero() {
            let (desk, reads) = (self.app.desk().clone(), self.app.reads().clone());
            let expiry = Expiry::new(desk, reads, settings.order_pay_window_secs);
            tasks.spawn(expiry.run(stop.clone()));
        }
        welcome::say(&places, &first, demo_if_empty);
        if matches!(first, First::Nobody) {
            warn!(
                "There is no staff account, so nobody can log in: name one with SHIJI_BOOTSTRAP_STAFF_NAME and SHIJI_BOOTSTRAP_STAFF_PASSWORD"
            );
        }
        if demo_if_empty && empty {
            let desk = self.app.desk().clone();
            let stop = stop.clone();
            tasks.spawn(async move { fill(&desk, stop).await });
        }
        tasks.close();

        let broken = ended(&stop, public, inner).await;
        stop.cancel();
        // Sockets outlive the listener that opened them, and it waits for answers that follow the log.
        self.app.hang_up();
        tasks.wait().await;
        self.app.finish().await;
        // So that the read tables show everything when we leave, if they can.
        if let Ok(head) = self.ledger.head().await {
            let watermark = self.ledger.watermark();
            watermark.wait_all(head.position, LAST_FOLDS).await;
        }
        self.projector.shutdown().await;
        store::part(&self.ledger).await;
        self.app.close().await;
        broke_off(broken)
    }
}

/// Waits to be told to stop, or for a listener to end by itself: that one has panicked, and the node must not go on half.
async fn ended(
    stop: &CancellationToken,
    public: impl Future,
    inner: impl Future,
) -> Option<&'static str> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        _ = public => Some("the public listener"),
        _ = inner => Some("the operators' listener"),
    }
}

/// How serving ends when a listener has ended by itself.
fn broke_off(listener: Option<&str>) -> anyhow::Result<()> {
    match listener {
        None => Ok(()),
        Some(listener) => Err(anyhow!(
            "{listener} broke off, which is a bug; the log says more"
        )),
    }
}

/// Opens both listeners.
fn doors(settings: &Settings) -> anyhow::Result<(Door, Door, welcome::Places)> {
    let limits = DoorLimits::public(&settings.limits, settings.upload_max_bytes);
    let public = Door::open("public", "SHIJI_LISTEN", settings.listen, limits)?;
    let limits = DoorLimits::ops(&settings.limits);
    let inner = Door::open("ops", "SHIJI_OPS_LISTEN", settings.ops_listen, limits)?;
    let places = welcome::Places {
        public: public.address()?,
        ops: inner.address()?,
    };
    Ok((public, inner, places))
}

/// How SMS codes leave: through the gateway that is named, else into the log.
fn sms(settings: &Settings) -> anyhow::Result<Arc<dyn SmsGateway>> {
    if settings.sms_fixed_code.is_some() {
        warn!("SHIJI_SMS_FIXED_CODE is set: whoever knows it can log in under any phone");
    }
    let Some(url) = &settings.sms_url else {
        return Ok(Arc::new(LoggedSms));
    };
    let headers = settings.sms_headers.as_ref();
    let headers = headers.map_or("", ExposeSecret::expose_secret);
    let gateway = HttpSms::new(url, headers, &settings.sms_body);
    Ok(Arc::new(gateway.map_err(|error| {
        anyhow!("SHIJI_SMS_URL and SHIJI_SMS_HEADERS cannot be used: {error}")
    })?))
}

/// WeChat as configured, or the stand-in.
fn wechat(settings: &WechatSettings) -> anyhow::Result<Arc<dyn Wechat>> {
    Ok(match WechatApi::configured(settings)? {
        Some(api) => Arc::new(api),
        None => Arc::new(StandIn),
    })
}

/// Waits until the read tables show what was acknowledged before this start: a crash may have taken their last moments,
/// never the log's. A backlog that takes longer is worked off behind open doors, and `/readyz` says so.
async fn catch_up(ledger: &Ledger) -> anyhow::Result<()> {
    let head = ledger.head().await?.position;
    let until = Instant::now() + CATCH_UP;
    loop {
        let behind = ledger.watermark().wait_all(head, CATCH_UP).await;
        if behind.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            warn!(
                "The read tables of {} are still behind the log",
                behind.join(", ")
            );
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Fills the empty store; stopped half-way, `shiji demo` goes on from there.
async fn fill(desk: &Desk, stop: CancellationToken) {
    let progress = Progress::logged(demo::TELLING, demo::SIZE.into());
    tokio::select! {
        filled = demo::fill(desk, demo::SEED, demo::SIZE, progress) => match filled {
            Ok(filled) => info!("{filled}"),
            Err(error) => error!("The demo data is not complete, `shiji demo` goes on from there: {error}"),
        },
        () = stop.cancelled() => info!("The demo data is not complete, `shiji demo` goes on from there"),
    }
}

fn payments(settings: &Settings) -> anyhow::Result<Arc<dyn PaymentGateway>> {
    Ok(match &settings.payment_url {
        Some(url) => Arc::new(HttpPayments::new(url.as_str())?),
        None => Arc::new(ApprovesAll),
    })
}

fn append_limits(limits: &Limits) -> AppendLimits {
    AppendLimits {
        queue: limits.append_queue_jobs,
        batch_jobs: limits.append_batch_jobs,
        batch_events: limits.append_batch_events,
        batch_bytes: limits.append_batch_bytes,
        ..AppendLimits::default()
    }
}
