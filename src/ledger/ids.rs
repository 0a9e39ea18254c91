//! Integer ids: one PostgreSQL sequence per aggregate. Under load a node takes as many at once as it has lately needed, so that
//! few commands wait for the database; what it does not use within a second is let go. Ids name, positions order: nobody
//! concludes from a gap, nor from two nodes taking turns.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// How often others may come along before a query leaves.
const COURTESY: usize = 10;
/// Ids kept in reserve, at most.
const RESERVE: usize = 64;
/// How old an id in reserve may become.
const FRESH: Duration = Duration::from_secs(1);

/// Why there is no id.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdError {
    /// The database said no.
    #[error("no id could be taken: {0}")]
    Database(Arc<sqlx::Error>),
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// The log is shown as it was: nothing new is numbered.
    #[error("the log is shown as it was at a position")]
    Past,
}

type Reply = oneshot::Sender<Result<i64, IdError>>;

struct Wish {
    sequence: &'static str,
    reply: Reply,
}

/// Ids of one sequence that were taken and not yet given out.
struct Reserve {
    ids: VecDeque<i64>,
    taken: Instant,
    /// How many were given out since.
    given: usize,
}

impl Reserve {
    fn is_fresh(&self) -> bool {
        self.taken.elapsed() < FRESH
    }
}

#[derive(Clone, Default)]
struct Reserves(Arc<Mutex<HashMap<&'static str, Reserve>>>);

impl Reserves {
    fn pop(&self, sequence: &str) -> Option<i64> {
        let mut reserves = self.0.lock();
        let reserve = reserves.get_mut(sequence)?;
        if !reserve.is_fresh() {
            return None;
        }
        let id = reserve.ids.pop_front()?;
        reserve.given += 1;
        Some(id)
    }

    /// How many to take beside those that are waited for: as many as were lately given out.
    fn ahead(&self, sequence: &str) -> usize {
        let reserves = self.0.lock();
        let reserve = reserves.get(sequence).filter(|reserve| reserve.is_fresh());
        reserve.map_or(0, |reserve| reserve.given.min(RESERVE))
    }

    /// Keeps what is left after `given` were handed to those who waited, in the place of what was kept before.
    fn keep(&self, sequence: &'static str, ids: VecDeque<i64>, given: usize) {
        let taken = Instant::now();
        let reserve = Reserve { ids, taken, given };
        self.0.lock().insert(sequence, reserve);
    }
}

/// Takes ids for whoever asks.
#[derive(Clone)]
pub(super) struct Ids {
    reserves: Reserves,
    wishes: mpsc::Sender<Wish>,
}

impl Ids {
    pub fn start(pool: PgPool) -> Self {
        let (wishes, queue) = mpsc::channel(4096);
        let reserves = Reserves::default();
        tokio::spawn(serve(pool, reserves.clone(), queue));
        Self { reserves, wishes }
    }

    pub async fn next(&self, sequence: &'static str) -> Result<i64, IdError> {
        if let Some(id) = self.reserves.pop(sequence) {
            return Ok(id);
        }
        let (reply, answer) = oneshot::channel();
        let wish = Wish { sequence, reply };
        self.wishes
            .send(wish)
            .await
            .map_err(|_| IdError::Stopping)?;
        answer.await.map_err(|_| IdError::Stopping)?
    }
}

async fn serve(pool: PgPool, reserves: Reserves, mut queue: mpsc::Receiver<Wish>) {
    let mut wishes = Vec::new();
    // While a query is under way, wishes gather.
    while queue.recv_many(&mut wishes, 1024).await > 0 {
        // Who waits is woken in crowds: whoever comes first lets the others come along.
        for _ in 0..COURTESY {
            let before = wishes.len();
            tokio::task::yield_now().await;
            while let Ok(wish) = queue.try_recv() {
                wishes.push(wish);
            }
            if wishes.len() == before {
                break;
            }
        }
        let mut by_sequence: HashMap<&'static str, VecDeque<Reply>> = HashMap::new();
        for Wish { sequence, reply } in wishes.drain(..) {
            by_sequence.entry(sequence).or_default().push_back(reply);
        }
        for (sequence, replies) in by_sequence {
            fulfil(&pool, &reserves, sequence, replies).await;
        }
    }
}

async fn fulfil(
    pool: &PgPool,
    reserves: &Reserves,
    sequence: &'static str,
    mut waiting: VecDeque<Reply>,
) {
    // What the last query left over may do for those who came during it.
    while !waiting.is_empty()
        && let Some(id) = reserves.pop(sequence)
    {
        if let Some(reply) = waiting.pop_front() {
            let _ = reply.send(Ok(id));
        }
    }
    if waiting.is_empty() {
        return;
    }
    match take(pool, sequence, waiting.len() + reserves.ahead(sequence)).await {
        Ok(ids) => {
            let (given, mut ids) = (waiting.len(), VecDeque::from(ids));
            while let Some(reply) = waiting.pop_front()
                && let Some(id) = ids.pop_front()
            {
                let _ = reply.send(Ok(id));
            }
            reserves.keep(sequence, ids, given);
        }
        Err(error) => {
            let error = IdError::Database(Arc::new(error));
            for reply in waiting {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

async fn take(pool: &PgPool, sequence: &str, count: usize) -> Result<Vec<i64>, sqlx::Error> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM ledger_next_ids($1, $2) AS t(id)"#,
        sequence,
        count
    )
    .fetch_all(pool)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn as_many_are_kept_as_were_needed_and_none_for_longer_than_a_second() {
        let reserves = Reserves::default();
        assert_eq!((reserves.pop("task"), reserves.ahead("task")), (None, 0));
        reserves.keep("task", VecDeque::from([5, 6]), 3);
        assert_eq!(reserves.pop("task"), Some(5));
        assert_eq!((reserves.pop("staff"), reserves.ahead("staff")), (None, 0));
        assert_eq!(
            reserves.ahead("task"),
            4,
            "three who waited, one who did not"
        );
        tokio::time::advance(FRESH).await;
        assert_eq!((reserves.pop("task"), reserves.ahead("task")), (None, 0));
        reserves.keep("task", (10..100).collect(), 2);
        assert!((10..100).all(|id| reserves.pop("task") == Some(id)));
        assert_eq!(
            (reserves.pop("task"), reserves.ahead("task")),
            (None, RESERVE)
        );
    }
}
