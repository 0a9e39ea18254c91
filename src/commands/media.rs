//! What can be asked of an uploaded file (`backend.md` 2.10 and 4).

use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop};
use crate::events::party::Party;
use crate::events::{Media, MediaEvent};

/// What can be asked of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaCommand {
    /// Give out the id.
    Issue {
        /// To whom, if only they may store it.
        to: Option<Party>,
    },
    /// Say that the bytes are in the file store.
    Store {
        /// Where they are served; their key in the file store.
        uri: String,
        /// The recognized type.
        content_type: String,
        /// How many bytes.
        size_bytes: i64,
        /// SHA-256 of the bytes, hex; `""` where only the file store has seen them.
        sha256: String,
        /// Who says so; `None` for staff, who may always.
        by: Option<Party>,
    },
    /// Stop serving it.
    Delete,
}

/// Why a file says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MediaError {
    /// No such id was given out, or it is gone.
    #[error("there is no such file")]
    NotFound,
    /// The id is taken.
    #[error("the id was given out already")]
    Exists,
    /// It was given out to somebody else.
    #[error("the id was given out to somebody else")]
    Foreign,
    /// Stored once, for good.
    #[error("the file is stored already")]
    AlreadyStored,
}

impl Decide for Media {
    type Command = MediaCommand;
    type Refusal = MediaError;

    fn decide(&self, command: &MediaCommand) -> Result<Vec<MediaEvent>, MediaError> {
        match (command, self) {
            (MediaCommand::Issue { to }, Self::Unissued) => Ok(vec![MediaEvent::MediaIdIssued {
                issued_to: to.clone(),
            }]),
            (
                MediaCommand::Issue { .. },
                Self::Issued { .. } | Self::Stored { .. } | Self::Deleted,
            ) => Err(MediaError::Exists),
            (MediaCommand::Store { by: Some(by), .. }, Self::Issued { issued_to })
                if issued_to.as_ref() != Some(by) =>
            {
                Err(MediaError::Foreign)
            }
            (
                MediaCommand::Store {
                    uri,
                    content_type,
                    size_bytes,
                    sha256,
                    by: _,
                },
                Self::Issued { .. },
            ) => Ok(vec![MediaEvent::MediaStored {
                uri: uri.clone(),
                content_type: content_type.clone(),
                size_bytes: *size_bytes,
                sha256: sha256.clone(),
            }]),
            (MediaCommand::Store { .. }, Self::Stored { .. }) => Err(MediaError::AlreadyStored),
            (MediaCommand::Store { .. }, Self::Unissued | Self::Deleted) => {
                Err(MediaError::NotFound)
            }
            (MediaCommand::Delete, Self::Issued { .. } | Self::Stored { .. }) => {
                Ok(vec![MediaEvent::MediaDeleted {}])
            }
            (MediaCommand::Delete, Self::Deleted) => Ok(vec![]),
            (MediaCommand::Delete, Self::Unissued) => Err(MediaError::NotFound),
        }
    }
}

/// Enters a file whose bytes are stored already: its id is given out and used in one job.
#[derive(Debug, Clone)]
pub struct StoreUpload {
    /// Its id, just made.
    pub id: String,
    /// Where it is served; its key in the file store.
    pub uri: String,
    /// The recognized type.
    pub content_type: &'static str,
    /// How many bytes.
    pub size_bytes: i64,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
}

impl Operation for StoreUpload {
    /// Where it is served: a repeated request is answered with the first one's.
    type Outcome = String;
    type Refusal = MediaError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<MediaError>> {
        book.create::<Media>(&self.id);
        let issue = MediaCommand::Issue { to: None };
        book.decide::<Media>(&self.id, &issue).await?;
        let store = MediaCommand::Store {
            uri: self.uri.clone(),
            content_type: self.content_type.to_owned(),
            size_bytes: self.size_bytes,
            sha256: self.sha256.clone(),
            by: None,
        };
        book.decide::<Media>(&self.id, &store).await?;
        Ok(self.uri.clone())
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn store() -> MediaCommand {
        MediaCommand::Store {
            uri: "/upload/20240102/x.png".to_owned(),
            content_type: "image/png".to_owned(),
            size_bytes: 3,
            sha256: "00".to_owned(),
            by: None,
        }
    }

    fn issued(to: Option<&str>) -> MediaEvent {
        let issued_to = to.map(|to| to.parse().unwrap());
        MediaEvent::MediaIdIssued { issued_to }
    }

    fn stored() -> MediaEvent {
        MediaEvent::MediaStored {
            uri: "/upload/20240102/x.png".to_owned(),
            content_type: "image/png".to_owned(),
            size_bytes: 3,
            sha256: "00".to_owned(),
        }
    }

    #[test]
    fn a_file_is_issued_and_stored_once() {
        let rules = || TestFramework::<Media>::with(());
        let issued = issued(None);
        rules()
            .given_no_previous_events()
            .when(MediaCommand::Issue { to: None })
            .then_expect_events(vec![issued.clone()]);
        rules()
            .given(vec![issued.clone()])
            .when(MediaCommand::Issue { to: None })
            .then_expect_error(MediaError::Exists);
        rules()
            .given(vec![issued.clone()])
            .when(store())
            .then_expect_events(vec![stored()]);
        rules()
            .given(vec![issued, stored()])
            .when(store())
            .then_expect_error(MediaError::AlreadyStored);
        rules()
            .given_no_previous_events()
            .when(store())
            .then_expect_error(MediaError::NotFound);
    }

    #[test]
    fn an_id_is_for_whom_it_was_given_to_and_for_staff() {
        let rules = || TestFramework::<Media>::with(());
        let by = |by: &str| {
            let mut command = store();
            if let MediaCommand::Store { by: who, .. } = &mut command {
                *who = Some(by.parse().unwrap());
            }
            command
        };
        let to = || vec![issued(Some("member:0f"))];
        rules()
            .given(to())
            .when(by("member:0f"))
            .then_expect_events(vec![stored()]);
        rules()
            .given(to())
            .when(store())
            .then_expect_events(vec![stored()]);
        rules()
            .given(to())
            .when(by("member:0a"))
            .then_expect_error(MediaError::Foreign);
        rules()
            .given(vec![issued(None)])
            .when(by("member:0a"))
            .then_expect_error(MediaError::Foreign);
    }

    #[test]
    fn deleting_again_is_quiet_and_final() {
        let rules = || TestFramework::<Media>::with(());
        let issued = issued(None);
        let deleted = MediaEvent::MediaDeleted {};
        rules()
            .given(vec![issued.clone(), stored()])
            .when(MediaCommand::Delete)
            .then_expect_events(vec![deleted.clone()]);
        rules()
            .given(vec![issued.clone(), deleted.clone()])
            .when(MediaCommand::Delete)
            .then_expect_events(vec![]);
        rules()
            .given(vec![issued, deleted])
            .when(store())
            .then_expect_error(MediaError::NotFound);
        rules()
            .given_no_previous_events()
            .when(MediaCommand::Delete)
            .then_expect_error(MediaError::NotFound);
    }
}
