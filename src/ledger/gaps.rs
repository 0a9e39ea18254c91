//! Holes: positions that no event has, and streams whose events do not number 1, 2, 3 … Needs no keys.

use serde::Serialize;
use sqlx::PgPool;

/// Events per statement.
const CHUNK: i64 = 100_000;
/// Holes and streams that are named.
const NAMED: usize = 20;

/// Positions that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
}

/// What is missing from the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// Events there are.
    pub events: i64,
    /// The last position.
    pub last: i64,
    /// How many holes there are.
    pub holes: usize,
    /// The first of them.
    pub first_holes: Vec<Hole>,
    /// The first streams with holes of their own, as `Task:7`.
    pub streams: Vec<String>,
}

impl Gaps {
    /// Is anything missing?
    #[must_use]
    pub fn any(&self) -> bool {
        self.holes > 0 || !self.streams.is_empty()
    }
}

/// Counts the log, piece by piece. `progress` hears the positions.
///
/// # Errors
/// When the database says no.
pub async fn gaps(pool: &PgPool, mut progress: impl FnMut(i64)) -> sqlx::Result<Gaps> {
    let mut gaps = Gaps::default();
    loop {
        let row = sqlx::query!(
            r#"SELECT count(*) AS "events!", max(position) AS last,
                      coalesce(array_agg(before + 1 ORDER BY position) FILTER (WHERE position > before + 1), '{}')
                          AS "from!",
                      coalesce(array_agg(position - 1 ORDER BY position) FILTER (WHERE position > before + 1), '{}')
                          AS "to!"
               FROM (SELECT e.position, coalesce(lag(e.position) OVER (ORDER BY e.position), $1) AS before
                     FROM (SELECT position FROM events WHERE position > $1 ORDER BY position LIMIT $2) e) w"#,
            gaps.last,
            CHUNK,
        )
        .fetch_one(pool)
        .await?;
        let Some(last) = row.last else { break };
        gaps.events += row.events;
        gaps.last = last;
        gaps.holes += row.from.len();
        let holes = row.from.into_iter().zip(row.to);
        let room = NAMED.saturating_sub(gaps.first_holes.len());
        let named = holes.take(room).map(|(from, to)| Hole { from, to });
        gaps.first_holes.extend(named);
        progress(last);
    }
    // In the order of an index that has all it asks for.
    let streams = sqlx::query_scalar!(
        r#"SELECT aggregate_type || ':' || aggregate_id AS "stream!"
           FROM events
           GROUP BY aggregate_type, aggregate_id
           HAVING count(*) <> max(sequence)
           ORDER BY aggregate_type, aggregate_id
           LIMIT $1"#,
        i64::try_from(NAMED).unwrap_or(i64::MAX),
    )
    .fetch_all(pool)
    .await?;
    gaps.streams = streams;
    Ok(gaps)
}
