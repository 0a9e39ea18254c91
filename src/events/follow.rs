//! Whether a member follows a member, a master or a merchant.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::party::{Party, Target};
use crate::ledger::State;
use crate::stored_events;

/// Facts about who follows whom. Its stream is `Follow:{follower}:{target}`, as `member:{uid}:user:{uid}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FollowEvent {
    /// It does from here on.
    Followed {
        /// Who follows.
        follower: Party,
        /// Whom.
        target: Target,
    },
    /// It does no longer.
    Unfollowed {
        /// Who followed.
        follower: Party,
        /// Whom.
        target: Target,
    },
}

stored_events!(FollowEvent {
    Followed: 1,
    Unfollowed: 1,
});

/// Whether it does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Follow {
    /// Never did, or stopped.
    #[default]
    Absent,
    /// It does.
    Following,
}

impl State for Follow {
    const TYPE: &'static str = "Follow";
    type Event = FollowEvent;

    fn apply(&mut self, event: &FollowEvent) {
        *self = match event {
            FollowEvent::Followed { .. } => Self::Following,
            FollowEvent::Unfollowed { .. } => Self::Absent,
        };
    }

    fn breaks(&self, event: &FollowEvent) -> Option<&'static str> {
        let following = *self == Self::Following;
        let begins = matches!(event, FollowEvent::Followed { .. });
        (following == begins)
            .then_some("whoever does not follow begins to, and whoever follows ends it")
    }
}
