//! Commands to projects (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_some};
use super::listing::{Bounds, create_by};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, Target, bit};
use crate::commands::listed::ListedCommand;
use crate::commands::member::is_hex_id;
use crate::commands::{project, ticket};
use crate::events::Project;
use crate::events::project::{ProjectDetails, ProjectEdit};
use crate::events::ticket::TicketDetails;

/// Enter a project of a master that is shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateProject {
    /// Whose it is.
    master_id: String,
    /// 1 to 100 characters.
    name: String,
    /// The name of a picture.
    image: String,
    /// At most 2000 characters.
    #[serde(default)]
    intro: String,
    /// Among those that are recommended.
    #[serde(default)]
    recommended: bool,
}

impl Fields for CreateProject {
    const NAME: &'static str = "CreateProject";

    fn check(&self, flaws: &mut Flaws) {
        if !is_hex_id(&self.master_id) {
            flaws.say("master_id", "must be 32 lower-case hex characters");
        }
        flaws.name("name", Some(&self.name), 100);
        flaws.image("image", Some(&self.image));
        flaws.text("intro", Some(&self.intro), 2000);
    }
}

impl StaffCreation for CreateProject {
    type Target = Numbered<Project>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = ProjectDetails {
            master_id: self.master_id,
            name: trimmed(&self.name),
            image: self.image,
            intro: trimmed(&self.intro),
            recommended: self.recommended,
        };
        let id = call.app.ledger().next_id("project").await?.to_string();
        create_by::<Numbered<Project>, _>(call, &project::CreateProject { id, details }).await
    }
}

/// Describe a project otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditProject {
    /// 1 to 100 characters.
    name: Option<String>,
    /// The name of a picture.
    image: Option<String>,
    /// At most 2000 characters.
    intro: Option<String>,
    /// Among those that are recommended.
    recommended: Option<bool>,
}

impl Fields for EditProject {
    const NAME: &'static str = "EditProject";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", self.name.as_ref(), 100);
        flaws.image("image", self.image.as_ref());
        flaws.text("intro", self.intro.as_ref(), 2000);
    }
}

impl StaffCommand for EditProject {
    type Target = Numbered<Project>;

    async fn run(self, call: Call, target: Numbered<Project>) -> Result<Success, Failure> {
        let edit = ProjectEdit {
            name: trimmed_some(self.name.as_ref()),
            image: self.image,
            intro: trimmed_some(self.intro.as_ref()),
            recommended: self.recommended,
        };
        execute::<Project>(call, target, ListedCommand::Edit(edit)).await
    }
}

plain!(
    /// Put a project and its tickets out of sight. Orders stay valid.
    WithdrawProject to Numbered<Project>: Project, ListedCommand::Withdraw
);
plain!(
    /// Show a project again.
    RestoreProject to Numbered<Project>: Project, ListedCommand::Restore
);

/// Issue tickets of a project, all alike. The answer shows their ids: `data.ticket_ids`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueTickets {
    /// How many, 1 to 1000.
    #[schema(minimum = 1, maximum = 1000)]
    count: u32,
    /// 1 to 100 characters.
    name: String,
    /// The name of a picture.
    image: String,
    /// At most 2000 characters.
    #[serde(default)]
    intro: String,
    /// In fen, 0 to 1000000000.
    price: i64,
}

impl Fields for IssueTickets {
    const NAME: &'static str = "IssueTickets";

    fn check(&self, flaws: &mut Flaws) {
        if !(1..=1000).contains(&self.count) {
            flaws.say("count", "must be 1 to 1000");
        }
        flaws.name("name", Some(&self.name), 100);
        flaws.image("image", Some(&self.image));
        flaws.text("intro", Some(&self.intro), 2000);
        flaws.price("price", Some(self.price));
    }
}

impl StaffCommand for IssueTickets {
    type Target = Numbered<Project>;

    async fn run(self, call: Call, project: Numbered<Project>) -> Result<Success, Failure> {
        let ids = (0..self.count).map(|_| call.app.ledger().next_id("ticket"));
        let mut ids = futures::future::try_join_all(ids).await?;
        // Those that were taken at once come in any order; the log and the lists tell them by number.
        ids.sort_unstable();
        let issue = ticket::IssueTickets {
            ids,
            details: TicketDetails {
                project_id: project.number,
                name: trimmed(&self.name),
                image: self.image,
                intro: trimmed(&self.intro),
                price_fen: self.price,
            },
        };
        let done = call.app.desk().run(&call.request, &issue).await?;
        let success = Success::of::<Numbered<Project>, _>(&call.app, &project.id(), &done);
        Ok(success.with("ticket_ids", done.outcome))
    }
}
