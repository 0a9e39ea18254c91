//! What can have happened to an uploaded file, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::party::Party;
use crate::ledger::State;
use crate::stored_events;

/// Facts about a file. Its stream is `Media:{uuid}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaEvent {
    /// An id was given out under which a file may be stored.
    MediaIdIssued {
        /// Who alone may store it; staff may in any case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issued_to: Option<Party>,
    },
    /// The bytes are in the file store.
    MediaStored {
        /// Where they are served, as `/upload/20240102/<uuid>.jpg` or `/media/<uuid>.jpg`; also their key in the file store.
        uri: String,
        /// The recognized type, as `image/jpeg`.
        content_type: String,
        /// How many bytes.
        size_bytes: i64,
        /// SHA-256 of the bytes, hex; `""` where only the file store has seen them.
        sha256: String,
    },
    /// It is no longer served; the bytes are removed afterwards.
    MediaDeleted {},
}

stored_events!(MediaEvent {
    MediaIdIssued: 1,
    MediaStored: 1,
    MediaDeleted: 1,
});

/// A file as its own rules need to see it. Readers want `projections::media`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Media {
    /// No id was given out.
    #[default]
    Unissued,
    /// An id, no bytes.
    Issued {
        /// Who alone may store it.
        issued_to: Option<Party>,
    },
    /// The bytes are there.
    Stored {
        /// Their key in the file store.
        uri: String,
    },
    /// Gone for good.
    Deleted,
}

impl State for Media {
    const TYPE: &'static str = "Media";
    type Event = MediaEvent;

    fn apply(&mut self, event: &MediaEvent) {
        *self = match event {
            MediaEvent::MediaIdIssued { issued_to } => Self::Issued {
                issued_to: issued_to.clone(),
            },
            MediaEvent::MediaStored { uri, .. } => Self::Stored { uri: uri.clone() },
            MediaEvent::MediaDeleted {} => Self::Deleted,
        };
    }
}
