//! Building read tables anew while the service runs (design section 5): a shadow beside the live tables, compared with them,
//! put in their place in one transaction, and the old ones kept to go back to.
//!
//! | file | what |
//! |---|---|
//! | `shadow.rs` | makes the shadow, folds the log into it, holds the live tables still at one position |
//! | `diff.rs` | compares row by row, by key ranges in short snapshots |
//! | `switch.rs` | puts one set of tables in the place of another |
//! | `past.rs` | the tables as they were at a position, for `serve --as-of` |
//! | `prune.rs` | drops what nobody runs |
//!
//! The rebuild is a process of its own: the service need not know of it. Both sides lock the live checkpoint first, so a
//! leader's batch is either wholly before a switch or sees that the tables moved and begins again.

mod diff;
mod past;
mod prune;
mod shadow;
mod switch;

pub use diff::{Compared, Difference};
pub use past::{Kept, Past, PastTables, pasts};
pub use prune::{Abandoned, abandoned, prune};
pub use shadow::Rebuild;

use super::super::FoldError;
use super::batch::BatchError;
use crate::ledger::FeedError;

/// Why a rebuild cannot go on. What was folded stays; beginning again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another rebuild, switch or prune is under way on this database.
    #[error("another rebuild is under way on this database")]
    Busy,
    /// Somebody else builds the tables of this position, or they are served and were to be built anew.
    #[error("the tables as of position {0} are in somebody else's hands: being built, or served")]
    Held(i64),
    /// The projection never ran here, so there is nothing to put anything in the place of.
    #[error("{0} has no tables in this database yet")]
    NotLive(&'static str),
    /// There is no such set of tables.
    #[error("{0} has no tables to go back to")]
    NoOld(&'static str),
    /// The log holds an event of a younger build.
    #[error("this build is older than the log: {0}")]
    Unknown(String),
    /// The live tables stand behind the new ones and do not move: is a service running?
    #[error("the live tables of {0} stand still behind the new ones; is a service running?")]
    LiveStandsStill(&'static str),
    /// Readers held the tables longer than a switch waits, again and again.
    #[error("readers keep the tables busy; try again")]
    ReadersBusy,
    /// The log cannot be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// A fold failed for another reason than its events.
    #[error("{projection}: {error}")]
    Fold {
        /// Whose.
        projection: &'static str,
        /// Why.
        error: FoldError,
    },
    /// Somebody else moved the shadow.
    #[error("{0}")]
    Shadow(String),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<BatchError> for RebuildError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Fold { projection, error } => Self::Fold { projection, error },
            BatchError::Database(error) => Self::Database(error),
            other @ (BatchError::Fenced(_)
            | BatchError::Moved { .. }
            | BatchError::Closed
            | BatchError::Undone
            | BatchError::Hole { .. }) => Self::Shadow(other.to_string()),
        }
    }
}
