//! What can have happened to a business card (名片) and the enterprise user it stands for, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::set;
use crate::ledger::{Personal, State};
use crate::stored_events;

/// Facts about a card. Its stream is `Card:{uid}`, a positive integer; an enterprise user has one card, and its id is
/// theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardEvent {
    /// The card came to be.
    CardCreated {
        /// Whom the enterprise user works for, for good.
        company_id: i64,
        /// What it shows.
        #[serde(flatten)]
        profile: CardProfile,
    },
    /// It shows something else. Only changed fields are there; `""` is nothing.
    CardEdited {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<Personal<String>>,
        /// The new picture of the person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        avatar: Option<Personal<String>>,
        /// The new picture on the card.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mingpian_avatar: Option<Personal<String>>,
        /// The new address of the company.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// The new job title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<String>,
        /// The new e-mail address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Personal<String>>,
        /// The new WeChat id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wechat: Option<Personal<String>>,
        /// The new phone number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mingpian_phone: Option<Personal<String>>,
        /// The new signature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sign: Option<Personal<String>>,
        /// The new place of the QR code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        qr_code_url: Option<String>,
        /// The new place of the poster.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        poster_url: Option<String>,
    },
    /// It shows one photo more.
    CardPhotoAdded {
        /// Counted within the card from 1; never given twice.
        photo_id: u32,
        /// Where it is, 1…512 characters.
        photo_url: String,
    },
    /// It shows one photo less.
    CardPhotoRemoved {
        /// Which.
        photo_id: u32,
    },
    /// Signatures under the old token are void.
    CardTokenRotated {},
    /// Neither the card nor its enterprise user may be used.
    CardDisabled {},
    /// Both may be used again.
    CardEnabled {},
    /// The person was forgotten: their data key is destroyed.
    PersonErased {},
}

stored_events!(CardEvent {
    CardCreated: 1,
    CardEdited: 1,
    CardPhotoAdded: 1,
    CardPhotoRemoved: 1,
    CardTokenRotated: 1,
    CardDisabled: 1,
    CardEnabled: 1,
    PersonErased: 1,
});

/// What a card shows; `""` is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardProfile {
    /// Whose card it is, 1…32 characters.
    pub username: Personal<String>,
    /// Picture of the person, at most 512 characters.
    pub avatar: Personal<String>,
    /// Picture on the card, at most 512 characters; without one it is `avatar`.
    pub mingpian_avatar: Personal<String>,
    /// Of the company, at most 200 characters.
    pub address: String,
    /// Job title, at most 64 characters.
    pub position: String,
    /// At most 128 characters.
    pub email: Personal<String>,
    /// WeChat id, at most 64 characters.
    pub wechat: Personal<String>,
    /// At most 32 characters.
    pub mingpian_phone: Personal<String>,
    /// What the person says of themselves (签名), at most 200 characters.
    pub sign: Personal<String>,
    /// Where a QR code made elsewhere is, at most 512 characters.
    pub qr_code_url: String,
    /// Where a poster made elsewhere is, at most 512 characters.
    pub poster_url: String,
}

impl CardProfile {
    /// What was the person's is gone; what was the company's stays.
    fn forget(&mut self) {
        let Self {
            username,
            avatar,
            mingpian_avatar,
            address: _,
            position: _,
            email,
            wechat,
            mingpian_phone,
            sign,
            qr_code_url,
            poster_url,
        } = self;
        for text in [
            username,
            avatar,
            mingpian_avatar,
            email,
            wechat,
            mingpian_phone,
            sign,
        ] {
            text.erase();
        }
        qr_code_url.clear();
        poster_url.clear();
    }
}

/// A card as rules and signatures need to see it. Readers want `projections::cards`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every card that is looked at was created"
)]
pub enum Card {
    /// Never created.
    #[default]
    Uncreated,
    /// There, perhaps disabled.
    Created(CreatedCard),
}

/// What is known of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedCard {
    /// Whom the enterprise user works for.
    pub company_id: i64,
    /// What it shows.
    pub profile: CardProfile,
    /// May be used.
    pub enabled: bool,
    /// The person was forgotten.
    pub erased: bool,
    /// How often the token was rotated: the token is derived from it.
    pub token_version: u64,
    /// The ids of its photos.
    pub photos: BTreeSet<u32>,
    /// The last id given to a photo.
    pub last_photo_id: u32,
}

impl Card {
    /// The card, if there is one.
    #[must_use]
    pub fn created(&self) -> Option<&CreatedCard> {
        match self {
            Self::Uncreated => None,
            Self::Created(card) => Some(card),
        }
    }
}

impl CreatedCard {
    fn apply(&mut self, event: &CardEvent) {
        match event {
            CardEvent::CardCreated { .. } => {}
            CardEvent::CardEdited {
                username,
                avatar,
                mingpian_avatar,
                address,
                position,
                email,
                wechat,
                mingpian_phone,
                sign,
                qr_code_url,
                poster_url,
            } => {
                let profile = &mut self.profile;
                set(&mut profile.username, username.as_ref());
                set(&mut profile.avatar, avatar.as_ref());
                set(&mut profile.mingpian_avatar, mingpian_avatar.as_ref());
                set(&mut profile.address, address.as_ref());
                set(&mut profile.position, position.as_ref());
                set(&mut profile.email, email.as_ref());
                set(&mut profile.wechat, wechat.as_ref());
                set(&mut profile.mingpian_phone, mingpian_phone.as_ref());
                set(&mut profile.sign, sign.as_ref());
                set(&mut profile.qr_code_url, qr_code_url.as_ref());
                set(&mut profile.poster_url, poster_url.as_ref());
            }
            CardEvent::CardPhotoAdded { photo_id, .. } => {
                self.photos.insert(*photo_id);
                self.last_photo_id = self.last_photo_id.max(*photo_id);
            }
            CardEvent::CardPhotoRemoved { photo_id } => {
                self.photos.remove(photo_id);
            }
            CardEvent::CardTokenRotated {} => self.token_version += 1,
            CardEvent::CardDisabled {} => self.enabled = false,
            CardEvent::CardEnabled {} => self.enabled = true,
            CardEvent::PersonErased {} => {
                self.erased = true;
                self.enabled = false;
                self.token_version += 1;
                self.photos.clear();
                self.profile.forget();
            }
        }
    }
}

impl State for Card {
    const TYPE: &'static str = "Card";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = CardEvent;

    fn apply(&mut self, event: &CardEvent) {
        match (event, &mut *self) {
            (
                CardEvent::CardCreated {
                    company_id,
                    profile,
                },
                _,
            ) => {
                *self = Self::Created(CreatedCard {
                    company_id: *company_id,
                    profile: profile.clone(),
                    enabled: true,
                    erased: false,
                    token_version: 0,
                    photos: BTreeSet::new(),
                    last_photo_id: 0,
                });
            }
            (event, Self::Created(card)) => card.apply(event),
            (_, Self::Uncreated) => {}
        }
    }
}
