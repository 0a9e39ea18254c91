//! What can have happened to a ticket (票儿), and what that adds up to. Each is one of its kind: it is sold once.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused. What moves the number of a
//! project's tickets for sale names the project, so that it can be counted without a look at the ticket.

use serde::{Deserialize, Serialize};

use super::listed::{Details, described};
use crate::ledger::State;
use crate::stored_events;

described! {
    /// How a ticket is described.
    TicketDetails, edited by TicketEdit
    fixed {
        /// Whose it is, for good.
        project_id: i64,
    }
    free {
        /// 1…100 characters.
        name: String,
        /// The name of a picture.
        image: String,
        /// What it is, at most 2000 characters.
        intro: String,
        /// Its price in fen. It moves only while the ticket is for sale.
        price_fen: i64,
    }
}

/// Facts about a ticket. Its stream is `Ticket:{ticket_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketEvent {
    /// Staff issued it. It is for sale.
    TicketCreated(TicketDetails),
    /// It is described otherwise. Only changed fields are there.
    TicketEdited(TicketEdit),
    /// An order holds it until it is paid or cancelled.
    TicketReserved {
        /// Which order.
        order_id: i64,
        /// Its project.
        project_id: i64,
    },
    /// The order that held it was cancelled: it is for sale again.
    TicketReleased {
        /// Which order.
        order_id: i64,
        /// Its project.
        project_id: i64,
    },
    /// The order that held it was paid.
    TicketSold {
        /// Which order.
        order_id: i64,
        /// The member it belongs to from here on.
        uid: String,
        /// What was paid for it, in fen.
        price_fen: i64,
    },
    /// It is no longer for sale, and out of sight.
    TicketWithdrawn {
        /// Its project.
        project_id: i64,
    },
    /// It is for sale again.
    TicketRestored {
        /// Its project.
        project_id: i64,
    },
}

stored_events!(TicketEvent {
    TicketCreated: 1,
    TicketEdited: 1,
    TicketReserved: 1,
    TicketReleased: 1,
    TicketSold: 1,
    TicketWithdrawn: 1,
    TicketRestored: 1,
});

/// A ticket as its own rules need to see it. Readers want `projections::tickets`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ticket {
    /// Never issued.
    #[default]
    Unissued,
    /// There.
    Issued {
        /// How it is described.
        details: TicketDetails,
        /// Where it stands.
        sale: Sale,
    },
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sale {
    /// Anybody may order it.
    OnSale,
    /// An order holds it.
    Reserved {
        /// Which.
        order_id: i64,
    },
    /// Sold, for good.
    Sold {
        /// By which order.
        order_id: i64,
    },
    /// Taken off the market.
    Withdrawn,
}

impl State for Ticket {
    const TYPE: &'static str = "Ticket";
    type Event = TicketEvent;

    fn apply(&mut self, event: &TicketEvent) {
        if let TicketEvent::TicketCreated(details) = event {
            *self = Self::Issued {
                details: details.clone(),
                sale: Sale::OnSale,
            };
            return;
        }
        let Self::Issued { details, sale } = self else {
            return;
        };
        match event {
            TicketEvent::TicketCreated(_) => {}
            TicketEvent::TicketEdited(edit) => details.edit(edit),
            TicketEvent::TicketReserved { order_id, .. } => {
                *sale = Sale::Reserved {
                    order_id: *order_id,
                };
            }
            TicketEvent::TicketSold { order_id, .. } => {
                *sale = Sale::Sold {
                    order_id: *order_id,
                };
            }
            TicketEvent::TicketReleased { .. } | TicketEvent::TicketRestored { .. } => {
                *sale = Sale::OnSale;
            }
            TicketEvent::TicketWithdrawn { .. } => *sale = Sale::Withdrawn,
        }
    }

    fn breaks(&self, event: &TicketEvent) -> Option<&'static str> {
        let (event, sale) = match (event, self) {
            (TicketEvent::TicketCreated(_), Self::Unissued) => return None,
            (TicketEvent::TicketCreated(_), Self::Issued { .. }) => {
                return Some("a ticket is issued once");
            }
            (_, Self::Unissued) => return Some("a ticket is issued first"),
            (event, Self::Issued { sale, .. }) => (event, *sale),
        };
        match event {
            TicketEvent::TicketReserved { .. } | TicketEvent::TicketWithdrawn { .. } => {
                (sale != Sale::OnSale).then_some("only a ticket on sale is reserved or withdrawn")
            }
            TicketEvent::TicketReleased { order_id, .. }
            | TicketEvent::TicketSold { order_id, .. } => {
                let held = Sale::Reserved {
                    order_id: *order_id,
                };
                (sale != held)
                    .then_some("only the order that holds a ticket gives it back or buys it")
            }
            TicketEvent::TicketRestored { .. } => {
                (sale != Sale::Withdrawn).then_some("only a withdrawn ticket is restored")
            }
            TicketEvent::TicketCreated(_) | TicketEvent::TicketEdited(_) => None,
        }
    }
}
