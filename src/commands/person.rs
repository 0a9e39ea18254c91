//! Forgetting a person, whoever they are: staff, members, authors, team users, customers, enterprise users.
//!
//! One job: the event on the person's stream, the release of the names they hold, the end of their sessions. The key goes in the
//! same transaction (the database sees to it), so there is nothing between that a crash could leave behind.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::account::{AccountCommand, AccountError, Actor, staff_name_claim};
use super::card::{CardCommand, CardError};
use super::customer::{CustomerCommand, CustomerError};
use super::member::{Phone, is_hex_id, member_uid};
use super::name_claim::{NameClaimCommand, NameClaimError};
use super::session::{SessionCommand, SessionError};
use super::showcase::{author_id, is_id, username_claim};
use super::team::{is_user_id, user_id};
use super::{Book, Operation, Stop};
use crate::events::account::OpenAccount;
use crate::events::{Account, Card, Customer, NameClaim, Session};
use crate::ledger::{Keys, State, StreamId};

/// Somebody who can be forgotten, named by their own stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// The id part of an account, as `community:<uid>`.
    Account(String),
    /// A customer of the mini-program.
    Customer(i64),
    /// An enterprise user, by their card.
    Card(i64),
}

impl Person {
    /// Whose stream it is; `None` for streams of nobody, and for ids that are never given out.
    #[must_use]
    pub fn of(stream: &StreamId) -> Option<Self> {
        let id = stream.id.as_str();
        match stream.aggregate.as_ref() {
            Account::TYPE => realm(id).map(|_| Self::Account(id.to_owned())),
            Customer::TYPE => number(id).map(Self::Customer),
            Card::TYPE => number(id).map(Self::Card),
            _ => None,
        }
    }

    /// Their stream, under whose name their data is sealed.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        match self {
            Self::Account(id) => StreamId::new(Account::TYPE, id.clone()),
            Self::Customer(id) => StreamId::new(Customer::TYPE, id.to_string()),
            Self::Card(uid) => StreamId::new(Card::TYPE, uid.to_string()),
        }
    }

    /// How events name them as who acted; team users act nowhere.
    #[must_use]
    pub fn actor(&self) -> Option<String> {
        match self {
            Self::Account(id) => match realm(id)? {
                Realm::Staff(uid) => Some(format!("staff:{uid}")),
                Realm::Member(uid) => Some(format!("member:{uid}")),
                Realm::Author(id) => Some(format!("weidu:{id}")),
                Realm::TeamUser => None,
            },
            Self::Customer(id) => Some(format!("customer:{id}")),
            Self::Card(uid) => Some(format!("card:{uid}")),
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream().fmt(f)
    }
}

/// Whose account it is.
enum Realm<'i> {
    Staff(i64),
    Member(&'i str),
    Author(&'i str),
    TeamUser,
}

fn realm(account: &str) -> Option<Realm<'_>> {
    let staff = account.strip_prefix("backend:").and_then(number);
    let member = member_uid(account).filter(|uid| is_hex_id(uid));
    let author = author_id(account).filter(|id| is_id(id));
    let team_user = user_id(account).filter(|id| is_user_id(id));
    staff
        .map(Realm::Staff)
        .or(member.map(Realm::Member))
        .or(author.map(Realm::Author))
        .or(team_user.map(|_| Realm::TeamUser))
}

/// A positive integer in its only spelling.
fn number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

/// What a read table showed of a person before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The table.
    pub table: String,
    /// Its columns that are the person's.
    pub columns: Vec<String>,
    /// The rows in which at least one of them said something.
    pub rows: i64,
}

/// Forgets a person.
#[derive(Debug, Clone)]
pub struct ErasePerson {
    /// Whom.
    pub person: Person,
    /// The keys claims are named under.
    pub keys: Keys,
    /// Nobody erases itself.
    pub by: Actor,
    /// Of a customer: the claim on their WeChat identity, which is no part of the state.
    pub identity: Option<String>,
    /// The ids of an account's sessions known to be open.
    pub sessions: Vec<String>,
    /// What the read tables show now; the outcome repeats it, so that a repeated request hears it again.
    pub found: Vec<Found>,
}

/// What it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The person had been forgotten before.
    pub already: bool,
    /// The claims that were let go of: keyed hashes.
    pub names: Vec<String>,
    /// How many sessions ended.
    pub sessions: usize,
    /// What the read tables showed before.
    pub found: Vec<Found>,
}

/// Why nobody is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum EraseError {
    /// There is no such person.
    #[error("there is no such person")]
    NotFound,
    /// Nobody erases itself.
    #[error("nobody erases itself")]
    Oneself,
}

impl From<AccountError> for EraseError {
    fn from(refusal: AccountError) -> Self {
        match refusal {
            AccountError::Oneself => Self::Oneself,
            AccountError::NotFound | AccountError::Exists | AccountError::NameTaken => {
                Self::NotFound
            }
        }
    }
}

impl Operation for ErasePerson {
    type Outcome = Erased;
    type Refusal = EraseError;

    async fn attempt(&self, book: &mut Book) -> Result<Erased, Stop<EraseError>> {
        let mut claims: Vec<String> = self.identity.iter().cloned().collect();
        match &self.person {
            Person::Account(id) => {
                // Before it is decided: afterwards nobody knows what the name was.
                if let Some(account) = book.state::<Account>(id).await?.open() {
                    claims.extend(held(id, account, &self.keys));
                }
                let erase = AccountCommand::Erase { by: self.by };
                book.decide::<Account>(id, &erase)
                    .await
                    .map_err(|stop| stop.map(EraseError::from))?;
            }
            Person::Customer(id) => book
                .decide::<Customer>(&id.to_string(), &CustomerCommand::Erase)
                .await
                .map_err(|stop| stop.map(|_: CustomerError| EraseError::NotFound))?,
            Person::Card(uid) => book
                .decide::<Card>(&uid.to_string(), &CardCommand::Erase)
                .await
                .map_err(|stop| stop.map(|_: CardError| EraseError::NotFound))?,
        }
        let already = !book.writes();
        let mut names = Vec::new();
        let mut sessions = 0;
        if !already {
            for claim in claims {
                if self.release(book, &claim).await? {
                    names.push(claim);
                }
            }
            sessions = self.close(book).await?;
        }
        Ok(Erased {
            already,
            names,
            sessions,
            found: self.found.clone(),
        })
    }
}

impl ErasePerson {
    /// Lets go of a name, if it is theirs.
    async fn release(&self, book: &mut Book, claim: &str) -> Result<bool, Stop<EraseError>> {
        let holder = self.person.stream().to_string();
        let theirs = matches!(&*book.state::<NameClaim>(claim).await?,
            NameClaim::Held { holder: held } if *held == holder);
        book.decide::<NameClaim>(claim, &NameClaimCommand::Release { holder })
            .await
            // A release is never refused.
            .map_err(|stop| stop.map(|NameClaimError::Taken| EraseError::NotFound))?;
        Ok(theirs)
    }

    /// That none of them works any more follows from the account alone; this is for the record.
    async fn close(&self, book: &mut Book) -> Result<usize, Stop<EraseError>> {
        let Person::Account(id) = &self.person else {
            return Ok(0);
        };
        book.open_all::<Session>(&self.sessions).await?;
        let mut closed = 0;
        for session in &self.sessions {
            let state = book.state::<Session>(session).await?;
            if !matches!(&*state, Session::Open { account, .. } if account == id) {
                continue;
            }
            match book
                .decide::<Session>(session, &SessionCommand::Close)
                .await
            {
                Ok(()) => closed += 1,
                Err(Stop::Refused(SessionError::NotFound | SessionError::Exists)) => {}
                Err(Stop::Fault(fault)) => return Err(Stop::Fault(fault)),
            }
        }
        Ok(closed)
    }
}

/// The claim of an account on what it logs in under; team users have none.
fn held(id: &str, account: &OpenAccount, keys: &Keys) -> Option<String> {
    let name = account.name.get()?;
    match realm(id)? {
        Realm::Staff(_) => Some(staff_name_claim(keys, name)),
        Realm::Author(_) => Some(username_claim(keys, name)),
        Realm::Member(_) => {
            let (country, phone) = (&account.profile.country, &account.profile.phone);
            let phone = Phone::new(country.as_ref()?.get()?, phone.as_ref()?.get()?)?;
            Some(phone.claim(keys))
        }
        Realm::TeamUser => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(text: &str) -> Option<Person> {
        Person::of(&text.parse().unwrap())
    }

    #[test]
    fn people_are_named_by_their_streams() {
        let uid = "0123456789abcdef0123456789abcdef";
        for (stream, actor) in [
            ("Account:backend:7", Some("staff:7".to_owned())),
            (
                &format!("Account:community:{uid}"),
                Some(format!("member:{uid}")),
            ),
            ("Account:xdua:Dt5mvrtU", None),
            ("Customer:17", Some("customer:17".to_owned())),
            ("Card:3", Some("card:3".to_owned())),
        ] {
            let person = person(stream).expect(stream);
            assert_eq!(person.to_string(), stream);
            assert_eq!(person.actor(), actor);
        }
    }

    #[test]
    fn what_is_nobody_cannot_be_forgotten() {
        for stream in [
            "Task:1",
            "Customer:x",
            "Customer:017",
            "Customer:0",
            "Account:backend:",
            "Account:backend:+7",
            "Account:community:7",
            "Account:elsewhere:7",
        ] {
            assert_eq!(person(stream), None, "{stream}");
        }
    }
}
