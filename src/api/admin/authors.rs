//! Commands to the accounts of authors (`weidu.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Target, bit};
use crate::api::app::App;
use crate::commands::showcase::{OpenAuthor, RenameAuthor, author_account, author_id, new_id};
use crate::events::Account;
use crate::ledger::LoadError;

/// The account of an author.
pub(super) struct Author(pub String);

impl Target for Author {
    const AGGREGATE: &'static str = "Account";
    const REALM: Option<&'static str> = Some("weidu");

    fn parse(id: &str) -> Option<Self> {
        author_id(id).map(|id| Self(id.to_owned()))
    }

    fn id(&self) -> String {
        author_account(&self.0)
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Account>(&self.id()).await?;
        Ok((found.version > 0).then_some(bit::WEIDU))
    }
}

/// Open the account of an author, under an id of 26 characters or a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenAccount {
    /// 1 to 64 characters, unique among authors without letter case.
    username: String,
}

impl Fields for OpenAccount {
    const NAME: &'static str = "OpenAccount";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("username", self.username.trim(), 1..=64);
    }
}

impl StaffCreation for OpenAccount {
    type Target = Author;
    const BIT: u64 = bit::WEIDU;
    const MAY_BE_NAMED: bool = true;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        self.run_named(call, Author(new_id())).await
    }

    async fn run_named(self, call: Call, author: Author) -> Result<Success, Failure> {
        let open = OpenAuthor {
            id: author.0,
            keys: call.app.ledger().keys().clone(),
            username: self.username.trim().to_owned(),
        };
        let done = call.app.desk().run(&call.request, &open).await?;
        // A repeated key answers the account that the first request opened.
        let id = author_account(&done.outcome);
        Ok(Success::of::<Author, _>(&call.app, &id, &done))
    }
}

/// Show an author, on all cases, under another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameAccount {
    /// 1 to 64 characters, unique among authors without letter case.
    username: String,
}

impl Fields for RenameAccount {
    const NAME: &'static str = "RenameAccount";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("username", self.username.trim(), 1..=64);
    }
}

impl StaffCommand for RenameAccount {
    type Target = Author;

    async fn run(self, call: Call, author: Author) -> Result<Success, Failure> {
        let id = author.id();
        let rename = RenameAuthor {
            id: author.0,
            keys: call.app.ledger().keys().clone(),
            username: self.username.trim().to_owned(),
        };
        let done = call.app.desk().run(&call.request, &rename).await?;
        Ok(Success::of::<Author, _>(&call.app, &id, &done))
    }
}
