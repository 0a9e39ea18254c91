//! What can have happened to a company of the mini-program, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about a company. Its stream is `Company:{id}`, a positive integer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompanyEvent {
    /// The company came to be.
    CompanyCreated {
        /// 1…64 characters.
        name: String,
    },
    /// It goes by another name.
    CompanyRenamed {
        /// 1…64 characters.
        name: String,
    },
}

stored_events!(CompanyEvent {
    CompanyCreated: 1,
    CompanyRenamed: 1,
});

/// A company as its own rules need to see it. Readers want `projections::companies`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Company {
    /// Never created.
    #[default]
    Uncreated,
    /// There, for good.
    Created {
        /// What it is called.
        name: String,
    },
}

impl State for Company {
    const TYPE: &'static str = "Company";
    type Event = CompanyEvent;

    fn apply(&mut self, event: &CompanyEvent) {
        *self = match event {
            CompanyEvent::CompanyCreated { name } | CompanyEvent::CompanyRenamed { name } => {
                Self::Created { name: name.clone() }
            }
        };
    }
}
