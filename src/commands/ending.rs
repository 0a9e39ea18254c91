//! Changing an account so that its sessions end: a new password, or taking it out of use.
//!
//! That none of them works any more follows from the account alone (credential version, enabled). Their `SessionClosed`
//! is for the record; which are open is looked up in a read table and travels in the command.

use super::account::{AccountCommand, AccountError};
use super::session::{SessionCommand, SessionError};
use super::{Book, Operation, Stop};
use crate::events::{Account, Session};

/// An account's command, and the sessions that end with it; one job.
#[derive(Debug, Clone)]
pub struct EndingSessions {
    /// The account's id part, as `backend:1`.
    pub account: String,
    /// What is asked of the account.
    pub command: AccountCommand,
    /// The ids of the sessions known to be open.
    pub sessions: Vec<String>,
}

impl Operation for EndingSessions {
    type Outcome = ();
    type Refusal = AccountError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<AccountError>> {
        book.decide::<Account>(&self.account, &self.command).await?;
        // When nothing had to change, nothing ended.
        if !book.writes() {
            return Ok(());
        }
        book.open_all::<Session>(&self.sessions).await?;
        for id in &self.sessions {
            if !self.owns(&*book.state::<Session>(id).await?) {
                continue;
            }
            match book.decide::<Session>(id, &SessionCommand::Close).await {
                Ok(()) | Err(Stop::Refused(SessionError::NotFound | SessionError::Exists)) => {}
                Err(Stop::Fault(fault)) => return Err(Stop::Fault(fault)),
            }
        }
        Ok(())
    }
}

impl EndingSessions {
    fn owns(&self, session: &Session) -> bool {
        matches!(session, Session::Open { account, .. } if *account == self.account)
    }
}
