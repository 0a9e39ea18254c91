//! Our service with a long log, whose read tables are built anew: a store of its own, so that the others stay as they are.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;

use super::{Ours, Process, Service};

/// The service and its log.
#[derive(Debug)]
pub struct Archive {
    /// The service, which runs all the time.
    pub service: Service,
    ours: Ours,
}

/// What a rebuild of all read tables came to.
#[derive(Debug, Clone, Copy)]
pub struct Rebuilt {
    /// Events folded into all of them.
    pub events: f64,
    /// In this time.
    pub seconds: f64,
}

impl Archive {
    /// Starts the service on an empty folder and fills it with the demo data of so many tasks, sent as real commands.
    ///
    /// # Errors
    ///
    /// When it does not come up or the data set is not complete.
    pub async fn start(binary: &Path, postgres: &Path, folder: &Path, tasks: u32) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;

        let folder = folder.join("archive");
        std::fs::create_dir(&folder)?;
        // PostgreSQL may run as another user and must be able to enter.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        eprintln!("starting a second {} serve, for its log", binary.display());
        let (ours, process) = Ours::start(binary, postgres, &folder)?;
        let service = Service::connect("ours", ours.listen(), process).await?;
        let began = Instant::now();
        let size = tasks.to_string();
        ours.run(&["demo", "--size", &size]).await?;
        eprintln!(
            "  a log of {tasks} tasks and all around them in {:.0} s",
            began.elapsed().as_secs_f64()
        );
        // Again, so that what was there counts as its beginning.
        let service = Service::connect("ours", ours.listen(), service.process).await?;
        Ok(Self { service, ours })
    }

    /// Its database, as its owner sees it.
    ///
    /// # Errors
    ///
    /// When its PostgreSQL does not run.
    pub fn database(&self) -> Result<PgConnectOptions> {
        self.ours.database()
    }

    /// Builds all read tables anew, from the first event on, and leaves them aside.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub async fn rebuild(&self) -> Result<Rebuilt> {
        let said = self.ours.run(&words(&["--json"])).await?;
        let said: Value = serde_json::from_str(&said)?;
        let number = |name: &str| said[name].as_f64().context("a rebuild without figures");
        let rebuilt = Rebuilt {
            events: number("events")?,
            seconds: number("seconds")?,
        };
        ensure!(
            said["parked_streams"] == 0,
            "the rebuild parked streams: {said}"
        );
        Ok(rebuilt)
    }

    /// Begins to do so with so many events a second, in the background.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn rebuilding(&self, rate: u32, log: &Path) -> Result<Process> {
        let rate = rate.to_string();
        let mut command: Command = self.ours.command();
        command.args(words(&["--rate", &rate]));
        Process::start(
            "shiji projections rebuild",
            &mut command,
            log,
            Signal::SIGTERM,
        )
    }
}

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let rebuild = [
        "projections",
        "rebuild",
        "--all",
        "--fresh",
        "--stop-before",
        "diff",
    ];
    rebuild.iter().chain(more).copied().collect()
}
