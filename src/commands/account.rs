//! What can be asked of an account, and opening a staff account as one job over name and account
//! (contract README section 3, rows 1 and 2; `backend.md` 4).

use serde::{Deserialize, Serialize};

use super::name_claim::{NameClaimCommand, NameClaimError};
use super::{Book, Decide, Operation, Stop};
use crate::events::account::OpenAccount;
use crate::events::{Account, AccountEvent, NameClaim};
use crate::ledger::{Personal, StreamId};

/// What can be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// Open it. The unique name is claimed in the same job.
    Open {
        /// The name.
        name: Personal<String>,
        /// 0 operator, 1 super administrator.
        role: u32,
        /// Permission bits.
        perm: u64,
    },
    /// Set a password: sessions opened before are void.
    SetPassword {
        /// Argon2id, PHC text.
        password_hash: Personal<String>,
    },
    /// Show it under another name; only where names need not be unique.
    Rename {
        /// The new name.
        name: Personal<String>,
    },
    /// Change role and permissions.
    ChangeRole {
        /// 0 operator, 1 super administrator.
        role: u32,
        /// Permission bits.
        perm: u64,
        /// The id part of whoever asks: nobody demotes itself.
        by: Actor,
    },
    /// Take it out of use.
    Disable {
        /// Nobody disables itself.
        by: Actor,
    },
    /// Put it back into use.
    Enable,
}

/// Whether an account acts on itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The account itself.
    Itself,
    /// Somebody else.
    Another,
}

/// Why an account says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AccountError {
    /// There is none.
    #[error("there is no such account")]
    NotFound,
    /// The id is taken.
    #[error("the account exists already")]
    Exists,
    /// The name is taken.
    #[error("the name is taken")]
    NameTaken,
    /// Nobody disables or demotes itself.
    #[error("nobody disables or demotes itself")]
    Oneself,
}

impl Decide for Account {
    type Command = AccountCommand;
    type Refusal = AccountError;

    fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, AccountError> {
        if let AccountCommand::Open { name, role, perm } = command {
            return match self {
                Self::Unopened => Ok(vec![AccountEvent::AccountOpened {
                    name: name.clone(),
                    role: *role,
                    perm: *perm,
                }]),
                Self::Open(_) => Err(AccountError::Exists),
            };
        }
        let account = self.open().ok_or(AccountError::NotFound)?;
        change(account, command)
    }
}

fn change(
    account: &OpenAccount,
    command: &AccountCommand,
) -> Result<Vec<AccountEvent>, AccountError> {
    match command {
        AccountCommand::Open { .. } => Err(AccountError::Exists),
        AccountCommand::SetPassword { password_hash } => Ok(vec![AccountEvent::PasswordSet {
            password_hash: password_hash.clone(),
        }]),
        // Who was erased has no name to change.
        AccountCommand::Rename { .. } if account.name.get().is_none() => {
            Err(AccountError::NotFound)
        }
        AccountCommand::Rename { name } if *name != account.name => {
            Ok(vec![AccountEvent::AccountProfileUpdated {
                name: Some(name.clone()),
            }])
        }
        AccountCommand::ChangeRole {
            by: Actor::Itself, ..
        }
        | AccountCommand::Disable { by: Actor::Itself } => Err(AccountError::Oneself),
        AccountCommand::ChangeRole { role, perm, .. }
            if (*role, *perm) != (account.role, account.perm) =>
        {
            Ok(vec![AccountEvent::AccountRoleChanged {
                role: *role,
                perm: *perm,
            }])
        }
        AccountCommand::Disable { .. } if account.enabled => {
            Ok(vec![AccountEvent::AccountDisabled {}])
        }
        AccountCommand::Enable if !account.enabled => Ok(vec![AccountEvent::AccountEnabled {}]),
        AccountCommand::Rename { .. }
        | AccountCommand::ChangeRole { .. }
        | AccountCommand::Disable { .. }
        | AccountCommand::Enable => Ok(vec![]),
    }
}

/// Opens a staff account: the name is claimed, the account opened, its password set; all or nothing.
#[derive(Debug, Clone)]
pub struct OpenStaffAccount {
    /// The new uid.
    pub uid: i64,
    /// The name's stream id: scope and keyed hash of the name in lower case.
    pub name_claim: String,
    /// The name as given.
    pub name: String,
    /// Argon2id, PHC text.
    pub password_hash: String,
    /// 0 operator, 1 super administrator.
    pub role: u32,
    /// Permission bits.
    pub perm: u64,
}

impl Operation for OpenStaffAccount {
    type Outcome = i64;
    type Refusal = AccountError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<AccountError>> {
        let id = format!("backend:{}", self.uid);
        let subject = StreamId::new("Account", id.clone()).to_string();
        let claim = NameClaimCommand::Claim {
            holder: subject.clone(),
        };
        book.decide::<NameClaim>(&self.name_claim, &claim)
            .await
            .map_err(|stop| stop.map(|NameClaimError::Taken| AccountError::NameTaken))?;
        let open = AccountCommand::Open {
            name: Personal::new(subject.clone(), self.name.clone()),
            role: self.role,
            perm: self.perm,
        };
        book.decide::<Account>(&id, &open).await?;
        let password_hash = Personal::new(subject, self.password_hash.clone());
        book.decide::<Account>(&id, &AccountCommand::SetPassword { password_hash })
            .await?;
        Ok(self.uid)
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn text(value: &str) -> Personal<String> {
        Personal::new("Account:backend:7", value.to_owned())
    }

    fn opened() -> AccountEvent {
        AccountEvent::AccountOpened {
            name: text("admin"),
            role: 0,
            perm: 4,
        }
    }

    fn rules() -> TestFramework<Account> {
        TestFramework::with(())
    }

    #[test]
    fn an_account_is_opened_once() {
        let open = || AccountCommand::Open {
            name: text("admin"),
            role: 0,
            perm: 4,
        };
        rules()
            .given_no_previous_events()
            .when(open())
            .then_expect_events(vec![opened()]);
        rules()
            .given(vec![opened()])
            .when(open())
            .then_expect_error(AccountError::Exists);
        rules()
            .given_no_previous_events()
            .when(AccountCommand::Enable)
            .then_expect_error(AccountError::NotFound);
    }

    #[test]
    fn a_password_moves_the_credentials_on_every_time() {
        let set = AccountEvent::PasswordSet {
            password_hash: text("h"),
        };
        rules()
            .given(vec![opened(), set.clone()])
            .when(AccountCommand::SetPassword {
                password_hash: text("h"),
            })
            .then_expect_events(vec![set.clone()]);
        let mut account = Account::default();
        for event in [opened(), set.clone(), set] {
            crate::ledger::State::apply(&mut account, &event);
        }
        assert_eq!(account.open().unwrap().credential_version, 2);
    }

    #[test]
    fn disabling_and_enabling_are_quiet_when_it_is_already_so() {
        let disable = || AccountCommand::Disable { by: Actor::Another };
        let disabled = AccountEvent::AccountDisabled {};
        rules()
            .given(vec![opened()])
            .when(disable())
            .then_expect_events(vec![disabled.clone()]);
        rules()
            .given(vec![opened(), disabled.clone()])
            .when(disable())
            .then_expect_events(vec![]);
        rules()
            .given(vec![opened(), disabled])
            .when(AccountCommand::Enable)
            .then_expect_events(vec![AccountEvent::AccountEnabled {}]);
        rules()
            .given(vec![opened()])
            .when(AccountCommand::Enable)
            .then_expect_events(vec![]);
    }

    #[test]
    fn nobody_disables_or_demotes_itself() {
        let disable = AccountCommand::Disable { by: Actor::Itself };
        rules()
            .given(vec![opened()])
            .when(disable)
            .then_expect_error(AccountError::Oneself);
        let demote = AccountCommand::ChangeRole {
            role: 0,
            perm: 0,
            by: Actor::Itself,
        };
        rules()
            .given(vec![opened()])
            .when(demote)
            .then_expect_error(AccountError::Oneself);
    }

    #[test]
    fn a_role_changes_only_when_it_differs() {
        let change = |role, perm| AccountCommand::ChangeRole {
            role,
            perm,
            by: Actor::Another,
        };
        rules()
            .given(vec![opened()])
            .when(change(1, 0))
            .then_expect_events(vec![AccountEvent::AccountRoleChanged { role: 1, perm: 0 }]);
        rules()
            .given(vec![opened()])
            .when(change(0, 4))
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_new_name_is_recorded_when_it_differs() {
        let rename = |name: &str| AccountCommand::Rename { name: text(name) };
        let updated = |name: &str| AccountEvent::AccountProfileUpdated {
            name: Some(text(name)),
        };
        rules()
            .given(vec![opened()])
            .when(rename("other"))
            .then_expect_events(vec![updated("other")]);
        rules()
            .given(vec![opened(), updated("other")])
            .when(rename("other"))
            .then_expect_events(vec![]);
        rules()
            .given_no_previous_events()
            .when(rename("other"))
            .then_expect_error(AccountError::NotFound);
    }
}
