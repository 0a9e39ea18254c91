//! Opening the account of a member, and what an SMS code opens. A right code is used up and a wrong one counted whatever else
//! becomes of it (contract README 2.10): what goes wrong after the code is therefore an outcome, not a refusal.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Phone, member_account, member_uid};
use crate::commands::account::{AccountCommand, AccountError, AccountPhone};
use crate::commands::ending::EndingSessions;
use crate::commands::name_claim::{NameClaimCommand, NameClaimError};
use crate::commands::phone_code::CodeTried;
use crate::commands::session::{SessionCommand, SessionError, holder};
use crate::commands::{Book, Operation, Stop};
use crate::events::{Account, NameClaim, Session};
use crate::ledger::{Personal, State, StreamId};

/// Why a member is not let in, or not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MemberError {
    /// The code is wrong, used up or expired.
    #[error("the code is not good")]
    WrongCode,
    /// Somebody has an account under the phone.
    #[error("the phone has an account")]
    PhoneTaken,
    /// Nobody has.
    #[error("the phone has no account")]
    PhoneUnknown,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The account says no.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The session says no.
    #[error(transparent)]
    Session(#[from] SessionError),
}

type Refused = Stop<MemberError>;

/// Opens the account of a member: the phone is claimed, the account opened, its password set, if there is one.
#[derive(Debug, Clone)]
pub struct OpenMember {
    /// Its id, just made.
    pub uid: String,
    /// Its phone.
    pub phone: Phone,
    /// The id of the claim on that.
    pub phone_claim: String,
    /// The name it is shown under.
    pub nickname: String,
    /// Argon2id, PHC text; without one only codes log in.
    pub password_hash: Option<String>,
}

impl Operation for OpenMember {
    type Outcome = ();
    type Refusal = AccountError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<AccountError>> {
        let id = member_account(&self.uid);
        let subject = StreamId::new(Account::TYPE, id.clone()).to_string();
        let own = |text: &str| Personal::new(subject.clone(), text.to_owned());
        let claim = NameClaimCommand::Claim {
            holder: subject.clone(),
        };
        book.decide::<NameClaim>(&self.phone_claim, &claim)
            .await
            .map_err(|stop| stop.map(|NameClaimError::Taken| AccountError::NameTaken))?;
        let open = AccountCommand::Open {
            name: own(&self.nickname),
            role: 0,
            perm: 0,
            phone: Some(AccountPhone {
                country: own(self.phone.country()),
                phone: own(self.phone.number()),
            }),
        };
        book.create::<Account>(&id);
        book.decide::<Account>(&id, &open).await?;
        if let Some(hash) = &self.password_hash {
            let password_hash = own(hash);
            let set = AccountCommand::SetPassword { password_hash };
            book.decide::<Account>(&id, &set).await?;
        }
        Ok(())
    }
}

/// Tries a code and nothing else. Answers whether it was right.
#[derive(Debug, Clone)]
pub struct TryCode(pub CodeTried);

impl Operation for TryCode {
    type Outcome = bool;
    type Refusal = MemberError;

    async fn attempt(&self, book: &mut Book) -> Result<bool, Refused> {
        self.0.in_book(book).await
    }
}

/// Opens an account and a session of it, for somebody who knows the code of the phone.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The code, right when the request came in.
    pub code: CodeTried,
    /// The account to be.
    pub member: OpenMember,
    /// The id of the session, just made.
    pub session: String,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
}

impl Operation for SignUp {
    type Outcome = Result<(), MemberError>;
    type Refusal = MemberError;

    async fn attempt(&self, book: &mut Book) -> Result<Self::Outcome, Refused> {
        if !self.code.in_book(book).await? {
            // It was right a moment ago: whoever signed up faster with it has the phone now.
            let claim = book.state::<NameClaim>(&self.member.phone_claim).await?;
            return Ok(Err(match holder(&claim) {
                Some(_) => MemberError::PhoneTaken,
                None => MemberError::WrongCode,
            }));
        }
        match self.member.attempt(book).await {
            Ok(()) => {}
            Err(Stop::Refused(AccountError::NameTaken)) => {
                return Ok(Err(MemberError::PhoneTaken));
            }
            Err(stop) => return Err(stop.map(MemberError::Account)),
        }
        let account = member_account(&self.member.uid);
        open_session(book, &self.session, account, self.expires_at).await?;
        Ok(Ok(()))
    }
}

/// Opens a session for somebody who knows the code of the phone.
#[derive(Debug, Clone)]
pub struct LogInByCode {
    /// The code.
    pub code: CodeTried,
    /// The id of the claim on the phone.
    pub phone_claim: String,
    /// The id of the session, just made.
    pub session: String,
    /// When the session ends by itself.
    pub expires_at: DateTime<Utc>,
}

impl Operation for LogInByCode {
    /// The uid of who it is.
    type Outcome = Result<String, MemberError>;
    type Refusal = MemberError;

    async fn attempt(&self, book: &mut Book) -> Result<Self::Outcome, Refused> {
        if !self.code.in_book(book).await? {
            return Ok(Err(MemberError::WrongCode));
        }
        let account = match usable(book, &self.phone_claim).await? {
            Ok(account) => account,
            Err(why) => return Ok(Err(why)),
        };
        let uid = member_uid(&account).unwrap_or_default().to_owned();
        open_session(book, &self.session, account, self.expires_at).await?;
        Ok(Ok(uid))
    }
}

/// Sets a new password for somebody who knows the code of the phone; every session ends.
#[derive(Debug, Clone)]
pub struct ResetPassword {
    /// The code.
    pub code: CodeTried,
    /// The id of the claim on the phone.
    pub phone_claim: String,
    /// Argon2id, PHC text.
    pub password_hash: String,
    /// The ids of the sessions known to be open.
    pub sessions: Vec<String>,
}

impl Operation for ResetPassword {
    type Outcome = Result<(), MemberError>;
    type Refusal = MemberError;

    async fn attempt(&self, book: &mut Book) -> Result<Self::Outcome, Refused> {
        if !self.code.in_book(book).await? {
            return Ok(Err(MemberError::WrongCode));
        }
        let account = match usable(book, &self.phone_claim).await? {
            Ok(account) => account,
            Err(why) => return Ok(Err(why)),
        };
        let subject = StreamId::new(Account::TYPE, account.clone()).to_string();
        let password_hash = Personal::new(subject, self.password_hash.clone());
        let ending = EndingSessions {
            account,
            command: AccountCommand::SetPassword { password_hash },
            sessions: self.sessions.clone(),
        };
        let ended = ending.attempt(book).await;
        ended.map_err(|stop| stop.map(MemberError::Account))?;
        Ok(Ok(()))
    }
}

/// The account that holds a phone, if it is enabled.
async fn usable(book: &mut Book, claim: &str) -> Result<Result<String, MemberError>, Refused> {
    let claim = book.state::<NameClaim>(claim).await?;
    let Some(account) = holder(&claim) else {
        return Ok(Err(MemberError::PhoneUnknown));
    };
    let found = book.state::<Account>(account).await?;
    Ok(match found.open() {
        Some(open) if open.enabled => Ok(account.to_owned()),
        Some(_) => Err(MemberError::Disabled),
        None => Err(MemberError::PhoneUnknown),
    })
}

async fn open_session(
    book: &mut Book,
    session: &str,
    account: String,
    expires_at: DateTime<Utc>,
) -> Result<(), Refused> {
    let found = book.state::<Account>(&account).await?;
    let open = SessionCommand::Open {
        credential_version: found.open().map_or(0, |open| open.credential_version),
        account,
        expires_at,
    };
    book.create::<Session>(session);
    let opened = book.decide::<Session>(session, &open).await;
    opened.map_err(|stop| stop.map(MemberError::Session))
}
