//! What can have happened to a cloth (服饰) of the design circle or of a merchant, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::listed::{Listed, described, listing};
use crate::stored_events;

/// Which part of the catalogue a cloth belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// 设计圈.
    Design,
    /// 商家.
    Merchant,
}

impl Collection {
    /// Its spelling in payloads and tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Design => "design",
            Self::Merchant => "merchant",
        }
    }
}

described! {
    /// How a cloth is described.
    ClothDetails, edited by ClothEdit
    fixed {
        /// Which part of the catalogue it belongs to.
        collection: Collection,
        /// Whose it is: given exactly for cloths of merchants.
        merchant_id: Option<String>,
    }
    free {
        /// 1…100 characters.
        name: String,
        /// The name of a picture.
        image: String,
        /// What it is, at most 2000 characters.
        intro: String,
        /// Its price in fen.
        price_fen: i64,
        /// The dynasty its style is of, a code of the clients' own, 0…99.
        dynasty: i16,
        /// About who designed it, at most 2000 characters; `""` for cloths of merchants.
        designer_intro: String,
        /// Among those that are recommended.
        recommended: bool,
    }
}

/// Cloths of merchants have no designer.
fn lacks(cloth: &ClothDetails, edit: &ClothEdit) -> Option<&'static str> {
    let designed = edit
        .designer_intro
        .as_deref()
        .is_some_and(|intro| !intro.is_empty());
    (cloth.collection == Collection::Merchant && designed).then_some("designer_intro")
}

/// Facts about a cloth. Its stream is `Cloth:{cloth_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClothEvent {
    /// Staff made it. It is shown.
    ClothCreated(ClothDetails),
    /// It is described otherwise. Only changed fields are there.
    ClothEdited(ClothEdit),
    /// It is out of sight.
    ClothWithdrawn {},
    /// It is shown again.
    ClothRestored {},
}

stored_events!(ClothEvent {
    ClothCreated: 1,
    ClothEdited: 1,
    ClothWithdrawn: 1,
    ClothRestored: 1,
});

listing!(
    "Cloth": ClothDetails, ClothEdit,
    ClothEvent { ClothCreated, ClothEdited, ClothWithdrawn, ClothRestored }
    lacks lacks
);

/// A cloth as its own rules need to see it. Readers want `projections::catalogue`.
pub type Cloth = Listed<ClothDetails>;
