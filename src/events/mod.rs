//! What can have happened, and the state those facts add up to: one file an aggregate.
//!
//! [`Event`] is the sum of them all, [`read`] and [`decode`] turn any stored event into it. A new aggregate is one line in
//! `every_aggregate!`.

pub mod account;
pub mod article;
pub mod banner;
pub mod card;
pub mod cart;
pub mod case;
pub mod cloth;
pub mod comment;
pub mod company;
pub mod conversation;
pub mod customer;
pub mod diary;
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
pub mod past;
pub mod phone_code;
pub mod product;
pub mod project;
pub mod reaction;
pub mod session;
pub mod showcase;
pub mod tag;
pub mod task;
pub mod team;
pub mod ticket;
pub mod visit;
pub mod website;

pub use account::{Account, AccountEvent};
pub use article::{Article, ArticleEvent};
pub use banner::{Banner, BannerEvent};
pub use card::{Card, CardEvent};
pub use cart::{Cart, CartEvent};
pub use case::{Case, CaseEvent};
pub use cloth::{Cloth, ClothEvent};
pub use comment::{Comment, CommentEvent};
pub use company::{Company, CompanyEvent};
pub use conversation::{Conversation, ConversationEvent};
pub use customer::{Customer, CustomerEvent};
pub use diary::{Diary, DiaryEvent};
pub use follow::{Follow, FollowEvent};
pub use game::{Game, GameEvent};
pub use master::{Master, MasterEvent};
pub use media::{Media, MediaEvent};
pub use merchant::{Merchant, MerchantEvent};
pub use message::{Message, MessageEvent};
pub use name_claim::{NameClaim, NameClaimEvent};
pub use order::{Order, OrderEvent};
pub use phone_code::{PhoneCode, PhoneCodeEvent};
pub use product::{Product, ProductEvent};
pub use project::{Project, ProjectEvent};
pub use reaction::{Reaction, ReactionEvent};
pub use session::{Session, SessionEvent};
pub use showcase::{Showcase, ShowcaseEvent};
pub use tag::{Tag, TagEvent};
pub use task::{Task, TaskEvent, TaskKind, TaskStatus};
pub use team::{Team, TeamEvent};
pub use ticket::{Ticket, TicketEvent};
pub use visit::{Visit, VisitEvent};
pub use website::{Website, WebsiteEvent};

use crate::ledger::{DecodeError, Place, Recorded, State, StoredEvent, Told};

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

        /// A fold of an aggregate that is named at run time; `None` when this build does not know it.
        #[must_use]
        pub fn fold_of(aggregate: &str) -> Option<Box<dyn Fold>> {
            match aggregate {
                $($aggregate::TYPE => Some(Box::<Folding<$aggregate>>::default()),)+
                _ => None,
            }
        }

        /// Reads a stored event, upcasting what is older.
        ///
        /// # Errors
        /// [`DecodeError::Unknown`] when this build is older than the log, [`DecodeError::Malformed`] otherwise.
        pub fn read(aggregate: &str, event_type: &str, event_version: &str, payload: &str) -> Result<Event, DecodeError> {
            match aggregate {
                $($aggregate::TYPE => $event::decode(event_type, event_version, payload).map(Event::$aggregate),)+
                _ => Err(DecodeError::Unknown {
                    event_type: event_type.to_owned(),
                    event_version: event_version.to_owned(),
                }),
            }
        }
    };
}

every_aggregate! {
    Account => AccountEvent,
    Article => ArticleEvent,
    Banner => BannerEvent,
    Card => CardEvent,
    Cart => CartEvent,
    Case => CaseEvent,
    Cloth => ClothEvent,
    Comment => CommentEvent,
    Company => CompanyEvent,
    Conversation => ConversationEvent,
    Customer => CustomerEvent,
    Diary => DiaryEvent,
    Follow => FollowEvent,
    Game => GameEvent,
    Master => MasterEvent,
    Media => MediaEvent,
    Merchant => MerchantEvent,
    Message => MessageEvent,
    NameClaim => NameClaimEvent,
    Order => OrderEvent,
    PhoneCode => PhoneCodeEvent,
    Product => ProductEvent,
    Project => ProjectEvent,
    Reaction => ReactionEvent,
    Session => SessionEvent,
    Showcase => ShowcaseEvent,
    Tag => TagEvent,
    Task => TaskEvent,
    Team => TeamEvent,
    Ticket => TicketEvent,
    Visit => VisitEvent,
    Website => WebsiteEvent,
}

/// The state of one stream on its way through its events, for audits, which meet all aggregates alike.
pub trait Fold: Send {
    /// Folds the next event, and answers which invariant it breaks, if it breaks one ([`State::breaks`]).
    ///
    /// # Errors
    /// [`DecodeError`]; the state stays as it was.
    fn apply(&mut self, recorded: &Recorded) -> Result<Option<&'static str>, DecodeError>;

    /// What the events so far add up to.
    ///
    /// # Errors
    /// When the state does not serialize.
    fn state(&self) -> serde_json::Result<serde_json::Value>;
}

#[derive(Default)]
struct Folding<A>(A);

impl<A: State> Fold for Folding<A> {
    fn apply(&mut self, recorded: &Recorded) -> Result<Option<&'static str>, DecodeError> {
        let Recorded {
            event_type,
            event_version,
            payload,
            ..
        } = recorded;
        let event = A::Event::decode(event_type, event_version, payload)?;
        let broken = self.0.breaks(&event);
        self.0.apply(&event);
        Ok(broken)
    }

    fn state(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(&self.0)
    }
}

/// [`read`] of an event that the log handed out.
///
/// # Errors
/// As [`read`].
pub fn decode(recorded: &Recorded) -> Result<Event, DecodeError> {
    let Recorded {
        stream,
        event_type,
        event_version,
        payload,
        ..
    } = recorded;
    read(&stream.aggregate, event_type, event_version, payload)
}

/// An event with its place, as projections fold it.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub event: Event,
}

/// An event that cannot be read, with its place.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unread {
    /// Where it stands.
    pub place: Place,
    /// Why.
    pub error: DecodeError,
}

impl Fact {
    /// What an event says.
    ///
    /// # Errors
    /// As [`read`].
    pub fn of(told: impl Into<Told>) -> Result<Self, Box<Unread>> {
        let Told {
            place,
            event_version,
            payload,
        } = told.into();
        let aggregate = &place.stream.aggregate;
        match read(aggregate, &place.event_type, &event_version, &payload) {
            Ok(event) => Ok(Self { place, event }),
            Err(error) => Err(Box::new(Unread { place, error })),
        }
    }
}

/// Takes a new value, where an edit has one.
fn set<T: Clone>(value: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        value.clone_from(new);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rstest::rstest;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::ledger::StreamId;

    fn recorded(aggregate: &'static str, sequence: i64, payload: &Value) -> Recorded {
        let event_type = payload.as_object().and_then(|all| all.keys().next());
        Recorded {
            position: sequence,
            event_id: Uuid::nil(),
            stream: StreamId::new(aggregate, "1"),
            sequence,
            event_type: event_type.unwrap().clone(),
            event_version: "1".to_owned(),
            payload: payload.to_string(),
            metadata: "{}".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[rstest]
    #[case("Task", json!({ "TaskDeleted": {} }), json!({ "TaskDeleted": {} }))]
    #[case("Order", json!({ "OrderPlaced": order(3) }), json!({ "OrderPaid": { "uid": "0f", "price_fen": 2 } }))]
    #[case("Order", json!({ "OrderPlaced": order(4) }), Value::Null)]
    #[case("Cart", json!({ "CartItemAdded": { "ticket_id": 1 } }), json!({ "CartItemAdded": { "ticket_id": 1 } }))]
    #[case("Cart", json!({ "CartItemRefreshed": { "ticket_id": 1 } }), Value::Null)]
    #[case("Ticket", json!({ "TicketReserved": { "order_id": 1, "project_id": 1 } }), Value::Null)]
    #[case("NameClaim", json!({ "NameClaimed": { "holder": "a" } }), json!({ "NameClaimed": { "holder": "b" } }))]
    #[case("Article", json!({ "ArticleDeleted": { "author": "0f" } }), Value::Null)]
    #[case("Session", json!({ "SessionClosed": {} }), Value::Null)]
    #[case("Account", json!({ "AccountEnabled": {} }), Value::Null)]
    fn what_no_command_does_is_named(
        #[case] aggregate: &'static str,
        #[case] first: Value,
        #[case] second: Value,
    ) {
        let mut fold = fold_of(aggregate).unwrap();
        let events: Vec<Value> = [first, second]
            .into_iter()
            .filter(|e| !e.is_null())
            .collect();
        let last = events.len();
        for (event, sequence) in events.iter().zip(1..) {
            let broken = fold.apply(&recorded(aggregate, sequence, event)).unwrap();
            if sequence == i64::try_from(last).unwrap() {
                assert!(broken.is_some(), "{event}");
            }
        }
    }

    fn order(price_fen: i64) -> Value {
        json!({ "uid": "0f", "lines": [{ "ticket_id": 1, "price_fen": 3 }], "price_fen": price_fen })
    }
}
