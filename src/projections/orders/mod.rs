//! Carts and orders as their owners see them. One read model, because both are a member's own and no other stream writes
//! into their rows; the tickets they are about stand in `tickets`, which moves with orders, too, but for everybody.

mod queries;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{CartLine, Due, OrderDetail, OrderItem, cart, detail, due, of_member};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::order::{OrderLine, OrderStatus};
use crate::events::{CartEvent, Event, Fact, OrderEvent};

/// The read model `orders`.
pub struct Orders;

#[async_trait]
impl Projection for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Cart", "Order"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Cart(event) => match event {
                CartEvent::CartItemAdded { .. }
                | CartEvent::CartItemRefreshed { .. }
                | CartEvent::CartItemRemoved { .. } => Handling::Handled,
            },
            Event::Order(event) => match event {
                OrderEvent::OrderPlaced { .. }
                | OrderEvent::OrderPaid { .. }
                | OrderEvent::OrderCancelled { .. } => Handling::Handled,
            },
            _ => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    placed: BTreeMap<i64, Placed<'f>>,
    settled: BTreeMap<i64, (OrderStatus, DateTime<Utc>)>,
    cart: CartLines<'f>,
}

/// An order of this batch, as it stands at its end.
struct Placed<'f> {
    position: i64,
    uid: &'f str,
    price_fen: i64,
    lines: &'f [OrderLine],
    status: OrderStatus,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

type CartKey<'f> = (&'f str, i64);

/// Lines that come, move and go: first what was there goes, then what is new comes.
#[derive(Default)]
struct CartLines<'f> {
    gone: BTreeSet<CartKey<'f>>,
    /// With the times they were added and last put in.
    new: BTreeMap<CartKey<'f>, (DateTime<Utc>, DateTime<Utc>)>,
    refreshed: BTreeMap<CartKey<'f>, DateTime<Utc>>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        let id = fact.place.stream.id.as_str();
        let at = at(fact);
        match &fact.event {
            Event::Cart(event) => self.cart.fold(id, at, event),
            Event::Order(event) => {
                self.fold_order(number(fact, id)?, fact.place.position, at, event);
            }
            _ => {}
        }
        Ok(())
    }

    fn fold_order(&mut self, id: i64, position: i64, at: DateTime<Utc>, event: &'f OrderEvent) {
        match event {
            OrderEvent::OrderPlaced {
                uid,
                lines,
                price_fen,
            } => {
                let placed = Placed {
                    position,
                    uid,
                    price_fen: *price_fen,
                    lines,
                    status: OrderStatus::Pending,
                    created_at: at,
                    updated_at: at,
                };
                self.placed.insert(id, placed);
            }
            OrderEvent::OrderPaid { .. } => self.settle(id, OrderStatus::Done, at),
            OrderEvent::OrderCancelled { .. } => self.settle(id, OrderStatus::Cancelled, at),
        }
    }

    fn settle(&mut self, id: i64, status: OrderStatus, at: DateTime<Utc>) {
        match self.placed.get_mut(&id) {
            Some(placed) => {
                placed.status = status;
                placed.updated_at = at;
            }
            None => {
                self.settled.insert(id, (status, at));
            }
        }
    }
}

impl<'f> CartLines<'f> {
    fn fold(&mut self, uid: &'f str, at: DateTime<Utc>, event: &CartEvent) {
        match event {
            CartEvent::CartItemAdded { ticket_id } => {
                self.new.insert((uid, *ticket_id), (at, at));
            }
            CartEvent::CartItemRefreshed { ticket_id } => {
                let key = (uid, *ticket_id);
                match self.new.get_mut(&key) {
                    Some((_, updated_at)) => *updated_at = at,
                    None => {
                        self.refreshed.insert(key, at);
                    }
                }
            }
            CartEvent::CartItemRemoved { ticket_id, .. } => {
                let key = (uid, *ticket_id);
                self.refreshed.remove(&key);
                if self.new.remove(&key).is_none() {
                    self.gone.insert(key);
                }
            }
        }
    }
}
