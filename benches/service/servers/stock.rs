//! Starting the stock service: this program in its other mode.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use nix::sys::signal::Signal;

use super::{Process, free_address};

/// Starts the stock service on an empty database.
///
/// # Errors
///
/// When it cannot be started.
pub fn start(database_url: &str, pool: u32, folder: &Path) -> Result<(Process, SocketAddr)> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("stock")
        .args(["--listen", &address.to_string()])
        .args(["--database-url", database_url])
        .args(["--pool", &pool.to_string()]);
    let process = Process::start(
        "the stock service",
        &mut command,
        &folder.join("stock.log"),
        Signal::SIGTERM,
    )?;
    Ok((process, address))
}
