//! What can be asked of a business card (contract README section 3, row 7; `zhugeleida.md` 4).
//!
//! `operations.rs` has the commands over several streams: a card of a company, what visitors do with a card.

mod operations;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{Decide, changed};
use crate::events::card::{CardProfile, CreatedCard};
use crate::events::{Card, CardEvent};
use crate::ledger::Personal;

pub use operations::{
    AddCardPhoto, CardVisit, CreateCard, ReactToCard, RotateCardToken, VisitCard,
};

/// Photos a card may show.
const PHOTOS_MAX: usize = 20;

/// What can be asked of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardCommand {
    /// Create it. That the company exists is the operation's to guard.
    Create {
        /// Whom the enterprise user works for.
        company_id: i64,
        /// What it shows.
        profile: CardProfile,
    },
    /// Let it show something else.
    Edit(CardEdit),
    /// Add a photo.
    AddPhoto {
        /// Where it is.
        photo_url: String,
    },
    /// Remove a photo.
    RemovePhoto {
        /// Which.
        photo_id: u32,
    },
    /// Let signatures under the present token be void.
    RotateToken,
    /// Take it out of use.
    Disable,
    /// Put it back into use.
    Enable,
    /// Forget whose it is.
    Erase,
}

/// What changes of what a card shows; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `CardEvent`")]
pub struct CardEdit {
    pub username: Option<Personal<String>>,
    pub avatar: Option<Personal<String>>,
    pub mingpian_avatar: Option<Personal<String>>,
    pub address: Option<String>,
    pub position: Option<String>,
    pub email: Option<Personal<String>>,
    pub wechat: Option<Personal<String>>,
    pub mingpian_phone: Option<Personal<String>>,
    pub sign: Option<Personal<String>>,
    pub qr_code_url: Option<String>,
    pub poster_url: Option<String>,
}

/// Why a card says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CardError {
    /// There is none.
    #[error("there is no such card")]
    NotFound,
    /// The id is taken.
    #[error("the card exists already")]
    Exists,
    /// It may not be used.
    #[error("the card is disabled")]
    Disabled,
    /// There is no such company.
    #[error("there is no such company")]
    NoCompany,
    /// The card has no such photo.
    #[error("the card has no photo {photo_id}")]
    NoPhoto {
        /// The id.
        photo_id: u32,
    },
    /// It shows as many photos as a card may show.
    #[error("the card shows as many photos as a card may show")]
    Full,
}

impl Decide for Card {
    type Command = CardCommand;
    type Refusal = CardError;

    fn decide(&self, command: &CardCommand) -> Result<Vec<CardEvent>, CardError> {
        match (command, self) {
            (
                CardCommand::Create {
                    company_id,
                    profile,
                },
                Self::Uncreated,
            ) => Ok(vec![CardEvent::CardCreated {
                company_id: *company_id,
                profile: profile.clone(),
            }]),
            (CardCommand::Create { .. }, Self::Created(_)) => Err(CardError::Exists),
            (_, Self::Uncreated) => Err(CardError::NotFound),
            // Who was forgotten stays so.
            (CardCommand::Disable | CardCommand::Erase, Self::Created(card)) if card.erased => {
                Ok(vec![])
            }
            (_, Self::Created(card)) if card.erased => Err(CardError::NotFound),
            (command, Self::Created(card)) => change(card, command),
        }
    }
}

fn change(card: &CreatedCard, command: &CardCommand) -> Result<Vec<CardEvent>, CardError> {
    Ok(match command {
        CardCommand::Create { .. } => return Err(CardError::Exists),
        CardCommand::Erase => vec![CardEvent::PersonErased {}],
        CardCommand::Edit(edit) => edited(&card.profile, edit),
        CardCommand::AddPhoto { .. } if card.photos.len() >= PHOTOS_MAX => {
            return Err(CardError::Full);
        }
        CardCommand::AddPhoto { photo_url } => vec![CardEvent::CardPhotoAdded {
            photo_id: card.last_photo_id + 1,
            photo_url: photo_url.clone(),
        }],
        CardCommand::RemovePhoto { photo_id } if card.photos.contains(photo_id) => {
            vec![CardEvent::CardPhotoRemoved {
                photo_id: *photo_id,
            }]
        }
        CardCommand::RemovePhoto { photo_id } => {
            return Err(CardError::NoPhoto {
                photo_id: *photo_id,
            });
        }
        CardCommand::RotateToken => vec![CardEvent::CardTokenRotated {}],
        CardCommand::Disable if card.enabled => vec![CardEvent::CardDisabled {}],
        CardCommand::Enable if !card.enabled => vec![CardEvent::CardEnabled {}],
        CardCommand::Disable | CardCommand::Enable => vec![],
    })
}

/// Only what changes; nothing at all when nothing does.
fn edited(old: &CardProfile, edit: &CardEdit) -> Vec<CardEvent> {
    let edit = CardEdit {
        username: changed(edit.username.as_ref(), &old.username),
        avatar: changed(edit.avatar.as_ref(), &old.avatar),
        mingpian_avatar: changed(edit.mingpian_avatar.as_ref(), &old.mingpian_avatar),
        address: changed(edit.address.as_ref(), &old.address),
        position: changed(edit.position.as_ref(), &old.position),
        email: changed(edit.email.as_ref(), &old.email),
        wechat: changed(edit.wechat.as_ref(), &old.wechat),
        mingpian_phone: changed(edit.mingpian_phone.as_ref(), &old.mingpian_phone),
        sign: changed(edit.sign.as_ref(), &old.sign),
        qr_code_url: changed(edit.qr_code_url.as_ref(), &old.qr_code_url),
        poster_url: changed(edit.poster_url.as_ref(), &old.poster_url),
    };
    if edit == CardEdit::default() {
        return vec![];
    }
    vec![CardEvent::CardEdited {
        username: edit.username,
        avatar: edit.avatar,
        mingpian_avatar: edit.mingpian_avatar,
        address: edit.address,
        position: edit.position,
        email: edit.email,
        wechat: edit.wechat,
        mingpian_phone: edit.mingpian_phone,
        sign: edit.sign,
        qr_code_url: edit.qr_code_url,
        poster_url: edit.poster_url,
    }]
}
