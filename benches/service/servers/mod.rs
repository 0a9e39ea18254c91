//! Starting and stopping what is measured.

mod archive;
pub mod community;
mod databases;
mod grown;
mod metrics;
mod ours;
mod postgres;
mod process;
mod service;
mod stock;

pub use archive::Archive;
pub use community::Community;
pub use databases::create_databases;
pub use grown::Grown;
pub use metrics::Metrics;
pub use ours::Ours;
pub use postgres::{Postgres, binaries};
pub use process::Process;
pub use service::{Service, Wire, until_ready};
pub use stock::start as start_stock;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Result;

/// Name of the staff account that both services start with.
pub const STAFF_NAME: &str = "bench";

/// Its password.
pub const STAFF_PASSWORD: &str = "bench-password";

/// An address nobody listens on.
///
/// # Errors
///
/// When the machine has no free port.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
