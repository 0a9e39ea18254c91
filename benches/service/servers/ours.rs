//! Starting our service with a private PostgreSQL of its own, and asking its command line about the log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use shiji::postgres::private::running;
use sqlx::postgres::PgConnectOptions;

use super::community::SMS_CODE;
use super::{Process, STAFF_NAME, STAFF_PASSWORD, free_address};

/// The running service and how to call its command line.
#[derive(Debug)]
pub struct Ours {
    binary: PathBuf,
    postgres_bin: PathBuf,
    data: PathBuf,
    listen: SocketAddr,
    ops: SocketAddr,
}

impl Ours {
    /// Starts the service on an empty data folder under `folder`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(binary: &Path, postgres_bin: &Path, folder: &Path) -> Result<(Self, Process)> {
        let ours = Self {
            binary: binary.to_owned(),
            postgres_bin: postgres_bin.to_owned(),
            data: folder.join("ours"),
            listen: free_address()?,
            ops: free_address()?,
        };
        let process = Process::start(
            "shiji serve",
            ours.command().arg("serve"),
            &folder.join("ours.log"),
            Signal::SIGTERM,
        )?;
        Ok((ours, process))
    }

    /// Where it listens.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Its database, as its owner sees it.
    ///
    /// # Errors
    ///
    /// When its PostgreSQL does not run.
    pub fn database(&self) -> Result<PgConnectOptions> {
        running(&self.data, "shiji").context("the private PostgreSQL of ours does not run")
    }

    /// Lets the service's own command line verify the whole log.
    ///
    /// # Errors
    ///
    /// When the log does not verify.
    pub async fn verify_log(&self) -> Result<()> {
        let mut command = tokio::process::Command::from(self.command());
        let outcome = command
            .args(["audit", "verify"])
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run shiji audit verify")?;
        ensure!(
            outcome.status.success(),
            "shiji audit verify: {}{}",
            String::from_utf8_lossy(&outcome.stdout),
            String::from_utf8_lossy(&outcome.stderr),
        );
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        // Settings of whoever runs the benchmark must not change what is measured.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SHIJI_") {
                command.env_remove(name);
            }
        }
        command
            .env_remove("DATABASE_URL")
            .env("SHIJI_PG_BIN", &self.postgres_bin)
            .env("SHIJI_LISTEN", self.listen.to_string())
            .env("SHIJI_OPS_LISTEN", self.ops.to_string())
            .env("SHIJI_DATA_DIR", &self.data)
            .env("SHIJI_SMS_FIXED_CODE", SMS_CODE)
            .env("SHIJI_BOOTSTRAP_STAFF_NAME", STAFF_NAME)
            .env("SHIJI_BOOTSTRAP_STAFF_PASSWORD", STAFF_PASSWORD);
        command
    }
}
