//! Closed loop: every connection sends its next request as soon as it has the last answer.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Result;
use tokio::task::LocalSet;

use super::{Case, Connection, Span, Tally};

/// Loads an address over a number of connections and tallies the answers.
///
/// Requests under way when the time is over are finished and checked, but not measured.
///
/// # Errors
///
/// When a connection cannot be opened; everything later is a failure in the tally.
pub async fn closed_loop(
    address: SocketAddr,
    case: Rc<dyn Case>,
    connections: usize,
    span: Span,
) -> Result<Tally> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let from = Instant::now() + span.warmup;
    let until = from + span.measured;
    let tally = Rc::new(RefCell::new(Tally::new(span.measured)));
    let clients = LocalSet::new();
    for (lane, connection) in open.into_iter().enumerate() {
        let client = Client {
            connection,
            case: Rc::clone(&case),
            tally: Rc::clone(&tally),
        };
        clients.spawn_local(client.run(lane as u64, from, until));
    }
    clients.await;
    Ok(tally.replace(Tally::new(span.measured)))
}

struct Client {
    connection: Connection,
    case: Rc<dyn Case>,
    tally: Rc<RefCell<Tally>>,
}

impl Client {
    async fn run(mut self, lane: u64, from: Instant, until: Instant) {
        let mut sent = Instant::now();
        for nth in 0.. {
            if sent >= until {
                return;
            }
            let answer = self
                .connection
                .exchange(&self.case.request((lane << 32) | nth))
                .await;
            let arrived = Instant::now();
            let latency = (arrived >= from && arrived < until).then(|| arrived - sent);
            self.tally.borrow_mut().count(&answer, &*self.case, latency);
            if answer.is_err() {
                return;
            }
            sent = arrived;
        }
    }
}
