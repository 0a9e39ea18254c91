//! Every stream of the log, one after the other, for audits that fold the whole log through today's code.
//!
//! Streams come in the order of their names, a page at a time, so that one stream is in memory and not the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::try_join_all;

use super::{Ledger, LoadError, Recorded, StreamId};

/// Streams loaded together.
const PAGE: i64 = 500;

/// Something that is wrong with a stream.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Which stream.
    pub stream: String,
    /// At which of its events.
    pub sequence: i64,
    /// What.
    pub reason: String,
}

/// What a replay came to.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Replayed {
    /// Streams and events of each aggregate.
    pub aggregates: BTreeMap<String, (u64, u64)>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Ledger {
    /// Reads every stream whole, checks that its sequence has no hole and its positions rise, and hands it to `judge`, which
    /// answers what else is wrong with it. `progress` hears how many events were read.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn replay(
        &self,
        mut judge: impl FnMut(&StreamId, &[Recorded]) -> Option<Finding>,
        mut progress: impl FnMut(u64),
    ) -> Result<Replayed, LoadError> {
        let mut replayed = Replayed::default();
        let mut after = (String::new(), String::new());
        let mut events = 0;
        loop {
            let page = self.streams_after(&after.0, &after.1).await?;
            let Some(last) = page.last() else {
                return Ok(replayed);
            };
            after = (last.aggregate.to_string(), last.id.clone());
            let loads = page.iter().map(|stream| self.stream(stream));
            let loaded = try_join_all(loads).await?;
            for (stream, recorded) in page.iter().zip(&loaded) {
                let counts = replayed.aggregates.entry(stream.aggregate.to_string());
                let (streams, count) = counts.or_default();
                *streams += 1;
                *count += recorded.len() as u64;
                events += recorded.len() as u64;
                let found = unsound(stream, recorded).or_else(|| judge(stream, recorded));
                replayed.findings.extend(found);
            }
            progress(events);
        }
    }

    async fn streams_after(&self, aggregate: &str, id: &str) -> Result<Vec<StreamId>, LoadError> {
        let rows = sqlx::query!(
            "SELECT aggregate_type, aggregate_id
             FROM events
             WHERE (aggregate_type, aggregate_id) > ($1, $2)
             GROUP BY aggregate_type, aggregate_id
             ORDER BY aggregate_type, aggregate_id
             LIMIT $3",
            aggregate,
            id,
            PAGE,
        )
        .fetch_all(self.pool())
        .await
        .map_err(|error| LoadError::Database(Arc::new(error)))?;
        let streams = rows.into_iter();
        Ok(streams
            .map(|row| StreamId::dynamic(row.aggregate_type, row.aggregate_id))
            .collect())
    }
}

/// What no stream may be, whatever its aggregate.
fn unsound(stream: &StreamId, recorded: &[Recorded]) -> Option<Finding> {
    let finding = |sequence: i64, reason: String| {
        Some(Finding {
            stream: stream.to_string(),
            sequence,
            reason,
        })
    };
    let mut last = (0, 0);
    for event in recorded {
        if event.sequence != last.0 + 1 {
            return finding(
                event.sequence,
                format!("it follows event {} of its stream", last.0),
            );
        }
        if event.position <= last.1 {
            return finding(
                event.sequence,
                format!(
                    "it stands at position {}, before the event it follows",
                    event.position
                ),
            );
        }
        last = (event.sequence, event.position);
    }
    None
}
