//! Logs: on standard error, for people or as JSON lines, never torn by a progress bar.

use tracing_subscriber::{EnvFilter, fmt};

use super::progress;
use crate::settings::LogFormat;

/// What the commands that only look log, unless `SHIJI_LOG` says otherwise.
const QUIET: &str = "warn";
/// Connections that die with their server are told about by whoever used them, once.
const ALWAYS: &str = "sqlx_core::pool=error";

/// Logs of `serve`.
pub fn start(format: LogFormat, filter: &str) {
    let subscriber = fmt()
        .with_env_filter(EnvFilter::new(format!("{filter},{ALWAYS}")))
        .with_writer(|| progress::Stderr);
    match format {
        LogFormat::Human => subscriber
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_target(false)
            .init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
}

/// Logs of every other command.
pub fn start_quiet() {
    let filter = std::env::var("SHIJI_LOG").unwrap_or_else(|_| QUIET.to_owned());
    start(LogFormat::Human, &filter);
}
