//! What can be asked, the rules that answer, the reasons to refuse: one file an aggregate.
//!
//! [`Desk`] runs them: load, decide, append, retry a lost race, wait for the read tables. Decisions are pure: time, ids and
//! lookups arrive inside the command.

pub mod account;
pub mod article;
mod book;
pub mod browsing;
pub mod card;
pub mod cart;
pub mod case;
pub mod chat;
pub mod cloth;
pub mod comment;
pub mod company;
pub mod conversation;
pub mod customer;
mod desk;
pub mod diary;
pub mod ending;
pub mod follow;
pub mod listed;
pub mod master;
pub mod media;
pub mod member;
pub mod message;
pub mod name_claim;
pub mod order;
pub mod person;
pub mod phone_code;
pub mod product;
pub mod project;
pub mod reaction;
pub mod session;
pub mod showcase;
pub mod tag;
pub mod targets;
pub mod task;
pub mod team;
pub mod ticket;
mod turns;
pub mod visit;
pub mod website;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use book::{Book, Change};
pub use desk::{Desk, DeskError, Done, Fault, ReceiptKey, Request};

use crate::ledger::{IdError, LoadError, State};

/// A reason to say no, worded for the person who asked. Serializes, because receipts keep refusals, too.
pub trait Refusal:
    std::error::Error + Clone + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T: std::error::Error + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Refusal
    for T
{
}

/// An aggregate's rules.
pub trait Decide: State {
    /// What can be asked of it.
    type Command: Send + Sync;
    /// Why it says no.
    type Refusal: Refusal;

    /// Answers a command with events, with none (it is already so), or with a refusal. Pure.
    ///
    /// # Errors
    /// The refusal.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;
}

/// A command over several streams: one attempt reads and decides through the [`Book`]. May be called again.
pub trait Operation: Send + Sync {
    /// What it answers. Receipts keep it.
    type Outcome: Serialize + DeserializeOwned + Send + Sync;
    /// Why it says no.
    type Refusal: Refusal;

    /// Reads and decides once.
    fn attempt(
        &self,
        book: &mut Book,
    ) -> impl Future<Output = Result<Self::Outcome, Stop<Self::Refusal>>> + Send;
}

/// What ends an attempt early.
#[derive(Debug)]
pub enum Stop<E> {
    /// A rule said no.
    Refused(E),
    /// Something broke.
    Fault(Fault),
}

impl<E> Stop<E> {
    /// Turns one aggregate's refusal into the operation's.
    pub fn map<F>(self, into: impl FnOnce(E) -> F) -> Stop<F> {
        match self {
            Self::Refused(refusal) => Stop::Refused(into(refusal)),
            Self::Fault(fault) => Stop::Fault(fault),
        }
    }
}

impl<E> From<LoadError> for Stop<E> {
    fn from(error: LoadError) -> Self {
        Self::Fault(error.into())
    }
}

impl<E> From<IdError> for Stop<E> {
    fn from(error: IdError) -> Self {
        Self::Fault(error.into())
    }
}

/// Implements [`cqrs_es::Aggregate`] as a thin loop over [`Decide`] and [`State`].
macro_rules! aggregate {
    ($($name:ty),+ $(,)?) => {$(
        impl cqrs_es::Aggregate for $name {
            const TYPE: &'static str = <$name as $crate::ledger::State>::TYPE;
            type Command = <$name as Decide>::Command;
            type Event = <$name as $crate::ledger::State>::Event;
            type Error = <$name as Decide>::Refusal;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                _services: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in self.decide(&command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                $crate::ledger::State::apply(self, &event);
            }
        }
    )+};
}

aggregate! {
    crate::events::Account,
    crate::events::Article,
    crate::events::Banner,
    crate::events::Card,
    crate::events::Cart,
    crate::events::Case,
    crate::events::Cloth,
    crate::events::Comment,
    crate::events::Company,
    crate::events::Conversation,
    crate::events::Customer,
    crate::events::Diary,
    crate::events::Follow,
    crate::events::Game,
    crate::events::Master,
    crate::events::Media,
    crate::events::Merchant,
    crate::events::Message,
    crate::events::NameClaim,
    crate::events::Order,
    crate::events::PhoneCode,
    crate::events::Product,
    crate::events::Project,
    crate::events::Reaction,
    crate::events::Session,
    crate::events::Showcase,
    crate::events::Tag,
    crate::events::Task,
    crate::events::Team,
    crate::events::Ticket,
    crate::events::Visit,
    crate::events::Website,
}

/// A new value, when it differs from the old one.
fn changed<T: Clone + PartialEq>(new: Option<&T>, old: &T) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}
