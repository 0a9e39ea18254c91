//! What can have happened to a member's shopping cart, and what that adds up to. It reserves nothing.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Why a ticket left a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CartRemoval {
    /// Its owner took it out.
    Removed,
    /// Its owner ordered it.
    Ordered,
}

/// Facts about a cart. Its stream is `Cart:{uid}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CartEvent {
    /// There is one line more.
    CartItemAdded {
        /// Which ticket.
        ticket_id: i64,
    },
    /// A ticket that is there already was put in again.
    CartItemRefreshed {
        /// Which ticket.
        ticket_id: i64,
    },
    /// There is one line less.
    CartItemRemoved {
        /// Which ticket.
        ticket_id: i64,
        /// Why.
        reason: CartRemoval,
    },
}

stored_events!(CartEvent {
    CartItemAdded: 1,
    CartItemRefreshed: 1,
    CartItemRemoved: 1,
});

/// A cart as its own rules need to see it. Readers want `projections::orders`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The tickets in it.
    pub ticket_ids: BTreeSet<i64>,
}

impl State for Cart {
    const TYPE: &'static str = "Cart";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = CartEvent;

    fn apply(&mut self, event: &CartEvent) {
        match event {
            CartEvent::CartItemAdded { ticket_id } => {
                self.ticket_ids.insert(*ticket_id);
            }
            CartEvent::CartItemRefreshed { .. } => {}
            CartEvent::CartItemRemoved { ticket_id, .. } => {
                self.ticket_ids.remove(ticket_id);
            }
        }
    }

    fn breaks(&self, event: &CartEvent) -> Option<&'static str> {
        let (ticket_id, wanted) = match event {
            CartEvent::CartItemAdded { ticket_id } => (ticket_id, false),
            CartEvent::CartItemRefreshed { ticket_id }
            | CartEvent::CartItemRemoved { ticket_id, .. } => (ticket_id, true),
        };
        (self.ticket_ids.contains(ticket_id) != wanted)
            .then_some("a ticket is in a cart once, and taken out of where it is")
    }
}
