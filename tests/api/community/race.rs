//! Orders that run out, and many members racing for few tickets on two nodes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use shiji::events::order::{OrderLine, OrderStatus};
use shiji::events::ticket::Sale;
use shiji::events::{Event, Order, OrderEvent, Ticket, TicketEvent, decode};
use shiji::gateways::{Charge, Charged, PaymentError, PaymentGateway};
use shiji::ledger::State;
use shiji::processes::{Expired, Expiry};
use sqlx::Row;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::shelf::{Shelf, ids};
use super::{assert_done, assert_refused};
use crate::support::service::{Door, Member};

const WINDOW: Duration = Duration::from_secs(1_800);

impl Shelf {
    fn expiry(&self) -> Expiry {
        Expiry::new(self.app.desk().clone(), self.app.reads().clone(), WINDOW)
    }
}

async fn turn(expiry: &Expiry) -> Option<Expired> {
    expiry.turn(&CancellationToken::new()).await.unwrap()
}

/// A turn in which so many orders ran out and nothing else came to pass.
fn cancelled(cancelled: u64) -> Expired {
    Expired {
        cancelled,
        ..Expired::default()
    }
}

#[tokio::test]
async fn an_order_that_nobody_pays_in_time_is_cancelled_by_the_system() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(3, 1999).await;
    let expiry = shelf.expiry();
    let left = shelf.order(&me, &tickets[..1]).await;
    let paid = shelf.order(&me, &tickets[1..2]).await;
    assert_done(&shelf.to_order(&me, "order_pay", paid).await);
    shelf.sleep(Duration::from_secs(1_770));
    let fresh = shelf.order(&me, &tickets[2..]).await;
    assert_eq!(turn(&expiry).await, Some(cancelled(0)));
    shelf.sleep(Duration::from_secs(60));
    // The log's own clock stands still here, so that the later order is as old as the first.
    assert_eq!(turn(&expiry).await, Some(cancelled(2)));
    assert_eq!(turn(&expiry).await, Some(cancelled(0)));
    for order in [left, fresh] {
        assert_eq!(
            shelf.events("Order", order).await,
            ["OrderPlaced", "OrderCancelled"]
        );
        assert_refused(&shelf.to_order(&me, "order_pay", order).await, 409);
    }
    assert_eq!(
        shelf.events("Order", paid).await,
        ["OrderPlaced", "OrderPaid"]
    );
    let log = shelf.since(0).await;
    let end = log
        .iter()
        .find(|e| e.event_type == "OrderCancelled")
        .unwrap();
    let expected = json!({ "OrderCancelled": { "uid": me.uid, "reason": "expired" } });
    assert_eq!(
        serde_json::from_str::<Value>(&end.payload).unwrap(),
        expected
    );
    assert_eq!(end.metadata().unwrap().actor, "system:expiry");
    // Whoever asks what became of the request that placed the order finds its end, and nothing of the other orders.
    let placed = log
        .iter()
        .find(|e| e.event_type == "OrderPlaced" && e.stream == end.stream)
        .unwrap();
    let request = placed.metadata().unwrap().request_id.to_string();
    let ledger = shelf.app.ledger();
    let caused = ledger.caused_by(&request, |_| {}).await.unwrap();
    let told = log.iter().filter_map(|e| {
        let level = caused.get(&e.position)?;
        Some((e.event_type.as_str(), *level))
    });
    let mut told: Vec<(&str, u32)> = told.collect();
    told.sort_unstable_by_key(|(kind, level)| (*level, *kind));
    let expected = [
        ("OrderPlaced", 0),
        ("TicketReserved", 0),
        ("OrderCancelled", 1),
        ("TicketReleased", 1),
    ];
    assert_eq!(told, expected);
    let list = shelf.function(&me, "ticket_list", json!({})).await;
    assert_eq!(
        ids(&list, "ticket_list", "ticket_id"),
        [tickets[0], tickets[2]]
    );
}

#[tokio::test]
async fn more_orders_than_a_batch_run_out_in_one_turn_of_one_node() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(250, 1).await;
    for ticket in &tickets {
        shelf.order(&me, &[*ticket]).await;
    }
    shelf.sleep(WINDOW + Duration::from_secs(60));
    let (first, second) = (shelf.expiry(), shelf.expiry());
    assert_eq!(turn(&first).await, Some(cancelled(250)));
    // The other node waits until the lease is given back.
    assert_eq!(turn(&second).await, None);
    let stop = CancellationToken::new();
    stop.cancel();
    first.run(stop).await;
    assert_eq!(turn(&second).await, Some(cancelled(0)));
}

#[tokio::test]
async fn a_payment_that_comes_first_wins_against_the_expiry() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(20, 1).await;
    let mut orders = Vec::new();
    for ticket in &tickets {
        orders.push(shelf.order(&me, &[*ticket]).await);
    }
    shelf.sleep(WINDOW + Duration::from_secs(60));
    let expiry = shelf.expiry();
    let pay =
        async |order: i64| shelf.to_order(&me, "order_pay", order).await.json()["code"].clone();
    let payments = futures::future::join_all(orders.iter().map(|order| pay(*order)));
    let (codes, expired) = tokio::join!(payments, turn(&expiry));
    let expired = expired.unwrap();
    let paid = codes.iter().filter(|code| **code == 0).count();
    assert!(
        codes
            .iter()
            .all(|code| [json!(0), json!(409)].contains(code)),
        "{codes:?}"
    );
    assert_eq!(paid as u64 + expired.cancelled, 20, "{codes:?} {expired:?}");
    assert_eq!(expired.failed, 0);
    for (order, code) in orders.iter().zip(&codes) {
        let last = if *code == 0 {
            "OrderPaid"
        } else {
            "OrderCancelled"
        };
        assert_eq!(shelf.events("Order", order).await, ["OrderPlaced", last]);
    }
}

/// Takes money once for each key, and remembers.
#[derive(Default)]
struct Bank {
    accounts: tokio::sync::Mutex<HashMap<String, i64>>,
    given_back: AtomicI64,
}

#[async_trait]
impl PaymentGateway for Bank {
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentError> {
        let mut accounts = self.accounts.lock().await;
        accounts.insert(charge.key.clone(), charge.amount_fen);
        let reference = charge.key.clone();
        Ok(Charged::Approved { reference })
    }

    async fn refund(&self, charge: &Charge, _reference: &str) -> Result<(), PaymentError> {
        // Once for each key, like the charge.
        if let Some(amount) = self.accounts.lock().await.remove(&charge.key) {
            self.given_back.fetch_add(amount, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// One member's day: carts that overlap with everybody's, orders on either node, and some way to end each.
async fn day(doors: Arc<[Door; 2]>, member: Member, tickets: Arc<Vec<i64>>, seed: u64) {
    let mut dice = SmallRng::seed_from_u64(seed);
    for _ in 0..3 {
        let door = &doors[dice.random_range(0..2)];
        let wanted: Vec<i64> = (0..dice.random_range(1..4))
            .map(|_| tickets[dice.random_range(0..tickets.len())])
            .collect();
        let by_cart = dice.random_bool(0.5);
        if by_cart {
            for id in &wanted {
                let reply = door
                    .function(&member, "shopping_cart_add", json!({ "ticket_id": id }))
                    .await;
                expect(&reply.json(), &[0, 464, 409]);
            }
        }
        let create = if by_cart {
            "order_create_by_shopping_cart"
        } else {
            "order_create"
        };
        let placed = door
            .function(&member, create, json!({ "ticket_id_list": wanted }))
            .await
            .json();
        // Lost to somebody, not in the cart because it was lost before, or a race lost again and again.
        expect(&placed, &[0, 464, 404, 409]);
        let Some(order) = placed["order_id"].as_i64() else {
            continue;
        };
        let order = json!({ "order_id": order });
        let there = doors[0].function(&member, "order_pay", order.clone());
        let here = doors[1].function(&member, "order_cancel", order.clone());
        match dice.random_range(0..4) {
            0 => expect(&there.await.json(), &[0]),
            1 => expect(&here.await.json(), &[0]),
            2 => {
                let again = doors[1].function(&member, "order_pay", order.clone());
                let (paid, cancelled, again) = tokio::join!(there, here, again);
                for reply in [paid, cancelled, again] {
                    expect(&reply.json(), &[0, 409]);
                }
            }
            // Left to run out.
            _ => {}
        }
    }
}

#[track_caller]
fn expect(body: &Value, codes: &[i64]) {
    assert!(codes.contains(&body["code"].as_i64().unwrap()), "{body}");
}

/// Orders and tickets as their streams say.
#[derive(Default)]
struct Streams {
    orders: BTreeMap<i64, Order>,
    tickets: BTreeMap<i64, Ticket>,
    /// Every sale ever: ticket, order, price.
    sales: Vec<(i64, i64, i64)>,
    /// Every payment ever: order, price.
    payments: Vec<(i64, i64)>,
}

impl Streams {
    async fn read(shelf: &Shelf) -> Self {
        let mut streams = Self::default();
        let mut after = 0;
        loop {
            let batch = shelf.ledger.read(after, 10_000).await.unwrap();
            let Some(last) = batch.last() else {
                return streams;
            };
            after = last.position;
            for recorded in &batch {
                let id = recorded.stream.id.parse().unwrap_or_default();
                streams.fold(id, decode(recorded).unwrap());
            }
        }
    }

    fn fold(&mut self, id: i64, event: Event) {
        match event {
            Event::Order(event) => {
                if let OrderEvent::OrderPaid { price_fen, .. } = &event {
                    self.payments.push((id, *price_fen));
                }
                self.orders.entry(id).or_default().apply(&event);
            }
            Event::Ticket(event) => {
                if let TicketEvent::TicketSold {
                    order_id,
                    price_fen,
                    ..
                } = &event
                {
                    self.sales.push((id, *order_id, *price_fen));
                }
                self.tickets.entry(id).or_default().apply(&event);
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_members_race_for_fifty_tickets_on_two_nodes() {
    let shelf = Shelf::open().await;
    let mut tickets = shelf.for_sale(25, 1999).await;
    tickets.extend(shelf.for_sale(25, 501).await);
    let tickets = Arc::new(tickets);
    let node = shelf.second_node().await;
    let bank = Arc::new(Bank::default());
    let doors = Arc::new([
        shelf.paying_through(bank.clone()),
        node.paying_through(bank.clone()),
    ]);
    let members = futures::future::join_all((0..200).map(|n| {
        let name = format!("会员{n}");
        let shelf = &shelf;
        async move { shelf.member(&name).await }
    }))
    .await;
    let mut days = JoinSet::new();
    for (seed, member) in (0..).zip(members) {
        days.spawn(day(doors.clone(), member, tickets.clone(), seed));
    }
    while let Some(end) = days.join_next().await {
        end.unwrap();
    }
    let before = Streams::read(&shelf).await;
    let waiting = before
        .orders
        .values()
        .filter(|order| matches!(order, Order::Pending(_)))
        .count();
    assert!(
        waiting > 0 && !before.sales.is_empty(),
        "the race had no variety"
    );

    // Both nodes go about what ran out.
    shelf.sleep(WINDOW + Duration::from_secs(60));
    let other = Expiry::new(node.app.desk().clone(), node.app.reads().clone(), WINDOW);
    let expiry = shelf.expiry();
    let (one, two) = tokio::join!(turn(&expiry), turn(&other));
    let expired: u64 = [one, two]
        .into_iter()
        .flatten()
        .map(|turn| turn.cancelled)
        .sum();
    assert_eq!(expired, waiting as u64);

    let streams = Streams::read(&shelf).await;
    agree(&streams, &tickets);
    // No money is counted twice: what the bank has is what was paid, order by order.
    let mut banked: Vec<i64> = bank.accounts.lock().await.values().copied().collect();
    let mut paid: Vec<i64> = streams.payments.iter().map(|(_, price)| *price).collect();
    banked.sort_unstable();
    paid.sort_unstable();
    assert_eq!(banked, paid);
    tables_agree(&shelf, &streams).await;
}

/// Every ticket is sold once or for sale, and every order is whole.
fn agree(streams: &Streams, tickets: &[i64]) {
    let mut sold: BTreeMap<i64, i64> = BTreeMap::new();
    for (ticket, order, _) in &streams.sales {
        assert_eq!(
            sold.insert(*ticket, *order),
            None,
            "ticket {ticket} is sold twice"
        );
    }
    assert_eq!(streams.tickets.len(), tickets.len());
    for (id, ticket) in &streams.tickets {
        let Ticket::Issued { sale, .. } = ticket else {
            panic!("ticket {id} was never issued");
        };
        match sale {
            Sale::OnSale => assert_eq!(sold.get(id), None),
            Sale::Sold { order_id } => assert_eq!(sold.get(id), Some(order_id)),
            Sale::Reserved { .. } | Sale::Withdrawn => panic!("ticket {id}: {sale:?}"),
        }
    }
    for (id, order) in &streams.orders {
        let placed = order.placed().unwrap();
        let price: i64 = placed.lines.iter().map(|line| line.price_fen).sum();
        assert_eq!(price, placed.price_fen);
        let mine = |line: &&OrderLine| sold.get(&line.ticket_id) == Some(id);
        let sold_here = placed.lines.iter().filter(mine).count();
        let payments = streams
            .payments
            .iter()
            .filter(|(order, _)| order == id)
            .count();
        let whole = match order {
            Order::Done { .. } => (placed.lines.len(), 1),
            Order::Cancelled(_) => (0, 0),
            Order::Pending(_) | Order::Unplaced => panic!("order {id} is not settled"),
        };
        assert_eq!((sold_here, payments), whole, "order {id}");
    }
    let of_tickets: i64 = streams.sales.iter().map(|(.., price)| price).sum();
    let of_orders: i64 = streams.payments.iter().map(|(_, price)| price).sum();
    assert_eq!(of_tickets, of_orders);
}

/// The read tables show what the streams say.
async fn tables_agree(shelf: &Shelf, streams: &Streams) {
    let db = shelf.app.reads();
    let rows = sqlx::query("SELECT id, status, price_fen FROM orders ORDER BY id")
        .fetch_all(db)
        .await
        .unwrap();
    let shown: Vec<(i64, i16, i64)> = rows
        .iter()
        .map(|r| (r.get(0), r.get(1), r.get(2)))
        .collect();
    let status = |order: &Order| match order {
        Order::Done { .. } => OrderStatus::Done.number(),
        Order::Cancelled(_) => OrderStatus::Cancelled.number(),
        Order::Pending(_) | Order::Unplaced => OrderStatus::Pending.number(),
    };
    let told: Vec<(i64, i16, i64)> = streams
        .orders
        .iter()
        .map(|(id, order)| (*id, status(order), order.placed().unwrap().price_fen))
        .collect();
    assert_eq!(shown, told);
    let rows = sqlx::query("SELECT id, state, order_id, owner FROM tickets ORDER BY id")
        .fetch_all(db)
        .await
        .unwrap();
    for row in &rows {
        let Ticket::Issued { sale, .. } = &streams.tickets[&row.get::<i64, _>(0)] else {
            panic!("a ticket that was never issued");
        };
        let (state, order, owner): (i16, Option<i64>, Option<String>) =
            (row.get(1), row.get(2), row.get(3));
        match sale {
            Sale::Sold { order_id } => {
                let uid = &streams.orders[order_id].placed().unwrap().uid;
                assert_eq!(
                    (state, order, owner.as_ref()),
                    (2, Some(*order_id), Some(uid))
                );
            }
            _ => assert_eq!((state, order, owner), (0, None, None)),
        }
    }
    let free = rows.iter().filter(|row| row.get::<i16, _>(1) == 0).count();
    let counted: i64 = sqlx::query_scalar("SELECT sum(ticket_count)::bigint FROM projects")
        .fetch_one(db)
        .await
        .unwrap();
    assert_eq!(usize::try_from(counted).unwrap(), free);
    let lines: i64 = sqlx::query_scalar("SELECT count(*) FROM order_items")
        .fetch_one(db)
        .await
        .unwrap();
    let placed: usize = streams
        .orders
        .values()
        .map(|order| order.placed().unwrap().lines.len())
        .sum();
    assert_eq!(usize::try_from(lines).unwrap(), placed);
}
