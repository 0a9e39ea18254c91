//! Opening and closing login sessions (contract README section 3, row 3).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::{Session, SessionEvent};

/// What can be asked of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionCommand {
    /// Open it. That the account is enabled and stands at this credential version is the operation's to guard.
    Open {
        /// The account's id part, as `backend:1`.
        account: String,
        /// The account's credential version.
        credential_version: u64,
        /// When it ends by itself.
        expires_at: DateTime<Utc>,
    },
    /// End it.
    Close,
}

/// Why a session says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SessionError {
    /// There is none under this token.
    #[error("there is no such session")]
    NotFound,
    /// The token is used.
    #[error("the session exists already")]
    Exists,
}

impl Decide for Session {
    type Command = SessionCommand;
    type Refusal = SessionError;

    fn decide(&self, command: &SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        match (command, self) {
            (
                SessionCommand::Open {
                    account,
                    credential_version,
                    expires_at,
                },
                Self::Unopened,
            ) => Ok(vec![SessionEvent::SessionOpened {
                account: account.clone(),
                credential_version: *credential_version,
                expires_at: *expires_at,
            }]),
            (SessionCommand::Open { .. }, Self::Open { .. } | Self::Closed { .. }) => {
                Err(SessionError::Exists)
            }
            (SessionCommand::Close, Self::Open { .. }) => Ok(vec![SessionEvent::SessionClosed {}]),
            (SessionCommand::Close, Self::Closed { .. }) => Ok(vec![]),
            (SessionCommand::Close, Self::Unopened) => Err(SessionError::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn open() -> SessionCommand {
        SessionCommand::Open {
            account: "backend:1".to_owned(),
            credential_version: 1,
            expires_at: DateTime::UNIX_EPOCH,
        }
    }

    fn opened() -> SessionEvent {
        SessionEvent::SessionOpened {
            account: "backend:1".to_owned(),
            credential_version: 1,
            expires_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_session_opens_once_and_closes_for_good() {
        let rules = || TestFramework::<Session>::with(());
        let closed = SessionEvent::SessionClosed {};
        rules()
            .given_no_previous_events()
            .when(open())
            .then_expect_events(vec![opened()]);
        rules()
            .given(vec![opened()])
            .when(open())
            .then_expect_error(SessionError::Exists);
        rules()
            .given(vec![opened(), closed.clone()])
            .when(open())
            .then_expect_error(SessionError::Exists);
        rules()
            .given(vec![opened()])
            .when(SessionCommand::Close)
            .then_expect_events(vec![closed.clone()]);
        rules()
            .given(vec![opened(), closed])
            .when(SessionCommand::Close)
            .then_expect_events(vec![]);
        rules()
            .given_no_previous_events()
            .when(SessionCommand::Close)
            .then_expect_error(SessionError::NotFound);
    }
}
