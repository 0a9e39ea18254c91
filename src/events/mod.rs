//! What can have happened, and the state those facts add up to: one file an aggregate.
//!
//! [`Event`] is the sum of them all, [`decode`] reads any stored event into it. A new aggregate is one line in
//! `every_aggregate!`.

pub mod account;
pub mod article;
pub mod banner;
pub mod cart;
pub mod cloth;
pub mod comment;
pub mod follow;
pub mod game;
pub mod listed;
pub mod master;
pub mod media;
pub mod merchant;
pub mod message;
pub mod name_claim;
pub mod order;
pub mod party;
pub mod phone_code;
pub mod project;
pub mod reaction;
pub mod session;
pub mod task;
pub mod team;
pub mod ticket;
pub mod visit;

pub use account::{Account, AccountEvent};
pub use article::{Article, ArticleEvent};
pub use banner::{Banner, BannerEvent};
pub use cart::{Cart, CartEvent};
pub use cloth::{Cloth, ClothEvent};
pub use comment::{Comment, CommentEvent};
pub use follow::{Follow, FollowEvent};
pub use game::{Game, GameEvent};
pub use master::{Master, MasterEvent};
pub use media::{Media, MediaEvent};
pub use merchant::{Merchant, MerchantEvent};
pub use message::{Message, MessageEvent};
pub use name_claim::{NameClaim, NameClaimEvent};
pub use order::{Order, OrderEvent};
pub use phone_code::{PhoneCode, PhoneCodeEvent};
pub use project::{Project, ProjectEvent};
pub use reaction::{Reaction, ReactionEvent};
pub use session::{Session, SessionEvent};
pub use task::{Task, TaskEvent, TaskKind, TaskStatus};
pub use team::{Team, TeamEvent};
pub use ticket::{Ticket, TicketEvent};
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
    Banner => BannerEvent,
    Cart => CartEvent,
    Cloth => ClothEvent,
    Comment => CommentEvent,
    Follow => FollowEvent,
    Game => GameEvent,
    Master => MasterEvent,
    Media => MediaEvent,
    Merchant => MerchantEvent,
    Message => MessageEvent,
    NameClaim => NameClaimEvent,
    Order => OrderEvent,
    PhoneCode => PhoneCodeEvent,
    Project => ProjectEvent,
    Reaction => ReactionEvent,
    Session => SessionEvent,
    Task => TaskEvent,
    Team => TeamEvent,
    Ticket => TicketEvent,
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
