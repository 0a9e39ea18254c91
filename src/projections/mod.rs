//! Read tables folded from events, and the only queries that read them: one folder a read model.
//!
//! A read model is `tables.sql` (its tables, written without a schema), a fold ([`Projection`]) and query functions. It is
//! entered in [`all`]; `projector/` drives it. Tables live in a schema of their own, `<name>_v<version>`, found through the
//! `search_path`, so table names are unique over all projections. Folds read no other projection's tables; queries may join.

mod accounts;
pub mod articles;
pub mod authors;
pub mod cards;
pub mod cases;
pub mod catalogue;
pub mod comments;
pub mod companies;
pub mod counters;
pub mod customers;
pub mod diaries;
pub mod dua_users;
pub mod filter;
pub mod follows;
mod listed;
pub mod media;
pub mod members;
pub mod messages;
pub mod orders;
mod pages;
pub mod persons;
pub mod products;
pub mod projector;
pub mod reactions;
mod rows;
pub mod sessions;
pub mod showcases;
pub mod staff;
pub mod tags;
pub mod tasks;
pub mod teams;
pub mod tickets;
pub mod together;
pub mod visits;
pub mod websites;

use std::sync::OnceLock;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};
use sqlx::PgConnection;

use crate::events::{Event, Fact};
use crate::ledger::Watermark;
use crate::postgres::ProjectionSchema;
use projector::Slot;

/// What a projection does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It may change rows.
    Handled,
    /// It never does.
    Ignored,
}

/// Why a batch could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// An event that this fold cannot take, whatever the state of its tables.
    #[error("{0}")]
    Data(String),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl FoldError {
    /// Is it the fault of an event, so that trying again is in vain?
    #[must_use]
    pub fn is_data(&self) -> bool {
        match self {
            Self::Data(_) | Self::Database(sqlx::Error::Encode(_)) => true,
            Self::Database(error) => error
                .as_database_error()
                .and_then(sqlx::error::DatabaseError::code)
                .is_some_and(|code| code.starts_with("22") || code.starts_with("23")),
        }
    }
}

/// A set of tables with one writer.
///
/// `apply` folds its whole batch in memory first and then writes with a handful of statements. Any way of cutting the log
/// into batches gives the same rows, and so does a stream applied later than its neighbours: what several streams write
/// into one row commutes (sums, or last by position).
#[async_trait]
pub trait Projection: Send + Sync {
    /// Its name, in small letters.
    fn name(&self) -> &'static str;

    /// Raised with every change of tables or fold: the new tables are then built beside the old ones.
    fn version(&self) -> u32;

    /// What makes its tables, written without the schema's name.
    fn ddl(&self) -> &'static str;

    /// The aggregates whose events it looks at; events of others are not shown to it.
    fn feeds_on(&self) -> &'static [&'static str];

    /// Whether an event may change rows: for the aggregates it feeds on, a match without a wildcard, so that a new event
    /// stops the build here.
    fn handles(&self, event: &Event) -> Handling;

    /// Folds a batch of handled events, in position order, into the tables. Rows are inserted from arrays in the select list,
    /// which the server walks in step; in `FROM` it lays each of them down first, which takes twice as long.
    ///
    /// # Errors
    /// [`FoldError`]; the transaction is then rolled back.
    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError>;

    /// The schema its tables live in, as `tasks_v1`.
    fn schema(&self) -> String {
        format!("{}_v{}", self.name(), self.version())
    }
}

/// Every projection of this source.
static SOURCE: &[&dyn Projection] = &[
    &articles::Articles,
    &authors::Authors,
    &cards::Cards,
    &cases::Cases,
    &catalogue::Catalogue,
    &comments::Comments,
    &companies::Companies,
    &customers::Customers,
    &diaries::Diaries,
    &dua_users::DuaUsers,
    &follows::Follows,
    &media::MediaFiles,
    &members::Members,
    &messages::Messages,
    &orders::Orders,
    &products::Products,
    &reactions::Reactions,
    &sessions::Sessions,
    &showcases::Showcases,
    &staff::Staff,
    &tags::Tags,
    &tasks::Tasks,
    &teams::Teams,
    &tickets::Tickets,
    &visits::Visits,
    &websites::Websites,
];

/// The projections of this program, when they are others than those of its source.
static BUILD: OnceLock<&'static [&'static dyn Projection]> = OnceLock::new();

/// Every projection of this build.
#[must_use]
pub fn all() -> &'static [&'static dyn Projection] {
    BUILD.get().copied().unwrap_or(SOURCE)
}

/// Makes another build of this program, before anything has asked what it is made of: how a younger version of a projection
/// gets along with the one that serves can then be tried from one source.
///
/// # Panics
/// When it is one already.
pub fn build_of(projections: Vec<&'static dyn Projection>) {
    let projections: &'static [&'static dyn Projection] = projections.leak();
    assert!(BUILD.set(projections).is_ok(), "a program is one build");
}

/// The projection of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Projection> {
    all().iter().copied().find(|p| p.name() == name)
}

/// What the migration makes.
#[must_use]
pub fn schemas() -> Vec<ProjectionSchema> {
    all()
        .iter()
        .map(|projection| ProjectionSchema {
            name: projection.schema(),
            ddl: projection.ddl(),
        })
        .collect()
}

/// The schemas in which connections of this build look for tables.
#[must_use]
pub fn search_path() -> Vec<String> {
    search_path_of(Slot::Live)
}

/// The same for tables that were made beside the live ones.
#[must_use]
pub fn search_path_of(slot: Slot) -> Vec<String> {
    let schemas = all().iter().map(|projection| slot.schema(*projection));
    schemas.collect()
}

/// Enters every projection in a watermark at a position that it never leaves: nobody waits for more.
pub fn stand_still(watermark: &Watermark, position: i64) {
    register(watermark);
    for projection in all() {
        watermark.advance(projection.name(), position);
        watermark.set_away(projection.name(), true);
    }
}

/// Enters every projection in a watermark, so that commands wait for it.
pub fn register(watermark: &Watermark) {
    for projection in all() {
        watermark.register(projection.name(), projection.feeds_on().iter().copied());
    }
}

/// The id part of a stream as the number it should be.
fn number(fact: &Fact, text: &str) -> Result<i64, FoldError> {
    text.parse()
        .map_err(|_| FoldError::Data(format!("{} names no number", fact.place.stream)))
}

/// When it was recorded, cut to the milliseconds of the wire: rows that show the same time are ordered by their ids.
fn at(fact: &Fact) -> DateTime<Utc> {
    fact.place.recorded_at.trunc_subsecs(3)
}
