//! Accounts of authors, realm `weidu`. Their names are unique in the realm.

use super::ids::is_id;
use crate::commands::account::{AccountCommand, AccountError};
use crate::commands::name_claim::{NameClaimCommand, NameClaimError};
use crate::commands::{Book, Operation, Stop};
use crate::events::{Account, NameClaim};
use crate::ledger::{Keys, Personal, State, StreamId};

/// In front of the id of an author's account.
const REALM: &str = "weidu:";
/// The scope of names.
const SCOPE: &str = "weidu-username";

/// The account id of an author.
#[must_use]
pub fn author_account(user_id: &str) -> String {
    format!("{REALM}{user_id}")
}

/// The author of an account id; `None` for other realms and for what is no id.
#[must_use]
pub fn author_id(account: &str) -> Option<&str> {
    account.strip_prefix(REALM).filter(|id| is_id(id))
}

/// Is there an author of this id? Whether the account is enabled does not matter.
///
/// # Errors
/// [`crate::ledger::LoadError`].
pub(super) async fn is_author(
    book: &mut Book,
    user_id: &str,
) -> Result<bool, crate::ledger::LoadError> {
    if !is_id(user_id) {
        return Ok(false);
    }
    let account = book.state::<Account>(&author_account(user_id)).await?;
    Ok(account.open().is_some())
}

/// The id of the claim on a name: names differ by more than letter case.
pub(in crate::commands) fn claim_id(keys: &Keys, name: &str) -> String {
    let hashed = keys.name(SCOPE, &name.trim().to_lowercase());
    format!("{SCOPE}:{hashed}")
}

fn subject(account: &str) -> String {
    StreamId::new(Account::TYPE, account).to_string()
}

async fn decide(
    book: &mut Book,
    claim: &str,
    command: &NameClaimCommand,
) -> Result<(), Stop<AccountError>> {
    let decided = book.decide::<NameClaim>(claim, command).await;
    decided.map_err(|stop| stop.map(|NameClaimError::Taken| AccountError::NameTaken))
}

/// Opens the account of an author: its name is claimed in the same job.
#[derive(Debug, Clone)]
pub struct OpenAuthor {
    /// Its id, without the realm.
    pub id: String,
    /// The keys claims are named under.
    pub keys: Keys,
    /// The name it is shown under.
    pub username: String,
}

impl Operation for OpenAuthor {
    /// The id, without the realm.
    type Outcome = String;
    type Refusal = AccountError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<AccountError>> {
        let account = author_account(&self.id);
        let holder = subject(&account);
        let claim = claim_id(&self.keys, &self.username);
        // Looked at first, so that it is recorded first.
        book.state::<NameClaim>(&claim).await?;
        let open = AccountCommand::Open {
            name: Personal::new(holder.clone(), self.username.clone()),
            role: 0,
            perm: 0,
            phone: None,
        };
        book.decide::<Account>(&account, &open).await?;
        decide(book, &claim, &NameClaimCommand::Claim { holder }).await?;
        Ok(self.id.clone())
    }
}

/// Shows an author under another name; the new one is claimed and the old one let go.
#[derive(Debug, Clone)]
pub struct RenameAuthor {
    /// Its id, without the realm.
    pub id: String,
    /// The keys claims are named under.
    pub keys: Keys,
    /// The new name.
    pub username: String,
}

impl Operation for RenameAuthor {
    type Outcome = ();
    type Refusal = AccountError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<AccountError>> {
        let id = author_account(&self.id);
        let holder = subject(&id);
        let account = book.state::<Account>(&id).await?;
        let name = Personal::new(holder.clone(), self.username.clone());
        let rename = AccountCommand::rename(name);
        // Refuses where there is no account, or nobody any more.
        book.decide::<Account>(&id, &rename).await?;
        let old = account.open().map_or("", |account| account.name.text());
        let (old, new) = (
            claim_id(&self.keys, old),
            claim_id(&self.keys, &self.username),
        );
        // In other letter case it is the same claim.
        if old == new {
            return Ok(());
        }
        let claim = NameClaimCommand::Claim {
            holder: holder.clone(),
        };
        decide(book, &new, &claim).await?;
        decide(book, &old, &NameClaimCommand::Release { holder }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_has_an_account_of_its_realm() {
        let account = author_account("szasc68seig9jrhqw4eaj9gu3h");
        assert_eq!(author_id(&account), Some("szasc68seig9jrhqw4eaj9gu3h"));
        for bad in [
            "weidu:",
            "weidu:new",
            "xdua:szasc68seig9jrhqw4eaj9gu3h",
            "szasc68seig9jrhqw4eaj9gu3h",
        ] {
            assert_eq!(author_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_is_claimed_whatever_its_letter_case() {
        let keys = Keys::derive(&crate::ledger::Secret::new([7; 32]));
        assert_eq!(claim_id(&keys, "Weidu"), claim_id(&keys, " weidu "));
        assert_ne!(claim_id(&keys, "weidu"), claim_id(&keys, "weidu2"));
    }
}
