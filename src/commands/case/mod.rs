//! What can be asked of a case of the case library, and the rules that answer (`zhugeleida.md` section 4). Commands over
//! several streams, with the tags it carries: `operations.rs`. Diaries are added by `commands::diary`.

mod operations;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use operations::{CreateCase, DeleteCase, TagCase};

use super::{Decide, changed};
use crate::events::case::{CaseProfile, LiveCase};
use crate::events::{Case, CaseEvent};

/// Tags of one case, at most.
pub const TAGS_MAX: usize = 20;
/// Diaries of one case, at most: a case is decided upon as a whole.
pub const DIARIES_MAX: usize = 10_000;

/// What can be asked of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseCommand {
    /// Make it, not shown yet. That the company exists is the operation's to guard.
    Create {
        /// Whose it is.
        company_id: i64,
        /// How it is described.
        profile: CaseProfile,
    },
    /// Describe it otherwise.
    Edit(CaseEdit),
    /// Let it carry these tags and no others; the tags record the same in the same job.
    Tag {
        /// All of them.
        tag_ids: BTreeSet<i64>,
    },
    /// Show it.
    Publish,
    /// Show it no longer.
    Withdraw,
    /// Add a diary; the diary is written in the same job.
    AddDiary {
        /// Which.
        diary_id: i64,
    },
    /// Take a diary away; the diary is deleted in the same job.
    RemoveDiary {
        /// Which.
        diary_id: i64,
    },
    /// Remove it, when it has no diaries. Its tags are taken from it in the same job.
    Delete,
}

/// What changes of a description; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `CaseEvent`")]
pub struct CaseEdit {
    pub customer_name: Option<String>,
    pub headimgurl: Option<String>,
    pub cover_picture: Option<String>,
}

/// Why a case says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CaseError {
    /// There is no such case (or no longer).
    #[error("there is no such case")]
    NotFound,
    /// The id is taken.
    #[error("the case exists already")]
    Exists,
    /// There is no such company.
    #[error("there is no company {company_id}")]
    NoCompany {
        /// Its id.
        company_id: i64,
    },
    /// The company has no such tag.
    #[error("the company has no tag {tag_id}")]
    NoTag {
        /// Its id.
        tag_id: i64,
    },
    /// It has as many tags or diaries as a case may have.
    #[error("the case has as many tags or diaries as a case may have")]
    Full,
    /// It has diaries.
    #[error("a case is not deleted while it has diaries")]
    HasDiaries,
}

impl Decide for Case {
    type Command = CaseCommand;
    type Refusal = CaseError;

    fn decide(&self, command: &CaseCommand) -> Result<Vec<CaseEvent>, CaseError> {
        match (command, self) {
            (
                CaseCommand::Create {
                    company_id,
                    profile,
                },
                Self::Uncreated,
            ) => Ok(vec![created(*company_id, profile)]),
            (CaseCommand::Create { .. }, Self::Live(_) | Self::Deleted { .. }) => {
                Err(CaseError::Exists)
            }
            (command, Self::Live(case)) => change(case, command),
            (CaseCommand::Delete, Self::Deleted { .. }) => Ok(vec![]),
            (_, Self::Uncreated | Self::Deleted { .. }) => Err(CaseError::NotFound),
        }
    }
}

fn created(company_id: i64, profile: &CaseProfile) -> CaseEvent {
    let profile = profile.clone();
    CaseEvent::CaseCreated {
        company_id,
        customer_name: profile.customer_name,
        headimgurl: profile.headimgurl,
        cover_picture: profile.cover_picture,
    }
}

fn change(case: &LiveCase, command: &CaseCommand) -> Result<Vec<CaseEvent>, CaseError> {
    Ok(match command {
        CaseCommand::Create { .. } => return Err(CaseError::Exists),
        CaseCommand::Edit(edit) => edited(&case.profile, edit),
        CaseCommand::Tag { tag_ids } if tag_ids.len() > TAGS_MAX => return Err(CaseError::Full),
        CaseCommand::Tag { tag_ids } if *tag_ids == case.tags => vec![],
        CaseCommand::Tag { tag_ids } => vec![CaseEvent::CaseTagged {
            tag_ids: tag_ids.iter().copied().collect(),
        }],
        CaseCommand::Publish if case.published => vec![],
        CaseCommand::Publish => vec![CaseEvent::CasePublished {}],
        CaseCommand::Withdraw if case.published => vec![CaseEvent::CaseWithdrawn {}],
        CaseCommand::AddDiary { diary_id } if case.diaries.contains(diary_id) => vec![],
        CaseCommand::AddDiary { .. } if case.diaries.len() >= DIARIES_MAX => {
            return Err(CaseError::Full);
        }
        CaseCommand::AddDiary { diary_id } => vec![CaseEvent::DiaryAdded {
            diary_id: *diary_id,
        }],
        CaseCommand::RemoveDiary { diary_id } if case.diaries.contains(diary_id) => {
            vec![CaseEvent::DiaryRemoved {
                diary_id: *diary_id,
            }]
        }
        CaseCommand::Withdraw | CaseCommand::RemoveDiary { .. } => vec![],
        CaseCommand::Delete if !case.diaries.is_empty() => return Err(CaseError::HasDiaries),
        CaseCommand::Delete => vec![CaseEvent::CaseDeleted {}],
    })
}

/// Only what changes; nothing at all when nothing does.
fn edited(old: &CaseProfile, edit: &CaseEdit) -> Vec<CaseEvent> {
    let edit = CaseEdit {
        customer_name: changed(edit.customer_name.as_ref(), &old.customer_name),
        headimgurl: changed(edit.headimgurl.as_ref(), &old.headimgurl),
        cover_picture: changed(edit.cover_picture.as_ref(), &old.cover_picture),
    };
    if edit == CaseEdit::default() {
        return vec![];
    }
    vec![CaseEvent::CaseEdited {
        customer_name: edit.customer_name,
        headimgurl: edit.headimgurl,
        cover_picture: edit.cover_picture,
    }]
}
