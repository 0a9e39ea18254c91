//! Commands to business cards (`zhugeleida.md` section 4).

use std::ops::RangeInclusive;

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, Target, bit};
use crate::api::zhugeleida::card_token;
use crate::commands::card::{self, CardCommand, CardEdit};
use crate::events::Card;
use crate::events::card::CardProfile;
use crate::ledger::{Personal, State, StreamId};

/// Give an enterprise user a card. The answer shows the token that they sign with: `data.token`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCard {
    /// Whom the enterprise user works for.
    company_id: i64,
    /// 1 to 32 characters.
    username: String,
    /// Path of a picture, at most 512 characters.
    #[serde(default)]
    avatar: String,
    /// Path of the picture on the card, at most 512 characters.
    #[serde(default)]
    mingpian_avatar: String,
    /// Of the company, at most 200 characters.
    #[serde(default)]
    address: String,
    /// Job title, at most 64 characters.
    #[serde(default)]
    position: String,
    /// At most 128 characters.
    #[serde(default)]
    email: String,
    /// WeChat id, at most 64 characters.
    #[serde(default)]
    wechat: String,
    /// At most 32 characters.
    #[serde(default)]
    mingpian_phone: String,
    /// Signature, at most 200 characters.
    #[serde(default)]
    sign: String,
    /// Path of a QR code made elsewhere, at most 512 characters.
    #[serde(default)]
    qr_code_url: String,
    /// Path of a poster made elsewhere, at most 512 characters.
    #[serde(default)]
    poster_url: String,
}

impl Fields for CreateCard {
    const NAME: &'static str = "CreateCard";

    fn check(&self, flaws: &mut Flaws) {
        for (field, text) in [
            ("username", &self.username),
            ("avatar", &self.avatar),
            ("mingpian_avatar", &self.mingpian_avatar),
            ("address", &self.address),
            ("position", &self.position),
            ("email", &self.email),
            ("wechat", &self.wechat),
            ("mingpian_phone", &self.mingpian_phone),
            ("sign", &self.sign),
            ("qr_code_url", &self.qr_code_url),
            ("poster_url", &self.poster_url),
        ] {
            flaws.chars(field, text.trim(), bounds(field));
        }
    }
}

impl StaffCreation for CreateCard {
    type Target = Numbered<Card>;
    const BIT: u64 = bit::MINI_PROGRAM;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let uid = call.app.ledger().next_id("card").await?;
        let subject = subject(uid);
        let own = |text: &str| Personal::new(subject.clone(), trimmed(text));
        let create = card::CreateCard {
            uid,
            company_id: self.company_id,
            profile: CardProfile {
                username: own(&self.username),
                avatar: own(&self.avatar),
                mingpian_avatar: own(&self.mingpian_avatar),
                address: trimmed(&self.address),
                position: trimmed(&self.position),
                email: own(&self.email),
                wechat: own(&self.wechat),
                mingpian_phone: own(&self.mingpian_phone),
                sign: own(&self.sign),
                qr_code_url: trimmed(&self.qr_code_url),
                poster_url: trimmed(&self.poster_url),
            },
        };
        let done = call.app.desk().run(&call.request, &create).await?;
        // A repeated key answers the card that the first request created, and its token.
        let (uid, token_version) = done.outcome;
        let success = Success::of::<Numbered<Card>, _>(&call.app, &uid.to_string(), &done);
        let token = card_token(call.app.ledger().keys(), uid, token_version);
        Ok(success.with("token", token))
    }
}

/// Let a card show something else; what is absent stays, `""` is nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditCard {
    /// 1 to 32 characters.
    username: Option<String>,
    /// Path of a picture, at most 512 characters.
    avatar: Option<String>,
    /// Path of the picture on the card, at most 512 characters.
    mingpian_avatar: Option<String>,
    /// Of the company, at most 200 characters.
    address: Option<String>,
    /// Job title, at most 64 characters.
    position: Option<String>,
    /// At most 128 characters.
    email: Option<String>,
    /// WeChat id, at most 64 characters.
    wechat: Option<String>,
    /// At most 32 characters.
    mingpian_phone: Option<String>,
    /// Signature, at most 200 characters.
    sign: Option<String>,
    /// Path of a QR code made elsewhere, at most 512 characters.
    qr_code_url: Option<String>,
    /// Path of a poster made elsewhere, at most 512 characters.
    poster_url: Option<String>,
}

impl Fields for EditCard {
    const NAME: &'static str = "EditCard";

    fn check(&self, flaws: &mut Flaws) {
        for (field, text) in [
            ("username", &self.username),
            ("avatar", &self.avatar),
            ("mingpian_avatar", &self.mingpian_avatar),
            ("address", &self.address),
            ("position", &self.position),
            ("email", &self.email),
            ("wechat", &self.wechat),
            ("mingpian_phone", &self.mingpian_phone),
            ("sign", &self.sign),
            ("qr_code_url", &self.qr_code_url),
            ("poster_url", &self.poster_url),
        ] {
            if let Some(text) = text {
                flaws.chars(field, text.trim(), bounds(field));
            }
        }
    }
}

impl StaffCommand for EditCard {
    type Target = Numbered<Card>;

    async fn run(self, call: Call, card: Numbered<Card>) -> Result<Success, Failure> {
        let subject = subject(card.number);
        let own =
            |text: Option<String>| text.map(|text| Personal::new(subject.clone(), trimmed(&text)));
        let plain = |text: Option<String>| text.map(|text| trimmed(&text));
        let edit = CardEdit {
            username: own(self.username),
            avatar: own(self.avatar),
            mingpian_avatar: own(self.mingpian_avatar),
            address: plain(self.address),
            position: plain(self.position),
            email: own(self.email),
            wechat: own(self.wechat),
            mingpian_phone: own(self.mingpian_phone),
            sign: own(self.sign),
            qr_code_url: plain(self.qr_code_url),
            poster_url: plain(self.poster_url),
        };
        execute::<Card>(call, card, CardCommand::Edit(edit)).await
    }
}

/// Add a photo to a card, which shows at most 20. The answer shows its id: `data.photo_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddCardPhoto {
    /// Path of the photo, 1 to 512 characters.
    photo_url: String,
}

impl Fields for AddCardPhoto {
    const NAME: &'static str = "AddCardPhoto";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("photo_url", self.photo_url.trim(), 1..=512);
    }
}

impl StaffCommand for AddCardPhoto {
    type Target = Numbered<Card>;

    async fn run(self, call: Call, card: Numbered<Card>) -> Result<Success, Failure> {
        let add = card::AddCardPhoto {
            uid: card.number,
            photo_url: trimmed(&self.photo_url),
        };
        let done = call.app.desk().run(&call.request, &add).await?;
        let success = Success::of::<Numbered<Card>, _>(&call.app, &card.id(), &done);
        Ok(success.with("photo_id", done.outcome))
    }
}

/// Remove a photo of a card.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveCardPhoto {
    /// Its id.
    photo_id: u32,
}

impl Fields for RemoveCardPhoto {
    const NAME: &'static str = "RemoveCardPhoto";
}

impl StaffCommand for RemoveCardPhoto {
    type Target = Numbered<Card>;

    async fn run(self, call: Call, card: Numbered<Card>) -> Result<Success, Failure> {
        let photo_id = self.photo_id;
        execute::<Card>(call, card, CardCommand::RemovePhoto { photo_id }).await
    }
}

plain! {
    /// Take a card and its enterprise user out of use.
    DisableCard to Numbered<Card>: Card, CardCommand::Disable
}

plain! {
    /// Put a card and its enterprise user back into use.
    EnableCard to Numbered<Card>: Card, CardCommand::Enable
}

/// Give an enterprise user another token; the old one is void. The answer shows it: `data.token`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateCardToken {}

impl Fields for RotateCardToken {
    const NAME: &'static str = "RotateCardToken";
}

impl StaffCommand for RotateCardToken {
    type Target = Numbered<Card>;

    async fn run(self, call: Call, card: Numbered<Card>) -> Result<Success, Failure> {
        let rotate = card::RotateCardToken { uid: card.number };
        let done = call.app.desk().run(&call.request, &rotate).await?;
        let token = card_token(call.app.ledger().keys(), card.number, done.outcome);
        let success = Success::of::<Numbered<Card>, _>(&call.app, &card.id(), &done);
        Ok(success.with("token", token))
    }
}

/// Whose the texts are.
fn subject(uid: i64) -> String {
    StreamId::new(Card::TYPE, uid.to_string()).to_string()
}

fn bounds(field: &str) -> RangeInclusive<usize> {
    match field {
        "username" => 1..=32,
        "mingpian_phone" => 0..=32,
        "position" | "wechat" => 0..=64,
        "email" => 0..=128,
        "address" | "sign" => 0..=200,
        _ => 0..=512,
    }
}
