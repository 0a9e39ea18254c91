//! Questions that many ask at once: one query answers everybody who waits.
//!
//! A query shows what was committed before it began. Whoever asks may therefore share a query that begins after they asked,
//! and no other: what comes while one is under way waits for the next. So nobody sees less than a query of their own would
//! have shown, on any number of nodes, and however many ask, the database answers one query at a time for each key.

use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use std::time::Duration;

use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// Those whom one query answers; more wait for the next one, so that no query takes long.
const CROWD: usize = 64;

/// A query that takes longer no longer keeps others from asking.
const LONG: Duration = Duration::from_millis(10);

/// A question that one query can answer for many.
pub trait Question: 'static {
    /// What is the same for all whom one query answers.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What each of them brings along.
    type Asker: Send + Sync + 'static;
    /// What all of them get.
    type Answer: Send + Sync + 'static;

    /// Asks the database. Whoever asked finds their part of the answer by their place among `askers`.
    fn ask(
        reads: &PgPool,
        key: &Self::Key,
        askers: &[Self::Asker],
    ) -> impl Future<Output = sqlx::Result<Self::Answer>> + Send;
}

/// What an answer holds for an asker whom a statement counts from 1.
pub fn part_of<T>(asker: i64, parts: &mut [T]) -> Option<&mut T> {
    let place = usize::try_from(asker).ok()?.checked_sub(1)?;
    parts.get_mut(place)
}

/// The answer and the place of the one who asked among all whom it was made for.
type Shared<Q> = (Arc<<Q as Question>::Answer>, usize);
type Reply<Q> = oneshot::Sender<Result<Shared<Q>, Arc<sqlx::Error>>>;

/// Lets one query of a node under way at a time, whatever it asks. Cheap to clone.
///
/// A crowd is closed when it is its turn, so the busier the database, the more come along with each query. And what several
/// asked is not asked again for half as long as it took (5 ms at most): otherwise the next query began at once, for the few who
/// had come meanwhile, half of the requests would cost as many queries as all of them, and commands would find no processor.
/// Who takes longer than 10 ms lets others go beside.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Gate {
    /// Waits for its turn; the gate is never closed.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// Those who ask one question.
pub struct Together<Q: Question> {
    gate: Gate,
    reads: PgPool,
    /// A key is in here while its query is under way, rests or waits for its turn; behind it, who goes along with the next.
    waiting: Arc<Mutex<HashMap<Q::Key, Crowd<Q>>>>,
}

struct Crowd<Q: Question> {
    askers: Vec<Q::Asker>,
    replies: Vec<Reply<Q>>,
}

impl<Q: Question> Together<Q> {
    /// Nobody has asked yet. Whoever shares the gate asks in turns.
    #[must_use]
    pub fn new(gate: Gate, reads: PgPool) -> Self {
        Self {
            gate,
            reads,
            waiting: Arc::default(),
        }
    }

    /// Asks, with whoever else asks the same now. Answers what the query found, and one's place among those who asked.
    ///
    /// # Errors
    /// When the database says no; everybody who waited for that query hears it.
    pub async fn ask(&self, key: Q::Key, asker: Q::Asker) -> sqlx::Result<Shared<Q>> {
        let (reply, answer) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock();
            let first = !waiting.contains_key(&key);
            let crowd = waiting.entry(key.clone()).or_default();
            crowd.askers.push(asker);
            crowd.replies.push(reply);
            first
        };
        if first {
            let turn = Turn {
                waiting: Arc::clone(&self.waiting),
                key,
            };
            // In a task of its own: whoever came first may hang up, the others still wait.
            tokio::spawn(turn.take(self.gate.clone(), self.reads.clone()));
        }
        match answer.await {
            Ok(answer) => answer.map_err(|error| again(&error)),
            Err(_) => Err(sqlx::Error::WorkerCrashed),
        }
    }
}

/// The queries of one key, one after the other, as long as somebody waits.
struct Turn<Q: Question> {
    waiting: Arc<Mutex<HashMap<Q::Key, Crowd<Q>>>>,
    key: Q::Key,
}

impl<Q: Question> Turn<Q> {
    async fn take(self, gate: Gate, reads: PgPool) {
        loop {
            let turn = gate.turn().await;
            let Some(crowd) = self.next() else { return };
            let (began, many) = (Instant::now(), crowd.replies.len() > 1);
            let mut asked = pin!(Q::ask(&reads, &self.key, &crowd.askers));
            let soon = timeout(LONG, &mut asked).await;
            drop(turn);
            let found = match soon {
                Ok(found) => found,
                Err(_) => asked.await,
            };
            let took = began.elapsed().min(LONG);
            let found = found.map(Arc::new).map_err(Arc::new);
            for (place, reply) in crowd.replies.into_iter().enumerate() {
                // Who has hung up needs no answer.
                let _ = reply.send(found.clone().map(|answer| (answer, place)));
            }
            if many {
                sleep(took / 2).await;
            }
        }
    }

    /// Who waits now; nobody any more ends the turn.
    fn next(&self) -> Option<Crowd<Q>> {
        let mut waiting = self.waiting.lock();
        let crowd = waiting.get_mut(&self.key)?;
        if crowd.replies.is_empty() {
            waiting.remove(&self.key);
            return None;
        }
        let most = crowd.replies.len().min(CROWD);
        Some(Crowd {
            askers: crowd.askers.drain(..most).collect(),
            replies: crowd.replies.drain(..most).collect(),
        })
    }
}

impl<Q: Question> Drop for Turn<Q> {
    /// After a panic nobody may wait for a query that never comes.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.waiting.lock().remove(&self.key);
        }
    }
}

impl<Q: Question> Default for Crowd<Q> {
    fn default() -> Self {
        Self {
            askers: Vec::new(),
            replies: Vec::new(),
        }
    }
}

/// One error for each who waited, with its causes.
fn again(error: &Arc<sqlx::Error>) -> sqlx::Error {
    match **error {
        // An overload, and told as one.
        sqlx::Error::PoolTimedOut => sqlx::Error::PoolTimedOut,
        sqlx::Error::PoolClosed => sqlx::Error::PoolClosed,
        _ => sqlx::Error::Io(io::Error::other(Arc::clone(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use sqlx::postgres::PgPoolOptions;

    use super::*;

    /// What the world says; a query takes a while and reads it at its beginning.
    static WORLD: AtomicI64 = AtomicI64::new(0);
    static QUERIES: AtomicI64 = AtomicI64::new(0);

    struct World;

    impl Question for World {
        type Key = &'static str;
        type Asker = i64;
        type Answer = (i64, Vec<i64>);

        async fn ask(_: &PgPool, key: &&'static str, askers: &[i64]) -> sqlx::Result<Self::Answer> {
            QUERIES.fetch_add(1, Ordering::SeqCst);
            let seen = WORLD.load(Ordering::SeqCst);
            sleep(Duration::from_millis(5)).await;
            match *key {
                "broken" => Err(sqlx::Error::PoolTimedOut),
                "panics" => panic!("a query of this test panics"),
                _ => Ok((seen, askers.to_vec())),
            }
        }
    }

    fn together() -> Arc<Together<World>> {
        let nowhere = PgPoolOptions::new().connect_lazy("postgres://nowhere/none");
        Arc::new(Together::new(Gate::default(), nowhere.unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_gets_an_answer_from_before_they_asked_and_few_queries_answer_many() {
        let together = together();
        let mut asking = Vec::new();
        for round in 0..40 {
            let written = WORLD.fetch_add(1, Ordering::SeqCst) + 1;
            for asker in 0..10 {
                let together = Arc::clone(&together);
                asking.push(tokio::spawn(async move {
                    let asker = round * 10 + asker;
                    let (answer, place) = together.ask("all", asker).await.unwrap();
                    assert!(
                        answer.0 >= written,
                        "asked after {written}, saw {}",
                        answer.0
                    );
                    assert_eq!(answer.1[place], asker);
                    assert!(answer.1.len() <= CROWD);
                }));
            }
            sleep(Duration::from_millis(1)).await;
        }
        for one in asking {
            one.await.unwrap();
        }
        let queries = QUERIES.load(Ordering::SeqCst);
        assert!(queries < 60, "{queries} queries for 400 who asked");
        // A key is let go when its last query has rested.
        sleep(LONG).await;
        assert!(together.waiting.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_reaches_everybody_and_the_next_query_is_a_new_one() {
        let together = together();
        let all = (0..3).map(|asker| together.ask("broken", asker));
        for answer in futures::future::join_all(all).await {
            assert!(matches!(answer, Err(sqlx::Error::PoolTimedOut)));
        }
        let panicked = together.ask("panics", 1).await;
        assert!(matches!(panicked, Err(sqlx::Error::WorkerCrashed)));
        sleep(LONG).await;
        assert!(together.waiting.lock().is_empty());
        assert!(together.ask("fine", 1).await.is_ok());
    }

    /// A query that takes so many milliseconds.
    struct Timed;

    /// What was asked, by how many, and when that query began and ended, in milliseconds of the test.
    type Seen = Arc<Mutex<Vec<(&'static str, usize, u64, u64)>>>;

    impl Question for Timed {
        type Key = (&'static str, u64);
        type Asker = (Seen, Instant);
        type Answer = ();

        async fn ask(_: &PgPool, key: &Self::Key, askers: &[Self::Asker]) -> sqlx::Result<()> {
            let (seen, start) = &askers[0];
            let now = || u64::try_from(start.elapsed().as_millis()).unwrap();
            let began = now();
            sleep(Duration::from_millis(key.1)).await;
            seen.lock().push((key.0, askers.len(), began, now()));
            Ok(())
        }
    }

    /// What is seen of queries: what they ask, how long each takes, by how many they are asked, and when.
    async fn seen(
        asks: &[(&'static str, u64, usize, u64)],
    ) -> Vec<(&'static str, usize, u64, u64)> {
        let nowhere = PgPoolOptions::new().connect_lazy("postgres://nowhere/none");
        let together = Together::<Timed>::new(Gate::default(), nowhere.unwrap());
        let (seen, start) = (Seen::default(), Instant::now());
        let all = asks.iter().flat_map(|ask| std::iter::repeat_n(ask, ask.2));
        let all = all.map(async |(name, takes, _, at)| {
            sleep(Duration::from_millis(*at)).await;
            let asker = (Arc::clone(&seen), start);
            together.ask((*name, *takes), asker).await.map(drop)
        });
        let answers = futures::future::join_all(all).await;
        assert!(answers.iter().all(Result::is_ok));
        let seen = seen.lock();
        seen.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn queries_take_turns_and_gather_those_who_come_meanwhile() {
        let asks = [
            ("a", 4, 1, 0),
            ("b", 4, 10, 1),
            ("c", 4, 9, 2),
            ("a", 4, 3, 3),
            ("b", 4, 1, 7),
        ];
        let wanted = [
            ("a", 1, 0, 4),
            ("b", 10, 4, 8),
            ("c", 9, 8, 12),
            ("a", 3, 12, 16),
            ("b", 1, 16, 20),
        ];
        assert_eq!(seen(&asks).await, wanted);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_query_lets_others_go_beside() {
        let asks = [
            ("long", 100, 5, 0),
            ("b", 4, 1, 1),
            ("c", 4, 1, 30),
            ("long", 100, 2, 40),
        ];
        let wanted = [
            ("b", 1, 10, 14),
            ("c", 1, 30, 34),
            ("long", 5, 0, 100),
            ("long", 2, 105, 205),
        ];
        assert_eq!(seen(&asks).await, wanted);
    }
}
