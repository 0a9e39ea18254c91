//! Open loop: requests are due at fixed times, whether or not earlier ones were answered.
//!
//! Latency counts from the time a request was *due*, so a stall shows in full instead of pausing the load.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use super::{Case, Connection, Span, Tally};

/// How long requests still waiting for a connection are served after the end.
const DRAIN: Duration = Duration::from_secs(10);

/// How often the schedule is looked at; the runtime's own timer is too coarse.
const TICK: Duration = Duration::from_micros(200);

/// Sends `rate` requests per second over at most `connections` and tallies the answers.
///
/// # Errors
///
/// When a connection cannot be opened; everything later is a failure in the tally.
pub async fn open_loop(
    address: SocketAddr,
    case: Rc<dyn Case>,
    connections: usize,
    rate: f64,
    span: Span,
) -> Result<Tally> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let (due, waiting) = unbounded_channel();
    let waiting = Arc::new(Mutex::new(waiting));
    let start = Instant::now();
    let from = start + span.warmup;
    let until = from + span.measured;
    let schedule = std::thread::spawn(move || dispatch(&due, start, until, rate));
    let tally = Rc::new(RefCell::new(Tally::new(span.measured)));
    let clients = LocalSet::new();
    for connection in open {
        let client = Client {
            connection,
            case: Rc::clone(&case),
            tally: Rc::clone(&tally),
            waiting: Arc::clone(&waiting),
        };
        clients.spawn_local(client.run(from, until));
    }
    let drained = tokio::time::timeout_at((until + DRAIN).into(), clients).await;
    if drained.is_err() {
        tally.borrow_mut().fail(format!(
            "requests still unanswered {} s after the end",
            DRAIN.as_secs()
        ));
    }
    let _ = schedule.join();
    Ok(tally.replace(Tally::new(span.measured)))
}

/// Hands out every request when it is due.
fn dispatch(due: &UnboundedSender<(u64, Instant)>, start: Instant, until: Instant, rate: f64) {
    let mut nth = 0_u64;
    loop {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let at = start + Duration::from_secs_f64(nth as f64 / rate);
        if at >= until {
            return;
        }
        let now = Instant::now();
        if at > now {
            std::thread::sleep((at - now).max(TICK));
            continue;
        }
        if due.send((nth, at)).is_err() {
            return;
        }
        nth += 1;
    }
}

struct Client {
    connection: Connection,
    case: Rc<dyn Case>,
    tally: Rc<RefCell<Tally>>,
    waiting: Arc<Mutex<UnboundedReceiver<(u64, Instant)>>>,
}

impl Client {
    async fn run(mut self, from: Instant, until: Instant) {
        loop {
            let next = self.waiting.lock().await.recv().await;
            let Some((nth, due)) = next else {
                return;
            };
            let Some(request) = self.case.request(nth) else {
                return;
            };
            let answer = self.connection.exchange(&request).await;
            let arrived = Instant::now();
            let latency = (due >= from && due < until).then(|| arrived - due);
            self.tally
                .borrow_mut()
                .count(nth, &answer, &*self.case, latency);
            if answer.is_err() {
                return;
            }
        }
    }
}
