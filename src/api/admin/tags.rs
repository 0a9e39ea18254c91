//! Commands to tags of the case library (`zhugeleida.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::one::operate;
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::tag;
use crate::events::Tag;

/// Make a tag.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTag {
    /// Whose it is.
    company_id: i64,
    /// 1 to 50 characters, unique in the company.
    name: String,
}

impl Fields for CreateTag {
    const NAME: &'static str = "CreateTag";

    fn check(&self, flaws: &mut Flaws) {
        name(flaws, &self.name);
    }
}

impl StaffCreation for CreateTag {
    type Target = Numbered<Tag>;
    const BIT: u64 = bit::MINI_PROGRAM;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let create = tag::CreateTag {
            id: call.app.ledger().next_id("tag").await?,
            keys: call.app.ledger().keys().clone(),
            company_id: self.company_id,
            name: self.name.trim().to_owned(),
        };
        let done = call.app.desk().run(&call.request, &create).await?;
        // A repeated key answers the tag that the first request made.
        let id = done.outcome.to_string();
        Ok(Success::of::<Numbered<Tag>, _>(&call.app, &id, &done))
    }
}

/// Call a tag otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameTag {
    /// 1 to 50 characters, unique in the company.
    name: String,
}

impl Fields for RenameTag {
    const NAME: &'static str = "RenameTag";

    fn check(&self, flaws: &mut Flaws) {
        name(flaws, &self.name);
    }
}

impl StaffCommand for RenameTag {
    type Target = Numbered<Tag>;

    async fn run(self, call: Call, tag: Numbered<Tag>) -> Result<Success, Failure> {
        let rename = tag::RenameTag {
            id: tag.number,
            keys: call.app.ledger().keys().clone(),
            name: self.name.trim().to_owned(),
        };
        operate(call, tag, &rename).await
    }
}

/// Remove a tag. Refused while a case carries it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteTag {}

impl Fields for DeleteTag {
    const NAME: &'static str = "DeleteTag";
}

impl StaffCommand for DeleteTag {
    type Target = Numbered<Tag>;

    async fn run(self, call: Call, tag: Numbered<Tag>) -> Result<Success, Failure> {
        let delete = tag::DeleteTag {
            id: tag.number,
            keys: call.app.ledger().keys().clone(),
        };
        operate(call, tag, &delete).await
    }
}

fn name(flaws: &mut Flaws, text: &str) {
    flaws.chars("name", text.trim(), 1..=50);
}
