//! Streams set aside, and their replay.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::{Connection, PgConnection};

use super::super::{FoldError, Handling, Projection};
use super::batch::{Counts, Track};
use super::{CHANNEL, Slot, checkpoints, key};
use crate::events::Fact;
use crate::ledger::{Ledger, LoadError, StreamId};
use crate::postgres::Database;

/// Puts a leader's fence on a checkpoint and reads where it stands; `None` when a later leader was there before.
pub(super) async fn stamp(
    connection: &mut PgConnection,
    projection: &'static dyn Projection,
    slot: Slot,
    fence: i64,
) -> sqlx::Result<Option<Track>> {
    let (name, version) = slot.key(projection);
    let mut tx = connection.begin().await?;
    let Some(found) = checkpoints::settle(&mut tx, &name, version).await? else {
        return Err(sqlx::Error::RowNotFound);
    };
    if found.fence > fence {
        return Ok(None);
    }
    sqlx::query!(
        "UPDATE projection_checkpoints SET fence = $4 WHERE projection = $1 AND version = $2 AND position = $3",
        name,
        version,
        found.position,
        fence,
    )
    .execute(&mut *tx)
    .await?;
    let parked = streams(&mut tx, &name, version).await?;
    tx.commit().await?;
    Ok(Some(Track {
        projection,
        slot,
        fence,
        position: found.position,
        stored: found.position,
        joined: false,
        revision: found.revision,
        counts: found.counts,
        ahead: Counts::new(),
        parked,
        poison: BTreeMap::new(),
    }))
}

async fn streams(
    tx: &mut PgConnection,
    name: &str,
    version: i32,
) -> sqlx::Result<HashSet<StreamId>> {
    let rows = sqlx::query!(
        "SELECT DISTINCT aggregate, stream_id FROM projection_parked WHERE projection = $1 AND version = $2",
        name,
        version,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StreamId::dynamic(row.aggregate, row.stream_id))
        .collect())
}

/// What a replay came to.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// Streams whose events are in the tables now.
    pub streams: Vec<StreamId>,
    /// Streams that failed again, with the reason.
    pub still_parked: Vec<(StreamId, String)>,
}

/// Why a replay could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The log cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A fold failed for another reason than its events.
    #[error(transparent)]
    Fold(FoldError),
}

/// Replays the parked streams of a projection in order: each goes into the tables whole and is no longer parked, or
/// stays as it is. May run on any node, beside the leader; the projection waits while a stream is replayed.
///
/// # Errors
/// [`RetryError`]; what was replayed before stays so.
pub async fn retry(
    ledger: &Ledger,
    database: &Database,
    projection: &'static dyn Projection,
) -> Result<Replayed, RetryError> {
    let (name, version) = key(projection);
    let path = super::super::search_path();
    let mut connection = database.connect("retry", &path).await?;
    let mut waiting: Vec<(i64, StreamId)> = sqlx::query!(
        r#"SELECT aggregate, stream_id, min(position) AS "first!"
           FROM projection_parked
           WHERE projection = $1 AND version = $2
           GROUP BY aggregate, stream_id"#,
        name,
        version,
    )
    .fetch_all(&mut connection)
    .await?
    .into_iter()
    .map(|row| (row.first, StreamId::dynamic(row.aggregate, row.stream_id)))
    .collect();
    waiting.sort();
    let mut replayed = Replayed::default();
    for (_, stream) in waiting {
        match replay(ledger, &mut connection, projection, &stream).await? {
            Ok(()) => replayed.streams.push(stream),
            Err(reason) => replayed.still_parked.push((stream, reason)),
        }
    }
    let _ = connection.close().await;
    Ok(replayed)
}

/// One stream, one transaction. The checkpoint is locked first, as by every batch, so that none is set aside meanwhile.
async fn replay(
    ledger: &Ledger,
    connection: &mut PgConnection,
    projection: &'static dyn Projection,
    stream: &StreamId,
) -> Result<Result<(), String>, RetryError> {
    let (name, version) = key(projection);
    let mut tx = connection.begin().await?;
    let Some(mut checkpoint) = checkpoints::settle(&mut tx, &name, version).await? else {
        return Ok(Err("there is no checkpoint".to_owned()));
    };
    let positions: HashSet<i64> = sqlx::query_scalar!(
        "DELETE FROM projection_parked
         WHERE projection = $1 AND version = $2 AND aggregate = $3 AND stream_id = $4
         RETURNING position",
        name,
        version,
        &stream.aggregate,
        stream.id,
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .collect();
    let mut recorded = ledger.stream(stream).await?;
    recorded.retain(|event| positions.contains(&event.position));
    let facts: Vec<Fact> = match recorded.into_iter().map(Fact::of).collect() {
        Ok(facts) => facts,
        Err(unread) => return Ok(Err(unread.to_string())),
    };
    let handled: Vec<&Fact> = (facts.iter())
        .filter(|fact| projection.handles(&fact.event) == Handling::Handled)
        .collect();
    if !handled.is_empty() {
        match projection.apply(&handled, &mut tx).await {
            Ok(()) => {}
            Err(error) if error.is_data() => return Ok(Err(error.to_string())),
            Err(error) => return Err(RetryError::Fold(error)),
        }
    }
    recount(&mut checkpoint.counts, projection, &facts);
    sqlx::query!(
        r#"WITH moved AS (
             UPDATE projection_checkpoints
             SET revision = revision + 1, counts = $4
             WHERE projection = $1 AND version = $2 AND position = $3
         )
         SELECT pg_notify($5, 'parked') AS "told: String""#,
        name,
        version,
        checkpoint.position,
        serde_json::json!(checkpoint.counts),
        CHANNEL,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Parked becomes handled or ignored.
fn recount(counts: &mut Counts, projection: &dyn Projection, facts: &[Fact]) {
    let mut moved: HashMap<String, [i64; 2]> = HashMap::new();
    for fact in facts {
        let name = format!("{}/{}", fact.place.stream.aggregate, fact.place.event_type);
        let column = usize::from(projection.handles(&fact.event) == Handling::Ignored);
        moved.entry(name).or_default()[column] += 1;
    }
    for (name, [handled, ignored]) in moved {
        let entry = counts.entry(name).or_default();
        entry[0] += handled;
        entry[1] += ignored;
        entry[2] -= handled + ignored;
    }
}
