//! Holding a name that must be unique (contract README section 3, row 2).

use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::{NameClaim, NameClaimEvent};

/// What can be asked of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameClaimCommand {
    /// Hold it.
    Claim {
        /// The holder's stream.
        holder: String,
    },
    /// Let go of it; only the holder's release counts.
    Release {
        /// The holder's stream.
        holder: String,
    },
}

/// Why a name says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NameClaimError {
    /// Somebody else holds it.
    #[error("the name is taken")]
    Taken,
}

impl Decide for NameClaim {
    type Command = NameClaimCommand;
    type Refusal = NameClaimError;

    fn decide(&self, command: &NameClaimCommand) -> Result<Vec<NameClaimEvent>, NameClaimError> {
        match (command, self) {
            (NameClaimCommand::Claim { holder }, Self::Free) => {
                Ok(vec![NameClaimEvent::NameClaimed {
                    holder: holder.clone(),
                }])
            }
            (NameClaimCommand::Claim { holder }, Self::Held { holder: held }) if holder != held => {
                Err(NameClaimError::Taken)
            }
            (NameClaimCommand::Release { holder }, Self::Held { holder: held })
                if holder == held =>
            {
                Ok(vec![NameClaimEvent::NameReleased {}])
            }
            (NameClaimCommand::Claim { .. } | NameClaimCommand::Release { .. }, _) => Ok(vec![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn claim(holder: &str) -> NameClaimCommand {
        NameClaimCommand::Claim {
            holder: holder.to_owned(),
        }
    }

    fn claimed(holder: &str) -> NameClaimEvent {
        NameClaimEvent::NameClaimed {
            holder: holder.to_owned(),
        }
    }

    #[test]
    fn a_name_has_one_holder_at_a_time() {
        let rules = || TestFramework::<NameClaim>::with(());
        rules()
            .given_no_previous_events()
            .when(claim("a"))
            .then_expect_events(vec![claimed("a")]);
        rules()
            .given(vec![claimed("a")])
            .when(claim("a"))
            .then_expect_events(vec![]);
        rules()
            .given(vec![claimed("a")])
            .when(claim("b"))
            .then_expect_error(NameClaimError::Taken);
        rules()
            .given(vec![claimed("a"), NameClaimEvent::NameReleased {}])
            .when(claim("b"))
            .then_expect_events(vec![claimed("b")]);
    }

    #[test]
    fn only_the_holder_lets_go() {
        let release = |holder: &str| NameClaimCommand::Release {
            holder: holder.to_owned(),
        };
        let rules = || TestFramework::<NameClaim>::with(());
        rules()
            .given(vec![claimed("a")])
            .when(release("a"))
            .then_expect_events(vec![NameClaimEvent::NameReleased {}]);
        rules()
            .given(vec![claimed("a")])
            .when(release("b"))
            .then_expect_events(vec![]);
        rules()
            .given_no_previous_events()
            .when(release("a"))
            .then_expect_events(vec![]);
    }
}
