//! Commands to staff accounts (`backend.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{StaffAccount, Target, bit};
use crate::api::identity::staff_name_claim;
use crate::commands::account::{AccountCommand, Actor, OpenStaffAccount};
use crate::commands::ending::EndingSessions;
use crate::events::Account;
use crate::ledger::{Personal, StreamId};
use crate::projections::sessions;

/// Permission bits stay exact in JSON.
const MOST_PERM: u64 = (1 << 53) - 1;

/// Open a staff account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenAccount {
    /// 1 to 64 characters, no blanks at the ends, unique without letter case.
    name: String,
    /// 8 to 128 characters.
    password: String,
    /// 0 operator (default), 1 super administrator.
    #[serde(default)]
    role: u32,
    /// Permission bits, below 2^53; 0 by default.
    #[serde(default)]
    perm: u64,
}

impl Fields for OpenAccount {
    const NAME: &'static str = "OpenAccount";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("name", &self.name, 1..=64);
        if self.name.trim() != self.name {
            flaws.say("name", "must not begin or end with blanks");
        }
        password(flaws, &self.password);
        role(flaws, self.role, self.perm);
    }
}

impl StaffCreation for OpenAccount {
    type Target = StaffAccount;
    const BIT: u64 = bit::STAFF;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let open = OpenStaffAccount {
            uid: call.app.ledger().next_id("staff").await?,
            name_claim: staff_name_claim(call.app.ledger().keys(), &self.name),
            name: self.name,
            password_hash: call.app.passwords().hash(&self.password).await?,
            role: self.role,
            perm: self.perm,
        };
        let done = call.app.desk().run(&call.request, &open).await?;
        // A repeated key answers the account that the first request opened.
        let id = StaffAccount(done.outcome).id();
        Ok(Success::of::<StaffAccount, _>(&call.app, &id, &done))
    }
}

/// Set the password of a staff account. Its sessions end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetPassword {
    /// 8 to 128 characters.
    password: String,
}

impl Fields for SetPassword {
    const NAME: &'static str = "SetPassword";

    fn check(&self, flaws: &mut Flaws) {
        password(flaws, &self.password);
    }
}

impl StaffCommand for SetPassword {
    type Target = StaffAccount;

    async fn run(self, call: Call, account: StaffAccount) -> Result<Success, Failure> {
        let hash = call.app.passwords().hash(&self.password).await?;
        let subject = StreamId::new(StaffAccount::AGGREGATE, account.id()).to_string();
        let command = AccountCommand::SetPassword {
            password_hash: Personal::new(subject, hash),
        };
        ending_sessions(call, account, command).await
    }
}

/// Change role and permissions of another staff account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeRole {
    /// 0 operator, 1 super administrator.
    role: u32,
    /// Permission bits, below 2^53.
    perm: u64,
}

impl Fields for ChangeRole {
    const NAME: &'static str = "ChangeRole";

    fn check(&self, flaws: &mut Flaws) {
        role(flaws, self.role, self.perm);
    }
}

impl StaffCommand for ChangeRole {
    type Target = StaffAccount;

    async fn run(self, call: Call, account: StaffAccount) -> Result<Success, Failure> {
        let command = AccountCommand::ChangeRole {
            role: self.role,
            perm: self.perm,
            by: by(&call, &account),
        };
        execute::<Account>(call, account, command).await
    }
}

/// Take another staff account out of use. Its sessions end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DisableAccount {}

impl Fields for DisableAccount {
    const NAME: &'static str = "DisableAccount";
}

impl StaffCommand for DisableAccount {
    type Target = StaffAccount;

    async fn run(self, call: Call, account: StaffAccount) -> Result<Success, Failure> {
        let by = by(&call, &account);
        ending_sessions(call, account, AccountCommand::Disable { by, reason: None }).await
    }
}

plain! {
    /// Put a staff account back into use.
    EnableAccount to StaffAccount: Account, AccountCommand::Enable
}

async fn ending_sessions(
    call: Call,
    account: StaffAccount,
    command: AccountCommand,
) -> Result<Success, Failure> {
    let app = &call.app;
    let id = account.id();
    let ending = EndingSessions {
        sessions: sessions::open_of(app.reads(), &id, app.now()).await?,
        account: id.clone(),
        command,
    };
    let done = app.desk().run(&call.request, &ending).await?;
    Ok(Success::of::<StaffAccount, _>(app, &id, &done))
}

fn by(call: &Call, account: &StaffAccount) -> Actor {
    if call.staff.uid == account.0 {
        Actor::Itself
    } else {
        Actor::Another
    }
}

fn password(flaws: &mut Flaws, password: &str) {
    flaws.chars("password", password, 8..=128);
}

fn role(flaws: &mut Flaws, role: u32, perm: u64) {
    if role > 1 {
        flaws.say("role", "must be 0 or 1");
    }
    if perm > MOST_PERM {
        flaws.say("perm", "must be below 2^53");
    }
}
