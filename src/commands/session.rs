//! Opening and closing login sessions (contract README section 3, row 3).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop};
use crate::events::{Account, NameClaim, Session, SessionEvent};
use crate::ledger::Personal;

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

/// Opens a session for whoever holds a name, after the password was verified against a hash: the session is opened only
/// while the name, the account and that very hash still stand.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// The id of the session, just made.
    pub session: String,
    /// The name's stream id.
    pub name_claim: String,
    /// The account's id part, as `backend:1`.
    pub account: String,
    /// The hash the password was verified against.
    pub verified: String,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// Who logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// The name as registered.
    pub name: String,
    /// 0 operator, 1 super administrator.
    pub role: u32,
    /// Permission bits.
    pub perm: u64,
}

/// Why nobody is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum LogInError {
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// Name or password changed since the password was verified: verify again.
    #[error("name or password changed meanwhile")]
    CredentialsMoved,
    /// The token is used.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Operation for LogIn {
    type Outcome = LoggedIn;
    type Refusal = LogInError;

    async fn attempt(&self, book: &mut Book) -> Result<LoggedIn, Stop<LogInError>> {
        let moved = || Stop::Refused(LogInError::CredentialsMoved);
        let claim = book.state::<NameClaim>(&self.name_claim).await?;
        if holder(&claim) != Some(&self.account) {
            return Err(moved());
        }
        let account = book.state::<Account>(&self.account).await?;
        let account = account.open().ok_or_else(moved)?;
        let stands = account.password_hash.as_ref().map(Personal::text);
        if stands != Some(&self.verified) {
            return Err(moved());
        }
        if !account.enabled {
            return Err(Stop::Refused(LogInError::Disabled));
        }
        let open = SessionCommand::Open {
            account: self.account.clone(),
            credential_version: account.credential_version,
            expires_at: self.expires_at,
        };
        book.create::<Session>(&self.session);
        book.decide::<Session>(&self.session, &open)
            .await
            .map_err(|stop| stop.map(LogInError::Session))?;
        Ok(LoggedIn {
            name: account.name.text().to_owned(),
            role: account.role,
            perm: account.perm,
        })
    }
}

/// Opens a session for an account, on somebody else's word: no password is asked for.
#[derive(Clone)]
pub struct OpenSession {
    /// The token. The log knows only its hash; the receipt keeps it sealed.
    pub token: String,
    /// The id of the session of that token.
    pub session: String,
    /// The account's id part, as `xdua:Dt5mvrtU`.
    pub account: String,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// A session and its token. A repeated request is answered with the first one's.
#[derive(Clone, Serialize, Deserialize)]
pub struct OpenedSession {
    /// The id of the session.
    pub session: String,
    /// Its token.
    pub token: String,
}

/// Why no session is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum OpenSessionError {
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The token is used.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Operation for OpenSession {
    type Outcome = OpenedSession;
    type Refusal = OpenSessionError;

    async fn attempt(&self, book: &mut Book) -> Result<OpenedSession, Stop<OpenSessionError>> {
        let account = book.state::<Account>(&self.account).await?;
        let account = account
            .open()
            .ok_or(Stop::Refused(OpenSessionError::NoAccount))?;
        if !account.enabled {
            return Err(Stop::Refused(OpenSessionError::Disabled));
        }
        let open = SessionCommand::Open {
            account: self.account.clone(),
            credential_version: account.credential_version,
            expires_at: self.expires_at,
        };
        book.create::<Session>(&self.session);
        book.decide::<Session>(&self.session, &open)
            .await
            .map_err(|stop| stop.map(OpenSessionError::Session))?;
        Ok(OpenedSession {
            session: self.session.clone(),
            token: self.token.clone(),
        })
    }
}

/// The id part of the account that holds a name.
#[must_use]
pub fn holder(claim: &NameClaim) -> Option<&str> {
    match claim {
        NameClaim::Free => None,
        NameClaim::Held { holder } => holder.strip_prefix("Account:"),
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
