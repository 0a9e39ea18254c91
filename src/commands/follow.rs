//! Following a member, a master or a merchant, and stopping (contract README section 3, row 15).
//!
//! One stream per pair: whom many follow never contends.

use serde::{Deserialize, Serialize};

use super::targets::{Standing, standing};
use super::{Book, Decide, Operation, Stop};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::{Follow, FollowEvent};

/// What can be asked of a pair. Both go into the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowCommand {
    /// Who follows.
    pub follower: Party,
    /// Whom.
    pub target: Target,
    /// That it does, or that it does not.
    pub follow: bool,
}

/// Why a pair says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FollowError {
    /// Whom it would follow is not there: it never was, or it is gone and something new is wished.
    #[error("there is nobody to follow")]
    NoTarget,
    /// Nobody follows itself.
    #[error("nobody follows itself")]
    Oneself,
}

impl Decide for Follow {
    type Command = FollowCommand;
    type Refusal = FollowError;

    fn decide(&self, command: &FollowCommand) -> Result<Vec<FollowEvent>, FollowError> {
        if is_oneself(&command.follower, &command.target) {
            return Err(FollowError::Oneself);
        }
        let (follower, target) = (command.follower.clone(), command.target.clone());
        Ok(match (command.follow, self) {
            (true, Self::Absent) => vec![FollowEvent::Followed { follower, target }],
            (false, Self::Following) => vec![FollowEvent::Unfollowed { follower, target }],
            (true, Self::Following) | (false, Self::Absent) => vec![],
        })
    }
}

fn is_oneself(follower: &Party, target: &Target) -> bool {
    let members = (follower.kind, target.kind) == (PartyKind::Member, TargetKind::User);
    members && follower.id == target.id
}

/// Follows somebody who is there, or stops; stopping works on who is gone, too.
#[derive(Debug, Clone)]
pub struct FollowOrStop {
    /// Who, whom, and which.
    pub command: FollowCommand,
}

impl Operation for FollowOrStop {
    type Outcome = ();
    type Refusal = FollowError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<FollowError>> {
        let FollowCommand {
            follower,
            target,
            follow,
        } = &self.command;
        match standing(book, target).await? {
            Standing::Live => {}
            Standing::Gone if !follow => {}
            Standing::Gone | Standing::Unknown => return Err(Stop::Refused(FollowError::NoTarget)),
        }
        let id = format!("{follower}:{target}");
        book.decide::<Follow>(&id, &self.command).await
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn command(target: &str, follow: bool) -> FollowCommand {
        FollowCommand {
            follower: "member:0f".parse().unwrap(),
            target: target.parse().unwrap(),
            follow,
        }
    }

    fn followed() -> FollowEvent {
        FollowEvent::Followed {
            follower: "member:0f".parse().unwrap(),
            target: "user:0a".parse().unwrap(),
        }
    }

    fn unfollowed() -> FollowEvent {
        FollowEvent::Unfollowed {
            follower: "member:0f".parse().unwrap(),
            target: "user:0a".parse().unwrap(),
        }
    }

    #[test]
    fn following_and_stopping_are_quiet_when_it_is_already_so() {
        let rules = || TestFramework::<Follow>::with(());
        rules()
            .given_no_previous_events()
            .when(command("user:0a", true))
            .then_expect_events(vec![followed()]);
        rules()
            .given(vec![followed()])
            .when(command("user:0a", true))
            .then_expect_events(vec![]);
        rules()
            .given(vec![followed()])
            .when(command("user:0a", false))
            .then_expect_events(vec![unfollowed()]);
        rules()
            .given(vec![followed(), unfollowed()])
            .when(command("user:0a", false))
            .then_expect_events(vec![]);
    }

    #[test]
    fn nobody_follows_itself_but_perhaps_a_master_of_its_own_id() {
        let rules = || TestFramework::<Follow>::with(());
        for follow in [true, false] {
            rules()
                .given_no_previous_events()
                .when(command("user:0f", follow))
                .then_expect_error(FollowError::Oneself);
        }
        assert!(Follow::Absent.decide(&command("master:0f", true)).is_ok());
    }
}
