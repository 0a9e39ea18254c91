//! What can be asked of a shopping cart, and the rules that answer (contract README section 3, row 27).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::order::{Offer, offers};
use super::{Book, Decide, Operation, Stop};
use crate::events::cart::CartRemoval;
use crate::events::{Cart, CartEvent};

/// Lines of one cart, at most.
pub const LINES_MAX: usize = 100;

/// What can be asked of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartCommand {
    /// Put a ticket in; one that is there moves up. That it is for sale is the operation's to guard.
    Add {
        /// Which ticket.
        ticket_id: i64,
    },
    /// Take a ticket out; one that is not there is passed over.
    Remove {
        /// Which ticket.
        ticket_id: i64,
        /// Why.
        reason: CartRemoval,
    },
}

/// Why a cart says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CartError {
    /// There is no such ticket.
    #[error("there is no such ticket")]
    NoTicket,
    /// The ticket is reserved, sold or withdrawn, or its project is out of sight.
    #[error("the ticket is not for sale")]
    NotForSale {
        /// Which.
        ticket_id: i64,
    },
    /// It has [`LINES_MAX`] lines.
    #[error("the cart is full")]
    Full,
}

impl Decide for Cart {
    type Command = CartCommand;
    type Refusal = CartError;

    fn decide(&self, command: &CartCommand) -> Result<Vec<CartEvent>, CartError> {
        match *command {
            CartCommand::Add { ticket_id } if self.ticket_ids.contains(&ticket_id) => {
                Ok(vec![CartEvent::CartItemRefreshed { ticket_id }])
            }
            CartCommand::Add { .. } if self.ticket_ids.len() >= LINES_MAX => Err(CartError::Full),
            CartCommand::Add { ticket_id } => Ok(vec![CartEvent::CartItemAdded { ticket_id }]),
            CartCommand::Remove { ticket_id, reason } if self.ticket_ids.contains(&ticket_id) => {
                Ok(vec![CartEvent::CartItemRemoved { ticket_id, reason }])
            }
            CartCommand::Remove { .. } => Ok(vec![]),
        }
    }
}

/// Puts a ticket that is for sale into a member's cart.
#[derive(Debug, Clone)]
pub struct AddToCart {
    /// Whose cart.
    pub uid: String,
    /// Which ticket.
    pub ticket_id: i64,
}

impl Operation for AddToCart {
    type Outcome = ();
    type Refusal = CartError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<CartError>> {
        let ticket_id = self.ticket_id;
        match offers(book, &BTreeSet::from([ticket_id])).await?.first() {
            Some(Offer::OnSale { .. }) => {}
            Some(Offer::NotForSale) => {
                return Err(Stop::Refused(CartError::NotForSale { ticket_id }));
            }
            Some(Offer::Unknown) | None => return Err(Stop::Refused(CartError::NoTicket)),
        }
        book.decide::<Cart>(&self.uid, &CartCommand::Add { ticket_id })
            .await
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn carts() -> TestFramework<Cart> {
        TestFramework::with(())
    }

    fn added(ticket_id: i64) -> CartEvent {
        CartEvent::CartItemAdded { ticket_id }
    }

    fn remove(ticket_id: i64) -> CartCommand {
        CartCommand::Remove {
            ticket_id,
            reason: CartRemoval::Removed,
        }
    }

    #[test]
    fn a_ticket_is_in_a_cart_once_and_moves_up_when_put_in_again() {
        let add = CartCommand::Add { ticket_id: 7 };
        carts()
            .given_no_previous_events()
            .when(add)
            .then_expect_events(vec![added(7)]);
        carts()
            .given(vec![added(7)])
            .when(add)
            .then_expect_events(vec![CartEvent::CartItemRefreshed { ticket_id: 7 }]);
    }

    #[test]
    fn a_cart_has_a_hundred_lines() {
        let full: Vec<CartEvent> = (1..=100).map(added).collect();
        carts()
            .given(full.clone())
            .when(CartCommand::Add { ticket_id: 101 })
            .then_expect_error(CartError::Full);
        carts()
            .given(full.clone())
            .when(CartCommand::Add { ticket_id: 100 })
            .then_expect_events(vec![CartEvent::CartItemRefreshed { ticket_id: 100 }]);
        carts()
            .given(full[1..].to_vec())
            .when(CartCommand::Add { ticket_id: 101 })
            .then_expect_events(vec![added(101)]);
    }

    #[test]
    fn taking_out_twice_is_quiet() {
        let removed = CartEvent::CartItemRemoved {
            ticket_id: 7,
            reason: CartRemoval::Removed,
        };
        carts()
            .given(vec![added(7)])
            .when(remove(7))
            .then_expect_events(vec![removed.clone()]);
        carts()
            .given(vec![added(7), removed])
            .when(remove(7))
            .then_expect_events(vec![]);
    }
}
