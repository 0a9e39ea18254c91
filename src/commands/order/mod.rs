//! What can be asked of an order, and the rules that answer (contract README section 3, row 28). Orders with their tickets
//! and carts: `operations.rs`.

mod operations;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use operations::{CancelOrder, Offer, PayOrder, PlaceOrder, offers};

use super::Decide;
use crate::events::order::{OrderLine, Placed};
use crate::events::{Order, OrderEvent};

/// Tickets of one order, at most.
pub const TICKETS_MAX: usize = 50;

/// Why the system cancels an order that nobody paid in time.
pub const EXPIRED: &str = "expired";

/// What can be asked of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderCommand {
    /// Place it. That the tickets are for sale is the operation's to guard.
    Place {
        /// Whose it is.
        uid: String,
        /// Its tickets.
        lines: Vec<OrderLine>,
    },
    /// It is paid.
    Pay {
        /// What whoever took the money calls the payment.
        reference: Option<String>,
    },
    /// Give it up.
    Cancel {
        /// Why, where it is not its owner who says so.
        reason: Option<String>,
    },
}

/// Why an order says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum OrderError {
    /// There is no such order of whoever asks.
    #[error("there is no such order")]
    NotFound,
    /// The id is taken.
    #[error("the order exists already")]
    Exists,
    /// Some tickets never were, or are not in the cart they should come from.
    #[error("there are no such tickets")]
    NoTickets {
        /// Those.
        ticket_ids: Vec<i64>,
    },
    /// Some tickets are reserved, sold or withdrawn, or their project is out of sight.
    #[error("some tickets are not for sale")]
    NotForSale {
        /// Those.
        ticket_ids: Vec<i64>,
    },
    /// It has no tickets, or too many.
    #[error("an order has 1 to 50 tickets")]
    Size,
    /// It was paid.
    #[error("the order is paid")]
    Done,
    /// It was paid by another payment.
    #[error("the order was paid by another payment")]
    PaidOtherwise,
    /// It was given up.
    #[error("the order is cancelled")]
    Cancelled,
}

impl Decide for Order {
    type Command = OrderCommand;
    type Refusal = OrderError;

    fn decide(&self, command: &OrderCommand) -> Result<Vec<OrderEvent>, OrderError> {
        match (command, self) {
            (OrderCommand::Place { uid, lines }, Self::Unplaced) => place(uid, lines),
            (OrderCommand::Place { .. }, _) => Err(OrderError::Exists),
            (OrderCommand::Pay { .. } | OrderCommand::Cancel { .. }, Self::Unplaced) => {
                Err(OrderError::NotFound)
            }
            (OrderCommand::Pay { reference }, Self::Pending(placed)) => {
                Ok(vec![paid(placed, reference.clone())])
            }
            // The same payment told again is quiet; another one is money that somebody has to give back.
            (
                OrderCommand::Pay {
                    reference: Some(new),
                },
                Self::Done {
                    reference: known, ..
                },
            ) if known.as_ref() != Some(new) => Err(OrderError::PaidOtherwise),
            (OrderCommand::Pay { .. }, Self::Done { .. })
            | (OrderCommand::Cancel { .. }, Self::Cancelled(_)) => Ok(vec![]),
            (OrderCommand::Pay { .. }, Self::Cancelled(_)) => Err(OrderError::Cancelled),
            (OrderCommand::Cancel { reason }, Self::Pending(placed)) => {
                Ok(vec![OrderEvent::OrderCancelled {
                    uid: placed.uid.clone(),
                    reason: reason.clone(),
                }])
            }
            (OrderCommand::Cancel { .. }, Self::Done { .. }) => Err(OrderError::Done),
        }
    }
}

fn place(uid: &str, lines: &[OrderLine]) -> Result<Vec<OrderEvent>, OrderError> {
    if lines.is_empty() || lines.len() > TICKETS_MAX {
        return Err(OrderError::Size);
    }
    Ok(vec![OrderEvent::OrderPlaced {
        uid: uid.to_owned(),
        price_fen: lines.iter().map(|line| line.price_fen).sum(),
        lines: lines.to_vec(),
    }])
}

fn paid(placed: &Placed, reference: Option<String>) -> OrderEvent {
    OrderEvent::OrderPaid {
        uid: placed.uid.clone(),
        price_fen: placed.price_fen,
        reference,
    }
}
