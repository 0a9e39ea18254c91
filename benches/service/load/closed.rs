//! Closed loop: every connection sends its next request as soon as it has the last answer.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use anyhow::Result;
use tokio::task::LocalSet;

use super::{Case, Connection, Span, Tally};

/// Loads addresses, each over an equal share of the connections, and tallies the answers.
///
/// What is under way when the time is over is finished and checked, but not measured. A round whose case runs out of
/// things to ask for is over then.
///
/// # Errors
///
/// When a connection cannot be opened; everything later is a failure in the tally.
pub async fn closed_loop(
    addresses: &[SocketAddr],
    case: Rc<dyn Case>,
    connections: usize,
    span: Span,
) -> Result<Tally> {
    let mut open = Vec::with_capacity(connections);
    for address in addresses.iter().cycle().take(connections) {
        open.push(Connection::open(*address).await?);
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
    let mut tally = tally.replace(Tally::new(span.measured));
    if let Some(ended) = tally.ended {
        tally.measured = ended.min(until).saturating_duration_since(from);
    }
    Ok(tally)
}

struct Client {
    connection: Connection,
    case: Rc<dyn Case>,
    tally: Rc<RefCell<Tally>>,
}

impl Client {
    async fn run(mut self, lane: u64, from: Instant, until: Instant) {
        let steps = self.case.steps();
        let mut began = Instant::now();
        for nth in 0.. {
            if nth % steps == 0 && (began >= until || self.tally.borrow().ended.is_some()) {
                return;
            }
            let nth = (lane << 32) | nth;
            let Some(request) = self.case.request(nth) else {
                self.tally.borrow_mut().ended.get_or_insert(began);
                return;
            };
            let answer = self.connection.exchange(&request).await;
            let arrived = Instant::now();
            let mut tally = self.tally.borrow_mut();
            let whole = (nth + 1).is_multiple_of(steps);
            let measured = whole && arrived >= from && arrived < until && tally.ended.is_none();
            tally.count(nth, &answer, &*self.case, measured.then(|| arrived - began));
            if answer.is_err() {
                return;
            }
            if whole {
                began = arrived;
            }
        }
    }
}
