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
        self.run(&["audit", "verify"]).await.map(drop)
    }

    /// Runs a command of its command line to the end; answers what it printed.
    ///
    /// # Errors
    ///
    /// When it does not succeed.
    pub async fn run(&self, words: &[&str]) -> Result<String> {
        let said = format!("shiji {}", words.join(" "));
        let mut command = tokio::process::Command::from(self.command());
        let outcome = command
            .args(words)
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("cannot run {said}"))?;
        let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
        ensure!(
            outcome.status.success(),
            "{said}: {printed}{}",
            String::from_utf8_lossy(&outcome.stderr),
        );
        Ok(printed)
    }

    /// The program with the settings of this store, without words.
    #[must_use]
    pub fn command(&self) -> Command {
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
