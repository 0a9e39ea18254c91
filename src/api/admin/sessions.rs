//! Commands to login sessions (`backend.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::table::{Call, Fields, StaffCommand};
use super::target::{LoginSession, Target};
use crate::commands::session::SessionCommand;
use crate::events::Session;

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
