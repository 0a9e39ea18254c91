//! Commands to tickets (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_some};
use super::listing::Bounds;
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::ticket::{IssueTickets, TicketCommand};
use crate::events::Ticket;
use crate::events::ticket::{TicketDetails, TicketEdit};

/// Issue one ticket of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateTicket {
    /// Its project, which must be shown.
    #[schema(minimum = 1)]
    project_id: i64,
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

impl Fields for CreateTicket {
    const NAME: &'static str = "CreateTicket";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", Some(&self.name), 100);
        flaws.image("image", Some(&self.image));
        flaws.text("intro", Some(&self.intro), 2000);
        flaws.price("price", Some(self.price));
    }
}

impl StaffCreation for CreateTicket {
    type Target = Numbered<Ticket>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = TicketDetails {
            project_id: self.project_id,
            name: trimmed(&self.name),
            image: self.image,
            intro: trimmed(&self.intro),
            price_fen: self.price,
        };
        let issue = IssueTickets {
            ids: vec![call.app.ledger().next_id("ticket").await?],
            details,
        };
        let done = call.app.desk().run(&call.request, &issue).await?;
        // One was issued; a repeated key answers the one that the first request issued.
        let id = done.outcome.first().map(ToString::to_string);
        let id = id.unwrap_or_default();
        Ok(Success::of::<Numbered<Ticket>, _>(&call.app, &id, &done))
    }
}

/// Describe a ticket otherwise; what is absent stays. The price moves only while it is for sale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditTicket {
    /// 1 to 100 characters.
    name: Option<String>,
    /// The name of a picture.
    image: Option<String>,
    /// At most 2000 characters.
    intro: Option<String>,
    /// In fen, 0 to 1000000000.
    price: Option<i64>,
}

impl Fields for EditTicket {
    const NAME: &'static str = "EditTicket";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", self.name.as_ref(), 100);
        flaws.image("image", self.image.as_ref());
        flaws.text("intro", self.intro.as_ref(), 2000);
        flaws.price("price", self.price);
    }
}

impl StaffCommand for EditTicket {
    type Target = Numbered<Ticket>;

    async fn run(self, call: Call, target: Numbered<Ticket>) -> Result<Success, Failure> {
        let edit = TicketEdit {
            name: trimmed_some(self.name.as_ref()),
            image: self.image,
            intro: trimmed_some(self.intro.as_ref()),
            price_fen: self.price,
        };
        execute::<Ticket>(call, target, TicketCommand::Edit(edit)).await
    }
}

plain!(
    /// Take a ticket off the market, which it must be on.
    WithdrawTicket to Numbered<Ticket>: Ticket, TicketCommand::Withdraw
);
plain!(
    /// Put a ticket up for sale again.
    RestoreTicket to Numbered<Ticket>: Ticket, TicketCommand::Restore
);
