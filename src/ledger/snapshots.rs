//! States of long streams, kept so that the next load is short. A snapshot is never the truth: one of another
//! shape, or one that does not read, is passed over.

use super::loader::{LoadError, StreamRead, snapshot_context};
use super::personal::{self, PersonalError};
use super::state::{State, StoredEvent};
use super::{KeyError, Ledger, StreamId};

/// Folds what was read of a stream into its state and version. `None`: the snapshot does not read.
pub(super) fn fold<A: State>(
    stream: &StreamId,
    read: StreamRead,
) -> Result<Option<(A, i64)>, LoadError> {
    let (mut state, mut version) = match read.snapshot {
        Some(snapshot) => match serde_json::from_str(&snapshot.payload) {
            Ok(state) => (state, snapshot.version),
            Err(error) => {
                tracing::warn!(stream = %stream, error = %error, "A snapshot of {stream} does not read; reading the whole stream");
                return Ok(None);
            }
        },
        None => (A::default(), 0),
    };
    for recorded in read.events {
        let event = A::Event::decode(
            &recorded.event_type,
            &recorded.event_version,
            &recorded.payload,
        )
        .map_err(|error| LoadError::Decode {
            stream: stream.clone(),
            sequence: recorded.sequence,
            reason: error.to_string(),
        })?;
        state.apply(&event);
        version = recorded.sequence;
    }
    Ok(Some((state, version)))
}

impl Ledger {
    /// Stores the state of a stream at a version; a newer snapshot is left alone.
    pub(super) async fn snapshot<A: State>(
        &self,
        stream: &StreamId,
        version: i64,
        state: &A,
    ) -> Result<(), KeyError> {
        let clear = serde_json::to_string(state)
            .map_err(|error| PersonalError::Malformed(error.to_string()))?;
        let subjects = if personal::has_clear(&clear) {
            personal::subjects(&clear)?
        } else {
            Vec::new()
        };
        let payload = if subjects.is_empty() {
            clear
        } else {
            let keys = self
                .inner
                .ring
                .for_sealing(&self.inner.pool, &subjects)
                .await?;
            personal::seal(&clear, &snapshot_context(stream, version), &keys)?
        };
        sqlx::query!(
            "INSERT INTO snapshots AS s (aggregate_type, aggregate_id, last_sequence, current_snapshot, payload, shape, subjects)
             VALUES ($1, $2, $3, 1, $4::text::json, $5, NULLIF($6::text[], '{}'))
             ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
             SET last_sequence = EXCLUDED.last_sequence, current_snapshot = s.current_snapshot + 1,
                 payload = EXCLUDED.payload, shape = EXCLUDED.shape, subjects = EXCLUDED.subjects
             WHERE s.last_sequence < EXCLUDED.last_sequence OR s.shape <> EXCLUDED.shape",
            stream.aggregate.as_ref(),
            stream.id,
            version,
            payload,
            A::SHAPE,
            &subjects,
        )
        .execute(&self.inner.pool)
        .await?;
        Ok(())
    }
}
