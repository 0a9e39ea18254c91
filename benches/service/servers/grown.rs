//! Our service with a store that has grown for years: its log is written in minutes, and its read tables by the service itself.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{ConnectOptions, Connection};

use super::community::Size;
use super::{Community, Metrics, Ours, Service, until_ready};
use crate::filling::Town;

/// Disk for each event: log, indexes, read tables. Likes take a kilobyte.
const EVENT_BYTES: u64 = 1_500;

/// Disk for what does not depend on the number of events: the database's own log, and room to work.
const FIXED_BYTES: u64 = 4 << 30;

/// How often somebody looks whether the read tables show everything.
const LOOK: Duration = Duration::from_millis(250);

/// How long they may take: 10 million events are folded in minutes.
const FOLDED: Duration = Duration::from_secs(3600);

/// The service and its store.
#[derive(Debug)]
pub struct Grown {
    /// The service.
    pub service: Service,
    /// How to call its command line.
    pub ours: Ours,
    /// Events in its log when it was filled.
    pub events: i64,
}

impl Grown {
    /// How much disk a store of so many events and one of a hundredth of them take.
    #[must_use]
    pub fn bytes(events: usize) -> u64 {
        events as u64 * EVENT_BYTES + FIXED_BYTES
    }

    /// Starts the service under `folder` and fills its log with so many events; then members come, as everywhere.
    ///
    /// # Errors
    ///
    /// When it does not come up, or something answers wrongly.
    pub async fn start(
        binary: &Path,
        postgres: &Path,
        folder: &Path,
        (name, events): (&'static str, usize),
        size: Size,
    ) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;

        let folder = folder.join(name);
        std::fs::create_dir(&folder)?;
        // PostgreSQL may run as another user and must be able to enter.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        eprintln!("  {name}: a store of {events} events");
        let (ours, process) = Ours::start(binary, postgres, &folder)?;
        let service = Service::connect(name, ours.listen(), process).await?;
        let began = Instant::now();
        write(&ours, events).await?;
        let written = began.elapsed();
        shown(&ours).await?;
        let older = Town::of(events).articles;
        let community = Community::of_ours(service.address, &service.wire, size, older).await?;
        // Again, so that what was there counts as its beginning.
        let mut service = Service::connect(name, ours.listen(), service.process).await?;
        service.community = Some(Rc::new(community));
        let mut database = ours.database()?.connect().await?;
        // As after a night of rest.
        for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
            sqlx::raw_sql(statement).execute(&mut database).await?;
        }
        let (events, bytes): (i64, i64) = sqlx::query_as(
            "SELECT max(position), pg_database_size(current_database()) FROM events",
        )
        .fetch_one(&mut database)
        .await?;
        database.close().await?;
        eprintln!(
            "  {name}: {events} events, {} MB; written in {:.0} s, all ready after {:.0} s",
            bytes >> 20,
            written.as_secs_f64(),
            began.elapsed().as_secs_f64(),
        );
        Ok(Self {
            service,
            ours,
            events,
        })
    }

    /// Stops the service and its database, and starts them again; answers the seconds from the start to being ready.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub async fn restart(&mut self) -> Result<f64> {
        self.service.process.stop();
        self.come_up().await
    }

    /// Kills the service and its database in the middle of everything, and starts them again.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub async fn crash(&mut self) -> Result<f64> {
        let database = processes(&self.ours).await?;
        self.service.process.kill();
        for process in database {
            // Some leave by themselves when their postmaster is gone.
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        self.come_up().await
    }

    async fn come_up(&mut self) -> Result<f64> {
        let began = Instant::now();
        self.service.process = self.ours.serve()?;
        until_ready(self.service.address, &mut self.service.process).await?;
        Ok(began.elapsed().as_secs_f64())
    }
}

/// Lets this program fill the log in its other mode.
async fn write(ours: &Ours, events: usize) -> Result<()> {
    let outcome = tokio::process::Command::new(std::env::current_exe()?)
        .arg("fill")
        .args(["--events", &events.to_string()])
        .arg("--data-dir")
        .arg(ours.data())
        .arg("--postgres-bin")
        .arg(ours.postgres_bin())
        .kill_on_drop(true)
        .status()
        .await
        .context("cannot fill a log")?;
    ensure!(outcome.success(), "filling the log: {outcome}");
    Ok(())
}

/// Waits until the read tables show all that is in the log.
async fn shown(ours: &Ours) -> Result<()> {
    let mut database = ours.database()?.connect().await?;
    let last: i64 = sqlx::query_scalar("SELECT max(position) FROM events")
        .fetch_one(&mut database)
        .await?;
    database.close().await?;
    let deadline = Instant::now() + FOLDED;
    loop {
        let metrics = Metrics::read(ours.ops()).await?;
        #[expect(clippy::cast_precision_loss, reason = "positions stay far below 2^52")]
        let heard = metrics.all("shiji_log_position", |heard| heard >= last as f64);
        if heard && metrics.all("shiji_projection_lag_events", |lag| lag == 0.0) {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "the read tables do not show everything after {} s",
            FOLDED.as_secs()
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// The processes of its database, the one that starts the others first.
async fn processes(ours: &Ours) -> Result<Vec<i32>> {
    let mut database = ours.database()?.connect().await?;
    let found = sqlx::query_scalar(
        "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer
         UNION ALL
         SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    )
    .fetch_all(&mut database)
    .await?;
    database.close().await?;
    Ok(found)
}
