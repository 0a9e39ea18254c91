//! Deleting what is of no use any more, in slices.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::api::App;

/// The pause between two sweeps that had little to do.
const PAUSE: Duration = Duration::from_secs(60);
/// The pause between two slices of a sweep that has much to do, so that requests go first.
const BREATH: Duration = Duration::from_millis(200);
/// A slice with as many rows is probably not the last.
const MUCH: u64 = 10_000;

/// Sweeps until `stop`.
pub async fn sweep(app: App, stop: CancellationToken) {
    let mut pause = PAUSE;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = match app.sweep().await {
            Ok(rows) if rows >= MUCH => BREATH,
            Ok(rows) => {
                debug!(rows, "Swept {rows} old rows");
                PAUSE
            }
            Err(error) => {
                warn!(error = %error, "Old receipts and counts could not be swept: {error}");
                PAUSE
            }
        };
    }
}
