//! The end: the first signal asks for it, a second one does not wait for it.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// What a process that left at once answers: it was interrupted.
const INTERRUPTED: i32 = 130;

/// Cancelled by SIGTERM or SIGINT. A second signal ends the process: committed events are safe, and the watchdog stops
/// a private PostgreSQL.
pub fn signals() -> anyhow::Result<CancellationToken> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        either(&mut term, &mut interrupt).await;
        info!("Stopping: open requests finish; a second signal leaves at once");
        token.cancel();
        either(&mut term, &mut interrupt).await;
        warn!("Left at once");
        std::process::exit(INTERRUPTED);
    });
    Ok(stop)
}

async fn either(term: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}
