//! Integer ids: one PostgreSQL sequence per aggregate, taken for the commands waiting at that moment, not hoarded.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Queries at a time.
const CONCURRENT: usize = 2;
/// How often others may come along before a query leaves.
const COURTESY: usize = 10;

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

struct Wish {
    sequence: &'static str,
    reply: oneshot::Sender<Result<i64, IdError>>,
}

/// Takes ids for whoever waits.
#[derive(Clone)]
pub(super) struct Ids {
    wishes: mpsc::Sender<Wish>,
}

impl Ids {
    pub fn start(pool: PgPool) -> Self {
        let (wishes, queue) = mpsc::channel(4096);
        tokio::spawn(serve(pool, queue));
        Self { wishes }
    }

    pub async fn next(&self, sequence: &'static str) -> Result<i64, IdError> {
        let (reply, answer) = oneshot::channel();
        let wish = Wish { sequence, reply };
        self.wishes
            .send(wish)
            .await
            .map_err(|_| IdError::Stopping)?;
        answer.await.map_err(|_| IdError::Stopping)?
    }
}

async fn serve(pool: PgPool, mut queue: mpsc::Receiver<Wish>) {
    let turns = Arc::new(Semaphore::new(CONCURRENT));
    let mut wishes = Vec::new();
    loop {
        // The turn comes first: while others are under way, wishes gather.
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return;
        };
        if queue.recv_many(&mut wishes, 1024).await == 0 {
            return;
        }
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
        let (pool, batch) = (pool.clone(), std::mem::take(&mut wishes));
        tokio::spawn(async move {
            fulfil(&pool, batch).await;
            drop(turn);
        });
    }
}

async fn fulfil(pool: &PgPool, batch: Vec<Wish>) {
    let mut by_sequence: HashMap<&'static str, Vec<oneshot::Sender<_>>> = HashMap::new();
    for wish in batch {
        by_sequence
            .entry(wish.sequence)
            .or_default()
            .push(wish.reply);
    }
    for (sequence, replies) in by_sequence {
        match take(pool, sequence, replies.len()).await {
            Ok(ids) => {
                for (reply, id) in replies.into_iter().zip(ids) {
                    let _ = reply.send(Ok(id));
                }
            }
            Err(error) => {
                let error = IdError::Database(Arc::new(error));
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
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
