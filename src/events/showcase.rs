//! What can have happened to a customer case (客户案例), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// What trade a case belongs to (numbers as in `weidu.md` 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Industry {
    /// 1, 品牌设计.
    BrandDesign,
    /// 2, 影视.
    Film,
    /// 3, 企业网站建设.
    CompanyWebsite,
    /// 4, 动漫设计.
    Animation,
    /// 5, 游戏.
    Game,
    /// 6, 特效.
    VisualEffects,
}

impl Industry {
    /// All of them, by their numbers.
    pub const ALL: [Self; 6] = [
        Self::BrandDesign,
        Self::Film,
        Self::CompanyWebsite,
        Self::Animation,
        Self::Game,
        Self::VisualEffects,
    ];

    /// Its number on the wire and in tables.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::BrandDesign => 1,
            Self::Film => 2,
            Self::CompanyWebsite => 3,
            Self::Animation => 4,
            Self::Game => 5,
            Self::VisualEffects => 6,
        }
    }

    /// The one of a number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|industry| i64::from(industry.number()) == number)
    }
}

/// What a case is worth, 0…100, in hundredths: sums and comparisons of stored scores stay exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Score(u16);

impl Score {
    /// The best there is: 100.
    pub const MOST_HUNDREDTHS: u16 = 100 * 100;

    /// `None` above [`Score::MOST_HUNDREDTHS`].
    #[must_use]
    pub const fn from_hundredths(hundredths: u16) -> Option<Self> {
        if hundredths <= Self::MOST_HUNDREDTHS {
            Some(Self(hundredths))
        } else {
            None
        }
    }

    /// How many hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u16 {
        self.0
    }
}

/// Facts about a case. Its stream is `Showcase:{task_id}`, 26 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShowcaseEvent {
    /// Everybody can see it.
    ShowcasePublished {
        /// The id of its author, without the realm.
        user_id: String,
        /// Its trade.
        industry: Industry,
        /// What it is worth.
        score_hundredths: Score,
    },
    /// Only changed fields are there.
    ShowcaseEdited {
        /// The id of its author from here on, without the realm.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
        /// Its trade from here on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        industry: Option<Industry>,
    },
    /// It was valued otherwise.
    ShowcaseScored {
        /// What it is worth.
        score_hundredths: Score,
    },
    /// A file belongs to it.
    ShowcaseFileAdded(ShowcaseFile),
    /// A file no longer does. Bytes that were uploaded here are removed afterwards.
    ShowcaseFileRemoved {
        /// Which.
        file_id: String,
    },
    /// Nobody can see it.
    ShowcaseWithdrawn {},
    /// Everybody can see it again.
    ShowcaseRestored {},
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowcaseFile {
    /// 26 characters.
    pub file_id: String,
    /// The id of who supplied it, without the realm.
    pub user_id: String,
    /// With its extension.
    pub name: String,
    /// As `image/jpeg`.
    pub mime_type: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// As it is shown; 0 when it is no picture.
    pub width_pixels: u32,
    /// As it is shown; 0 when it is no picture.
    pub height_pixels: u32,
    /// Where it is served; also its key in the file store.
    pub path: String,
    /// The same of its preview, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview_path: Option<String>,
    /// SHA-256 of the bytes, hex, where they were uploaded here; of other files only the description is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

stored_events!(ShowcaseEvent {
    ShowcasePublished: 1,
    ShowcaseEdited: 1,
    ShowcaseScored: 1,
    ShowcaseFileAdded: 1,
    ShowcaseFileRemoved: 1,
    ShowcaseWithdrawn: 1,
    ShowcaseRestored: 1,
});

/// A case as its own rules need to see it. Readers want `projections::showcases`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Showcase {
    /// Never published.
    #[default]
    Unpublished,
    /// Published, perhaps withdrawn.
    Published(PublishedShowcase),
}

/// What is known of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedShowcase {
    /// The id of its author, without the realm.
    pub user_id: String,
    /// Its trade.
    pub industry: Industry,
    /// What it is worth.
    pub score: Score,
    /// Nobody can see it.
    pub withdrawn: bool,
    /// The ids of its files.
    pub files: BTreeSet<String>,
}

impl Showcase {
    /// What is known of it, withdrawn or not.
    #[must_use]
    pub fn published(&self) -> Option<&PublishedShowcase> {
        match self {
            Self::Unpublished => None,
            Self::Published(case) => Some(case),
        }
    }
}

impl PublishedShowcase {
    fn apply(&mut self, event: &ShowcaseEvent) {
        match event {
            ShowcaseEvent::ShowcasePublished { .. } => {}
            ShowcaseEvent::ShowcaseEdited { user_id, industry } => {
                if let Some(user_id) = user_id {
                    self.user_id.clone_from(user_id);
                }
                self.industry = industry.unwrap_or(self.industry);
            }
            ShowcaseEvent::ShowcaseScored { score_hundredths } => self.score = *score_hundredths,
            ShowcaseEvent::ShowcaseFileAdded(file) => {
                self.files.insert(file.file_id.clone());
            }
            ShowcaseEvent::ShowcaseFileRemoved { file_id } => {
                self.files.remove(file_id);
            }
            ShowcaseEvent::ShowcaseWithdrawn {} => self.withdrawn = true,
            ShowcaseEvent::ShowcaseRestored {} => self.withdrawn = false,
        }
    }
}

impl State for Showcase {
    const TYPE: &'static str = "Showcase";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = ShowcaseEvent;

    fn apply(&mut self, event: &ShowcaseEvent) {
        match (event, &mut *self) {
            (
                ShowcaseEvent::ShowcasePublished {
                    user_id,
                    industry,
                    score_hundredths,
                },
                _,
            ) => {
                *self = Self::Published(PublishedShowcase {
                    user_id: user_id.clone(),
                    industry: *industry,
                    score: *score_hundredths,
                    withdrawn: false,
                    files: BTreeSet::new(),
                });
            }
            (event, Self::Published(case)) => case.apply(event),
            (_, Self::Unpublished) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trade_has_a_number_and_no_other_number_a_trade() {
        for (number, industry) in (1..).zip(Industry::ALL) {
            assert_eq!(Industry::from_number(number), Some(industry));
        }
        for none in [i64::MIN, -1, 0, 7, 65_537] {
            assert_eq!(Industry::from_number(none), None);
        }
    }

    #[test]
    fn a_score_ends_at_a_hundred() {
        assert_eq!(Score::from_hundredths(10_000).unwrap().hundredths(), 10_000);
        assert_eq!(Score::from_hundredths(10_001), None);
    }
}
