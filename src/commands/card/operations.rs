//! Commands to a card over several streams: the company it belongs to, what visitors do with it.

use chrono::{DateTime, Utc};

use super::{CardCommand, CardError};
use crate::commands::reaction::{ReactionError, Toggled, Wish, react};
use crate::commands::targets::Standing;
use crate::commands::{Book, Operation, Stop};
use crate::events::card::{CardProfile, CreatedCard};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::events::{Card, Company, Reaction, Visit, VisitEvent};

async fn created(book: &mut Book, uid: i64) -> Result<CreatedCard, Stop<CardError>> {
    let card = book.state::<Card>(&uid.to_string()).await?;
    let card = card.created().cloned();
    card.ok_or(Stop::Refused(CardError::NotFound))
}

/// A card that may be used.
async fn usable(book: &mut Book, uid: i64) -> Result<(), Stop<CardError>> {
    if created(book, uid).await?.enabled {
        Ok(())
    } else {
        Err(Stop::Refused(CardError::Disabled))
    }
}

/// Makes a card for somebody who works for a company.
#[derive(Debug, Clone)]
pub struct CreateCard {
    /// The new uid.
    pub uid: i64,
    /// The company.
    pub company_id: i64,
    /// What it shows.
    pub profile: CardProfile,
}

impl Operation for CreateCard {
    /// The uid, and what the token is derived from.
    type Outcome = (i64, u64);
    type Refusal = CardError;

    async fn attempt(&self, book: &mut Book) -> Result<(i64, u64), Stop<CardError>> {
        let company = book.state::<Company>(&self.company_id.to_string()).await?;
        if *company == Company::Uncreated {
            return Err(Stop::Refused(CardError::NoCompany));
        }
        let id = self.uid.to_string();
        book.create::<Card>(&id);
        let create = CardCommand::Create {
            company_id: self.company_id,
            profile: self.profile.clone(),
        };
        book.decide::<Card>(&id, &create).await?;
        Ok((self.uid, 0))
    }
}

/// Adds a photo to a card.
#[derive(Debug, Clone)]
pub struct AddCardPhoto {
    /// The card.
    pub uid: i64,
    /// Where the photo is.
    pub photo_url: String,
}

impl Operation for AddCardPhoto {
    /// The photo's id.
    type Outcome = u32;
    type Refusal = CardError;

    async fn attempt(&self, book: &mut Book) -> Result<u32, Stop<CardError>> {
        let photo_url = self.photo_url.clone();
        let add = CardCommand::AddPhoto { photo_url };
        book.decide::<Card>(&self.uid.to_string(), &add).await?;
        Ok(created(book, self.uid).await?.last_photo_id)
    }
}

/// Gives an enterprise user another token.
#[derive(Debug, Clone)]
pub struct RotateCardToken {
    /// The card.
    pub uid: i64,
}

impl Operation for RotateCardToken {
    /// What the new token is derived from.
    type Outcome = u64;
    type Refusal = CardError;

    async fn attempt(&self, book: &mut Book) -> Result<u64, Stop<CardError>> {
        let id = self.uid.to_string();
        book.decide::<Card>(&id, &CardCommand::RotateToken).await?;
        Ok(created(book, self.uid).await?.token_version)
    }
}

/// What visitors do with a card that is only counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardVisit {
    /// They look at it.
    View,
    /// They forward it.
    Forward,
    /// They call its phone number.
    Call,
    /// They save its WeChat id.
    SaveWechat,
    /// They fetch its poster.
    SavePoster,
}

/// Records what a customer did with a card. Customers have a log each per card, so a hot card never contends.
#[derive(Debug, Clone, Copy)]
pub struct VisitCard {
    /// Who.
    pub customer_id: i64,
    /// With which card.
    pub uid: i64,
    /// What.
    pub visit: CardVisit,
}

impl Operation for VisitCard {
    type Outcome = ();
    type Refusal = CardError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<CardError>> {
        let Self {
            customer_id, uid, ..
        } = *self;
        usable(book, uid).await?;
        let event = match self.visit {
            CardVisit::View => VisitEvent::CardViewed { customer_id, uid },
            CardVisit::Forward => VisitEvent::CardForwarded { customer_id, uid },
            CardVisit::Call => VisitEvent::CardPhoneCalled { customer_id, uid },
            CardVisit::SaveWechat => VisitEvent::CardWechatSaved { customer_id, uid },
            CardVisit::SavePoster => VisitEvent::CardPosterSaved { customer_id, uid },
        };
        let visitor = Party::new(PartyKind::Customer, customer_id);
        let log = format!("{visitor}:{}", Target::new(TargetKind::Card, uid));
        book.append_any::<Visit>(&log, &[event])?;
        Ok(())
    }
}

/// Praises a card or likes its signature, or takes that back.
#[derive(Debug, Clone)]
pub struct ReactToCard {
    /// Who, how, to which card.
    pub key: ReactionKey,
    /// What is wished.
    pub wish: Wish,
    /// When.
    pub at: DateTime<Utc>,
}

impl ReactToCard {
    /// Names what a customer makes of a card.
    #[must_use]
    pub fn key(customer_id: i64, kind: ReactionKind, uid: i64) -> ReactionKey {
        ReactionKey {
            actor: Party::new(PartyKind::Customer, customer_id),
            kind,
            target: Target::new(TargetKind::Card, uid),
        }
    }
}

impl Operation for ReactToCard {
    type Outcome = Toggled;
    type Refusal = CardError;

    async fn attempt(&self, book: &mut Book) -> Result<Toggled, Stop<CardError>> {
        let uid = self.key.target.number();
        let uid = uid.ok_or(Stop::Refused(CardError::NotFound))?;
        // Looked at first, so that a refusal, too, is tied to how it stood.
        book.state::<Reaction>(&self.key.to_string()).await?;
        usable(book, uid).await?;
        let stands = react(book, &self.key, self.wish, Standing::Live)
            .await
            .map_err(|stop| stop.map(|ReactionError::NoTarget| CardError::NotFound))?;
        Ok(Toggled {
            stands,
            at: self.at,
        })
    }
}
