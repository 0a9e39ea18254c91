//! What can have happened to a master (达人), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused. Staff publishes these cards for everybody to read, so that
//! nothing in them is sealed: erasing a person is about its account, and the link from here names only the uid.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::listed::{Listed, described, listing};
use crate::stored_events;

described! {
    /// How a master is described.
    MasterDetails, edited by MasterEdit
    fixed {}
    free {
        /// 1…64 characters.
        name: String,
        /// The name of a picture.
        avatar: Option<String>,
        /// Who it is, at most 2000 characters.
        intro: String,
        /// At most 200 characters.
        address: String,
        /// The day it was born.
        birthday: Option<NaiveDate>,
        /// Among those that are recommended.
        recommended: bool,
        /// The member it is, where one is linked. A member is at most one master.
        uid: Option<String>,
    }
}

/// Facts about a master. Its stream is `Master:{master_id}`, 32 lower-case hex characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MasterEvent {
    /// Staff made it. It is shown.
    MasterCreated(MasterDetails),
    /// It is described otherwise. Only changed fields are there.
    MasterEdited(MasterEdit),
    /// It is out of sight.
    MasterWithdrawn {},
    /// It is shown again.
    MasterRestored {},
}

stored_events!(MasterEvent {
    MasterCreated: 1,
    MasterEdited: 1,
    MasterWithdrawn: 1,
    MasterRestored: 1,
});

listing!(
    "Master": MasterDetails, MasterEdit,
    MasterEvent { MasterCreated, MasterEdited, MasterWithdrawn, MasterRestored }
);

/// A master as its own rules need to see it. Readers want `projections::catalogue`.
pub type Master = Listed<MasterDetails>;
