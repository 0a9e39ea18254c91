//! Commands to banners (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_some};
use super::listing::{Bounds, make};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::listed::ListedCommand;
use crate::events::Banner;
use crate::events::banner::{BannerDetails, BannerEdit, Placement};

/// Put up a banner.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBanner {
    /// `home`, `design_circle`, `game` or `ticket`.
    #[schema(value_type = String)]
    placement: Placement,
    /// The name of a picture.
    image: String,
    /// Where it leads, at most 512 characters; empty when nowhere.
    #[serde(default)]
    url: String,
    /// Its place in the row: small numbers come first.
    #[serde(default)]
    position: i32,
}

impl Fields for CreateBanner {
    const NAME: &'static str = "CreateBanner";

    fn check(&self, flaws: &mut Flaws) {
        flaws.image("image", Some(&self.image));
        flaws.text("url", Some(&self.url), 512);
    }
}

impl StaffCreation for CreateBanner {
    type Target = Numbered<Banner>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = BannerDetails {
            placement: self.placement,
            image: self.image,
            url: trimmed(&self.url),
            position: self.position,
        };
        let id = call.app.ledger().next_id("banner").await?.to_string();
        make::<Numbered<Banner>, _>(call, id, details).await
    }
}

/// Change a banner; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditBanner {
    /// The name of a picture.
    image: Option<String>,
    /// Where it leads, at most 512 characters; empty when nowhere.
    url: Option<String>,
    /// Its place in the row: small numbers come first.
    position: Option<i32>,
}

impl Fields for EditBanner {
    const NAME: &'static str = "EditBanner";

    fn check(&self, flaws: &mut Flaws) {
        flaws.image("image", self.image.as_ref());
        flaws.text("url", self.url.as_ref(), 512);
    }
}

impl StaffCommand for EditBanner {
    type Target = Numbered<Banner>;

    async fn run(self, call: Call, target: Numbered<Banner>) -> Result<Success, Failure> {
        let edit = BannerEdit {
            image: self.image,
            url: trimmed_some(self.url.as_ref()),
            position: self.position,
        };
        execute::<Banner>(call, target, ListedCommand::Edit(edit)).await
    }
}

plain!(
    /// Take a banner down.
    WithdrawBanner to Numbered<Banner>: Banner, ListedCommand::Withdraw
);
plain!(
    /// Put a banner up again.
    RestoreBanner to Numbered<Banner>: Banner, ListedCommand::Restore
);
