//! What can have happened to a case of the case library (案例), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::set;
use crate::ledger::State;
use crate::stored_events;

/// Facts about a case. Its stream is `Case:{id}`, a positive integer. Its tags and diaries have streams of their own, on
/// which the same is recorded in the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CaseEvent {
    /// It came to be, not shown yet.
    CaseCreated {
        /// Whose case it is, for good.
        company_id: i64,
        /// Whom it tells of, 1…64 characters. Shown to everybody: what is published is not sealed.
        customer_name: String,
        /// Place of a picture of that person, at most 512 characters; `""` when there is none.
        headimgurl: String,
        /// JSON as a text, verbatim, at most 16 KiB.
        cover_picture: String,
    },
    /// It is described otherwise. Only changed fields are there.
    CaseEdited {
        /// Whom it tells of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_name: Option<String>,
        /// The new picture of that person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        headimgurl: Option<String>,
        /// The new cover.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cover_picture: Option<String>,
    },
    /// It carries these tags from here on, and no others.
    CaseTagged {
        /// All of them, ascending; at most 20.
        tag_ids: Vec<i64>,
    },
    /// Everybody sees it: 已发.
    CasePublished {},
    /// Nobody sees it: 未发.
    CaseWithdrawn {},
    /// It has one diary more.
    DiaryAdded {
        /// Which.
        diary_id: i64,
    },
    /// It has one diary less.
    DiaryRemoved {
        /// Which.
        diary_id: i64,
    },
    /// It had no diaries, and is gone with its tags.
    CaseDeleted {},
}

stored_events!(CaseEvent {
    CaseCreated: 1,
    CaseEdited: 1,
    CaseTagged: 1,
    CasePublished: 1,
    CaseWithdrawn: 1,
    DiaryAdded: 1,
    DiaryRemoved: 1,
    CaseDeleted: 1,
});

/// A case as rules need to see it. Readers want `projections::cases`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Case {
    /// Never created.
    #[default]
    Uncreated,
    /// There, shown or not.
    Live(LiveCase),
    /// Gone for good.
    Deleted {
        /// Whose it was.
        company_id: i64,
    },
}

/// What is known of a case that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCase {
    /// Whose it is.
    pub company_id: i64,
    /// How it is described.
    pub profile: CaseProfile,
    /// Everybody sees it.
    pub published: bool,
    /// The tags it carries.
    pub tags: BTreeSet<i64>,
    /// Its diaries, shown or not.
    pub diaries: BTreeSet<i64>,
}

/// How a case is described.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `CaseEvent`")]
pub struct CaseProfile {
    pub customer_name: String,
    pub headimgurl: String,
    pub cover_picture: String,
}

impl Case {
    /// What is known of it while it is there.
    #[must_use]
    pub fn live(&self) -> Option<&LiveCase> {
        match self {
            Self::Live(case) => Some(case),
            Self::Uncreated | Self::Deleted { .. } => None,
        }
    }

    /// Whose it is, or was.
    #[must_use]
    pub fn company_id(&self) -> Option<i64> {
        match self {
            Self::Uncreated => None,
            Self::Live(LiveCase { company_id, .. }) | Self::Deleted { company_id } => {
                Some(*company_id)
            }
        }
    }

    /// Does everybody see it?
    #[must_use]
    pub fn published(&self) -> bool {
        self.live().is_some_and(|case| case.published)
    }
}

impl LiveCase {
    fn apply(&mut self, event: &CaseEvent) {
        match event {
            CaseEvent::CaseCreated { .. } | CaseEvent::CaseDeleted {} => {}
            CaseEvent::CaseEdited {
                customer_name,
                headimgurl,
                cover_picture,
            } => {
                let profile = &mut self.profile;
                set(&mut profile.customer_name, customer_name.as_ref());
                set(&mut profile.headimgurl, headimgurl.as_ref());
                set(&mut profile.cover_picture, cover_picture.as_ref());
            }
            CaseEvent::CaseTagged { tag_ids } => self.tags = tag_ids.iter().copied().collect(),
            CaseEvent::CasePublished {} => self.published = true,
            CaseEvent::CaseWithdrawn {} => self.published = false,
            CaseEvent::DiaryAdded { diary_id } => {
                self.diaries.insert(*diary_id);
            }
            CaseEvent::DiaryRemoved { diary_id } => {
                self.diaries.remove(diary_id);
            }
        }
    }
}

impl State for Case {
    const TYPE: &'static str = "Case";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = CaseEvent;

    fn apply(&mut self, event: &CaseEvent) {
        match (event, &mut *self) {
            (
                CaseEvent::CaseCreated {
                    company_id,
                    customer_name,
                    headimgurl,
                    cover_picture,
                },
                _,
            ) => {
                *self = Self::Live(LiveCase {
                    company_id: *company_id,
                    profile: CaseProfile {
                        customer_name: customer_name.clone(),
                        headimgurl: headimgurl.clone(),
                        cover_picture: cover_picture.clone(),
                    },
                    published: false,
                    tags: BTreeSet::new(),
                    diaries: BTreeSet::new(),
                });
            }
            (CaseEvent::CaseDeleted {}, Self::Live(LiveCase { company_id, .. })) => {
                let company_id = *company_id;
                *self = Self::Deleted { company_id };
            }
            (event, Self::Live(case)) => case.apply(event),
            (_, Self::Uncreated | Self::Deleted { .. }) => {}
        }
    }
}
