//! Logging in with a password, the same for whoever has one: staff by name, members by phone.

use std::time::Duration;

use super::app::App;
use super::passwords::PasswordFault;
use crate::commands::session::{LogIn, LogInError, LoggedIn, holder};
use crate::commands::{self, DeskError, Done};
use crate::events::{Account, NameClaim};
use crate::ledger::{Freshness, LoadError};
use crate::postgres::Limit;

/// Failed logins of one name.
const FAILED_LOGINS: Limit = Limit {
    hits: 10,
    window: Duration::from_secs(15 * 60),
};

/// How often a password is verified anew when it changes under our hands.
const VERIFICATIONS: usize = 3;

/// Somebody who says who they are.
pub struct PasswordLogin {
    /// What failures are counted under, beside the name.
    pub door: &'static str,
    /// The stream id of the name; a keyed hash.
    pub name_claim: String,
    /// An account that is nobody's: read where the name is nobody's, so that both take their time.
    pub nobody: &'static str,
    /// The password.
    pub password: String,
    /// The id of the session, just made.
    pub session: String,
    /// How long the session lasts.
    pub ttl: Duration,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginFailure {
    /// The name is nobody's or the password is wrong.
    #[error("wrong name or password")]
    Wrong,
    /// Too many failures under this name.
    #[error("too many failed logins")]
    TooMany,
    /// Name or password changed again and again while it was verified.
    #[error("name or password changed meanwhile")]
    Moved,
    /// The session was not opened.
    #[error(transparent)]
    Desk(#[from] DeskError<LogInError>),
    /// What stands in the log could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The password could not be verified.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// Failures could not be counted.
    #[error(transparent)]
    Limits(#[from] sqlx::Error),
}

impl PasswordLogin {
    /// Answers the account and what came of opening the session.
    ///
    /// # Errors
    /// [`LoginFailure`].
    pub async fn run(
        &self,
        app: &App,
        request: &commands::Request,
    ) -> Result<(String, Done<LoggedIn>), LoginFailure> {
        let key = format!("{}-login:{}", self.door, self.name_claim);
        let limits = app.rate_limits();
        if limits.exhausted(&key, FAILED_LOGINS, app.now()).await? {
            return Err(LoginFailure::TooMany);
        }
        for _ in 0..VERIFICATIONS {
            let Some((account, verified)) = self.verified(app).await? else {
                let counted = limits.hit(&key, FAILED_LOGINS, app.now()).await?;
                return Err(if counted {
                    LoginFailure::Wrong
                } else {
                    LoginFailure::TooMany
                });
            };
            // Guesses that ran beside each other while the count was still low.
            if limits.exhausted(&key, FAILED_LOGINS, app.now()).await? {
                return Err(LoginFailure::TooMany);
            }
            let log_in = LogIn {
                session: self.session.clone(),
                name_claim: self.name_claim.clone(),
                account: account.clone(),
                verified,
                expires_at: app.now() + self.ttl,
            };
            match app.desk().run(request, &log_in).await {
                Err(DeskError::Refused(LogInError::CredentialsMoved)) => {}
                Err(error) => return Err(error.into()),
                Ok(done) => return Ok((account, done)),
            }
        }
        Err(LoginFailure::Moved)
    }

    /// The account and the hash that the password was verified against, as they stand in the log now; `None` when the
    /// name is nobody's or the password is wrong, which takes the same time.
    async fn verified(&self, app: &App) -> Result<Option<(String, String)>, LoginFailure> {
        let ledger = app.ledger();
        let claim = ledger
            .load::<NameClaim>(&self.name_claim, Freshness::Reread)
            .await?;
        let account = holder(&claim.state).map(str::to_owned);
        let id = account.as_deref().unwrap_or(self.nobody);
        let loaded = ledger.load::<Account>(id, Freshness::Reread).await?;
        let open = loaded.state.open();
        let stored = open.and_then(|open| open.password_hash.as_ref()?.get().cloned());
        let right = app
            .passwords()
            .verify(&self.password, stored.clone())
            .await?;
        Ok(if right { account.zip(stored) } else { None })
    }
}
