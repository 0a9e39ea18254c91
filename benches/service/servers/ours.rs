//! Starting our service with a private PostgreSQL of its own, and asking its command line about the log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use data_encoding::HEXLOWER;
use nix::sys::signal::Signal;
use shiji::postgres::private::running;
use shiji::settings::StoreSettings;
use sqlx::postgres::PgConnectOptions;

use super::community::SMS_CODE;
use super::{Process, STAFF_NAME, STAFF_PASSWORD, free_address};

/// The running service and how to call its command line.
#[derive(Debug)]
pub struct Ours {
    binary: PathBuf,
    postgres_bin: PathBuf,
    folder: PathBuf,
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
            folder: folder.to_owned(),
            listen: free_address()?,
            ops: free_address()?,
        };
        let process = ours.serve()?;
        Ok((ours, process))
    }

    /// Starts the service on its data folder; once more, when it was stopped.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn serve(&self) -> Result<Process> {
        Process::start(
            "shiji serve",
            self.command().arg("serve"),
            &self.folder.join("ours.log"),
            Signal::SIGTERM,
        )
    }

    /// Starts another node on the same database, with a folder of its own; answers where it listens.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or the first does not run.
    pub fn beside(&self) -> Result<(Process, SocketAddr)> {
        let (listen, ops) = (free_address()?, free_address()?);
        let key = self.settings().obtain_master_key()?;
        let database = self.database()?;
        let socket = database.get_socket().context("ours has no socket")?;
        let url = format!(
            "postgres:///{}?host={}&port={}&user={}&sslmode=disable",
            database.get_database().unwrap_or_default(),
            socket.display(),
            database.get_port(),
            database.get_username(),
        );
        let mut command = self.command();
        command
            .arg("serve")
            .env("DATABASE_URL", url)
            .env("SHIJI_MASTER_KEY", HEXLOWER.encode(key.expose()))
            .env("SHIJI_DATA_DIR", self.folder.join("beside"))
            .env("SHIJI_LISTEN", listen.to_string())
            .env("SHIJI_OPS_LISTEN", ops.to_string());
        let log = self.folder.join("beside.log");
        let process = Process::start("a second shiji serve", &mut command, &log, Signal::SIGTERM)?;
        Ok((process, listen))
    }

    /// The settings of its store.
    fn settings(&self) -> StoreSettings {
        StoreSettings {
            data_dir: self.data(),
            database_url: None,
            master_key: None,
            pg_bin: Some(self.postgres_bin.clone()),
            pg_user: "postgres".to_owned(),
        }
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("ours")
    }

    /// The folder of the PostgreSQL binaries.
    #[must_use]
    pub fn postgres_bin(&self) -> &Path {
        &self.postgres_bin
    }

    /// Where it tells operators how it is.
    #[must_use]
    pub fn ops(&self) -> SocketAddr {
        self.ops
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
        running(&self.data(), "shiji").context("the private PostgreSQL of ours does not run")
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
            .env("SHIJI_DATA_DIR", self.data())
            .env("SHIJI_SMS_FIXED_CODE", SMS_CODE)
            .env("SHIJI_BOOTSTRAP_STAFF_NAME", STAFF_NAME)
            .env("SHIJI_BOOTSTRAP_STAFF_PASSWORD", STAFF_PASSWORD);
        command
    }
}
