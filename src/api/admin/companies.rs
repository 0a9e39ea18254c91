//! Commands to companies of the mini-program (`zhugeleida.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, Target, bit};
use crate::commands::company::CompanyCommand;
use crate::events::Company;

/// Create a company.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCompany {
    /// 1 to 64 characters.
    name: String,
}

impl Fields for CreateCompany {
    const NAME: &'static str = "CreateCompany";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("name", self.name.trim(), 1..=64);
    }
}

impl StaffCreation for CreateCompany {
    type Target = Numbered<Company>;
    const BIT: u64 = bit::MINI_PROGRAM;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let id = call.app.ledger().next_id("company").await?.to_string();
        let name = self.name.trim().to_owned();
        let create = CompanyCommand::Create { name };
        let desk = call.app.desk();
        let done = desk.create::<Company>(&call.request, &id, create).await?;
        // A repeated key answers the company that the first request created.
        let id = done.changes.first().map_or(id, |change| change.id.clone());
        Ok(Success::of::<Numbered<Company>, _>(&call.app, &id, &done))
    }
}

/// Call a company otherwise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameCompany {
    /// 1 to 64 characters.
    name: String,
}

impl Fields for RenameCompany {
    const NAME: &'static str = "RenameCompany";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("name", self.name.trim(), 1..=64);
    }
}

impl StaffCommand for RenameCompany {
    type Target = Numbered<Company>;

    async fn run(self, call: Call, company: Numbered<Company>) -> Result<Success, Failure> {
        let id = company.id();
        let name = self.name.trim().to_owned();
        let rename = CompanyCommand::Rename { name };
        let desk = call.app.desk();
        let done = desk.execute::<Company>(&call.request, &id, rename).await?;
        Ok(Success::of::<Numbered<Company>, _>(&call.app, &id, &done))
    }
}
