//! Messages that staff sends for those who have no login of their own (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::listing::trimmed;
use super::table::{Call, Fields, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::member::is_hex_id;
use crate::commands::message::SendText;
use crate::events::Message;
use crate::events::party::{Party, PartyKind};

/// Who speaks through staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageFromKind)]
enum From {
    /// A master.
    Master,
    /// A merchant.
    Merchant,
    /// The customer service.
    CustomerService,
}

/// Who is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageToKind)]
enum To {
    /// A member.
    User,
}

/// Send a member of the community a private message from a master, a merchant or the customer service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMessage {
    /// `master`, `merchant` or `customer_service`.
    #[schema(inline)]
    from_kind: From,
    /// The id of the master or merchant; of the customer service absent or `customer_service`.
    from_id: Option<String>,
    /// `user`.
    #[schema(inline)]
    to_kind: To,
    /// The member's uid.
    to_id: String,
    /// 1 to 2000 characters.
    content: String,
}

impl Fields for SendMessage {
    const NAME: &'static str = "SendMessage";

    fn check(&self, flaws: &mut Flaws) {
        match (self.from_kind, self.from_id.as_deref()) {
            (From::CustomerService, None | Some("customer_service")) => {}
            (From::CustomerService, Some(_)) => {
                flaws.say("from_id", "must be absent or customer_service");
            }
            (From::Master | From::Merchant, Some(id)) if is_hex_id(id) => {}
            (From::Master | From::Merchant, _) => {
                flaws.say("from_id", "must be 32 lower-case hex characters");
            }
        }
        if !is_hex_id(&self.to_id) {
            flaws.say("to_id", "must be 32 lower-case hex characters");
        }
        flaws.chars("content", self.content.trim(), 1..=2000);
    }
}

impl StaffCreation for SendMessage {
    type Target = Numbered<Message>;
    const BIT: u64 = bit::MESSAGES;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let To::User = self.to_kind;
        let from_id = self.from_id.unwrap_or_default();
        let send = SendText {
            id: call.app.ledger().next_id("message").await?,
            from: match self.from_kind {
                From::Master => Party::new(PartyKind::Master, from_id),
                From::Merchant => Party::new(PartyKind::Merchant, from_id),
                From::CustomerService => Party::customer_service(),
            },
            to: Party::new(PartyKind::Member, self.to_id),
            content: trimmed(&self.content),
        };
        let done = call.app.desk().run(&call.request, &send).await?;
        // A repeated key answers the message that the first request sent.
        let id = done.outcome.to_string();
        Ok(Success::of::<Numbered<Message>, _>(&call.app, &id, &done))
    }
}
