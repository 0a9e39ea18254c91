//! What can have happened to a work team (工队), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::{BTreeMap, BTreeSet};

use chrono::serde::ts_milliseconds_option;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::set;
use crate::ledger::State;
use crate::stored_events;

/// Facts about a work team. Its stream is `Team:{id}`, eight lower-case hex characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeamEvent {
    /// The team came to be.
    TeamCreated {
        /// The id of its creator, without the realm.
        creator_id: String,
        /// 1…64 characters.
        name: String,
        /// Its key name, 1…128 of `[A-Za-z0-9_.-]`, unique among the creator's teams.
        code: String,
        /// A short description, at most 500 characters.
        brief: String,
        /// The address of a picture, at most 512 characters; `""` when there is none.
        avatar: String,
        /// Not shown to everybody.
        private: bool,
        /// Joined by invitation only.
        invite_only: bool,
        /// In use.
        enabled: bool,
        /// When it came to be, where that was before this event: teams carried over from elsewhere.
        /// Milliseconds since the epoch.
        #[serde(
            default,
            with = "ts_milliseconds_option",
            skip_serializing_if = "Option::is_none"
        )]
        since: Option<DateTime<Utc>>,
    },
    /// It is described otherwise. Only changed fields are there.
    TeamEdited {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new key name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        brief: Option<String>,
        /// The new picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<String>,
        /// Not shown to everybody, from here on or no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private: Option<bool>,
        /// Joined by invitation only, from here on or no longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite_only: Option<bool>,
    },
    /// It is in use again.
    TeamEnabled {},
    /// It is out of use, and still shown.
    TeamDisabled {},
    /// There is one role more.
    TeamRoleAdded {
        /// Counted within the team from 1; never given twice.
        role_id: u32,
        /// 1…64 characters, unique in the team.
        name: String,
    },
    /// Nobody held the role, and it is gone.
    TeamRoleRemoved {
        /// Which.
        role_id: u32,
    },
    /// Somebody holds a role.
    TeamMemberAssigned {
        /// Which role.
        role_id: u32,
        /// The id of the account, without the realm.
        user_id: String,
    },
    /// Somebody no longer holds a role.
    TeamMemberRemoved {
        /// Which role.
        role_id: u32,
        /// The id of the account, without the realm.
        user_id: String,
    },
    /// Out of sight for good.
    TeamDeleted {},
}

stored_events!(TeamEvent {
    TeamCreated: 1,
    TeamEdited: 1,
    TeamEnabled: 1,
    TeamDisabled: 1,
    TeamRoleAdded: 1,
    TeamRoleRemoved: 1,
    TeamMemberAssigned: 1,
    TeamMemberRemoved: 1,
    TeamDeleted: 1,
});

/// A team as its own rules need to see it. Readers want `projections::teams`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Team {
    /// Never created.
    #[default]
    Uncreated,
    /// There.
    Live(LiveTeam),
    /// Gone for good.
    Deleted,
}

/// What is known of a team that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTeam {
    /// The id of its creator, without the realm.
    pub creator_id: String,
    /// How it is described.
    pub profile: TeamProfile,
    /// In use.
    pub enabled: bool,
    /// Its roles by their ids.
    pub roles: BTreeMap<u32, TeamRole>,
    /// The last id given to a role.
    pub last_role_id: u32,
}

/// How a team is described.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `TeamEvent`")]
pub struct TeamProfile {
    pub name: String,
    pub code: String,
    pub brief: String,
    pub avatar: String,
    pub private: bool,
    pub invite_only: bool,
}

/// A role and who holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamRole {
    /// Its name.
    pub name: String,
    /// The ids of the accounts that hold it.
    pub holders: BTreeSet<String>,
}

impl LiveTeam {
    /// How many user–role assignments there are.
    #[must_use]
    pub fn assignments(&self) -> usize {
        self.roles.values().map(|role| role.holders.len()).sum()
    }

    fn apply(&mut self, event: &TeamEvent) {
        match event {
            TeamEvent::TeamCreated { .. } | TeamEvent::TeamDeleted {} => {}
            TeamEvent::TeamEdited {
                name,
                code,
                brief,
                avatar,
                private,
                invite_only,
            } => {
                let profile = &mut self.profile;
                set(&mut profile.name, name.as_ref());
                set(&mut profile.code, code.as_ref());
                set(&mut profile.brief, brief.as_ref());
                set(&mut profile.avatar, avatar.as_ref());
                set(&mut profile.private, private.as_ref());
                set(&mut profile.invite_only, invite_only.as_ref());
            }
            TeamEvent::TeamEnabled {} => self.enabled = true,
            TeamEvent::TeamDisabled {} => self.enabled = false,
            TeamEvent::TeamRoleAdded { role_id, name } => {
                let role = self.roles.entry(*role_id).or_default();
                role.name.clone_from(name);
                self.last_role_id = self.last_role_id.max(*role_id);
            }
            TeamEvent::TeamRoleRemoved { role_id } => {
                self.roles.remove(role_id);
            }
            TeamEvent::TeamMemberAssigned { role_id, user_id } => {
                let role = self.roles.entry(*role_id).or_default();
                role.holders.insert(user_id.clone());
            }
            TeamEvent::TeamMemberRemoved { role_id, user_id } => {
                if let Some(role) = self.roles.get_mut(role_id) {
                    role.holders.remove(user_id);
                }
            }
        }
    }
}

impl State for Team {
    const TYPE: &'static str = "Team";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = TeamEvent;

    fn apply(&mut self, event: &TeamEvent) {
        match (event, &mut *self) {
            (
                TeamEvent::TeamCreated {
                    creator_id,
                    name,
                    code,
                    brief,
                    avatar,
                    private,
                    invite_only,
                    enabled,
                    since: _,
                },
                _,
            ) => {
                *self = Self::Live(LiveTeam {
                    creator_id: creator_id.clone(),
                    profile: TeamProfile {
                        name: name.clone(),
                        code: code.clone(),
                        brief: brief.clone(),
                        avatar: avatar.clone(),
                        private: *private,
                        invite_only: *invite_only,
                    },
                    enabled: *enabled,
                    roles: BTreeMap::new(),
                    last_role_id: 0,
                });
            }
            (TeamEvent::TeamDeleted {}, _) => *self = Self::Deleted,
            (event, Self::Live(team)) => team.apply(event),
            (_, Self::Uncreated | Self::Deleted) => {}
        }
    }
}
