//! How the projections stand in the database, and the proof by counts: what the projector counted, against what the log
//! holds up to the checkpoint, counted by another path.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::PgPool;

use super::super::Projection;
use super::batch::{self, Counts};
use super::{checkpoints, key};

/// One version of a projection, as the database has it.
#[derive(Debug, Clone)]
pub struct ProjectionReport {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: u32,
    /// Its tables show everything up to here.
    pub position: i64,
    /// The end of the log at the same moment.
    pub head: i64,
    /// How long ago the first event was recorded that it does not show; zero when it shows all.
    pub lag: Duration,
    /// Streams set aside.
    pub parked_streams: i64,
    /// Events set aside.
    pub parked_events: i64,
    /// The proof, a line per event type it looks at; empty when it was not asked for.
    pub proof: Vec<ProofLine>,
}

impl ProjectionReport {
    /// Events it does not show yet.
    #[must_use]
    pub fn lag_events(&self) -> i64 {
        self.head - self.position
    }

    /// Does every line of the proof hold?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.proof.iter().all(ProofLine::holds)
    }
}

/// What became of the events of one type, and how many the log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofLine {
    /// As `Task/TaskCreated`.
    pub event: String,
    /// In the log up to the checkpoint, counted there.
    pub in_log: i64,
    /// Folded into the tables.
    pub handled: i64,
    /// Of no concern to them.
    pub ignored: i64,
    /// Set aside.
    pub parked: i64,
    /// Set aside, counted by their rows.
    pub parked_rows: i64,
}

impl ProofLine {
    /// Was every event counted exactly once?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.in_log == self.handled + self.ignored + self.parked && self.parked == self.parked_rows
    }
}

/// How a projection stands, with the proof if asked for (it counts the log), all from one snapshot. `None` when it was
/// never started on this database.
///
/// # Errors
/// When the database says no.
pub async fn report(
    pool: &PgPool,
    projection: &'static dyn Projection,
    with_proof: bool,
) -> sqlx::Result<Option<ProjectionReport>> {
    let (name, version) = key(projection);
    let feeds_on: Vec<String> = projection
        .feeds_on()
        .iter()
        .map(|&a| a.to_owned())
        .collect();
    let row = sqlx::query!(
        r#"SELECT c.position AS "position!", c.counts AS "counts!", c.ahead,
                  coalesce((SELECT e.position FROM events e ORDER BY e.position DESC LIMIT 1), 0) AS "head!",
                  coalesce((SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
                            FROM events e WHERE e.position = c.position + 1), 0) AS "lag!",
                  (SELECT count(*) FROM (
                      SELECT DISTINCT p.aggregate, p.stream_id FROM projection_parked p
                      WHERE p.projection = c.projection AND p.version = c.version) s) AS "parked_streams!",
                  (SELECT json_object_agg(l.event, l.count) FROM (
                      SELECT e.aggregate_type || '/' || e.event_type AS event, count(*) AS count
                      FROM events e
                      WHERE $4 AND e.position <= c.position AND e.aggregate_type = ANY($3)
                      GROUP BY 1) l) AS in_log,
                  (SELECT json_object_agg(l.event, l.count) FROM (
                      SELECT p.aggregate || '/' || p.event_type AS event, count(*) AS count
                      FROM projection_parked p
                      WHERE p.projection = c.projection AND p.version = c.version
                      GROUP BY 1) l) AS parked
           FROM projection_positions c
           WHERE c.projection = $1 AND c.version = $2"#,
        name,
        version,
        &feeds_on,
        with_proof,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    let mut counts = checkpoints::read_counts(row.counts)?;
    if let Some(ahead) = row.ahead {
        batch::add(&mut counts, checkpoints::read_counts(ahead)?);
    }
    let counted = |json: Option<serde_json::Value>| -> Result<BTreeMap<String, i64>, _> {
        json.map_or_else(|| Ok(BTreeMap::new()), serde_json::from_value)
    };
    let in_log = counted(row.in_log).map_err(decode)?;
    let parked = counted(row.parked).map_err(decode)?;
    Ok(Some(ProjectionReport {
        name: projection.name(),
        version: projection.version(),
        position: row.position,
        head: row.head,
        lag: Duration::try_from_secs_f64(row.lag.max(0.0)).unwrap_or_default(),
        parked_streams: row.parked_streams,
        parked_events: parked.values().sum(),
        proof: if with_proof {
            lines(&counts, &in_log, &parked)
        } else {
            Vec::new()
        },
    }))
}

/// A line for every event type that any of the three sides knows.
fn lines(
    counts: &Counts,
    in_log: &BTreeMap<String, i64>,
    parked: &BTreeMap<String, i64>,
) -> Vec<ProofLine> {
    let mut lines: BTreeMap<&String, ProofLine> = BTreeMap::new();
    for event in counts.keys().chain(in_log.keys()).chain(parked.keys()) {
        let [handled, ignored, aside] = counts.get(event).copied().unwrap_or_default();
        lines.entry(event).or_insert_with(|| ProofLine {
            event: event.clone(),
            in_log: in_log.get(event).copied().unwrap_or_default(),
            handled,
            ignored,
            parked: aside,
            parked_rows: parked.get(event).copied().unwrap_or_default(),
        });
    }
    lines.into_values().collect()
}
