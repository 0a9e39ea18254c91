//! What can have happened to a tag (标签) of the case library, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about a tag. Its stream is `Tag:{id}`, a positive integer. What a case carries stands on the case's stream, too,
/// recorded in the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TagEvent {
    /// It came to be.
    TagCreated {
        /// Whose tag it is, for good.
        company_id: i64,
        /// 1…50 characters, unique in the company.
        name: String,
    },
    /// It goes by another name.
    TagRenamed {
        /// 1…50 characters, unique in the company.
        name: String,
    },
    /// A case carries it.
    TagAssigned {
        /// Which.
        case_id: i64,
    },
    /// A case no longer carries it.
    TagUnassigned {
        /// Which.
        case_id: i64,
    },
    /// No case carried it, and it is gone.
    TagDeleted {},
}

stored_events!(TagEvent {
    TagCreated: 1,
    TagRenamed: 1,
    TagAssigned: 1,
    TagUnassigned: 1,
    TagDeleted: 1,
});

/// A tag as rules need to see it. Readers want `projections::tags`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tag {
    /// Never created.
    #[default]
    Uncreated,
    /// There.
    Live(LiveTag),
    /// Gone for good.
    Deleted,
}

/// What is known of a tag that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTag {
    /// Whose it is.
    pub company_id: i64,
    /// What it is called.
    pub name: String,
    /// The cases that carry it.
    pub cases: BTreeSet<i64>,
}

impl Tag {
    /// What is known of it while it is there.
    #[must_use]
    pub fn live(&self) -> Option<&LiveTag> {
        match self {
            Self::Live(tag) => Some(tag),
            Self::Uncreated | Self::Deleted => None,
        }
    }
}

impl State for Tag {
    const TYPE: &'static str = "Tag";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = TagEvent;

    fn apply(&mut self, event: &TagEvent) {
        match (event, &mut *self) {
            (TagEvent::TagCreated { company_id, name }, _) => {
                *self = Self::Live(LiveTag {
                    company_id: *company_id,
                    name: name.clone(),
                    cases: BTreeSet::new(),
                });
            }
            (TagEvent::TagDeleted {}, _) => *self = Self::Deleted,
            (TagEvent::TagRenamed { name }, Self::Live(tag)) => tag.name.clone_from(name),
            (TagEvent::TagAssigned { case_id }, Self::Live(tag)) => {
                tag.cases.insert(*case_id);
            }
            (TagEvent::TagUnassigned { case_id }, Self::Live(tag)) => {
                tag.cases.remove(case_id);
            }
            (
                TagEvent::TagRenamed { .. }
                | TagEvent::TagAssigned { .. }
                | TagEvent::TagUnassigned { .. },
                Self::Uncreated | Self::Deleted,
            ) => {}
        }
    }
}
