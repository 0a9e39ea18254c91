//! The chat between an enterprise user and a customer of the mini-program (`contract/zhugeleida.md` 2.5, 2.6, 3.6, 3.7,
//! 3.22): messages that both sides' streams are looked at for.
//!
//! `content.rs` is what can be said. What was read of it: `conversation.rs` beside this folder.

mod content;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::customer::{CustomerCommand, CustomerError};
use super::message::MessageCommand;
use super::visit::VisitCommand;
use super::{Book, Operation, Stop};
use crate::events::conversation::{Pair, Side};
use crate::events::party::{Target, TargetKind};
use crate::events::{Card, Customer, Message, Product, Visit};
use crate::ledger::Personal;

pub use content::{BadContent, ChatContent, ChatKind};

/// Why nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ChatError {
    /// There is no such card or customer.
    #[error("one of the two is not there")]
    NobodyThere,
    /// The card, or the customer who writes, is disabled.
    #[error("one of the two may not chat")]
    Disabled,
    /// The product is not there, is off shelf, or is another company's.
    #[error("there is no such product")]
    NoProduct,
    /// The id is taken.
    #[error("the message exists already")]
    Exists,
    /// What is to be said cannot be.
    #[error("the content {0}")]
    Content(String),
}

impl From<CustomerError> for ChatError {
    fn from(refusal: CustomerError) -> Self {
        match refusal {
            CustomerError::Disabled | CustomerError::CardDisabled => Self::Disabled,
            CustomerError::Exists => Self::Exists,
            CustomerError::NotFound
            | CustomerError::NoCard
            | CustomerError::NoParent
            | CustomerError::Unsigned
            | CustomerError::IdNeeded => Self::NobodyThere,
        }
    }
}

/// Both must be there. A disabled card takes no part; a disabled customer says nothing, but may be written to.
async fn present(book: &mut Book, pair: Pair, writer: Side) -> Result<(), Stop<ChatError>> {
    let refuse = |refusal| Err(Stop::Refused(refusal));
    let card = book.state::<Card>(&pair.uid.to_string()).await?;
    match card.created() {
        None => return refuse(ChatError::NobodyThere),
        Some(card) if !card.enabled => return refuse(ChatError::Disabled),
        Some(_) => {}
    }
    let customer = book
        .state::<Customer>(&pair.customer_id.to_string())
        .await?;
    match customer.registered() {
        None => refuse(ChatError::NobodyThere),
        Some(customer) if customer.erased => refuse(ChatError::NobodyThere),
        Some(customer) if !customer.enabled && writer == Side::Customer => {
            refuse(ChatError::Disabled)
        }
        Some(_) => Ok(()),
    }
}

/// Puts a message into the job; its text is sealed under whoever writes it.
async fn say(
    book: &mut Book,
    id: i64,
    (pair, writer): (Pair, Side),
    content: &ChatContent,
) -> Result<(), Stop<ChatError>> {
    let from = pair.party(writer);
    let send = MessageCommand::Send {
        to: pair.party(writer.other()),
        content: Personal::new(from.subject(), content.json().to_owned()),
        info_type: Some(content.kind().number()),
        from,
    };
    let id = id.to_string();
    book.create::<Message>(&id);
    book.decide::<Message>(&id, &send)
        .await
        // Of a stream that was just created nothing else can be wrong.
        .map_err(|stop| stop.map(|_| ChatError::Exists))
}

/// Says something.
#[derive(Debug, Clone)]
pub struct SendChat {
    /// The new message's id.
    pub id: i64,
    /// Between whom.
    pub pair: Pair,
    /// Who says it.
    pub writer: Side,
    /// What.
    pub content: ChatContent,
}

impl Operation for SendChat {
    /// The message's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = ChatError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<ChatError>> {
        present(book, self.pair, self.writer).await?;
        say(book, self.id, (self.pair, self.writer), &self.content).await?;
        Ok(self.id)
    }
}

/// Hands a customer's phone number to an enterprise user: kept with the customer and shown in the chat, or neither. The
/// same number again is quiet.
#[derive(Debug, Clone)]
pub struct HandOverPhone {
    /// The new message's id.
    pub id: i64,
    /// Whose number, and to whom.
    pub pair: Pair,
    /// With the dialling code where it is a foreign one.
    pub phone: String,
    /// Without the dialling code.
    pub pure_phone: String,
    /// The dialling code.
    pub country_code: String,
}

impl Operation for HandOverPhone {
    type Outcome = ();
    type Refusal = ChatError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ChatError>> {
        let Pair { uid, customer_id } = self.pair;
        present(book, self.pair, Side::Customer).await?;
        let id = customer_id.to_string();
        let before = book.state::<Customer>(&id).await?;
        let subject = self.pair.party(Side::Customer).subject();
        let sealed = |text: &String| Personal::new(&subject, text.clone());
        let capture = CustomerCommand::CapturePhone {
            uid,
            phone: sealed(&self.phone),
            pure_phone: sealed(&self.pure_phone),
            country_code: sealed(&self.country_code),
        };
        book.decide::<Customer>(&id, &capture)
            .await
            .map_err(|stop| stop.map(ChatError::from))?;
        if book.state::<Customer>(&id).await? == before {
            return Ok(());
        }
        let content = ChatContent::phone(&self.phone).map_err(|bad| refused(&bad))?;
        say(book, self.id, (self.pair, Side::Customer), &content).await
    }
}

/// Asks an enterprise user about a product of their company: counted and told in the chat, or neither. Within a minute it is
/// the same question.
#[derive(Debug, Clone)]
pub struct ConsultProduct {
    /// The new message's id.
    pub id: i64,
    /// Who asks whom.
    pub pair: Pair,
    /// About what.
    pub product_id: i64,
    /// When.
    pub at: DateTime<Utc>,
}

impl Operation for ConsultProduct {
    type Outcome = ();
    type Refusal = ChatError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ChatError>> {
        let Pair { uid, customer_id } = self.pair;
        present(book, self.pair, Side::Customer).await?;
        let content = self.content(book).await?;
        let target = Target::new(TargetKind::Product, self.product_id);
        let log = format!("{}:{target}", self.pair.party(Side::Customer));
        let before = book.state::<Visit>(&log).await?;
        let consult = VisitCommand::Consult {
            customer_id,
            uid,
            product_id: self.product_id,
            at: self.at,
        };
        book.decide::<Visit>(&log, &consult)
            .await
            .map_err(|stop| stop.map(|never| match never {}))?;
        if book.state::<Visit>(&log).await? == before {
            return Ok(());
        }
        say(book, self.id, (self.pair, Side::Customer), &content).await
    }
}

impl ConsultProduct {
    /// The product as it is shown now.
    async fn content(&self, book: &mut Book) -> Result<ChatContent, Stop<ChatError>> {
        let card = book.state::<Card>(&self.pair.uid.to_string()).await?;
        let company_id = card.created().map(|card| card.company_id);
        let product = book.state::<Product>(&self.product_id.to_string()).await?;
        let shown = product.shown();
        let (_, profile) = shown
            .filter(|(owner, _)| Some(*owner) == company_id)
            .ok_or(Stop::Refused(ChatError::NoProduct))?;
        let cover = profile.content.first_picture().unwrap_or_default();
        ChatContent::product(self.product_id, cover, &profile.name, &profile.price)
            .map_err(|bad| refused(&bad))
    }
}

fn refused(bad: &BadContent) -> Stop<ChatError> {
    Stop::Refused(ChatError::Content(bad.to_string()))
}
