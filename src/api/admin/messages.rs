//! Messages that staff sends for those who have no login of their own (`community.md` section 5), and for enterprise users
//! of the mini-program (`zhugeleida.md` section 4).

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCreation};
use super::target::{MessageId, bit};
use crate::commands::Done;
use crate::commands::chat::{ChatContent, SendChat};
use crate::commands::member::is_hex_id;
use crate::commands::message::SendText;
use crate::events::conversation::{Pair, Side};
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
    /// An enterprise user.
    Card,
}

/// Who is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageToKind)]
enum To {
    /// A member of the community.
    User,
    /// A customer of the mini-program.
    Customer,
}

/// An id: a text in the community, a number in the mini-program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = MessagePartyId)]
enum Id {
    /// In the mini-program.
    Number(i64),
    /// In the community.
    Text(String),
}

impl Id {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) => None,
        }
    }

    fn number(&self) -> Option<i64> {
        let number = match self {
            Self::Text(text) => text.parse().ok()?,
            Self::Number(number) => *number,
        };
        (number > 0).then_some(number)
    }
}

/// Send a member of the community a private message from a master, a merchant or the customer service; or a customer of the
/// mini-program one from an enterprise user (`card`), which takes the permission bit of the mini-program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendMessage {
    /// `master`, `merchant`, `customer_service` or `card`.
    #[schema(inline)]
    from_kind: From,
    /// The id of the master or merchant, the uid of the enterprise user; of the customer service absent or
    /// `customer_service`.
    #[schema(inline)]
    from_id: Option<Id>,
    /// `user`; of an enterprise user `customer`.
    #[schema(inline)]
    to_kind: To,
    /// The member's uid, or the customer's id.
    #[schema(inline)]
    to_id: Id,
    /// 1 to 2000 characters; from an enterprise user also a JSON object with `info_type` 1 to 5, or its text, at most 4096
    /// bytes.
    #[schema(value_type = Value)]
    content: Value,
}

impl SendMessage {
    /// Between whom it is in the mini-program.
    fn pair(&self) -> Option<Pair> {
        Some(Pair {
            uid: self.from_id.as_ref()?.number()?,
            customer_id: self.to_id.number()?,
        })
    }

    fn check_chat(&self, flaws: &mut Flaws) {
        if self.to_kind != To::Customer {
            flaws.say("to_kind", "must be customer");
        }
        if self.from_id.as_ref().and_then(Id::number).is_none() {
            flaws.say("from_id", "must be a positive integer");
        }
        if self.to_id.number().is_none() {
            flaws.say("to_id", "must be a positive integer");
        }
        if let Err(bad) = ChatContent::read(&self.content) {
            flaws.say("content", bad.to_string());
        }
    }

    fn check_text(&self, flaws: &mut Flaws) {
        if self.to_kind != To::User {
            flaws.say("to_kind", "must be user");
        }
        let from_id = self.from_id.as_ref().map(|id| id.text().unwrap_or(""));
        match (self.from_kind, from_id) {
            (From::CustomerService, None | Some("customer_service")) => {}
            (From::CustomerService, Some(_)) => {
                flaws.say("from_id", "must be absent or customer_service");
            }
            (_, Some(id)) if is_hex_id(id) => {}
            (_, _) => flaws.say("from_id", "must be 32 lower-case hex characters"),
        }
        if !self.to_id.text().is_some_and(is_hex_id) {
            flaws.say("to_id", "must be 32 lower-case hex characters");
        }
        match self.content.as_str() {
            Some(content) => flaws.chars("content", content.trim(), 1..=2000),
            None => flaws.say("content", "must be a text"),
        }
    }

    async fn send(self, call: &Call) -> Result<Done<i64>, Failure> {
        let id = call.app.ledger().next_id("message").await?;
        let desk = call.app.desk();
        let from_id = self.from_id.as_ref().and_then(Id::text).unwrap_or("");
        let from = match self.from_kind {
            From::Card => {
                let send = SendChat {
                    id,
                    pair: self.pair().ok_or(Failure::Malformed)?,
                    writer: Side::Card,
                    content: ChatContent::read(&self.content).map_err(|_| Failure::Malformed)?,
                };
                return Ok(desk.run(&call.request, &send).await?);
            }
            From::Master => Party::new(PartyKind::Master, from_id),
            From::Merchant => Party::new(PartyKind::Merchant, from_id),
            From::CustomerService => Party::customer_service(),
        };
        let to_id = self.to_id.text().unwrap_or("");
        let content = self.content.as_str().unwrap_or("").trim();
        let send = SendText {
            id,
            from,
            to: Party::new(PartyKind::Member, to_id),
            content: content.to_owned(),
        };
        Ok(desk.run(&call.request, &send).await?)
    }
}

impl Fields for SendMessage {
    const NAME: &'static str = "SendMessage";

    fn check(&self, flaws: &mut Flaws) {
        match self.from_kind {
            From::Card => self.check_chat(flaws),
            From::Master | From::Merchant | From::CustomerService => self.check_text(flaws),
        }
    }
}

impl StaffCreation for SendMessage {
    type Target = MessageId;
    const BIT: u64 = bit::MESSAGES;

    fn bit(&self) -> u64 {
        match self.from_kind {
            From::Card => bit::MINI_PROGRAM,
            From::Master | From::Merchant | From::CustomerService => Self::BIT,
        }
    }

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let done = self.send(&call).await?;
        // A repeated key answers the message that the first request sent.
        let id = done.outcome.to_string();
        Ok(Success::of::<MessageId, _>(&call.app, &id, &done))
    }
}
