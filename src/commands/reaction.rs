//! Reacting to something and taking it back (contract README section 3, row 14).
//!
//! One stream per actor, kind and target: a busy target never contends.

use chrono::serde::ts_milliseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::targets::{Standing, standing};
use super::{Book, Decide, Operation, Stop};
use crate::events::party::{Party, Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind, Vote};
use crate::events::{Comment, Reaction, ReactionEvent};

/// What can be asked of a reaction. The key goes into the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionCommand {
    /// Who, how, to what.
    pub key: ReactionKey,
    /// What is wished.
    pub wish: Wish,
}

/// What is wished of a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// That it stands; of a vote: this way.
    Add(Option<Vote>),
    /// That it does not.
    Remove,
    /// That it be the other way round. Not repeat-safe by nature.
    Toggle,
}

/// What a toggle came to. Its time tells a request that was sent again from one that is meant anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toggled {
    /// Whether the reaction stands afterwards.
    pub stands: bool,
    /// When it was asked for.
    #[serde(with = "ts_milliseconds")]
    pub at: DateTime<Utc>,
}

/// Why a reaction says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ReactionError {
    /// What it is about is not there: it never was, or it is gone and something new is wished.
    #[error("there is nothing to react to")]
    NoTarget,
}

impl Decide for Reaction {
    type Command = ReactionCommand;
    type Refusal = ReactionError;

    fn decide(&self, command: &ReactionCommand) -> Result<Vec<ReactionEvent>, ReactionError> {
        let ReactionKey {
            actor,
            kind,
            target,
        } = command.key.clone();
        let added = |value| ReactionEvent::ReactionAdded {
            actor: actor.clone(),
            kind,
            target: target.clone(),
            value,
        };
        let removed = |value| ReactionEvent::ReactionRemoved {
            actor: actor.clone(),
            kind,
            target: target.clone(),
            value,
        };
        Ok(match (command.wish, self) {
            (Wish::Add(value), Self::Absent) => vec![added(value)],
            (Wish::Toggle, Self::Absent) => vec![added(None)],
            (Wish::Add(value), Self::Given { value: given }) if value != *given => {
                vec![removed(*given), added(value)]
            }
            (Wish::Add(_), Self::Given { .. }) | (Wish::Remove, Self::Absent) => vec![],
            (Wish::Remove | Wish::Toggle, Self::Given { value }) => vec![removed(*value)],
        })
    }
}

/// Reacts to something that is there, or takes it back; taking back works on what is gone, too.
#[derive(Debug, Clone)]
pub struct React {
    /// Who, how, to what.
    pub key: ReactionKey,
    /// What is wished.
    pub wish: Wish,
}

impl Operation for React {
    /// Whether the reaction stands afterwards.
    type Outcome = bool;
    type Refusal = ReactionError;

    async fn attempt(&self, book: &mut Book) -> Result<bool, Stop<ReactionError>> {
        let standing = standing(book, &self.key.target).await?;
        react(book, &self.key, self.wish, standing).await
    }
}

/// Votes on a comment. A vote the other way moves; the same again changes nothing.
#[derive(Debug, Clone)]
pub struct VoteOnComment {
    /// Who votes.
    pub by: Party,
    /// On which comment.
    pub comment_id: i64,
    /// What it must stand under: a comment of anything else is not there.
    pub under: TargetKind,
    /// Which way.
    pub vote: Vote,
}

impl Operation for VoteOnComment {
    type Outcome = ();
    type Refusal = ReactionError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ReactionError>> {
        let target = Target::new(TargetKind::Comment, self.comment_id);
        let comment = book.state::<Comment>(&target.id).await?;
        let under = comment.written().map(|written| &written.target);
        // Under what is gone nobody can see it.
        let standing = match under.filter(|under| under.kind == self.under) {
            Some(under) if standing(book, under).await? == Standing::Live => {
                standing(book, &target).await?
            }
            Some(_) | None => Standing::Unknown,
        };
        let key = ReactionKey {
            actor: self.by.clone(),
            kind: ReactionKind::Vote,
            target,
        };
        react(book, &key, Wish::Add(Some(self.vote)), standing).await?;
        Ok(())
    }
}

/// One reaction within a job that has looked at its target already. Answers whether it stands afterwards.
///
/// # Errors
/// [`ReactionError`], or a fault.
pub async fn react(
    book: &mut Book,
    key: &ReactionKey,
    wish: Wish,
    target: Standing,
) -> Result<bool, Stop<ReactionError>> {
    let id = key.to_string();
    if let Wish::Add(_) = wish {
        book.presume_new::<Reaction>(&id);
    }
    let stands = *book.state::<Reaction>(&id).await? != Reaction::Absent;
    let begins = match wish {
        Wish::Add(_) => true,
        Wish::Remove => false,
        Wish::Toggle => !stands,
    };
    match target {
        Standing::Live => {}
        Standing::Gone if !begins => {}
        Standing::Gone | Standing::Unknown => return Err(Stop::Refused(ReactionError::NoTarget)),
    }
    let command = ReactionCommand {
        key: key.clone(),
        wish,
    };
    book.decide::<Reaction>(&id, &command).await?;
    Ok(begins)
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn key() -> ReactionKey {
        "member:0f:vote:comment:7".parse().unwrap()
    }

    fn wish(wish: Wish) -> ReactionCommand {
        ReactionCommand { key: key(), wish }
    }

    fn added(value: Option<Vote>) -> ReactionEvent {
        let ReactionKey {
            actor,
            kind,
            target,
        } = key();
        ReactionEvent::ReactionAdded {
            actor,
            kind,
            target,
            value,
        }
    }

    fn removed(value: Option<Vote>) -> ReactionEvent {
        let ReactionKey {
            actor,
            kind,
            target,
        } = key();
        ReactionEvent::ReactionRemoved {
            actor,
            kind,
            target,
            value,
        }
    }

    fn rules() -> TestFramework<Reaction> {
        TestFramework::with(())
    }

    #[test]
    fn a_reaction_stands_once_and_is_taken_back_once() {
        rules()
            .given_no_previous_events()
            .when(wish(Wish::Add(None)))
            .then_expect_events(vec![added(None)]);
        rules()
            .given(vec![added(None)])
            .when(wish(Wish::Add(None)))
            .then_expect_events(vec![]);
        rules()
            .given(vec![added(None)])
            .when(wish(Wish::Remove))
            .then_expect_events(vec![removed(None)]);
        rules()
            .given(vec![added(None), removed(None)])
            .when(wish(Wish::Remove))
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_vote_moves_and_never_stands_twice() {
        let (up, down) = (Some(Vote::Up), Some(Vote::Down));
        rules()
            .given(vec![added(down)])
            .when(wish(Wish::Add(up)))
            .then_expect_events(vec![removed(down), added(up)]);
        rules()
            .given(vec![added(down), removed(down), added(up)])
            .when(wish(Wish::Add(up)))
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_toggle_goes_back_and_forth() {
        rules()
            .given_no_previous_events()
            .when(wish(Wish::Toggle))
            .then_expect_events(vec![added(None)]);
        rules()
            .given(vec![added(None)])
            .when(wish(Wish::Toggle))
            .then_expect_events(vec![removed(None)]);
    }
}
