//! Commands to work teams (`xdua.md` section 3).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed};
use super::one::{execute, operate, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Target, TeamId, bit};
use crate::commands::team::{self, TeamCommand, TeamEdit, new_team_ids};
use crate::events::Team;
use crate::events::team::TeamProfile;

/// Found a team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTeam {
    /// The id of its creator's account, without the realm.
    creator_id: String,
    /// 1 to 64 characters.
    name: String,
    /// Its key name: 1 to 128 of `A-Z a-z 0-9 _ . -`, unique among the creator's teams.
    code: String,
    /// A short description, at most 500 characters.
    #[serde(default)]
    brief: String,
    /// The address of a picture, at most 512 characters.
    #[serde(default)]
    avatar: String,
    /// Not shown to everybody.
    #[serde(default)]
    private: bool,
    /// Joined by invitation only.
    #[serde(default)]
    invite_only: bool,
    /// In use.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
}

fn yes() -> bool {
    true
}

impl Fields for CreateTeam {
    const NAME: &'static str = "CreateTeam";

    fn check(&self, flaws: &mut Flaws) {
        name(flaws, &self.name);
        code(flaws, &self.code);
        brief(flaws, &self.brief);
        avatar(flaws, &self.avatar);
    }
}

impl StaffCreation for CreateTeam {
    type Target = TeamId;
    const BIT: u64 = bit::XDUA;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let create = team::CreateTeam {
            ids: new_team_ids(),
            keys: call.app.ledger().keys().clone(),
            creator_id: self.creator_id,
            profile: TeamProfile {
                name: trimmed(&self.name),
                code: self.code,
                brief: trimmed(&self.brief),
                avatar: trimmed(&self.avatar),
                private: self.private,
                invite_only: self.invite_only,
            },
            enabled: self.enabled,
            since: None,
        };
        let done = call.app.desk().run(&call.request, &create).await?;
        // A repeated key answers the team that the first request founded.
        let id = done.outcome.clone();
        Ok(Success::of::<TeamId, _>(&call.app, &id, &done))
    }
}

/// Describe a team otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditTeam {
    /// 1 to 64 characters.
    name: Option<String>,
    /// 1 to 128 of `A-Z a-z 0-9 _ . -`, unique among the creator's teams.
    code: Option<String>,
    /// At most 500 characters.
    brief: Option<String>,
    /// At most 512 characters.
    avatar: Option<String>,
    /// Not shown to everybody.
    private: Option<bool>,
    /// Joined by invitation only.
    invite_only: Option<bool>,
}

impl Fields for EditTeam {
    const NAME: &'static str = "EditTeam";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(text) = &self.name {
            name(flaws, text);
        }
        if let Some(text) = &self.code {
            code(flaws, text);
        }
        if let Some(text) = &self.brief {
            brief(flaws, text);
        }
        if let Some(text) = &self.avatar {
            avatar(flaws, text);
        }
    }
}

impl StaffCommand for EditTeam {
    type Target = TeamId;

    async fn run(self, call: Call, team: TeamId) -> Result<Success, Failure> {
        let edit = team::EditTeam {
            id: team.id(),
            keys: call.app.ledger().keys().clone(),
            edit: TeamEdit {
                name: self.name.as_deref().map(trimmed),
                code: self.code,
                brief: self.brief.as_deref().map(trimmed),
                avatar: self.avatar.as_deref().map(trimmed),
                private: self.private,
                invite_only: self.invite_only,
            },
        };
        operate(call, team, &edit).await
    }
}

plain! {
    /// Take a team into use.
    EnableTeam to TeamId: Team, TeamCommand::Enable
}

plain! {
    /// Take a team out of use. It is still shown.
    DisableTeam to TeamId: Team, TeamCommand::Disable
}

/// Add a role to a team. The answer shows its id: `data.role_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddTeamRole {
    /// 1 to 64 characters, unique in the team.
    name: String,
}

impl Fields for AddTeamRole {
    const NAME: &'static str = "AddTeamRole";

    fn check(&self, flaws: &mut Flaws) {
        name(flaws, &self.name);
    }
}

impl StaffCommand for AddTeamRole {
    type Target = TeamId;

    async fn run(self, call: Call, team: TeamId) -> Result<Success, Failure> {
        let id = team.id();
        let name = trimmed(&self.name);
        let add = team::AddRole {
            id: id.clone(),
            name,
        };
        let done = call.app.desk().run(&call.request, &add).await?;
        let success = Success::of::<TeamId, _>(&call.app, &id, &done);
        Ok(success.with("role_id", done.outcome))
    }
}

/// Remove a role of a team. Refused while somebody holds it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveTeamRole {
    /// Its id.
    role_id: u32,
}

impl Fields for RemoveTeamRole {
    const NAME: &'static str = "RemoveTeamRole";
}

impl StaffCommand for RemoveTeamRole {
    type Target = TeamId;

    async fn run(self, call: Call, team: TeamId) -> Result<Success, Failure> {
        let role_id = self.role_id;
        execute::<Team>(call, team, TeamCommand::RemoveRole { role_id }).await
    }
}

/// Give a team user a role of a team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignTeamMember {
    /// The role's id.
    role_id: u32,
    /// The id of the account, without the realm.
    user_id: String,
}

impl Fields for AssignTeamMember {
    const NAME: &'static str = "AssignTeamMember";
}

impl StaffCommand for AssignTeamMember {
    type Target = TeamId;

    async fn run(self, call: Call, team: TeamId) -> Result<Success, Failure> {
        let assign = team::AssignMember {
            id: team.id(),
            role_id: self.role_id,
            user_id: self.user_id,
        };
        operate(call, team, &assign).await
    }
}

/// Take a role of a team from a team user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveTeamMember {
    /// The role's id.
    role_id: u32,
    /// The id of the account, without the realm.
    user_id: String,
}

impl Fields for RemoveTeamMember {
    const NAME: &'static str = "RemoveTeamMember";
}

impl StaffCommand for RemoveTeamMember {
    type Target = TeamId;

    async fn run(self, call: Call, team: TeamId) -> Result<Success, Failure> {
        let command = TeamCommand::Unassign {
            role_id: self.role_id,
            user_id: self.user_id,
        };
        execute::<Team>(call, team, command).await
    }
}

/// Remove a team. Refused while it has members.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteTeam {}

impl Fields for DeleteTeam {
    const NAME: &'static str = "DeleteTeam";
}

impl StaffCommand for DeleteTeam {
    type Target = TeamId;

    async fn run(self, call: Call, team: TeamId) -> Result<Success, Failure> {
        let delete = team::DeleteTeam {
            id: team.id(),
            keys: call.app.ledger().keys().clone(),
        };
        operate(call, team, &delete).await
    }
}

fn name(flaws: &mut Flaws, text: &str) {
    flaws.chars("name", text.trim(), 1..=64);
}

fn brief(flaws: &mut Flaws, text: &str) {
    flaws.chars("brief", text.trim(), 0..=500);
}

fn avatar(flaws: &mut Flaws, text: &str) {
    flaws.chars("avatar", text.trim(), 0..=512);
}

fn code(flaws: &mut Flaws, text: &str) {
    flaws.chars("code", text, 1..=128);
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !text.bytes().all(letter) {
        flaws.say("code", "must be of A-Z, a-z, 0-9, _, . and -");
    }
}
