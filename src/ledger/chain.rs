//! The chain: what makes a change of the log show.
//!
//! `chain(n) = SHA-256(chain(n-1) ‖ SHA-256(fields of n))`, integers as 8 bytes big-endian, times as whole microseconds,
//! texts with their length in front, payload and metadata as the stored bytes. The append function writes the same sum in SQL.
//! A cut-off tail, or a chain recomputed from the start, shows only against a head printed earlier.

use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Rows per read.
const CHUNK: i64 = 5_000;

/// A link of the chain.
pub type Link = [u8; 32];

/// The link before the first event.
pub const GENESIS: Link = [0; 32];

/// A row as the chain sees it: stored bytes, nothing opened.
struct Row {
    position: i64,
    event_id: Uuid,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_type: String,
    event_version: String,
    payload: String,
    metadata: String,
    /// `None` for a list the append would not have stored (empty, with nulls).
    subjects: Option<String>,
    /// Since the epoch. `None` for a time the append would not have stored (infinity).
    recorded_micros: Option<i64>,
    chain: Vec<u8>,
}

/// The link that belongs to a row, unless no row of the append's could look like it.
fn link(before: &Link, row: &Row) -> Option<Link> {
    let mut fields = Sha256::new();
    fields.update(row.position.to_be_bytes());
    fields.update(row.event_id.as_bytes());
    fields.update(row.sequence.to_be_bytes());
    fields.update(row.recorded_micros?.to_be_bytes());
    for text in [
        &row.aggregate_type,
        &row.aggregate_id,
        &row.event_type,
        &row.event_version,
        &row.payload,
        &row.metadata,
        row.subjects.as_ref()?,
    ] {
        fields.update((text.len() as u64).to_be_bytes());
        fields.update(text.as_bytes());
    }
    let mut link = Sha256::new();
    link.update(before);
    link.update(fields.finalize());
    Some(link.finalize().into())
}

/// Where the chain stands: print it, keep it elsewhere, verify from it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The log's id.
    pub ledger: Uuid,
    /// The log's generation.
    pub generation: i64,
    /// The last position.
    pub position: i64,
    /// Its link, hex.
    pub chain: String,
}

/// What is wrong with the log, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Tampering {
    /// The row's link does not follow from its fields and the link before: something in it was changed.
    #[error("position {position}: the event was changed, or another stands in its place")]
    Changed {
        /// Where.
        position: i64,
    },
    /// A position is missing.
    #[error("position {position}: the event was removed")]
    Removed {
        /// Where.
        position: i64,
    },
    /// The log ends before the head that was kept.
    #[error(
        "the log ends at {last}, but position {position} was printed earlier: its tail was cut off"
    )]
    CutOff {
        /// The kept head's position.
        position: i64,
        /// Where the log ends.
        last: i64,
    },
    /// The link at a kept head is another one: the log up to there was rewritten.
    #[error(
        "position {position}: the chain is not the one printed earlier; the log up to there was rewritten"
    )]
    Rewritten {
        /// The kept head's position.
        position: i64,
    },
}

/// How a verification ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many events were checked.
    pub events: i64,
    /// Where the sound part ends.
    pub position: i64,
    /// Its link, hex.
    pub chain: String,
    /// What is wrong after it, if anything.
    pub tampering: Option<Tampering>,
}

/// The present head. Needs no keys.
///
/// # Errors
/// When the database says no.
pub async fn head(pool: &PgPool) -> Result<Head, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT l.id, l.generation, e.position AS "position?", e.chain AS "chain?"
           FROM ledger l
           LEFT JOIN (SELECT position, chain FROM events ORDER BY position DESC LIMIT 1) e ON true"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Head {
        ledger: row.id,
        generation: row.generation,
        position: row.position.unwrap_or(0),
        chain: HEXLOWER.encode(&row.chain.unwrap_or_else(|| GENESIS.to_vec())),
    })
}

/// Says that this log was restored from a backup: raises its generation, so that positions of a tail that was lost are
/// recognized. For the owner of the database; answers the new generation.
///
/// # Errors
/// When the database says no.
pub async fn raise_generation(owner: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!("UPDATE ledger SET generation = generation + 1 RETURNING generation")
        .fetch_one(owner)
        .await
}

/// Checks every link after a kept head, or from the start. `progress` hears the position now and then. Needs no keys:
/// what the chain covers is the stored bytes.
///
/// # Errors
/// When the database says no; what is wrong with the log stands in the answer.
pub async fn verify(
    pool: &PgPool,
    kept: Option<(i64, Link)>,
    mut progress: impl FnMut(i64) + Send,
) -> Result<Verified, sqlx::Error> {
    let (start, mut chain) = kept.unwrap_or((0, GENESIS));
    let mut position = start;
    let sound = |position: i64, chain: &Link, tampering| Verified {
        events: position - start,
        position,
        chain: HEXLOWER.encode(chain),
        tampering,
    };
    if let Some((kept_position, kept_link)) = kept
        && kept_position > 0
    {
        let found = sqlx::query_scalar!(
            "SELECT chain FROM events WHERE position = $1",
            kept_position
        )
        .fetch_optional(pool)
        .await?;
        let tampering = match found {
            None => {
                let last = head(pool).await?.position;
                Some(if last < kept_position {
                    Tampering::CutOff {
                        position: kept_position,
                        last,
                    }
                } else {
                    Tampering::Removed {
                        position: kept_position,
                    }
                })
            }
            Some(found) if found != kept_link => Some(Tampering::Rewritten {
                position: kept_position,
            }),
            Some(_) => None,
        };
        if tampering.is_some() {
            return Ok(sound(start, &chain, tampering));
        }
    }
    loop {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
                      payload::text AS "payload!", metadata::text AS "metadata!",
                      CASE WHEN subjects IS NULL THEN ''
                           WHEN subjects <> '{}' AND subjects = string_to_array(array_to_string(subjects, E'\n'), E'\n')
                               THEN array_to_string(subjects, E'\n') END AS subjects,
                      CASE WHEN isfinite(recorded_at) THEN (extract(epoch FROM recorded_at) * 1000000)::bigint
                           END AS recorded_micros,
                      chain
               FROM events WHERE position > $1 ORDER BY position LIMIT $2"#,
            position,
            CHUNK,
        )
        .fetch_all(pool)
        .await?;
        if rows.is_empty() {
            return Ok(sound(position, &chain, None));
        }
        for row in rows {
            if row.position != position + 1 {
                let missing = Tampering::Removed {
                    position: position + 1,
                };
                return Ok(sound(position, &chain, Some(missing)));
            }
            let Some(next) = link(&chain, &row).filter(|next| row.chain == next) else {
                let changed = Tampering::Changed {
                    position: row.position,
                };
                return Ok(sound(position, &chain, Some(changed)));
            };
            chain = next;
            position = row.position;
        }
        progress(position);
    }
}
