//! Paying for an order: the gateway takes the money, then the order records it.
//!
//! The money is taken outside of any transaction, so both orders of events can be cut in half. What holds is this. A charge
//! is named by its order, so that asking again takes nothing twice; a client that was not answered asks again and finds
//! the order paid. When the order turns out to be cancelled after its money was taken, it stays cancelled, because its
//! tickets may be somebody else's by now, and the money goes back. Money that could neither be recorded nor given back is
//! an error in the log that names order and payment: for it there are `ConfirmPayment` and the gateway's own books.

use std::sync::Arc;

use tracing::{error, warn};

use crate::commands::order::{OrderError, PayOrder};
use crate::commands::{Desk, DeskError, Done, Request};
use crate::events::Order;
use crate::events::order::Placed;
use crate::gateways::{Charge, Charged, PaymentError, PaymentGateway};
use crate::ledger::{Freshness, LoadError};

/// Why an order is not paid.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PayFailure {
    /// The gateway declined.
    #[error("the payment was declined")]
    Declined,
    /// Nobody knows whether the money was taken; asking again is safe.
    #[error(transparent)]
    Gateway(#[from] PaymentError),
    /// The order could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The order says no, or recording broke.
    #[error(transparent)]
    Desk(#[from] DeskError<OrderError>),
}

/// Pays a member's order. One that is paid already is a success; for one that cannot be paid the gateway is not asked.
///
/// # Errors
/// [`PayFailure`].
pub async fn pay(
    desk: &Desk,
    gateway: &Arc<dyn PaymentGateway>,
    request: &Request,
    order_id: i64,
    uid: &str,
) -> Result<Done<()>, PayFailure> {
    let mut order = PayOrder {
        order_id,
        uid: Some(uid.to_owned()),
        reference: None,
    };
    let Some(charge) = chargeable(desk, request, order_id, uid).await? else {
        return Ok(desk.run(request, &order).await?);
    };
    let reference = match gateway.charge(&charge).await {
        Ok(Charged::Approved { reference }) => reference,
        Ok(Charged::Declined) => return Err(PayFailure::Declined),
        Err(failure) => {
            warn!(order.id = order_id, error = %failure, "Nobody knows whether the money of order {order_id} was taken: {failure}");
            return Err(failure.into());
        }
    };
    order.reference = Some(reference.clone());
    let paid = desk.run(request, &order).await;
    match &paid {
        Ok(_) => {}
        Err(DeskError::Refused(_) | DeskError::KeyReused | DeskError::VersionDiffers { .. }) => {
            settle(desk, gateway, &charge, &reference).await;
        }
        // Perhaps it is recorded, perhaps the client asks again; giving it back could lose a paid order its money.
        Err(
            DeskError::Conflict | DeskError::Overloaded | DeskError::Past | DeskError::Fault(_),
        ) => {
            unsettled(order_id, &reference);
        }
    }
    Ok(paid?)
}

/// What is to be charged; `None` when the desk has its answer already: under the request's idempotency key, or because the
/// order is settled or somebody else's.
async fn chargeable(
    desk: &Desk,
    request: &Request,
    order_id: i64,
    uid: &str,
) -> Result<Option<Charge>, PayFailure> {
    // Before any money is taken.
    desk.accepts::<OrderError>()?;
    let ledger = desk.ledger();
    if let Some(receipt) = &request.receipt {
        let known = ledger.receipt(&receipt.key).await;
        if known
            .map_err(|error| DeskError::Fault(error.into()))?
            .is_some()
        {
            return Ok(None);
        }
    }
    let order = ledger.current::<Order>(&order_id.to_string()).await?;
    Ok(match &*order.state {
        Order::Pending(Placed {
            uid: owner,
            price_fen,
            ..
        }) if owner == uid => Some(Charge {
            // Of this ledger: another one on the same gateway counts its orders from 1, too.
            key: format!("{}-{order_id}", ledger.id()),
            order_id,
            uid: owner.clone(),
            amount_fen: *price_fen,
        }),
        Order::Unplaced | Order::Pending(_) | Order::Done { .. } | Order::Cancelled(_) => None,
    })
}

/// Finds out whose the money of a payment is that was refused. Another request may have recorded this very payment.
async fn settle(desk: &Desk, gateway: &Arc<dyn PaymentGateway>, charge: &Charge, reference: &str) {
    let order_id = charge.order_id;
    // From the log: this node's memory may be older than the request that was faster.
    let id = order_id.to_string();
    let order = desk.ledger().load::<Order>(&id, Freshness::Reread).await;
    match order.as_ref().map(|found| &*found.state) {
        Ok(Order::Done {
            reference: Some(paid),
            ..
        }) if paid == reference => {}
        Ok(Order::Done { .. } | Order::Cancelled(_) | Order::Unplaced) => {
            give_back(gateway, charge, reference).await;
        }
        // It can still be paid, with this very money: the charge is named by the order.
        Ok(Order::Pending(_)) | Err(_) => unsettled(order_id, reference),
    }
}

fn unsettled(order_id: i64, reference: &str) {
    error!(
        order.id = order_id,
        payment.reference = reference,
        "The money of order {order_id} is taken and may not be recorded: see whether it is paid, else confirm payment {reference} by hand"
    );
}

async fn give_back(gateway: &Arc<dyn PaymentGateway>, charge: &Charge, reference: &str) {
    let order_id = charge.order_id;
    match gateway.refund(charge, reference).await {
        Ok(()) => warn!(
            order.id = order_id,
            payment.reference = reference,
            "Order {order_id} was settled otherwise while its money was taken; payment {reference} is given back"
        ),
        Err(failure) => error!(
            order.id = order_id,
            payment.reference = reference,
            error = %failure,
            "Order {order_id} was settled otherwise while its money was taken, and payment {reference} could not be given back: {failure}"
        ),
    }
}
