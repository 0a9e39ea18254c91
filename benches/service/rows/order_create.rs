//! The purchase: an order of three tickets, then its payment; together they count as one.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::contention::issue;
use super::{Bound, Goal, Row};
use crate::contest::{Contender, Metric, contest};
use crate::load::{Answer, Case, Span, count, lane, number_after, spread};
use crate::report::Report;
use crate::servers::{Community, Service, Wire};
use crate::stage::{Stage, closed};

/// Tickets of an order.
const TICKETS: usize = 3;

/// The number of connections.
const CONNECTIONS: usize = 64;

/// Orders in a second that tickets are issued for before the first round says how many it takes.
const GUESS: f64 = 1_000.0;

/// How many times as many tickets are issued as the last round took.
const SPARE: f64 = 1.5;

const GOALS: [Goal; 1] = [Goal {
    connections: CONNECTIONS,
    ours: Metric::Throughput,
    against: "stock",
    theirs: Metric::Throughput,
    bound: Bound::AtLeast(5.0),
}];

/// The row.
pub struct OrderCreate;

#[async_trait(?Send)]
impl Row for OrderCreate {
    fn id(&self) -> &'static str {
        "order_create"
    }

    fn what(&self) -> &'static str {
        "order three tickets (four streams, one job), then pay; stock: four commands on one aggregate each, then one"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let mut contenders: Vec<Box<dyn Contender + '_>> = Vec::new();
        for service in stage.services() {
            let case: Rc<dyn Case> = Rc::new(Purchase::new(service)?);
            contenders.push(closed(service, case));
        }
        let standings = contest(&mut contenders, CONNECTIONS, rounds, span).await?;
        report.compare(self, standings, &GOALS);
        Ok(())
    }
}

struct Purchase {
    community: Rc<Community>,
    staff: Wire,
    /// Where tickets have to be issued, those that were and are not sold.
    issued: Option<RefCell<Vec<i64>>>,
    /// Where they need not, the last that was sold.
    sold: Cell<i64>,
    orders_per_second: Cell<f64>,
    /// The order that each connection placed last.
    placed: RefCell<BTreeMap<u64, i64>>,
    orders: RefCell<HashSet<i64>>,
    orders_before: Cell<usize>,
    seconds: Cell<f64>,
}

impl Purchase {
    fn new(service: &Service) -> Result<Self> {
        Ok(Self {
            community: service.community.clone().context("no community")?,
            staff: service.wire.clone(),
            issued: service.is_ours().then(RefCell::default),
            sold: Cell::new(0),
            orders_per_second: Cell::new(GUESS),
            placed: RefCell::default(),
            orders: RefCell::default(),
            orders_before: Cell::new(0),
            seconds: Cell::new(1.0),
        })
    }

    fn buyer(&self, nth: u64) -> &Wire {
        let members = &self.community.members;
        &members[usize::try_from(lane(nth)).unwrap_or(0) % members.len()]
    }

    /// Three tickets nobody has.
    fn tickets(&self) -> Option<Vec<i64>> {
        let Some(issued) = &self.issued else {
            let first = self.sold.get() + 1;
            self.sold.set(self.sold.get() + 3);
            return Some((first..first + 3).collect());
        };
        let mut issued = issued.borrow_mut();
        let rest = issued.len().checked_sub(TICKETS)?;
        Some(issued.split_off(rest))
    }
}

#[async_trait(?Send)]
impl Case for Purchase {
    fn steps(&self) -> u64 {
        2
    }

    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let buyer = self.buyer(nth);
        let request = if nth.is_multiple_of(2) {
            let tickets = self.tickets()?;
            let body = format!(r#"{{"ticket_id_list":{tickets:?}}}"#);
            buyer.post("/community/api/v1/order_create", &body)
        } else {
            let order = *self.placed.borrow().get(&lane(nth))?;
            let body = format!(r#"{{"order_id":{order}}}"#);
            buyer.post("/community/api/v1/order_pay", &body)
        };
        Some(Cow::Owned(request))
    }

    fn judge(&self, nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        if nth.is_multiple_of(2) {
            let order = number_after(answer.body, b"\"order_id\":");
            let order = order.ok_or_else(|| format!("no order: {}", answer.excerpt()))?;
            if !self.orders.borrow_mut().insert(order) {
                return Err(format!("the order {order} was given twice"));
            }
            self.placed.borrow_mut().insert(lane(nth), order);
        }
        Ok(None)
    }

    /// Issues tickets for the round.
    async fn prepare(&self, address: SocketAddr, span: Span) -> Result<()> {
        self.seconds
            .set((span.warmup + span.measured).as_secs_f64());
        self.orders_before.set(self.orders.borrow().len());
        let Some(issued) = &self.issued else {
            return Ok(());
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of tickets"
        )]
        let orders = (self.orders_per_second.get() * SPARE * self.seconds.get()) as usize;
        let missing = (orders * TICKETS).saturating_sub(issued.borrow().len());
        let ids = issue(address, &self.staff, &self.community, missing).await?;
        issued.borrow_mut().extend(ids);
        Ok(())
    }

    /// The last order of every connection is shown, paid and with its tickets.
    async fn check(&self, address: SocketAddr) -> Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "a number of orders")]
        let sold = (self.orders.borrow().len() - self.orders_before.get()) as f64;
        self.orders_per_second.set(sold / self.seconds.get());
        let placed: Vec<(u64, i64)> = self.placed.take().into_iter().collect();
        let request = |nth: usize| {
            let (lane, order) = placed[nth];
            let path = format!("/community/api/v1/order_detail?order_id={order}");
            self.buyer(lane << 32).get(&path)
        };
        spread(address, 8, placed.len(), request, |answer| {
            answer.expect_success()?;
            let paid = number_after(answer.body, b"\"status\":") == Some(1);
            let tickets = count(answer.body, b"\"ticket_id\":");
            if !paid || tickets != TICKETS {
                return Err(format!("not a paid order of three: {}", answer.excerpt()));
            }
            Ok(())
        })
        .await?;
        Ok(())
    }
}
