//! Accounts of team users, realm `xdua`.

use crate::commands::account::{AccountCommand, AccountError};
use crate::commands::{Book, Operation, Stop};
use crate::events::Account;
use crate::ledger::{Personal, State, StreamId};

/// In front of the id of a team user's account.
const REALM: &str = "xdua:";
/// Characters of an id.
const ID_LENGTH: usize = 8;
/// What ids are made of.
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Ids made at once, of which the first that is free is taken.
const CANDIDATES: usize = 8;

/// The account id of a team user.
#[must_use]
pub fn user_account(user_id: &str) -> String {
    format!("{REALM}{user_id}")
}

/// The team user of an account id; `None` for other realms and for what is no id.
#[must_use]
pub fn user_id(account: &str) -> Option<&str> {
    account.strip_prefix(REALM).filter(|id| is_user_id(id))
}

/// Is it an id that is ever given to a team user?
#[must_use]
pub fn is_user_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Some random ids for a team user.
#[must_use]
pub fn new_user_ids() -> Vec<String> {
    let one = || {
        let letters = rand::random::<[u32; ID_LENGTH]>();
        letters.map(|random| char::from(LETTERS[random as usize % LETTERS.len()]))
    };
    (0..CANDIDATES).map(|_| one().iter().collect()).collect()
}

/// Opens the account of a team user under the first of some ids that is free.
#[derive(Debug, Clone)]
pub struct OpenTeamUser {
    /// Ids that may be free.
    pub ids: Vec<String>,
    /// The name it is shown under.
    pub name: String,
}

impl Operation for OpenTeamUser {
    /// The id, without the realm.
    type Outcome = String;
    type Refusal = AccountError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<AccountError>> {
        for id in &self.ids {
            let account = user_account(id);
            if *book.state::<Account>(&account).await? != Account::Unopened {
                continue;
            }
            let subject = StreamId::new(Account::TYPE, account.clone()).to_string();
            let open = AccountCommand::Open {
                name: Personal::new(subject, self.name.clone()),
                role: 0,
                perm: 0,
                phone: None,
            };
            book.decide::<Account>(&account, &open).await?;
            return Ok(id.clone());
        }
        Err(Stop::Refused(AccountError::Exists))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_eight_letters_or_digits() {
        for id in new_user_ids() {
            assert_eq!(user_id(&user_account(&id)), Some(id.as_str()));
        }
        assert_eq!(user_id("xdua:Dt5mvrtU"), Some("Dt5mvrtU"));
        for bad in [
            "xdua:Dt5mvrt",
            "xdua:Dt5mvrt-",
            "backend:Dt5mvrtU",
            "Dt5mvrtU",
        ] {
            assert_eq!(user_id(bad), None, "{bad}");
        }
    }
}
