//! Commands to the accounts of team users (`xdua.md` section 3).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Target, TeamUser, bit};
use crate::commands::account::{AccountCommand, Actor};
use crate::commands::ending::EndingSessions;
use crate::commands::team::{OpenTeamUser, new_user_ids};
use crate::events::Account;
use crate::ledger::{Personal, StreamId};
use crate::projections::sessions;

/// Open the account of a team user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenAccount {
    /// 1 to 64 characters; the `creator_name` of its teams.
    name: String,
}

impl Fields for OpenAccount {
    const NAME: &'static str = "OpenAccount";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("name", self.name.trim(), 1..=64);
    }
}

impl StaffCreation for OpenAccount {
    type Target = TeamUser;
    const BIT: u64 = bit::XDUA;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let open = OpenTeamUser {
            ids: new_user_ids(),
            name: self.name.trim().to_owned(),
        };
        let done = call.app.desk().run(&call.request, &open).await?;
        let id = TeamUser(done.outcome.clone()).id();
        Ok(Success::of::<TeamUser, _>(&call.app, &id, &done))
    }
}

/// Show a team user, and the creator of its teams, under another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameAccount {
    /// 1 to 64 characters.
    name: String,
}

impl Fields for RenameAccount {
    const NAME: &'static str = "RenameAccount";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("name", self.name.trim(), 1..=64);
    }
}

impl StaffCommand for RenameAccount {
    type Target = TeamUser;

    async fn run(self, call: Call, user: TeamUser) -> Result<Success, Failure> {
        let subject = StreamId::new(TeamUser::AGGREGATE, user.id()).to_string();
        let name = Personal::new(subject, self.name.trim().to_owned());
        execute::<Account>(call, user, AccountCommand::rename(name)).await
    }
}

/// Take the account of a team user out of use. Its sessions end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DisableAccount {}

impl Fields for DisableAccount {
    const NAME: &'static str = "DisableAccount";
}

impl StaffCommand for DisableAccount {
    type Target = TeamUser;

    async fn run(self, call: Call, user: TeamUser) -> Result<Success, Failure> {
        let app = &call.app;
        let id = user.id();
        let ending = EndingSessions {
            sessions: sessions::open_of(app.reads(), &id, app.now()).await?,
            account: id.clone(),
            command: AccountCommand::Disable {
                by: Actor::Another,
                reason: None,
            },
        };
        let done = app.desk().run(&call.request, &ending).await?;
        Ok(Success::of::<TeamUser, _>(app, &id, &done))
    }
}

plain! {
    /// Put the account of a team user back into use.
    EnableAccount to TeamUser: Account, AccountCommand::Enable
}
