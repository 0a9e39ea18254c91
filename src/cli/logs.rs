//! Logs: on standard error, for people or as JSON lines, never torn by a progress bar.

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{EnvFilter, fmt};

use super::progress;
use crate::settings::LogFormat;

/// What the commands that only look log, unless `SHIJI_LOG` says otherwise.
const QUIET: &str = "warn";
/// Connections that die with their server are told about by whoever used them, once.
const ALWAYS: &str = "sqlx_core::pool=error";

/// Logs of `serve`: written by a thread of their own, so that no request waits for whoever reads them. Lines are lost when
/// that reader stands still for too long, and counted. What is held is written when the guard goes.
pub fn start(format: LogFormat, filter: &str) -> WorkerGuard {
    let (writer, guard): (NonBlocking, WorkerGuard) =
        NonBlockingBuilder::default().finish(progress::Stderr);
    begin(format, filter, writer);
    guard
}

fn begin<W>(format: LogFormat, filter: &str, writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let subscriber = fmt()
        .with_env_filter(EnvFilter::new(format!("{filter},{ALWAYS}")))
        .with_writer(writer);
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
    begin(LogFormat::Human, &filter, || progress::Stderr);
}
