//! Sessions that nobody closed, by account. Whether a session is good is asked of the ledger, never of this.
//!
//! The rows of sessions that merely expired stay, and queries pass them over by the index. Nothing sweeps them: expiry is no
//! event, the tables have one writer, and a row that went by the clock would be there again after every rebuild.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::{FoldError, Handling, Projection};
use crate::events::{Event, Fact, SessionEvent};

/// Sessions answered at once, at most.
const MOST: i64 = 1_000;

/// The read model `sessions`.
pub struct Sessions;

#[async_trait]
impl Projection for Sessions {
    fn name(&self) -> &'static str {
        "sessions"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Session"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Session(event) = event else {
            return Handling::Ignored;
        };
        match event {
            SessionEvent::SessionOpened { .. } | SessionEvent::SessionClosed {} => {
                Handling::Handled
            }
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut opened = BTreeMap::new();
        let mut closed = BTreeSet::new();
        for fact in batch {
            let Event::Session(event) = &fact.event else {
                continue;
            };
            let token_hash = fact.place.stream.id.as_str();
            match event {
                SessionEvent::SessionOpened {
                    account,
                    credential_version: _,
                    expires_at,
                } => {
                    opened.insert(token_hash, (*fact, account.as_str(), *expires_at));
                }
                SessionEvent::SessionClosed {} => {
                    if opened.remove(token_hash).is_none() {
                        closed.insert(token_hash);
                    }
                }
            }
        }
        if !closed.is_empty() {
            delete(tx, closed).await?;
        }
        if !opened.is_empty() {
            insert(tx, opened).await?;
        }
        Ok(())
    }
}

async fn insert(
    tx: &mut PgConnection,
    opened: BTreeMap<&str, (&Fact, &str, DateTime<Utc>)>,
) -> sqlx::Result<()> {
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    let mut times: (Vec<_>, Vec<_>) = Default::default();
    let mut positions = Vec::with_capacity(opened.len());
    for (token_hash, (fact, account, expires_at)) in opened {
        texts.0.push(token_hash.to_owned());
        texts.1.push(account.to_owned());
        times.0.push(fact.place.recorded_at);
        times.1.push(expires_at);
        positions.push(fact.place.position);
    }
    sqlx::query!(
        "INSERT INTO sessions (token_hash, account, opened_at, expires_at, position)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest($4::timestamptz[]),
                unnest($5::bigint[])",
        &texts.0,
        &texts.1,
        &times.0,
        &times.1,
        &positions,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn delete(tx: &mut PgConnection, closed: BTreeSet<&str>) -> sqlx::Result<()> {
    let closed: Vec<String> = closed.into_iter().map(str::to_owned).collect();
    sqlx::query!("DELETE FROM sessions WHERE token_hash = ANY($1)", &closed,)
        .execute(tx)
        .await?;
    Ok(())
}

/// The token hashes of an account's sessions that are open at `now`, those that last longest first, at most 1000.
///
/// # Errors
/// When the database says no.
pub async fn open_of(
    db: impl PgExecutor<'_>,
    account: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT token_hash
         FROM sessions
         WHERE account = $1 AND expires_at > $2
         ORDER BY expires_at DESC, token_hash
         LIMIT $3",
        account,
        now,
        MOST,
    )
    .fetch_all(db)
    .await
}
