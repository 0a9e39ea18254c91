//! Who holds a name that must be unique, without a table scan.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about a name. Its stream is `NameClaim:{scope}:{keyed hash of the name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameClaimEvent {
    /// Somebody holds the name from here on.
    NameClaimed {
        /// The holder's stream, as `Account:backend:1`.
        holder: String,
    },
    /// The name is free again.
    NameReleased {},
}

stored_events!(NameClaimEvent {
    NameClaimed: 1,
    NameReleased: 1,
});

/// Free, or held by one.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameClaim {
    /// Nobody holds it.
    #[default]
    Free,
    /// Somebody does.
    Held {
        /// The holder's stream, as `Account:backend:1`.
        holder: String,
    },
}

impl State for NameClaim {
    const TYPE: &'static str = "NameClaim";
    type Event = NameClaimEvent;

    fn apply(&mut self, event: &NameClaimEvent) {
        *self = match event {
            NameClaimEvent::NameClaimed { holder } => Self::Held {
                holder: holder.clone(),
            },
            NameClaimEvent::NameReleased {} => Self::Free,
        };
    }

    fn breaks(&self, event: &NameClaimEvent) -> Option<&'static str> {
        let free = *self == Self::Free;
        let claims = matches!(event, NameClaimEvent::NameClaimed { .. });
        (free != claims).then_some("a free name is claimed, and a held one released")
    }
}
