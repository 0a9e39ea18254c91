//! What can be asked of a work team, and the rules that answer (`xdua.md` section 3). Commands over several streams, with
//! the code's claim and the accounts of members: `operations.rs`; those accounts: `users.rs`.

mod operations;
#[cfg(test)]
mod tests;
mod users;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use operations::{
    AddRole, AssignMember, CreateTeam, DeleteTeam, EditTeam, is_team_id, new_team_ids,
};
pub use users::{OpenTeamUser, is_user_id, new_user_ids, user_account, user_id};

use super::{Decide, changed};
use crate::events::team::{LiveTeam, TeamProfile, TeamRole};
use crate::events::{Team, TeamEvent};

/// Roles of one team, at most: a team is decided upon as a whole.
pub const ROLES_MAX: usize = 1_000;
/// User–role assignments of one team, at most.
pub const ASSIGNMENTS_MAX: usize = 20_000;

/// What can be asked of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamCommand {
    /// Found it. Its code is claimed in the same job.
    Create {
        /// The id of its creator, without the realm.
        creator_id: String,
        /// How it is described.
        profile: TeamProfile,
        /// In use.
        enabled: bool,
        /// When it came to be, where that was elsewhere and before.
        since: Option<DateTime<Utc>>,
    },
    /// Describe it otherwise. A new code is claimed in the same job.
    Edit(TeamEdit),
    /// Take it into use.
    Enable,
    /// Take it out of use.
    Disable,
    /// Add a role.
    AddRole {
        /// Its name.
        name: String,
    },
    /// Remove a role that nobody holds.
    RemoveRole {
        /// Which.
        role_id: u32,
    },
    /// Give somebody a role. That the account exists is the operation's to guard.
    Assign {
        /// Which role.
        role_id: u32,
        /// The id of the account, without the realm.
        user_id: String,
    },
    /// Take a role from somebody.
    Unassign {
        /// Which role.
        role_id: u32,
        /// The id of the account, without the realm.
        user_id: String,
    },
    /// Remove a team that has no members.
    Delete,
}

/// What changes of a description; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `TeamEvent`")]
pub struct TeamEdit {
    pub name: Option<String>,
    pub code: Option<String>,
    pub brief: Option<String>,
    pub avatar: Option<String>,
    pub private: Option<bool>,
    pub invite_only: Option<bool>,
}

/// Why a team says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TeamError {
    /// There is no such team (or no longer).
    #[error("there is no such team")]
    NotFound,
    /// The id is taken.
    #[error("the team exists already")]
    Exists,
    /// There is no such account.
    #[error("there is no account {user_id}")]
    NoAccount {
        /// The id, without the realm.
        user_id: String,
    },
    /// The team has no such role.
    #[error("the team has no role {role_id}")]
    NoRole {
        /// The id.
        role_id: u32,
    },
    /// The creator has another team of that code.
    #[error("another team of this creator has that code")]
    CodeTaken,
    /// The team has another role of that name.
    #[error("another role of this team has that name")]
    RoleNameTaken,
    /// Somebody holds the role.
    #[error("a role is not removed while somebody holds it")]
    RoleHeld,
    /// Somebody holds a role of the team.
    #[error("a team is not deleted while it has members")]
    HasMembers,
    /// It has as many roles or assignments as a team may have.
    #[error("the team has as many roles or members as a team may have")]
    Full,
}

impl Decide for Team {
    type Command = TeamCommand;
    type Refusal = TeamError;

    fn decide(&self, command: &TeamCommand) -> Result<Vec<TeamEvent>, TeamError> {
        match (command, self) {
            (
                TeamCommand::Create {
                    creator_id,
                    profile,
                    enabled,
                    since,
                },
                Self::Uncreated,
            ) => Ok(vec![created(creator_id, profile, *enabled, *since)]),
            (TeamCommand::Create { .. }, Self::Live(_) | Self::Deleted) => Err(TeamError::Exists),
            (command, Self::Live(team)) => change(team, command),
            (TeamCommand::Delete, Self::Deleted) => Ok(vec![]),
            (_, Self::Uncreated | Self::Deleted) => Err(TeamError::NotFound),
        }
    }
}

fn created(
    creator_id: &str,
    profile: &TeamProfile,
    enabled: bool,
    since: Option<DateTime<Utc>>,
) -> TeamEvent {
    let profile = profile.clone();
    TeamEvent::TeamCreated {
        creator_id: creator_id.to_owned(),
        name: profile.name,
        code: profile.code,
        brief: profile.brief,
        avatar: profile.avatar,
        private: profile.private,
        invite_only: profile.invite_only,
        enabled,
        since,
    }
}

fn change(team: &LiveTeam, command: &TeamCommand) -> Result<Vec<TeamEvent>, TeamError> {
    match command {
        TeamCommand::Create { .. } => Err(TeamError::Exists),
        TeamCommand::Edit(edit) => Ok(edited(&team.profile, edit)),
        TeamCommand::Enable if team.enabled => Ok(vec![]),
        TeamCommand::Enable => Ok(vec![TeamEvent::TeamEnabled {}]),
        TeamCommand::Disable if team.enabled => Ok(vec![TeamEvent::TeamDisabled {}]),
        TeamCommand::Disable => Ok(vec![]),
        TeamCommand::AddRole { name } => add_role(team, name),
        TeamCommand::RemoveRole { role_id } => match role(team, *role_id)? {
            TeamRole { holders, .. } if !holders.is_empty() => Err(TeamError::RoleHeld),
            TeamRole { .. } => Ok(vec![TeamEvent::TeamRoleRemoved { role_id: *role_id }]),
        },
        TeamCommand::Assign { role_id, user_id } => {
            if role(team, *role_id)?.holders.contains(user_id) {
                Ok(vec![])
            } else if team.assignments() >= ASSIGNMENTS_MAX {
                Err(TeamError::Full)
            } else {
                Ok(vec![TeamEvent::TeamMemberAssigned {
                    role_id: *role_id,
                    user_id: user_id.clone(),
                }])
            }
        }
        TeamCommand::Unassign { role_id, user_id } => {
            if role(team, *role_id)?.holders.contains(user_id) {
                Ok(vec![TeamEvent::TeamMemberRemoved {
                    role_id: *role_id,
                    user_id: user_id.clone(),
                }])
            } else {
                Ok(vec![])
            }
        }
        TeamCommand::Delete if team.assignments() > 0 => Err(TeamError::HasMembers),
        TeamCommand::Delete => Ok(vec![TeamEvent::TeamDeleted {}]),
    }
}

fn role(team: &LiveTeam, role_id: u32) -> Result<&TeamRole, TeamError> {
    let found = team.roles.get(&role_id);
    found.ok_or(TeamError::NoRole { role_id })
}

fn add_role(team: &LiveTeam, name: &str) -> Result<Vec<TeamEvent>, TeamError> {
    if team.roles.values().any(|role| role.name == name) {
        return Err(TeamError::RoleNameTaken);
    }
    if team.roles.len() >= ROLES_MAX {
        return Err(TeamError::Full);
    }
    Ok(vec![TeamEvent::TeamRoleAdded {
        role_id: team.last_role_id + 1,
        name: name.to_owned(),
    }])
}

/// Only what changes; nothing at all when nothing does.
fn edited(old: &TeamProfile, edit: &TeamEdit) -> Vec<TeamEvent> {
    let edit = TeamEdit {
        name: changed(edit.name.as_ref(), &old.name),
        code: changed(edit.code.as_ref(), &old.code),
        brief: changed(edit.brief.as_ref(), &old.brief),
        avatar: changed(edit.avatar.as_ref(), &old.avatar),
        private: changed(edit.private.as_ref(), &old.private),
        invite_only: changed(edit.invite_only.as_ref(), &old.invite_only),
    };
    if edit == TeamEdit::default() {
        return vec![];
    }
    vec![TeamEvent::TeamEdited {
        name: edit.name,
        code: edit.code,
        brief: edit.brief,
        avatar: edit.avatar,
        private: edit.private,
        invite_only: edit.invite_only,
    }]
}
