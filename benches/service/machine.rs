//! What the figures were measured on, and how busy its processes are.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use nix::unistd::{SysconfVar, sysconf};
use serde_json::{Value, json};

use crate::stage::Stage;

/// The machine, the versions and the settings, for the report.
///
/// # Errors
///
/// When a program that was found before cannot be run.
pub async fn describe(stage: &Stage) -> Result<Value> {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let options = &stage.options;
    let postgres = tokio::process::Command::new(stage.bin.join("postgres"))
        .arg("--version")
        .output()
        .await?;
    Ok(json!({
        "cpu": field(&cpuinfo, "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field(&meminfo, "MemTotal"),
        "kernel": kernel.trim(),
        "postgres": String::from_utf8_lossy(&postgres.stdout).trim(),
        "commit": commit(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "warmup_seconds": options.warmup,
        "seed_tasks": options.seed_tasks,
        "seed_members": options.seed_members,
        "seed_articles": options.seed_articles,
        "growth_events": options.growth_events,
        "memory_seconds": options.memory_seconds,
        "stock_pool": options.stock_pool,
        "quick": options.quick,
    }))
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .map_or("unknown", str::trim)
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Memory of a process that is in memory, in millions of bytes.
///
/// # Errors
///
/// When the system does not tell.
pub fn resident_megabytes(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kilobytes = field(&status, "VmRSS").trim_end_matches(" kB");
    let kilobytes: f64 = kilobytes
        .parse()
        .with_context(|| format!("process {process} has no resident memory"))?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// Measures how many cores a process keeps busy.
#[derive(Debug)]
pub struct Busy {
    process: u32,
    since: Instant,
    before: Option<f64>,
}

impl Busy {
    /// Starts to measure.
    #[must_use]
    pub fn start(process: u32) -> Self {
        Self {
            process,
            since: Instant::now(),
            before: cpu_seconds(process),
        }
    }

    /// Busy cores since the start; nothing where the system does not tell.
    #[must_use]
    pub fn cores(&self) -> Option<f64> {
        let spent = cpu_seconds(self.process)? - self.before?;
        Some(spent / self.since.elapsed().as_secs_f64())
    }
}

/// CPU time of a process so far, from `/proc`.
fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    let ticks = sysconf(SysconfVar::CLK_TCK).ok()??;
    #[expect(clippy::cast_precision_loss, reason = "a hundred or so")]
    let ticks = ticks as f64;
    Some((user + system) / ticks)
}
