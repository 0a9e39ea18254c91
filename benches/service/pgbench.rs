//! `pgbench` as the yardstick for the bare database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use crate::contest::Contender;
use crate::load::{Span, Tally};

/// A script that `pgbench` runs with prepared statements, one transaction after the other on each connection.
#[derive(Debug)]
pub struct Pgbench {
    binary: PathBuf,
    socket: PathBuf,
    user: String,
    database: String,
    script: PathBuf,
    defines: Vec<String>,
    search_path: Option<String>,
    logs: PathBuf,
}

impl Pgbench {
    /// Writes the script into `folder`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn new(bin: &Path, at: &Database, name: &str, script: &str, folder: &Path) -> Result<Self> {
        let path = folder.join(format!("{name}.sql"));
        std::fs::write(&path, script)?;
        let logs = folder.join(format!("{name}-logs"));
        std::fs::create_dir_all(&logs)?;
        Ok(Self {
            binary: bin.join("pgbench"),
            socket: at.socket.clone(),
            user: at.user.clone(),
            database: at.name.clone(),
            script: path,
            defines: Vec::new(),
            search_path: None,
            logs,
        })
    }

    /// Looks for tables in these schemas.
    #[must_use]
    pub fn within(mut self, schemas: &[String]) -> Self {
        self.search_path = Some(format!("-c search_path={}", schemas.join(",")));
        self
    }

    /// Gives the script's variables, as `name=value`.
    #[must_use]
    pub fn define(mut self, variables: &[String]) -> Self {
        for variable in variables {
            self.defines.push(format!("--define={variable}"));
        }
        self
    }
}

/// A database behind a Unix socket.
#[derive(Debug, Clone)]
pub struct Database {
    /// The folder of the socket.
    pub socket: PathBuf,
    /// Whom to connect as.
    pub user: String,
    /// The database.
    pub name: String,
}

#[async_trait(?Send)]
impl Contender for Pgbench {
    fn name(&self) -> &'static str {
        "pgbench"
    }

    async fn round(&mut self, connections: usize, span: Span) -> Result<Tally> {
        let seconds = (span.warmup + span.measured).as_secs_f64().ceil();
        let threads = connections.min(2);
        let outcome = tokio::process::Command::new(&self.binary)
            .args([
                "--no-vacuum",
                "--protocol=prepared",
                "--log",
                "--log-prefix=log",
            ])
            .arg(format!("--client={connections}"))
            .arg(format!("--jobs={threads}"))
            .arg(format!("--time={seconds}"))
            .arg(format!("--host={}", self.socket.display()))
            .arg(format!("--username={}", self.user))
            .envs(self.search_path.as_ref().map(|path| ("PGOPTIONS", path)))
            .args(&self.defines)
            .arg(format!("--file={}", self.script.display()))
            .arg(&self.database)
            .current_dir(&self.logs)
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run pgbench")?;
        ensure!(
            outcome.status.success(),
            "pgbench: {}",
            String::from_utf8_lossy(&outcome.stderr),
        );
        let transactions = self.take_logs()?;
        let tally = tally(&transactions, span);
        tally.sound().context("pgbench")?;
        Ok(tally)
    }
}

/// One transaction of the log: when it ended and how long it took.
struct Transaction {
    ended: Duration,
    took: Duration,
}

impl Pgbench {
    fn take_logs(&self) -> Result<Vec<Transaction>> {
        let mut transactions = Vec::new();
        for entry in std::fs::read_dir(&self.logs)? {
            let path = entry?.path();
            for line in std::fs::read_to_string(&path)?.lines() {
                transactions.push(
                    transaction(line)
                        .with_context(|| format!("a line of pgbench's log: {line}"))?,
                );
            }
            std::fs::remove_file(&path)?;
        }
        Ok(transactions)
    }
}

/// Reads `client transaction took_us script epoch_s epoch_us`.
fn transaction(line: &str) -> Option<Transaction> {
    let mut fields = line.split(' ').skip(2);
    let took = fields.next()?.parse().ok()?;
    let seconds: u64 = fields.nth(1)?.parse().ok()?;
    let micros: u64 = fields.next()?.parse().ok()?;
    Some(Transaction {
        ended: Duration::from_secs(seconds) + Duration::from_micros(micros),
        took: Duration::from_micros(took),
    })
}

/// Counts what ended in the measured time, which begins after the warm-up like everybody's.
fn tally(transactions: &[Transaction], span: Span) -> Tally {
    let mut tally = Tally::new(span.measured);
    let began = transactions
        .iter()
        .map(|one| one.ended.saturating_sub(one.took))
        .min();
    let from = began.unwrap_or_default() + span.warmup;
    for one in transactions {
        if one.ended >= from && one.ended < from + span.measured {
            tally.complete(one.took);
        }
    }
    tally
}
