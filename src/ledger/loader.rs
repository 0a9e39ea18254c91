//! Loads streams. The loads of all concurrent commands become one query: a round trip serves everybody who waited.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::envelope::{Recorded, StreamId};
use super::feed::{Row, read_keys};
use super::keyring::KeyRing;
use super::personal::{self, PersonalError};

/// Streams per query.
const BATCH: usize = 256;
/// Queries at a time.
const CONCURRENT: usize = 2;

/// Why a stream could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// The database said no.
    #[error("a stream cannot be read: {0}")]
    Database(Arc<sqlx::Error>),
    /// Personal values do not open.
    #[error("a stream cannot be read: {0}")]
    Personal(Arc<PersonalError>),
    /// A stored event does not decode.
    #[error("{stream} cannot be folded at {sequence}: {reason}")]
    Decode {
        /// The stream.
        stream: StreamId,
        /// The event's place in it.
        sequence: i64,
        /// What the decoder said.
        reason: String,
    },
    /// The loader is gone: the service is stopping.
    #[error("the service is stopping")]
    Stopping,
}

/// What is known of a stream: perhaps a snapshot, and the events after it.
#[derive(Debug)]
pub(super) struct StreamRead {
    pub snapshot: Option<SnapshotRow>,
    pub events: Vec<Recorded>,
}

#[derive(Clone, Debug)]
pub(super) struct SnapshotRow {
    pub version: i64,
    pub payload: String,
}

struct Wish {
    stream: StreamId,
    /// The shape of snapshots that may be used.
    snapshot_shape: Option<&'static str>,
    reply: oneshot::Sender<Result<StreamRead, LoadError>>,
}

#[derive(Clone)]
pub(super) struct Loader {
    wishes: mpsc::Sender<Wish>,
    pool: PgPool,
}

impl Loader {
    /// Over connections that plan once: for few streams a plan of their own always looks cheaper, and to make it takes nine
    /// times as long as to load one. It closes them.
    pub fn start(pool: PgPool, ring: Arc<KeyRing>) -> Self {
        let (wishes, queue) = mpsc::channel(4096);
        tokio::spawn(serve(pool.clone(), ring, queue));
        Self { wishes, pool }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub async fn load(
        &self,
        stream: StreamId,
        snapshot_shape: Option<&'static str>,
    ) -> Result<StreamRead, LoadError> {
        let (reply, answer) = oneshot::channel();
        let wish = Wish {
            stream,
            snapshot_shape,
            reply,
        };
        self.wishes
            .send(wish)
            .await
            .map_err(|_| LoadError::Stopping)?;
        answer.await.map_err(|_| LoadError::Stopping)?
    }
}

async fn serve(pool: PgPool, ring: Arc<KeyRing>, mut queue: mpsc::Receiver<Wish>) {
    let turns = Arc::new(Semaphore::new(CONCURRENT));
    let mut wishes = Vec::with_capacity(BATCH);
    loop {
        // The turn comes first: while both queries run, wishes gather.
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else {
            return;
        };
        if queue.recv_many(&mut wishes, BATCH).await == 0 {
            return;
        }
        let (pool, ring, batch) = (pool.clone(), Arc::clone(&ring), std::mem::take(&mut wishes));
        tokio::spawn(async move {
            fulfil(&pool, &ring, batch).await;
            drop(turn);
        });
    }
}

async fn fulfil(pool: &PgPool, ring: &KeyRing, batch: Vec<Wish>) {
    metrics::histogram!("shiji_load_batch_streams")
        .record(f64::from(u16::try_from(batch.len()).unwrap_or(u16::MAX)));
    match read(pool, ring, &batch).await {
        Ok(found) => {
            for (wish, answer) in batch.into_iter().zip(found) {
                let _ = wish.reply.send(answer);
            }
        }
        Err(error) => {
            let error = LoadError::Database(Arc::new(error));
            for wish in batch {
                let _ = wish.reply.send(Err(error.clone()));
            }
        }
    }
}

/// An answer per wish, in order: one stream that does not open is nobody else's fault.
async fn read(
    pool: &PgPool,
    ring: &KeyRing,
    batch: &[Wish],
) -> Result<Vec<Result<StreamRead, LoadError>>, sqlx::Error> {
    let mut snapshots = read_snapshots(pool, ring, batch).await?;
    let kinds: Vec<String> = batch
        .iter()
        .map(|w| w.stream.aggregate.to_string())
        .collect();
    let ids: Vec<String> = batch.iter().map(|w| w.stream.id.clone()).collect();
    let after: Vec<i64> = (0..batch.len())
        .map(|n| snapshots.get(&n).map_or(0, |snapshot| snapshot.version))
        .collect();
    let rows = sqlx::query!(
        r#"SELECT s.n AS "n!", e.position AS "position!", e.event_id AS "event_id!", e.sequence AS "sequence!",
                  e.event_type AS "event_type!", e.event_version AS "event_version!",
                  e.payload::text AS "payload!", e.metadata::text AS "metadata!", e.recorded_at AS "recorded_at!",
                  e.subjects, k.wrapped AS "wrapped: Vec<Option<Vec<u8>>>", k.erased AS "erased: Vec<bool>"
           FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY s(kind, id, after, n)
           CROSS JOIN LATERAL (
               SELECT * FROM events l
               WHERE l.aggregate_type = s.kind AND l.aggregate_id = s.id AND l.sequence > s.after
               ORDER BY l.sequence
           ) e
           CROSS JOIN LATERAL ledger_keys(e.subjects) k
           ORDER BY s.n, e.sequence"#,
        &kinds,
        &ids,
        &after,
    )
    .fetch_all(pool)
    .await?;
    let mut found: Vec<Result<StreamRead, LoadError>> = (0..batch.len())
        .map(|n| {
            Ok(StreamRead {
                snapshot: snapshots.remove(&n),
                events: Vec::new(),
            })
        })
        .collect();
    for row in rows {
        let Ok(n) = usize::try_from(row.n - 1) else {
            continue;
        };
        let stream = &batch[n].stream;
        let row = Row {
            position: row.position,
            event_id: row.event_id,
            aggregate_type: stream.aggregate.to_string(),
            aggregate_id: stream.id.clone(),
            sequence: row.sequence,
            event_type: row.event_type,
            event_version: row.event_version,
            payload: row.payload,
            metadata: row.metadata,
            recorded_at: row.recorded_at,
            subjects: row.subjects,
            wrapped: row.wrapped,
            erased: row.erased,
        };
        match (row.open(ring), &mut found[n]) {
            (Ok(event), Ok(read)) => read.events.push(event),
            (Err(error), slot @ Ok(_)) => *slot = Err(LoadError::Personal(Arc::new(error))),
            (_, Err(_)) => {}
        }
    }
    Ok(found)
}

/// Snapshots by the wish's number, for those who may use one. One that does not open is passed over.
async fn read_snapshots(
    pool: &PgPool,
    ring: &KeyRing,
    batch: &[Wish],
) -> Result<HashMap<usize, SnapshotRow>, sqlx::Error> {
    let wishes: Vec<(usize, &Wish, &'static str)> = batch
        .iter()
        .enumerate()
        .filter_map(|(n, wish)| Some((n, wish, wish.snapshot_shape?)))
        .collect();
    if wishes.is_empty() {
        return Ok(HashMap::new());
    }
    let numbers: Vec<i64> = wishes
        .iter()
        .map(|(n, ..)| i64::try_from(*n).unwrap_or(0))
        .collect();
    let kinds: Vec<String> = wishes
        .iter()
        .map(|(_, w, _)| w.stream.aggregate.to_string())
        .collect();
    let ids: Vec<String> = wishes.iter().map(|(_, w, _)| w.stream.id.clone()).collect();
    let shapes: Vec<String> = wishes
        .iter()
        .map(|(.., shape)| (*shape).to_owned())
        .collect();
    let rows = sqlx::query!(
        r#"SELECT s.n AS "n!", p.last_sequence, p.payload::text AS "payload!", p.subjects,
                  k.wrapped AS "wrapped: Vec<Option<Vec<u8>>>", k.erased AS "erased: Vec<bool>"
           FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) s(n, kind, id, shape)
           JOIN snapshots p ON p.aggregate_type = s.kind AND p.aggregate_id = s.id AND p.shape = s.shape
           CROSS JOIN LATERAL ledger_keys(p.subjects) k"#,
        &numbers,
        &kinds,
        &ids,
        &shapes,
    )
    .fetch_all(pool)
    .await?;
    let mut found = HashMap::new();
    for row in rows {
        let Ok(n) = usize::try_from(row.n) else {
            continue;
        };
        let context = snapshot_context(&batch[n].stream, row.last_sequence);
        let opened = if personal::has_sealed(&row.payload) {
            read_keys(ring, row.subjects, row.wrapped, row.erased)
                .and_then(|keys| personal::open(&row.payload, &context, &keys))
        } else {
            Ok(row.payload)
        };
        match opened {
            Ok(payload) => {
                let version = row.last_sequence;
                found.insert(n, SnapshotRow { version, payload });
            }
            Err(error) => {
                tracing::warn!(stream = %batch[n].stream, error = %error, "A snapshot does not open; reading the whole stream");
            }
        }
    }
    Ok(found)
}

/// What personal values of a snapshot are bound to.
pub(super) fn snapshot_context(stream: &StreamId, version: i64) -> Vec<u8> {
    format!("snapshot\n{stream}\n{version}").into_bytes()
}
