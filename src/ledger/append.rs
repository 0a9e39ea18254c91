//! What is asked of the log, and what it answers. The appender that carries it is in `appender.rs`.

use std::ops::{Deref, Range};
use std::sync::Arc;

use sqlx::PgPool;
use tokio::time::Instant;

use super::appender::{Prepared, PreparedEvent, PreparedReceipt};
use super::envelope::{Metadata, NewEvent, Recorded, StreamId};
use super::keyring::{KeyError, KeyRing};
use super::keys::Keys;
use super::personal::{self, PersonalError};

/// What a stream's last sequence must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this; 0 for a stream that must not exist yet.
    Exact(i64),
    /// Whatever it is: for logs that decide nothing (views, forwards, searches). Never conflicts.
    Any,
}

/// A version that no stream has.
pub(super) const NEVER: i64 = i64::MAX;

/// Events for one stream.
#[derive(Clone, Debug)]
pub struct StreamWrite {
    /// The stream.
    pub stream: StreamId,
    /// Where it must stand.
    pub expected: Expected,
    /// What happened, in order. At least one.
    pub events: Vec<NewEvent>,
}

/// What a command under an idempotency key came to; committed with its events.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Hash of (actor, endpoint, key).
    pub key: [u8; 32],
    /// Hash of the request.
    pub digest: [u8; 32],
    /// The outcome, serialized. The ledger seals it.
    pub outcome: Vec<u8>,
}

/// One atomic job: all its streams or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// What is written. A stream is named once.
    pub streams: Vec<StreamWrite>,
    /// Streams that were read and must not have moved.
    pub guards: Vec<(StreamId, i64)>,
    /// Who, through which door, answering what.
    pub metadata: Metadata,
    /// Under an idempotency key: the outcome to keep.
    pub receipt: Option<Receipt>,
    /// Past it and unsent, the job is refused and nothing happened.
    pub deadline: Instant,
}

/// The log's yes.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The position of the job's last event (for a job without events, the head it was checked under).
    pub position: i64,
    /// The events as recorded, in order.
    pub events: Events,
}

/// The recorded events of one job: its part of what the batch it went in recorded. Reads as a slice.
#[derive(Clone, Debug)]
pub struct Events {
    batch: Arc<[Recorded]>,
    part: Range<usize>,
}

impl Events {
    pub(super) fn part(batch: &Arc<[Recorded]>, part: Range<usize>) -> Self {
        Self {
            batch: Arc::clone(batch),
            part,
        }
    }
}

impl Deref for Events {
    type Target = [Recorded];

    fn deref(&self) -> &[Recorded] {
        &self.batch[self.part.clone()]
    }
}

/// What became of an accepted call.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is in the log.
    Appended(Appended),
    /// The receipt's key has been used: nothing was appended, this is what the first call came to.
    Repeated {
        /// The digest of the first request.
        digest: [u8; 32],
        /// The first outcome.
        outcome: Vec<u8>,
        /// Where it stands.
        position: i64,
    },
}

/// Why a job is not in the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// A written stream or a guard is not where it was expected. Load again and decide again.
    #[error("a stream moved since it was read")]
    Stale,
    /// A person the job writes about is erased.
    #[error("the job writes about an erased person")]
    ErasedSubject,
    /// The job's own data cannot be stored; other jobs are not harmed.
    #[error("the job's data cannot be stored: {0}")]
    Data(String),
    /// The queue is full, or the deadline passed before the job was sent. Nothing happened.
    #[error("the log is overloaded; nothing happened")]
    Overloaded,
    /// The answer did not come in time. Whether it happened shows only in the log.
    #[error("the log did not answer in time; the outcome is unknown")]
    Unknown,
    /// Personal values could not be sealed.
    #[error(transparent)]
    Personal(Arc<PersonalError>),
    /// The store is broken or away. Nothing happened.
    #[error("the log cannot be written: {0}")]
    Unavailable(Arc<sqlx::Error>),
    /// The log is shown as it was: nothing is added to it.
    #[error("the log is shown as it was at a position")]
    Past,
}

impl Append {
    /// Serializes, checks and seals a job in its caller's task, so that the appender only carries.
    pub(super) async fn prepare(
        self,
        ring: &KeyRing,
        pool: &PgPool,
    ) -> Result<Prepared, AppendError> {
        let metadata = self.metadata.to_json();
        if holds_nul(&metadata) {
            return Err(AppendError::Data("the metadata hold U+0000".to_owned()));
        }
        let mut subjects: Vec<String> = Vec::new();
        let mut streams: Vec<(StreamId, Expected)> =
            Vec::with_capacity(self.streams.len() + self.guards.len());
        let mut events = Vec::new();
        for write in self.streams {
            if write.events.is_empty() || streams.iter().any(|(named, _)| *named == write.stream) {
                return Err(AppendError::Data(format!(
                    "{} is written twice or not at all",
                    write.stream
                )));
            }
            for event in write.events {
                if holds_nul(&event.payload) {
                    return Err(AppendError::Data(format!(
                        "{} holds U+0000",
                        event.event_type
                    )));
                }
                // Ciphertext is made here. What came along would open nowhere, and no reader would get past it.
                if personal::has_sealed(&event.payload) {
                    return Err(AppendError::Data(format!(
                        "{} holds sealed values",
                        event.event_type
                    )));
                }
                let about = if personal::has_clear(&event.payload) {
                    personal::subjects(&event.payload).map_err(personal_error)?
                } else {
                    Vec::new()
                };
                subjects.extend(about.iter().cloned());
                events.push(PreparedEvent {
                    stream: streams.len(),
                    event_id: event.event_id,
                    event_type: event.event_type.into_owned(),
                    event_version: event.event_version.into_owned(),
                    sealed: event.payload,
                    opened: None,
                    subjects: about,
                });
            }
            streams.push((write.stream, write.expected));
        }
        for (stream, version) in self.guards {
            guard(&mut streams, stream, version);
        }
        subjects.sort();
        subjects.dedup();
        // A line of `ledger_append`'s list; an empty one would be no subject at all.
        if subjects.iter().any(|s| s.is_empty() || s.contains('\n')) {
            return Err(AppendError::Data("a subject is no stream id".to_owned()));
        }
        if !subjects.is_empty() {
            seal_events(&mut events, &subjects, ring, pool).await?;
        }
        Ok(Prepared {
            streams,
            events,
            metadata,
            receipt: self.receipt.map(|receipt| PreparedReceipt {
                outcome: ring
                    .keys()
                    .answers()
                    .seal(&receipt.digest, &receipt.outcome),
                key: receipt.key,
                digest: receipt.digest,
            }),
            subjects,
            deadline: self.deadline,
        })
    }
}

/// Enters a guard. On a stream that is named already both must hold; two that differ never do.
fn guard(streams: &mut Vec<(StreamId, Expected)>, stream: StreamId, version: i64) {
    let guarded = Expected::Exact(version);
    match streams.iter_mut().find(|(named, _)| *named == stream) {
        None => streams.push((stream, guarded)),
        Some((_, expected @ Expected::Any)) => *expected = guarded,
        Some((_, expected)) if *expected != guarded => *expected = Expected::Exact(NEVER),
        Some(_) => {}
    }
}

async fn seal_events(
    events: &mut [PreparedEvent],
    subjects: &[String],
    ring: &KeyRing,
    pool: &PgPool,
) -> Result<(), AppendError> {
    let keys = ring
        .for_sealing(pool, subjects)
        .await
        .map_err(|error| match error {
            KeyError::Database(error) => AppendError::Unavailable(Arc::new(error)),
            KeyError::Personal(error) => personal_error(error),
        })?;
    for event in events.iter_mut().filter(|event| !event.subjects.is_empty()) {
        let context = event.event_id.as_bytes();
        event.sealed = personal::seal(&event.sealed, context, &keys).map_err(personal_error)?;
        // Followers on this node get the stored bytes, opened like any other read.
        event.opened = Some(personal::open(&event.sealed, context, &keys).map_err(personal_error)?);
    }
    Ok(())
}

fn personal_error(error: PersonalError) -> AppendError {
    match error {
        PersonalError::ErasedSubject(_) => AppendError::ErasedSubject,
        other => AppendError::Personal(Arc::new(other)),
    }
}

/// U+0000 can be stored as JSON and never become text again. Looks for its escape, not for an escaped backslash.
fn holds_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let backslashes = json.as_bytes()[..at]
            .iter()
            .rev()
            .take_while(|b| **b == b'\\')
            .count();
        backslashes % 2 == 0
    })
}

/// Opens a stored outcome.
pub(super) fn open_outcome(
    keys: &Keys,
    digest: &[u8; 32],
    sealed: &[u8],
) -> Result<Vec<u8>, AppendError> {
    keys.answers()
        .open(digest, sealed)
        .map_err(|_| AppendError::Data("a receipt does not open with this master key".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::holds_nul;

    #[test]
    fn u0000_is_found_and_an_escaped_backslash_is_not_mistaken_for_it() {
        let json = |text: &str| serde_json::to_string(text).unwrap();
        assert!(holds_nul(&json("a\0b")));
        assert!(holds_nul(&json("\\\0")));
        assert!(!holds_nul(&json("\\u0000")));
        assert!(!holds_nul(&json("plain")));
    }
}
