//! Commands to login sessions (`backend.md` section 4, `xdua.md` section 3).

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{LoginSession, Target, bit};
use crate::api::identity::{new_token, session_id};
use crate::commands::session::{self, SessionCommand};
use crate::commands::team::{is_user_id, user_account};
use crate::events::Session;

/// Days a session lasts unless its opener says how many.
const TTL_DAYS: u16 = 30;

/// Open a session for a team user. The answer shows its token, once: `data.token`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenSession {
    /// Whose accounts these are.
    realm: Realm,
    /// The id of the account, without the realm.
    account_id: String,
    /// 1 to 365 days; 30 by default.
    #[schema(minimum = 1, maximum = 365, default = 30)]
    ttl_days: Option<u16>,
}

/// The realms whose sessions staff opens.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Realm {
    /// Team users.
    Xdua,
}

impl Fields for OpenSession {
    const NAME: &'static str = "OpenSession";

    fn check(&self, flaws: &mut Flaws) {
        if !(1..=365).contains(&self.ttl_days.unwrap_or(TTL_DAYS)) {
            flaws.say("ttl_days", "must be 1 to 365");
        }
    }
}

impl StaffCreation for OpenSession {
    type Target = LoginSession;
    const BIT: u64 = bit::XDUA;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let account = match self.realm {
            Realm::Xdua if is_user_id(&self.account_id) => user_account(&self.account_id),
            Realm::Xdua => return Err(Failure::NotFound),
        };
        let token = new_token();
        let days = self.ttl_days.unwrap_or(TTL_DAYS);
        let open = session::OpenSession {
            session: session_id(&token),
            token,
            account,
            expires_at: call.app.now() + TimeDelta::days(days.into()),
        };
        let done = call.app.desk().run(&call.request, &open).await?;
        // A repeated key answers the session that the first request opened.
        let success = Success::of::<LoginSession, _>(&call.app, &done.outcome.session, &done);
        Ok(success.with("token", done.outcome.token))
    }
}

/// End a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseSession {}

impl Fields for CloseSession {
    const NAME: &'static str = "CloseSession";
}

impl StaffCommand for CloseSession {
    type Target = LoginSession;

    async fn run(self, call: Call, session: LoginSession) -> Result<Success, Failure> {
        let id = session.id();
        let desk = call.app.desk();
        let done = desk
            .execute::<Session>(&call.request, &id, SessionCommand::Close)
            .await?;
        Ok(Success::of::<LoginSession, _>(&call.app, &id, &done))
    }
}
