//! Commands to cloths (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_some};
use super::listing::{Bounds, create_by};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::cloth;
use crate::commands::listed::ListedCommand;
use crate::commands::member::is_hex_id;
use crate::events::Cloth;
use crate::events::cloth::{ClothDetails, ClothEdit, Collection};

/// Enter a cloth of the design circle or of a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCloth {
    /// `design` or `merchant`.
    #[schema(value_type = String)]
    collection: Collection,
    /// Whose it is: for, and only for, `merchant`.
    merchant_id: Option<String>,
    /// 1 to 100 characters.
    name: String,
    /// The name of a picture.
    image: String,
    /// At most 2000 characters.
    #[serde(default)]
    intro: String,
    /// In fen, 0 to 1000000000.
    price: i64,
    /// A code of the clients' own, 0 to 99.
    #[serde(default)]
    dynasty: i16,
    /// About who designed it, at most 2000 characters; of the design circle only.
    #[serde(default)]
    designer_intro: String,
    /// Among those that are recommended.
    #[serde(default)]
    recommended: bool,
}

impl Fields for CreateCloth {
    const NAME: &'static str = "CreateCloth";

    fn check(&self, flaws: &mut Flaws) {
        self.check_collection(flaws);
        dynasty(flaws, Some(self.dynasty));
        flaws.name("name", Some(&self.name), 100);
        flaws.image("image", Some(&self.image));
        flaws.text("intro", Some(&self.intro), 2000);
        flaws.price("price", Some(self.price));
        flaws.text("designer_intro", Some(&self.designer_intro), 2000);
    }
}

impl StaffCreation for CreateCloth {
    type Target = Numbered<Cloth>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = ClothDetails {
            collection: self.collection,
            merchant_id: self.merchant_id,
            name: trimmed(&self.name),
            image: self.image,
            intro: trimmed(&self.intro),
            price_fen: self.price,
            dynasty: self.dynasty,
            designer_intro: trimmed(&self.designer_intro),
            recommended: self.recommended,
        };
        let id = call.app.ledger().next_id("cloth").await?.to_string();
        create_by::<Numbered<Cloth>, _>(call, &cloth::CreateCloth { id, details }).await
    }
}

/// Describe a cloth otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditCloth {
    /// 1 to 100 characters.
    name: Option<String>,
    /// The name of a picture.
    image: Option<String>,
    /// At most 2000 characters.
    intro: Option<String>,
    /// In fen, 0 to 1000000000.
    price: Option<i64>,
    /// A code of the clients' own, 0 to 99.
    dynasty: Option<i16>,
    /// About who designed it, at most 2000 characters; of the design circle only.
    designer_intro: Option<String>,
    /// Among those that are recommended.
    recommended: Option<bool>,
}

impl Fields for EditCloth {
    const NAME: &'static str = "EditCloth";

    fn check(&self, flaws: &mut Flaws) {
        dynasty(flaws, self.dynasty);
        flaws.name("name", self.name.as_ref(), 100);
        flaws.image("image", self.image.as_ref());
        flaws.text("intro", self.intro.as_ref(), 2000);
        flaws.price("price", self.price);
        flaws.text("designer_intro", self.designer_intro.as_ref(), 2000);
    }
}

impl StaffCommand for EditCloth {
    type Target = Numbered<Cloth>;

    async fn run(self, call: Call, target: Numbered<Cloth>) -> Result<Success, Failure> {
        let edit = ClothEdit {
            name: trimmed_some(self.name.as_ref()),
            image: self.image,
            intro: trimmed_some(self.intro.as_ref()),
            price_fen: self.price,
            dynasty: self.dynasty,
            designer_intro: trimmed_some(self.designer_intro.as_ref()),
            recommended: self.recommended,
        };
        execute::<Cloth>(call, target, ListedCommand::Edit(edit)).await
    }
}

plain!(
    /// Put a cloth out of sight.
    WithdrawCloth to Numbered<Cloth>: Cloth, ListedCommand::Withdraw
);
plain!(
    /// Show a cloth again.
    RestoreCloth to Numbered<Cloth>: Cloth, ListedCommand::Restore
);

impl CreateCloth {
    fn check_collection(&self, flaws: &mut Flaws) {
        match (self.collection, &self.merchant_id) {
            (Collection::Merchant, None) => flaws.say("merchant_id", "is missing"),
            (Collection::Merchant, Some(id)) if !is_hex_id(id) => {
                flaws.say("merchant_id", "must be 32 lower-case hex characters");
            }
            (Collection::Design, Some(_)) => {
                flaws.say("merchant_id", "belongs to cloths of merchants");
            }
            (Collection::Merchant, Some(_)) | (Collection::Design, None) => {}
        }
        if self.collection == Collection::Merchant && !self.designer_intro.trim().is_empty() {
            flaws.say("designer_intro", "belongs to cloths of the design circle");
        }
    }
}

fn dynasty(flaws: &mut Flaws, code: Option<i16>) {
    if code.is_some_and(|code| !(0..=99).contains(&code)) {
        flaws.say("dynasty", "must be 0 to 99");
    }
}
