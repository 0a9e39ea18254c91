//! What somebody made of something (like, collection, praise, vote), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::party::{Party, Target};
use crate::ledger::State;
use crate::stored_events;

/// How somebody reacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReactionKind {
    /// 点赞 of articles, games and showcases.
    Like,
    /// 收藏.
    Collect,
    /// 靠谱 of a card, 点赞 of a diary.
    Praise,
    /// A like of a card's signature.
    Sign,
    /// 顶 or 踩 of a comment; the only kind with a [`Vote`].
    Vote,
}

impl ReactionKind {
    /// The word in stream ids and payloads.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Collect => "collect",
            Self::Praise => "praise",
            Self::Sign => "sign",
            Self::Vote => "vote",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [
            Self::Like,
            Self::Collect,
            Self::Praise,
            Self::Sign,
            Self::Vote,
        ]
        .into_iter()
        .find(|kind| kind.word() == word)
    }
}

/// Which way a vote goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vote {
    /// 顶.
    Up,
    /// 踩.
    Down,
}

impl Vote {
    /// The word in payloads and tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Names the stream: `Reaction:{actor}:{kind}:{target}`, as `member:{uid}:like:article:61`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReactionKey {
    /// Who reacts.
    pub actor: Party,
    /// How.
    pub kind: ReactionKind,
    /// To what.
    pub target: Target,
}

impl fmt::Display for ReactionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.actor, self.kind.word(), self.target)
    }
}

/// An id that names no reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reaction is named {{actor}}:{{kind}}:{{target}}")]
pub struct NoReaction;

impl FromStr for ReactionKey {
    type Err = NoReaction;

    fn from_str(text: &str) -> Result<Self, NoReaction> {
        let mut parts = text.splitn(4, ':');
        let mut part = || parts.next().ok_or(NoReaction);
        let (actor, id, kind, target) = (part()?, part()?, part()?, part()?);
        Ok(Self {
            actor: Party::new(actor.parse().map_err(|_| NoReaction)?, id),
            kind: ReactionKind::from_word(kind).ok_or(NoReaction)?,
            target: target.parse().map_err(|_| NoReaction)?,
        })
    }
}

/// Facts about one person's reaction of one kind to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReactionEvent {
    /// It stands from here on.
    ReactionAdded {
        /// Who reacts.
        actor: Party,
        /// How.
        kind: ReactionKind,
        /// To what.
        target: Target,
        /// Of a vote: which way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Vote>,
    },
    /// It was taken back, or a vote moves the other way.
    ReactionRemoved {
        /// Who reacted.
        actor: Party,
        /// How.
        kind: ReactionKind,
        /// To what.
        target: Target,
        /// Of a vote: which way it went.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Vote>,
    },
}

stored_events!(ReactionEvent {
    ReactionAdded: 1,
    ReactionRemoved: 1,
});

/// Whether the reaction stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reaction {
    /// Never given, or taken back.
    #[default]
    Absent,
    /// It stands.
    Given {
        /// Of a vote: which way.
        value: Option<Vote>,
    },
}

impl State for Reaction {
    const TYPE: &'static str = "Reaction";
    type Event = ReactionEvent;

    fn apply(&mut self, event: &ReactionEvent) {
        *self = match event {
            ReactionEvent::ReactionAdded { value, .. } => Self::Given { value: *value },
            ReactionEvent::ReactionRemoved { .. } => Self::Absent,
        };
    }

    fn breaks(&self, event: &ReactionEvent) -> Option<&'static str> {
        let kept = match (event, self) {
            (ReactionEvent::ReactionAdded { .. }, Self::Absent) => true,
            (ReactionEvent::ReactionRemoved { value, .. }, Self::Given { value: given }) => {
                value == given
            }
            _ => false,
        };
        (!kept).then_some("a reaction is given once, and what was given is taken back")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_id_reads_as_it_is_written() {
        for text in [
            "member:0f:like:article:61",
            "customer:2:sign:card:1",
            "weidu:ab:like:showcase:cd",
        ] {
            assert_eq!(text.parse::<ReactionKey>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "member:0f",
            "member:0f:love:article:61",
            "member:0f:like:moon:1",
            "member:0f:like",
        ] {
            assert_eq!(bad.parse::<ReactionKey>(), Err(NoReaction), "{bad}");
        }
    }
}
