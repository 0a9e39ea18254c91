//! Orders and tickets: two aggregates, and a saga that sends them one command after the other.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, AggregateError, DomainEvent, EventEnvelope, View};
use postgres_es::PostgresCqrs;
use serde::{Deserialize, Serialize};

/// An order as its commands need to see it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Order {
    uid: Option<String>,
    paid: bool,
}

/// What can be asked of an order.
#[derive(Debug)]
pub enum OrderCommand {
    /// Make it.
    Place { uid: String, ticket_ids: Vec<i64> },
    /// Record that it was paid, for its owner.
    Pay { uid: String },
}

/// What can have happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderEvent {
    /// It was made.
    OrderPlaced { uid: String, ticket_ids: Vec<i64> },
    /// It was paid.
    OrderPaid { uid: String },
}

impl DomainEvent for OrderEvent {
    fn event_type(&self) -> String {
        match self {
            Self::OrderPlaced { .. } => "OrderPlaced".to_owned(),
            Self::OrderPaid { .. } => "OrderPaid".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

/// Why an order says no.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Somebody was faster.
    #[error("the order exists already")]
    Exists,
    /// There is none, or it is somebody else's.
    #[error("there is no such order")]
    Unknown,
}

impl Aggregate for Order {
    const TYPE: &'static str = "Order";
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Error = OrderError;
    type Services = ();

    async fn handle(
        &mut self,
        command: OrderCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), OrderError> {
        let event = match command {
            OrderCommand::Place { .. } if self.uid.is_some() => return Err(OrderError::Exists),
            OrderCommand::Place { uid, ticket_ids } => OrderEvent::OrderPlaced { uid, ticket_ids },
            OrderCommand::Pay { uid } if self.uid.as_ref() != Some(&uid) => {
                return Err(OrderError::Unknown);
            }
            OrderCommand::Pay { .. } if self.paid => return Ok(()),
            OrderCommand::Pay { uid } => OrderEvent::OrderPaid { uid },
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: OrderEvent) {
        match event {
            OrderEvent::OrderPlaced { uid, .. } => self.uid = Some(uid),
            OrderEvent::OrderPaid { .. } => self.paid = true,
        }
    }
}

/// An order as its owner sees it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct OrderView {
    uid: String,
    status: i16,
    order_item_list: Vec<Item>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Item {
    ticket_id: i64,
}

impl View<Order> for OrderView {
    fn update(&mut self, event: &EventEnvelope<Order>) {
        match &event.payload {
            OrderEvent::OrderPlaced { uid, ticket_ids } => {
                self.uid.clone_from(uid);
                let item = |ticket_id: &i64| Item {
                    ticket_id: *ticket_id,
                };
                self.order_item_list = ticket_ids.iter().map(item).collect();
            }
            OrderEvent::OrderPaid { .. } => self.status = 1,
        }
    }
}

/// A ticket as its commands need to see it. It need not be issued first: one that nobody holds is for sale.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ticket {
    held_for: Option<i64>,
}

/// What can be asked of a ticket.
#[derive(Debug, Clone, Copy)]
pub enum TicketCommand {
    /// Hold it for an order.
    Reserve { order_id: i64 },
    /// Let it go, if this order has it.
    Release { order_id: i64 },
}

/// What can have happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketEvent {
    /// It is held.
    TicketReserved { order_id: i64 },
    /// It is for sale again.
    TicketReleased { order_id: i64 },
}

impl DomainEvent for TicketEvent {
    fn event_type(&self) -> String {
        match self {
            Self::TicketReserved { .. } => "TicketReserved".to_owned(),
            Self::TicketReleased { .. } => "TicketReleased".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

/// Why a ticket says no.
#[derive(Debug, thiserror::Error)]
#[error("the ticket is not for sale")]
pub struct NotForSale;

impl Aggregate for Ticket {
    const TYPE: &'static str = "Ticket";
    type Command = TicketCommand;
    type Event = TicketEvent;
    type Error = NotForSale;
    type Services = ();

    async fn handle(
        &mut self,
        command: TicketCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), NotForSale> {
        let event = match command {
            TicketCommand::Reserve { order_id } => match self.held_for {
                None => TicketEvent::TicketReserved { order_id },
                Some(other) if other == order_id => return Ok(()),
                Some(_) => return Err(NotForSale),
            },
            TicketCommand::Release { order_id } if self.held_for == Some(order_id) => {
                TicketEvent::TicketReleased { order_id }
            }
            TicketCommand::Release { .. } => return Ok(()),
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: TicketEvent) {
        self.held_for = match event {
            TicketEvent::TicketReserved { order_id } => Some(order_id),
            TicketEvent::TicketReleased { .. } => None,
        };
    }
}

/// A ticket as buyers see it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TicketView {
    sold_by: Option<i64>,
}

impl View<Ticket> for TicketView {
    fn update(&mut self, event: &EventEnvelope<Ticket>) {
        self.sold_by = match &event.payload {
            TicketEvent::TicketReserved { order_id } => Some(*order_id),
            TicketEvent::TicketReleased { .. } => None,
        };
    }
}

/// Places an order and holds its tickets, a command each; lets those go that it got when one is not to be had.
pub async fn place(
    orders: &PostgresCqrs<Order>,
    tickets: &PostgresCqrs<Ticket>,
    order_id: i64,
    uid: String,
    ticket_ids: Vec<i64>,
) -> anyhow::Result<bool> {
    let command = OrderCommand::Place {
        uid,
        ticket_ids: ticket_ids.clone(),
    };
    orders.execute(&order_id.to_string(), command).await?;
    for (held, ticket_id) in ticket_ids.iter().enumerate() {
        let reserve = TicketCommand::Reserve { order_id };
        match tickets.execute(&ticket_id.to_string(), reserve).await {
            Ok(()) => {}
            Err(AggregateError::UserError(NotForSale) | AggregateError::AggregateConflict) => {
                for ticket_id in &ticket_ids[..held] {
                    let release = TicketCommand::Release { order_id };
                    tickets.execute(&ticket_id.to_string(), release).await?;
                }
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(true)
}
