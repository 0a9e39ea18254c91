//! Cancelling orders that nobody paid in time, so that their tickets are for sale again.
//!
//! What is due is looked up in the read tables; whether it is still pending, the order decides. A payment that comes first
//! wins, and a node that dies half-way leaves the rest to the next turn. One node does it at a time, by a lease; two at once
//! would only do the same work twice.

use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use crate::commands::order::{CancelOrder, EXPIRED, OrderError};
use crate::commands::{Desk, DeskError, Request};
use crate::ledger::{Metadata, StreamId};
use crate::postgres::Lease;
use crate::projections::orders::{self, Due};

/// How events name the process.
const ACTOR: &str = "system:expiry";
/// How events name its door: none.
const SURFACE: &str = "system";
/// The pause between two turns: how late an order may expire.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a node that died keeps others from it.
const LEASE: Duration = Duration::from_secs(20);
/// Orders looked up at once.
const BATCH: i64 = 100;
/// Orders cancelled at once.
const AT_ONCE: usize = 8;
/// How long one cancellation may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Cancels orders that nobody paid in time.
#[derive(Clone)]
pub struct Expiry {
    desk: Desk,
    reads: PgPool,
    window: Duration,
    lease: Lease,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Orders cancelled.
    pub cancelled: u64,
    /// Orders that were settled before.
    pub settled: u64,
    /// Orders left for the next turn, because something broke.
    pub failed: u64,
}

impl Expiry {
    /// Cancels orders that are pending for longer than `window`.
    #[must_use]
    pub fn new(desk: Desk, reads: PgPool, window: Duration) -> Self {
        let lease = Lease::new(reads.clone(), "order_expiry", LEASE);
        Self {
            desk,
            reads,
            window,
            lease,
        }
    }

    /// Takes turns until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => break,
            }
            match self.turn(&stop).await {
                Ok(None) => {}
                Ok(Some(expired)) if expired.cancelled > 0 => {
                    let cancelled = expired.cancelled;
                    info!(
                        cancelled,
                        "Cancelled {cancelled} orders that nobody paid in time"
                    );
                }
                Ok(Some(expired)) => debug!(?expired, "No order ran out"),
                Err(failure) => {
                    warn!(error = %failure, "Unpaid orders could not be looked up: {failure}");
                }
            }
        }
        if let Err(failure) = self.lease.release().await {
            debug!(error = %failure, "The lease of the expiry has to run out: {failure}");
        }
    }

    /// Cancels what is due now, if this node holds the lease; `None` when another one does.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn turn(&self, stop: &CancellationToken) -> sqlx::Result<Option<Expired>> {
        let now = self.desk.ledger().clock().now();
        let window = TimeDelta::from_std(self.window).unwrap_or(TimeDelta::MAX);
        let mut expired = Expired::default();
        let Some(placed_until) = now.checked_sub_signed(window) else {
            return Ok(Some(expired));
        };
        let mut after = None;
        // Walks on behind what it has seen, so that an order that cannot be cancelled holds up no other.
        while !stop.is_cancelled() {
            if !self.lease.take().await? {
                return Ok(None);
            }
            let due = orders::due(&self.reads, placed_until, after, BATCH).await?;
            let last = due.last().copied();
            self.cancel(&due, &mut expired).await;
            if due.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                break;
            }
            after = last;
        }
        Ok(Some(expired))
    }

    async fn cancel(&self, due: &[Due], expired: &mut Expired) {
        let ids: Vec<i64> = due.iter().map(|order| order.id).collect();
        let mut ends = futures::stream::iter(ids)
            .map(|id| self.cancel_one(id))
            .buffer_unordered(AT_ONCE);
        while let Some(end) = ends.next().await {
            match end {
                End::Cancelled => expired.cancelled += 1,
                End::Settled => expired.settled += 1,
                End::Failed => expired.failed += 1,
            }
        }
    }

    async fn cancel_one(&self, order_id: i64) -> End {
        let cancel = CancelOrder {
            order_id,
            uid: None,
            reason: Some(EXPIRED.to_owned()),
        };
        match self.desk.run(&self.request(order_id).await, &cancel).await {
            Ok(done) if done.changes.iter().any(|change| !change.events.is_empty()) => {
                End::Cancelled
            }
            // The read table is a little behind, or a payment came first.
            Ok(_) | Err(DeskError::Refused(OrderError::Done)) => End::Settled,
            Err(DeskError::Conflict | DeskError::Overloaded | DeskError::Past) => End::Failed,
            Err(failure) => {
                error!(order.id = order_id, error = %failure, "Order {order_id} cannot be cancelled: {failure}");
                End::Failed
            }
        }
    }

    /// The event that made the order: why it is cancelled now. An audit goes without rather than an order on.
    async fn placed(&self, order_id: i64) -> Option<String> {
        let stream = StreamId::new("Order", order_id.to_string());
        let first = self.desk.ledger().stream_after(&stream, 0, 1).await.ok()?;
        first.first().map(|event| event.event_id.to_string())
    }

    async fn request(&self, order_id: i64) -> Request {
        Request {
            metadata: Metadata {
                actor: ACTOR.to_owned(),
                surface: SURFACE.to_owned(),
                request_id: Uuid::now_v7(),
                causation: self.placed(order_id).await,
                correlation: None,
                at: self.desk.ledger().clock().now(),
            },
            receipt: None,
            if_match: None,
            deadline: Instant::now() + PATIENCE,
        }
    }
}

/// What became of one order.
enum End {
    Cancelled,
    Settled,
    Failed,
}
