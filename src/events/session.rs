//! What can have happened to a login session, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use chrono::serde::ts_milliseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about a session. Its stream is `Session:{SHA-256 of the token, hex}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionEvent {
    /// Somebody logged in.
    SessionOpened {
        /// The account's id part, as `backend:1`.
        account: String,
        /// The account's credential version it was opened under.
        credential_version: u64,
        /// When it ends by itself, milliseconds since the epoch.
        #[serde(with = "ts_milliseconds")]
        expires_at: DateTime<Utc>,
    },
    /// It was ended.
    SessionClosed {},
}

stored_events!(SessionEvent {
    SessionOpened: 1,
    SessionClosed: 1,
});

/// A session as logins need to see it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Session {
    /// Never opened.
    #[default]
    Unopened,
    /// Open until it expires, is closed, or its account's credentials move on.
    Open {
        /// The account's id part, as `backend:1`.
        account: String,
        /// The account's credential version it was opened under.
        credential_version: u64,
        /// When it ends by itself.
        #[serde(with = "ts_milliseconds")]
        expires_at: DateTime<Utc>,
    },
    /// Final.
    Closed {
        /// Whose it was: when that account is disabled, this is why the session is closed.
        account: String,
    },
}

impl State for Session {
    const TYPE: &'static str = "Session";
    type Event = SessionEvent;

    fn apply(&mut self, event: &SessionEvent) {
        *self = match event {
            SessionEvent::SessionOpened {
                account,
                credential_version,
                expires_at,
            } => Self::Open {
                account: account.clone(),
                credential_version: *credential_version,
                expires_at: *expires_at,
            },
            SessionEvent::SessionClosed {} => match std::mem::take(self) {
                Self::Open { account, .. } | Self::Closed { account } => Self::Closed { account },
                Self::Unopened => Self::Unopened,
            },
        };
    }

    fn breaks(&self, event: &SessionEvent) -> Option<&'static str> {
        let kept = matches!(
            (event, self),
            (SessionEvent::SessionOpened { .. }, Self::Unopened)
                | (SessionEvent::SessionClosed {}, Self::Open { .. })
        );
        (!kept).then_some("a session is opened once and then closed once")
    }
}
