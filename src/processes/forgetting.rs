//! Forgetting a person, from the read tables that show them to the receipt that says what is gone.
//!
//! What cannot be undone happens first and in one transaction: the event, the key, the names, the sessions. What follows is
//! sweeping up (`clean`), of which every step may be repeated: whoever asks again after a crash or a fault finishes it.

use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

use crate::commands::account::Actor;
use crate::commands::customer::identity_claim;
use crate::commands::person::{EraseError, ErasePerson, Erased, Found, Person};
use crate::commands::{Desk, DeskError, Done, Request};
use crate::events::{self, CustomerEvent, Event, Fact};
use crate::gateways::FileStore;
use crate::gateways::posters::{self, PosterError};
use crate::ledger::{LoadError, PERSON_ERASED, Recorded};
use crate::postgres::{RateLimits, WechatSessions};
use crate::projections::{FoldError, persons, sessions};

/// What was erased where.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ErasureReceipt)]
pub struct Receipt {
    /// Whose data: the person's stream.
    pub subject: String,
    /// The position of `PersonErased`, where the key was destroyed.
    pub position: i64,
    /// They had been forgotten before; what was left over was swept up now.
    pub already: bool,
    /// Events whose personal fields cannot be read any more.
    pub events: Vec<Events>,
    /// Read tables and their columns that showed the person.
    pub tables: Vec<Table>,
    /// Snapshots dropped.
    pub snapshots: u64,
    /// Answers kept for repeated requests, by them or about them, dropped.
    pub receipts: u64,
    /// Unique names let go of (phone, user name, WeChat identity): others may take them.
    pub names_released: usize,
    /// Sessions ended.
    pub sessions_closed: usize,
    /// Counts of rate limits dropped.
    pub rate_limits: u64,
    /// Session keys of WeChat logins dropped.
    pub wechat_sessions: u64,
    /// Posters of their card deleted.
    pub posters: u64,
    /// Tables that stand aside and were blanked too: kept to go back to, or of a rebuild under way.
    pub aside: Vec<String>,
    /// Read tables that had not followed yet when this was written; they do by themselves.
    pub pending: Vec<String>,
}

/// Events of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ErasedEvents)]
pub struct Events {
    /// The aggregate.
    pub aggregate: String,
    /// The event type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// How many.
    pub events: i64,
}

/// A read table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ErasedTable)]
pub struct Table {
    /// Its name.
    pub table: String,
    /// The person's columns.
    pub columns: Vec<String>,
    /// Rows that showed something before.
    pub rows: i64,
    /// Rows that still do: 0, unless the read tables lag.
    pub left: i64,
}

/// Why nobody was forgotten, or not everything was swept up.
#[derive(Debug, thiserror::Error)]
pub enum ForgetFailure {
    /// The rules or the log say no: nothing happened.
    #[error(transparent)]
    Desk(#[from] DeskError<EraseError>),
    /// The person's stream cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The database says no. Asking again goes on.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Tables that stand aside cannot be blanked. Asking again tries again.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// Posters cannot be deleted. Asking again tries again.
    #[error(transparent)]
    Posters(#[from] PosterError),
    /// The log does not say where the person was forgotten.
    #[error("the log does not say where {0} was forgotten")]
    NotErased(Person),
}

/// Forgets a person, or finishes what was begun. `reads` has the projections' schemas in its search path, `files`
/// are those of the service.
///
/// # Errors
/// [`ForgetFailure`].
pub async fn forget(
    desk: &Desk,
    (reads, files): (&PgPool, &FileStore),
    request: &Request,
    (person, by): (Person, Actor),
) -> Result<Done<Receipt>, ForgetFailure> {
    let ledger = desk.ledger();
    let stream = person.stream();
    let erase = ErasePerson {
        keys: ledger.keys().clone(),
        by,
        identity: identity(desk, &person).await?,
        sessions: match &person {
            Person::Account(id) => sessions::open_of(reads, id, ledger.clock().now()).await?,
            Person::Customer(_) | Person::Card(_) => Vec::new(),
        },
        found: (persons::shown(reads, &stream).await?.into_iter())
            .map(found)
            .collect(),
        person: person.clone(),
    };
    let done = desk.run(request, &erase).await?;
    let receipt = clean(desk, (reads, files), &person, &done).await?;
    Ok(Done {
        outcome: receipt,
        position: done.position,
        changes: done.changes,
        pending: done.pending,
        repeated: done.repeated,
    })
}

fn found(shown: persons::Shown) -> Found {
    Found {
        table: shown.table.to_owned(),
        columns: shown.columns.iter().map(|c| (*c).to_owned()).collect(),
        rows: shown.rows,
    }
}

/// The claim on a customer's WeChat identity. It stands in the first event only, which never changes; once erased nobody
/// can say it any more.
async fn identity(desk: &Desk, person: &Person) -> Result<Option<String>, LoadError> {
    let Person::Customer(_) = person else {
        return Ok(None);
    };
    let ledger = desk.ledger();
    let first = ledger.stream(&person.stream()).await?.into_iter().next();
    let registered = first.and_then(|first| events::decode(&first).ok());
    Ok(match registered {
        Some(Event::Customer(CustomerEvent::CustomerRegistered {
            openid, user_type, ..
        })) => openid
            .get()
            .map(|openid| identity_claim(ledger.keys(), user_type, openid)),
        _ => None,
    })
}

/// Sweeps up what stands beside the log. May be repeated.
async fn clean(
    desk: &Desk,
    (reads, files): (&PgPool, &FileStore),
    person: &Person,
    done: &Done<Erased>,
) -> Result<Receipt, ForgetFailure> {
    let (ledger, stream) = (desk.ledger(), person.stream());
    let actor = person.actor();
    let erased = last_erasure(ledger.stream(&stream).await?);
    let (Some(erased), Some(position)) = (erased, ledger.erased_at(&stream).await?) else {
        return Err(ForgetFailure::NotErased(person.clone()));
    };
    let dropped = ledger
        .drop_traces(&stream, actor.as_deref(), position)
        .await?;
    let wechat_sessions = match person {
        Person::Customer(id) => WechatSessions::new(reads.clone()).forget(*id).await?,
        Person::Account(_) | Person::Card(_) => 0,
    };
    let mut limited = done.outcome.names.clone();
    limited.extend(actor);
    if let Person::Account(id) = person {
        // Short ids would meet other people's.
        let own = id.split_once(':').map(|(_, own)| own);
        limited.extend(own.filter(|own| own.len() >= 8).map(str::to_owned));
    }
    let rate_limits = RateLimits::new(reads.clone()).forget(&limited).await?;
    let posters = match person {
        Person::Card(uid) => posters::forget(files, *uid, None).await?,
        Person::Account(_) | Person::Customer(_) => 0,
    };
    let aside = persons::forget_aside(reads, &erased).await?;
    let left = persons::shown(reads, &stream).await?;
    let held = ledger.holding(&stream).await?;
    let outcome = &done.outcome;
    Ok(Receipt {
        subject: stream.to_string(),
        position,
        already: outcome.already,
        events: held
            .into_iter()
            .map(|held| Events {
                aggregate: held.aggregate,
                event_type: held.event_type,
                events: held.events,
            })
            .collect(),
        tables: outcome
            .found
            .iter()
            .map(|found| Table {
                table: found.table.clone(),
                columns: found.columns.clone(),
                rows: found.rows,
                left: left
                    .iter()
                    .find(|shown| shown.table == found.table)
                    .map_or(0, |shown| shown.rows),
            })
            .collect(),
        snapshots: dropped.snapshots,
        receipts: dropped.receipts,
        names_released: outcome.names.len(),
        sessions_closed: outcome.sessions,
        rate_limits,
        wechat_sessions,
        posters,
        aside,
        pending: done.pending.iter().map(|name| (*name).to_owned()).collect(),
    })
}

fn last_erasure(recorded: Vec<Recorded>) -> Option<Fact> {
    let recorded = recorded
        .into_iter()
        .rfind(|event| event.event_type == PERSON_ERASED)?;
    Fact::of(recorded).ok()
}
