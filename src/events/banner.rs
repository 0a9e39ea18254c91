//! What can have happened to a banner (a picture that leads somewhere), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::listed::{Listed, described, listing};
use crate::stored_events;

/// Where a banner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// 首页.
    Home,
    /// 设计圈.
    DesignCircle,
    /// 游戏.
    Game,
    /// 票儿.
    Ticket,
}

impl Placement {
    /// Its spelling in payloads and tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::DesignCircle => "design_circle",
            Self::Game => "game",
            Self::Ticket => "ticket",
        }
    }
}

described! {
    /// How a banner is described.
    BannerDetails, edited by BannerEdit
    fixed {
        /// Where it stands.
        placement: Placement,
    }
    free {
        /// The name of a picture.
        image: String,
        /// Where it leads, at most 512 characters; `""` when nowhere.
        url: String,
        /// Its place in the row: small numbers come first.
        position: i32,
    }
}

/// Facts about a banner. Its stream is `Banner:{banner_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BannerEvent {
    /// Staff made it. It is shown.
    BannerCreated(BannerDetails),
    /// It is described otherwise. Only changed fields are there.
    BannerEdited(BannerEdit),
    /// It is out of sight.
    BannerWithdrawn {},
    /// It is shown again.
    BannerRestored {},
}

stored_events!(BannerEvent {
    BannerCreated: 1,
    BannerEdited: 1,
    BannerWithdrawn: 1,
    BannerRestored: 1,
});

listing!(
    "Banner": BannerDetails, BannerEdit,
    BannerEvent { BannerCreated, BannerEdited, BannerWithdrawn, BannerRestored }
);

/// A banner as its own rules need to see it. Readers want `projections::catalogue`.
pub type Banner = Listed<BannerDetails>;
