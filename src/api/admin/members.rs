//! Commands to the accounts of members of the community (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, clearable};
use super::table::{Call, Fields, StaffCommand};
use super::target::{MemberAccount, Target};
use crate::commands::account::{AccountCommand, Actor, StandingChange};
use crate::commands::ending::EndingSessions;
use crate::events::Account;
use crate::ledger::{Personal, StreamId};
use crate::projections::sessions;

/// Numbers stay exact in JSON.
const MOST: u64 = (1 << 53) - 1;

/// Take the account of a member out of use. Its sessions end; what it wrote stays visible.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DisableAccount {
    /// At most 200 characters, for the record.
    reason: Option<String>,
}

impl Fields for DisableAccount {
    const NAME: &'static str = "DisableAccount";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(reason) = &self.reason {
            flaws.chars("reason", reason, 0..=200);
        }
    }
}

impl StaffCommand for DisableAccount {
    type Target = MemberAccount;

    async fn run(self, call: Call, member: MemberAccount) -> Result<Success, Failure> {
        let app = &call.app;
        let id = member.id();
        let reason = self.reason.filter(|reason| !reason.trim().is_empty());
        let ending = EndingSessions {
            sessions: sessions::open_of(app.reads(), &id, app.now()).await?,
            account: id.clone(),
            command: AccountCommand::Disable {
                by: Actor::Another,
                reason: reason.map(|reason| personal(&member, reason)),
            },
        };
        let done = app.desk().run(&call.request, &ending).await?;
        Ok(Success::of::<MemberAccount, _>(app, &id, &done))
    }
}

/// Put the account of a member back into use.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnableAccount {}

impl Fields for EnableAccount {
    const NAME: &'static str = "EnableAccount";
}

impl StaffCommand for EnableAccount {
    type Target = MemberAccount;

    async fn run(self, call: Call, member: MemberAccount) -> Result<Success, Failure> {
        execute(call, member, AccountCommand::Enable).await
    }
}

/// Give a member another standing; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdjustStanding {
    /// 0 ordinary.
    category: Option<u64>,
    /// Points.
    score: Option<u64>,
    /// Level.
    level: Option<u64>,
    /// Experience.
    exp: Option<u64>,
    /// 1 to 64 characters; null clears.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    invitation_code: Option<Option<String>>,
    /// 1 to 64 characters; null clears.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>)]
    inviter: Option<Option<String>>,
}

impl Fields for AdjustStanding {
    const NAME: &'static str = "AdjustStanding";

    fn check(&self, flaws: &mut Flaws) {
        for (field, number) in [
            ("category", self.category),
            ("score", self.score),
            ("level", self.level),
            ("exp", self.exp),
        ] {
            if number.is_some_and(|number| number > MOST) {
                flaws.say(field, "must be below 2^53");
            }
        }
        for (field, text) in [
            ("invitation_code", &self.invitation_code),
            ("inviter", &self.inviter),
        ] {
            if let Some(Some(text)) = text {
                flaws.chars(field, text, 1..=64);
            }
        }
    }
}

impl StaffCommand for AdjustStanding {
    type Target = MemberAccount;

    async fn run(self, call: Call, member: MemberAccount) -> Result<Success, Failure> {
        let own = |text: Option<String>| text.map(|text| personal(&member, text));
        let change = StandingChange {
            category: self.category,
            score: self.score,
            level: self.level,
            exp: self.exp,
            invitation_code: self.invitation_code.map(own),
            inviter: self.inviter.map(own),
        };
        execute(call, member, AccountCommand::AdjustStanding(change)).await
    }
}

fn personal(member: &MemberAccount, text: String) -> Personal<String> {
    let subject = StreamId::new(MemberAccount::AGGREGATE, member.id());
    Personal::new(subject.to_string(), text)
}

async fn execute(
    call: Call,
    member: MemberAccount,
    command: AccountCommand,
) -> Result<Success, Failure> {
    let id = member.id();
    let desk = call.app.desk();
    let done = desk.execute::<Account>(&call.request, &id, command).await?;
    Ok(Success::of::<MemberAccount, _>(&call.app, &id, &done))
}
