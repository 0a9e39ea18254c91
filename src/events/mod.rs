//! What can have happened, and the state those facts add up to: one file an aggregate.
//!
//! [`Event`] is the sum of them all, [`decode`] reads any stored event into it. A new aggregate is one line in
//! `every_aggregate!`.

pub mod account;
pub mod article;
pub mod comment;
pub mod media;
pub mod message;
pub mod name_claim;
pub mod party;
pub mod reaction;
pub mod session;
pub mod task;
pub mod team;
pub mod visit;

pub use account::{Account, AccountEvent};
pub use article::{Article, ArticleEvent};
pub use comment::{Comment, CommentEvent};
pub use media::{Media, MediaEvent};
pub use message::{Message, MessageEvent};
pub use name_claim::{NameClaim, NameClaimEvent};
pub use reaction::{Reaction, ReactionEvent};
pub use session::{Session, SessionEvent};
pub use task::{Task, TaskEvent, TaskKind, TaskStatus};
pub use team::{Team, TeamEvent};
pub use visit::{Visit, VisitEvent};

use crate::ledger::{DecodeError, Recorded, State, StoredEvent};

/// Writes the sum type and everything that walks all aggregates.
macro_rules! every_aggregate {
    ($($aggregate:ident => $event:ident),+ $(,)?) => {
        /// Any event of the log. Projections match on it without a wildcard.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the aggregate of its name")]
        pub enum Event {
            $($aggregate($event)),+
        }

        /// Every aggregate's name with its event types and the version this build writes.
        #[must_use]
        pub fn catalogue() -> Vec<(&'static str, &'static [(&'static str, u32)])> {
            vec![$(($aggregate::TYPE, $event::TYPES)),+]
        }

        /// Reads a stored event, upcasting what is older.
        ///
        /// # Errors
        /// [`DecodeError::Unknown`] when this build is older than the log, [`DecodeError::Malformed`] otherwise.
        pub fn decode(recorded: &Recorded) -> Result<Event, DecodeError> {
            let Recorded { event_type, event_version, payload, .. } = recorded;
            match recorded.stream.aggregate.as_ref() {
                $($aggregate::TYPE => $event::decode(event_type, event_version, payload).map(Event::$aggregate),)+
                _ => Err(DecodeError::Unknown {
                    event_type: event_type.clone(),
                    event_version: event_version.clone(),
                }),
            }
        }
    };
}

every_aggregate! {
    Account => AccountEvent,
    Article => ArticleEvent,
    Comment => CommentEvent,
    Media => MediaEvent,
    Message => MessageEvent,
    NameClaim => NameClaimEvent,
    Reaction => ReactionEvent,
    Session => SessionEvent,
    Task => TaskEvent,
    Team => TeamEvent,
    Visit => VisitEvent,
}

/// A recorded event with what it says.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Where it stands and who made it.
    pub recorded: Recorded,
    /// What it says.
    pub event: Event,
}
