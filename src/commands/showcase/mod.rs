//! What can be asked of a customer case, and the rules that answer (`weidu.md` section 4). Commands over several streams,
//! with the accounts of authors: `operations.rs`; those accounts: `authors.rs`; files and their paths: `files.rs`.

mod authors;
mod files;
mod ids;
mod operations;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(super) use authors::claim_id as username_claim;
pub use authors::{OpenAuthor, RenameAuthor, author_account, author_id};
pub use files::{BadName, FileName, NewFile, Preview, day};
pub use ids::{id_of, is_id, new_id};
pub use operations::{
    AddShowcaseFile, CommentOnShowcase, EditShowcase, LikeShowcase, PublishShowcase,
    RecordShowcaseView,
};

use super::Decide;
use crate::events::showcase::{Industry, PublishedShowcase, Score, ShowcaseFile};
use crate::events::{Showcase, ShowcaseEvent};

/// Files of one case, at most.
pub const FILES_MAX: usize = 100;

/// What can be asked of a case. That an author exists is the operations' to guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowcaseCommand {
    /// Show it to everybody.
    Publish {
        /// The id of its author, without the realm.
        user_id: String,
        /// Its trade.
        industry: Industry,
        /// What it is worth.
        score: Score,
    },
    /// Describe it otherwise.
    Edit(ShowcaseEdit),
    /// Value it.
    Score {
        /// What it is worth.
        score: Score,
    },
    /// Add a file. Whoever supplies it is known by now.
    AddFile(ShowcaseFile),
    /// Remove a file.
    RemoveFile {
        /// Which.
        file_id: String,
    },
    /// Show it to nobody.
    Withdraw,
    /// Show it again.
    Restore,
}

/// What changes of a case; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShowcaseEdit {
    /// The id of its author, without the realm.
    pub user_id: Option<String>,
    /// Its trade.
    pub industry: Option<Industry>,
}

/// Why a case says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ShowcaseError {
    /// There is no such case.
    #[error("there is no such case")]
    NotFound,
    /// The id is taken.
    #[error("the case exists already")]
    Exists,
    /// There is no such author.
    #[error("there is no author {user_id}")]
    NoAuthor {
        /// The id, without the realm.
        user_id: String,
    },
    /// It has a file of that id.
    #[error("the case has a file {file_id} already")]
    FileExists {
        /// The id.
        file_id: String,
    },
    /// It has [`FILES_MAX`] files.
    #[error("a case has at most {FILES_MAX} files")]
    Full,
}

impl Decide for Showcase {
    type Command = ShowcaseCommand;
    type Refusal = ShowcaseError;

    fn decide(&self, command: &ShowcaseCommand) -> Result<Vec<ShowcaseEvent>, ShowcaseError> {
        match (command, self) {
            (
                ShowcaseCommand::Publish {
                    user_id,
                    industry,
                    score,
                },
                Self::Unpublished,
            ) => Ok(vec![ShowcaseEvent::ShowcasePublished {
                user_id: user_id.clone(),
                industry: *industry,
                score_hundredths: *score,
            }]),
            (command, Self::Published(case)) => change(case, command),
            (_, Self::Unpublished) => Err(ShowcaseError::NotFound),
        }
    }
}

fn change(
    case: &PublishedShowcase,
    command: &ShowcaseCommand,
) -> Result<Vec<ShowcaseEvent>, ShowcaseError> {
    match command {
        ShowcaseCommand::Publish { .. } => Err(ShowcaseError::Exists),
        ShowcaseCommand::Edit(edit) => Ok(edited(case, edit)),
        ShowcaseCommand::Score { score } if *score != case.score => {
            Ok(vec![ShowcaseEvent::ShowcaseScored {
                score_hundredths: *score,
            }])
        }
        ShowcaseCommand::AddFile(file) => add(case, file),
        ShowcaseCommand::RemoveFile { file_id } if case.files.contains(file_id) => {
            Ok(vec![ShowcaseEvent::ShowcaseFileRemoved {
                file_id: file_id.clone(),
            }])
        }
        ShowcaseCommand::Withdraw if !case.withdrawn => {
            Ok(vec![ShowcaseEvent::ShowcaseWithdrawn {}])
        }
        ShowcaseCommand::Restore if case.withdrawn => Ok(vec![ShowcaseEvent::ShowcaseRestored {}]),
        ShowcaseCommand::Score { .. }
        | ShowcaseCommand::RemoveFile { .. }
        | ShowcaseCommand::Withdraw
        | ShowcaseCommand::Restore => Ok(vec![]),
    }
}

fn add(case: &PublishedShowcase, file: &ShowcaseFile) -> Result<Vec<ShowcaseEvent>, ShowcaseError> {
    if case.files.contains(&file.file_id) {
        return Err(ShowcaseError::FileExists {
            file_id: file.file_id.clone(),
        });
    }
    if case.files.len() >= FILES_MAX {
        return Err(ShowcaseError::Full);
    }
    Ok(vec![ShowcaseEvent::ShowcaseFileAdded(file.clone())])
}

/// Only what changes; nothing at all when nothing does.
fn edited(case: &PublishedShowcase, edit: &ShowcaseEdit) -> Vec<ShowcaseEvent> {
    let user_id = edit.user_id.clone().filter(|new| *new != case.user_id);
    let industry = edit.industry.filter(|new| *new != case.industry);
    if user_id.is_none() && industry.is_none() {
        return vec![];
    }
    vec![ShowcaseEvent::ShowcaseEdited { user_id, industry }]
}
