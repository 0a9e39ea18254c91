//! Orders with the tickets they hold: one job each, so that no ticket is held by an order that does not know of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{OrderCommand, OrderError, OrderLine};
use crate::commands::cart::CartCommand;
use crate::commands::targets::Standing;
use crate::commands::ticket::{TicketCommand, TicketError};
use crate::commands::{Book, Operation, Stop, targets};
use crate::events::cart::CartRemoval;
use crate::events::order::Placed;
use crate::events::ticket::Sale;
use crate::events::{Cart, Order, Ticket};
use crate::ledger::LoadError;

/// Whether a ticket can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// There is no such ticket.
    Unknown,
    /// It is reserved, sold or withdrawn, or its project is out of sight.
    NotForSale,
    /// It can.
    OnSale {
        /// For how much, in fen.
        price_fen: i64,
    },
}

/// Whether tickets can be bought, in their order. Tickets, projects and masters are guarded: what this says still holds
/// when the job is recorded.
///
/// # Errors
/// [`LoadError`].
pub async fn offers(book: &mut Book, ticket_ids: &BTreeSet<i64>) -> Result<Vec<Offer>, LoadError> {
    let streams: Vec<String> = ticket_ids.iter().map(ToString::to_string).collect();
    book.open_all::<Ticket>(&streams).await?;
    let mut offers = Vec::with_capacity(streams.len());
    let mut shown: BTreeMap<i64, bool> = BTreeMap::new();
    for stream in &streams {
        let ticket = book.state::<Ticket>(stream).await?;
        let Ticket::Issued { details, sale } = &*ticket else {
            offers.push(Offer::Unknown);
            continue;
        };
        let project_id = details.project_id;
        let visible = match shown.get(&project_id) {
            Some(visible) => *visible,
            None => targets::project(book, project_id).await? == Standing::Live,
        };
        shown.insert(project_id, visible);
        offers.push(match sale {
            Sale::OnSale if visible => Offer::OnSale {
                price_fen: details.price_fen,
            },
            Sale::OnSale | Sale::Reserved { .. } | Sale::Sold { .. } | Sale::Withdrawn => {
                Offer::NotForSale
            }
        });
    }
    Ok(offers)
}

/// Places an order: all tickets are held for it, or none.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    /// Its new id.
    pub order_id: i64,
    /// Whose it is.
    pub uid: String,
    /// Its tickets.
    pub ticket_ids: BTreeSet<i64>,
    /// They come from the owner's cart, and leave it.
    pub from_cart: bool,
}

impl Operation for PlaceOrder {
    /// The order's id; that of the first request where a key is repeated.
    type Outcome = i64;
    type Refusal = OrderError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<OrderError>> {
        let order = self.order_id.to_string();
        book.create::<Order>(&order);
        if self.from_cart {
            self.look_into_cart(book).await?;
        }
        let lines = self.lines(book).await?;
        let place = OrderCommand::Place {
            uid: self.uid.clone(),
            lines,
        };
        book.decide::<Order>(&order, &place).await?;
        for ticket_id in &self.ticket_ids {
            let order_id = self.order_id;
            let reserve = TicketCommand::Reserve { order_id };
            ticket(book, *ticket_id, &reserve).await?;
        }
        if self.from_cart {
            for ticket_id in &self.ticket_ids {
                let remove = CartCommand::Remove {
                    ticket_id: *ticket_id,
                    reason: CartRemoval::Ordered,
                };
                book.decide::<Cart>(&self.uid, &remove)
                    .await
                    .map_err(|stop| stop.map(|_| missing(vec![*ticket_id])))?;
            }
        }
        Ok(self.order_id)
    }
}

impl PlaceOrder {
    async fn look_into_cart(&self, book: &mut Book) -> Result<(), Stop<OrderError>> {
        let cart = book.state::<Cart>(&self.uid).await?;
        let absent: Vec<i64> = self
            .ticket_ids
            .difference(&cart.ticket_ids)
            .copied()
            .collect();
        if absent.is_empty() {
            return Ok(());
        }
        Err(Stop::Refused(missing(absent)))
    }

    /// The tickets with their prices. One that never was is told before those that are not for sale.
    async fn lines(&self, book: &mut Book) -> Result<Vec<OrderLine>, Stop<OrderError>> {
        let (mut lines, mut unknown, mut taken) = (Vec::new(), Vec::new(), Vec::new());
        let offers = offers(book, &self.ticket_ids).await?;
        for (ticket_id, offer) in self.ticket_ids.iter().copied().zip(offers) {
            match offer {
                Offer::Unknown => unknown.push(ticket_id),
                Offer::NotForSale => taken.push(ticket_id),
                Offer::OnSale { price_fen } => lines.push(OrderLine {
                    ticket_id,
                    price_fen,
                }),
            }
        }
        if !unknown.is_empty() {
            return Err(Stop::Refused(missing(unknown)));
        }
        if !taken.is_empty() {
            return Err(Stop::Refused(OrderError::NotForSale { ticket_ids: taken }));
        }
        Ok(lines)
    }
}

fn missing(ticket_ids: Vec<i64>) -> OrderError {
    OrderError::NoTickets { ticket_ids }
}

/// Records that an order is paid: its tickets are sold.
#[derive(Debug, Clone)]
pub struct PayOrder {
    /// Which order.
    pub order_id: i64,
    /// Whose it must be; `None` when it is not its owner who says so.
    pub uid: Option<String>,
    /// What whoever took the money calls the payment.
    pub reference: Option<String>,
}

impl Operation for PayOrder {
    type Outcome = ();
    type Refusal = OrderError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<OrderError>> {
        let placed = placed(book, self.order_id, self.uid.as_deref()).await?;
        let reference = self.reference.clone();
        let pay = OrderCommand::Pay { reference };
        book.decide::<Order>(&self.order_id.to_string(), &pay)
            .await?;
        if !book.writes() {
            return Ok(());
        }
        open(book, &placed).await?;
        for line in &placed.lines {
            let command = TicketCommand::Sell {
                order_id: self.order_id,
                uid: placed.uid.clone(),
                price_fen: line.price_fen,
            };
            ticket(book, line.ticket_id, &command).await?;
        }
        Ok(())
    }
}

/// Gives an order up: its tickets are for sale again.
#[derive(Debug, Clone)]
pub struct CancelOrder {
    /// Which order.
    pub order_id: i64,
    /// Whose it must be; `None` when it is not its owner who says so.
    pub uid: Option<String>,
    /// Why, where it is not its owner who says so.
    pub reason: Option<String>,
}

impl Operation for CancelOrder {
    type Outcome = ();
    type Refusal = OrderError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<OrderError>> {
        let placed = placed(book, self.order_id, self.uid.as_deref()).await?;
        let reason = self.reason.clone();
        let cancel = OrderCommand::Cancel { reason };
        book.decide::<Order>(&self.order_id.to_string(), &cancel)
            .await?;
        if !book.writes() {
            return Ok(());
        }
        open(book, &placed).await?;
        for line in &placed.lines {
            let order_id = self.order_id;
            ticket(book, line.ticket_id, &TicketCommand::Release { order_id }).await?;
        }
        Ok(())
    }
}

/// What was ordered; somebody else's order is not there.
async fn placed(
    book: &mut Book,
    order_id: i64,
    uid: Option<&str>,
) -> Result<Placed, Stop<OrderError>> {
    let order = book.state::<Order>(&order_id.to_string()).await?;
    let theirs = |placed: &&Placed| uid.is_none_or(|uid| placed.uid == uid);
    let placed = order.placed().filter(theirs).cloned();
    placed.ok_or(Stop::Refused(OrderError::NotFound))
}

async fn open(book: &mut Book, placed: &Placed) -> Result<(), LoadError> {
    let streams: Vec<String> = placed
        .lines
        .iter()
        .map(|line| line.ticket_id.to_string())
        .collect();
    book.open_all::<Ticket>(&streams).await
}

async fn ticket(
    book: &mut Book,
    ticket_id: i64,
    command: &TicketCommand,
) -> Result<(), Stop<OrderError>> {
    let refused = |refusal| match refusal {
        TicketError::NotFound | TicketError::Exists | TicketError::NoProject => {
            OrderError::NoTickets {
                ticket_ids: vec![ticket_id],
            }
        }
        TicketError::NotOnSale | TicketError::NotHeld | TicketError::PriceFixed => {
            OrderError::NotForSale {
                ticket_ids: vec![ticket_id],
            }
        }
    };
    book.decide::<Ticket>(&ticket_id.to_string(), command)
        .await
        .map_err(|stop| stop.map(refused))
}
