//! What can have happened to an order of tickets, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Where an order stands (numbers as in `my_order_list`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderStatus {
    /// 0, 待支付.
    Pending,
    /// 1, 已完成. Final.
    Done,
    /// 2, 已取消. Final.
    Cancelled,
}

impl OrderStatus {
    /// Its number on the wire and in tables.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Pending => 0,
            Self::Done => 1,
            Self::Cancelled => 2,
        }
    }

    /// The status of a number.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Pending),
            1 => Some(Self::Done),
            2 => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// A ticket of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Which ticket.
    pub ticket_id: i64,
    /// Its price when it was ordered, in fen.
    pub price_fen: i64,
}

/// Facts about an order. Its stream is `Order:{order_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderEvent {
    /// A member ordered tickets. They are held for it.
    OrderPlaced {
        /// Whose it is.
        uid: String,
        /// The tickets, each once, by their ids.
        lines: Vec<OrderLine>,
        /// The sum of their prices, in fen.
        price_fen: i64,
    },
    /// It was paid, for good.
    OrderPaid {
        /// Whose it is.
        uid: String,
        /// What was paid, in fen.
        price_fen: i64,
        /// What whoever took the money calls the payment, at most 128 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// It was given up, for good. Its tickets are for sale again.
    OrderCancelled {
        /// Whose it is.
        uid: String,
        /// Why, where it was not its owner who said so: `expired`, or what staff wrote.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

stored_events!(OrderEvent {
    OrderPlaced: 1,
    OrderPaid: 1,
    OrderCancelled: 1,
});

/// An order as its own rules need to see it. Readers want `projections::orders`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Never placed.
    #[default]
    Unplaced,
    /// It waits for its payment.
    Pending(Placed),
    /// It was paid.
    Done {
        /// What was ordered.
        placed: Placed,
        /// What whoever took the money calls the payment.
        reference: Option<String>,
    },
    /// It was given up.
    Cancelled(Placed),
}

/// What was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Whose it is.
    pub uid: String,
    /// The tickets.
    pub lines: Vec<OrderLine>,
    /// The sum of their prices, in fen.
    pub price_fen: i64,
}

impl Order {
    /// What was ordered, whatever became of it.
    #[must_use]
    pub fn placed(&self) -> Option<&Placed> {
        match self {
            Self::Unplaced => None,
            Self::Pending(placed) | Self::Cancelled(placed) | Self::Done { placed, .. } => {
                Some(placed)
            }
        }
    }
}

impl State for Order {
    const TYPE: &'static str = "Order";
    type Event = OrderEvent;

    fn apply(&mut self, event: &OrderEvent) {
        match (event, &*self) {
            (
                OrderEvent::OrderPlaced {
                    uid,
                    lines,
                    price_fen,
                },
                _,
            ) => {
                *self = Self::Pending(Placed {
                    uid: uid.clone(),
                    lines: lines.clone(),
                    price_fen: *price_fen,
                });
            }
            (OrderEvent::OrderPaid { reference, .. }, Self::Pending(placed)) => {
                *self = Self::Done {
                    placed: placed.clone(),
                    reference: reference.clone(),
                };
            }
            (OrderEvent::OrderCancelled { .. }, Self::Pending(placed)) => {
                *self = Self::Cancelled(placed.clone());
            }
            (
                OrderEvent::OrderPaid { .. } | OrderEvent::OrderCancelled { .. },
                Self::Unplaced | Self::Done { .. } | Self::Cancelled(_),
            ) => {}
        }
    }

    fn breaks(&self, event: &OrderEvent) -> Option<&'static str> {
        match (event, self) {
            (
                OrderEvent::OrderPlaced {
                    lines, price_fen, ..
                },
                Self::Unplaced,
            ) => {
                let sum =
                    (lines.iter()).try_fold(0_i64, |sum, line| sum.checked_add(line.price_fen));
                (sum != Some(*price_fen)).then_some("an order costs what its lines cost")
            }
            (OrderEvent::OrderPlaced { .. }, _) => Some("an order is placed once"),
            (OrderEvent::OrderPaid { price_fen, .. }, Self::Pending(placed)) => {
                (*price_fen != placed.price_fen).then_some("what is paid is what the order costs")
            }
            (OrderEvent::OrderCancelled { .. }, Self::Pending(_)) => None,
            (OrderEvent::OrderPaid { .. } | OrderEvent::OrderCancelled { .. }, _) => {
                Some("only an order that waits is paid or cancelled")
            }
        }
    }
}
