//! How far each side of a conversation of the mini-program has read.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::party::{Party, PartyKind, UnknownWord};
use crate::ledger::State;
use crate::stored_events;

/// Facts about one side of a conversation. Its stream is `Conversation:{uid}:{customer_id}:{side}`, where the side is
/// `card` (the enterprise user) or `customer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversationEvent {
    /// Everything up to here was shown to this side.
    ConversationRead {
        /// A position of the log; only ever larger than the last one.
        through: i64,
    },
}

stored_events!(ConversationEvent {
    ConversationRead: 1,
});

/// One side of a conversation as its rule needs to see it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The position up to which everything was shown; 0 before anything was.
    pub read_through: i64,
}

impl State for Conversation {
    const TYPE: &'static str = "Conversation";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = ConversationEvent;

    fn apply(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::ConversationRead { through } => self.read_through = *through,
        }
    }
}

/// The enterprise user and the customer of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The enterprise user.
    pub uid: i64,
    /// The customer.
    pub customer_id: i64,
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The enterprise user.
    Card,
    /// The customer.
    Customer,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Card => Self::Customer,
            Self::Customer => Self::Card,
        }
    }

    /// What this side is in all other places.
    #[must_use]
    pub const fn kind(self) -> PartyKind {
        match self {
            Self::Card => PartyKind::Card,
            Self::Customer => PartyKind::Customer,
        }
    }
}

impl Pair {
    /// Whoever is on a side.
    #[must_use]
    pub fn party(&self, side: Side) -> Party {
        let id = match side {
            Side::Card => self.uid,
            Side::Customer => self.customer_id,
        };
        Party::new(side.kind(), id)
    }

    /// The pair these two are, and the side of the first; `None` when they are not a customer and an enterprise user.
    #[must_use]
    pub fn of(one: &Party, other: &Party) -> Option<(Self, Side)> {
        let pair = |card: &Party, customer: &Party| {
            let (uid, customer_id) = (card.number()?, customer.number()?);
            Some(Self { uid, customer_id })
        };
        match (one.kind, other.kind) {
            (PartyKind::Card, PartyKind::Customer) => Some((pair(one, other)?, Side::Card)),
            (PartyKind::Customer, PartyKind::Card) => Some((pair(other, one)?, Side::Customer)),
            _ => None,
        }
    }
}

/// Names one side's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationId {
    /// Between whom.
    pub pair: Pair,
    /// Whose reading it is.
    pub side: Side,
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair, side } = self;
        let side = side.kind().word();
        write!(f, "{}:{}:{side}", pair.uid, pair.customer_id)
    }
}

impl FromStr for ConversationId {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let read = || {
            let (uid, rest) = text.split_once(':')?;
            let (customer_id, side) = rest.split_once(':')?;
            let side = match side {
                "card" => Side::Card,
                "customer" => Side::Customer,
                _ => return None,
            };
            let pair = Pair {
                uid: uid.parse().ok()?,
                customer_id: customer_id.parse().ok()?,
            };
            Some(Self { pair, side })
        };
        read().ok_or_else(|| UnknownWord::of(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_as_it_is_written() {
        for text in ["1:2:card", "1:2:customer"] {
            let id: ConversationId = text.parse().unwrap();
            assert_eq!((id.pair.uid, id.pair.customer_id), (1, 2));
            assert_eq!(id.to_string(), text);
        }
        for strange in ["", "1:2", "1:2:member", "a:2:card", "1:2:card:3"] {
            assert!(strange.parse::<ConversationId>().is_err(), "{strange}");
        }
    }

    #[test]
    fn a_pair_is_one_of_each_kind() {
        let card = Party::new(PartyKind::Card, 1);
        let customer = Party::new(PartyKind::Customer, 2);
        let pair = Pair {
            uid: 1,
            customer_id: 2,
        };
        assert_eq!(Pair::of(&card, &customer), Some((pair, Side::Card)));
        assert_eq!(Pair::of(&customer, &card), Some((pair, Side::Customer)));
        assert_eq!(Pair::of(&card, &card), None);
        assert_eq!(
            Pair::of(&customer, &Party::new(PartyKind::Member, "a")),
            None
        );
        assert_eq!(pair.party(Side::Card), card);
        assert_eq!(pair.party(Side::Customer), customer);
    }
}
