//! What can have happened to a merchant (商家), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::listed::{Listed, described, listing};
use crate::stored_events;

described! {
    /// How a merchant is described. Staff publishes it for everybody to read, so that nothing in it is sealed.
    MerchantDetails, edited by MerchantEdit
    fixed {}
    free {
        /// 1…64 characters.
        name: String,
        /// The name of a picture.
        logo: Option<String>,
        /// Who it is, at most 2000 characters.
        intro: String,
        /// At most 200 characters.
        address: String,
        /// For customers, at most 32 characters.
        phone: Option<String>,
        /// For customers, at most 128 characters.
        email: Option<String>,
    }
}

/// Facts about a merchant. Its stream is `Merchant:{merchant_id}`, 32 lower-case hex characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MerchantEvent {
    /// Staff made it. It is shown.
    MerchantCreated(MerchantDetails),
    /// It is described otherwise. Only changed fields are there.
    MerchantEdited(MerchantEdit),
    /// It is out of sight.
    MerchantWithdrawn {},
    /// It is shown again.
    MerchantRestored {},
}

stored_events!(MerchantEvent {
    MerchantCreated: 1,
    MerchantEdited: 1,
    MerchantWithdrawn: 1,
    MerchantRestored: 1,
});

listing!(
    "Merchant": MerchantDetails, MerchantEdit,
    MerchantEvent { MerchantCreated, MerchantEdited, MerchantWithdrawn, MerchantRestored }
);

/// A merchant as its own rules need to see it. Readers want `projections::catalogue`.
pub type Merchant = Listed<MerchantDetails>;
