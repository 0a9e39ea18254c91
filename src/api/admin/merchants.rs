//! Commands to merchants (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_given, trimmed_some};
use super::listing::{Bounds, given, make};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Hexed, bit};
use crate::commands::listed::ListedCommand;
use crate::commands::member::new_hex_id;
use crate::events::Merchant;
use crate::events::merchant::{MerchantDetails, MerchantEdit};

/// Enter a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateMerchant {
    /// 1 to 64 characters.
    name: String,
    /// The name of a picture.
    logo: Option<String>,
    /// At most 2000 characters.
    #[serde(default)]
    intro: String,
    /// At most 200 characters.
    #[serde(default)]
    address: String,
    /// For customers, at most 32 characters.
    phone: Option<String>,
    /// For customers, at most 128 characters.
    email: Option<String>,
}

impl Fields for CreateMerchant {
    const NAME: &'static str = "CreateMerchant";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", Some(&self.name), 64);
        flaws.image("logo", self.logo.as_ref());
        flaws.text("intro", Some(&self.intro), 2000);
        flaws.text("address", Some(&self.address), 200);
        flaws.text("phone", self.phone.as_ref(), 32);
        flaws.text("email", self.email.as_ref(), 128);
    }
}

impl StaffCreation for CreateMerchant {
    type Target = Hexed<Merchant>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = MerchantDetails {
            name: trimmed(&self.name),
            logo: self.logo,
            intro: trimmed(&self.intro),
            address: trimmed(&self.address),
            phone: trimmed_some(self.phone.as_ref()),
            email: trimmed_some(self.email.as_ref()),
        };
        make::<Hexed<Merchant>, _>(call, new_hex_id(), details).await
    }
}

/// Describe a merchant otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditMerchant {
    /// 1 to 64 characters.
    name: Option<String>,
    /// The name of a picture. Null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    logo: Option<Option<String>>,
    /// At most 2000 characters.
    intro: Option<String>,
    /// At most 200 characters.
    address: Option<String>,
    /// For customers, at most 32 characters. Null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    /// For customers, at most 128 characters. Null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
}

impl Fields for EditMerchant {
    const NAME: &'static str = "EditMerchant";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", self.name.as_ref(), 64);
        flaws.image("logo", self.logo.as_ref().and_then(Option::as_ref));
        flaws.text("intro", self.intro.as_ref(), 2000);
        flaws.text("address", self.address.as_ref(), 200);
        flaws.text("phone", self.phone.as_ref().and_then(Option::as_ref), 32);
        flaws.text("email", self.email.as_ref().and_then(Option::as_ref), 128);
    }
}

impl StaffCommand for EditMerchant {
    type Target = Hexed<Merchant>;

    async fn run(self, call: Call, target: Hexed<Merchant>) -> Result<Success, Failure> {
        let edit = MerchantEdit {
            name: trimmed_some(self.name.as_ref()),
            logo: self.logo,
            intro: trimmed_some(self.intro.as_ref()),
            address: trimmed_some(self.address.as_ref()),
            phone: trimmed_given(self.phone.as_ref()),
            email: trimmed_given(self.email.as_ref()),
        };
        execute::<Merchant>(call, target, ListedCommand::Edit(edit)).await
    }
}

plain!(
    /// Put a merchant and its cloths out of sight.
    WithdrawMerchant to Hexed<Merchant>: Merchant, ListedCommand::Withdraw
);
plain!(
    /// Show a merchant again.
    RestoreMerchant to Hexed<Merchant>: Merchant, ListedCommand::Restore
);
