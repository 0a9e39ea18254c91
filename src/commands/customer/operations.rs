//! Commands to a customer that look at other streams, too: the claim on a WeChat identity, the card, the parents.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Binding, CustomerCommand, CustomerError, Newcomer};
use crate::commands::name_claim::{NameClaimCommand, NameClaimError};
use crate::commands::{Book, Operation, Stop};
use crate::events::customer::{Registered, Source, UserType};
use crate::events::{Card, Customer, NameClaim};
use crate::ledger::{Keys, LoadError, Personal, State, StreamId};

/// The scope of WeChat identities.
const SCOPE: &str = "wechat-openid";

/// How many generations of parents are looked through for a loop. A chain of shares that long is nobody's real one, and a
/// parent at its end is not kept.
pub const LINEAGE_MAX: usize = 1000;

/// The id of the claim on a WeChat identity. Every app gives somebody another openid, so the kind of app is part of it.
#[must_use]
pub fn identity_claim(keys: &Keys, user_type: UserType, openid: &str) -> String {
    let hashed = keys.name(SCOPE, &format!("{}/{openid}", user_type.number()));
    format!("{SCOPE}:{hashed}")
}

/// The customer who holds a WeChat identity.
#[must_use]
pub fn identity_holder(claim: &NameClaim) -> Option<i64> {
    match claim {
        NameClaim::Free => None,
        NameClaim::Held { holder } => holder.strip_prefix("Customer:")?.parse().ok(),
    }
}

/// Logs somebody in whom WeChat vouches for; who is seen for the first time is registered.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// From [`identity_claim`].
    pub claim: String,
    /// The id of a new customer; may be absent where the identity is known to be somebody's.
    pub new_id: Option<i64>,
    /// Who they are to the app.
    pub openid: String,
    /// Who they are to all apps of its owner.
    pub unionid: Option<String>,
    /// Through which kind of app.
    pub user_type: UserType,
    /// How they came; counts at the first time only.
    pub source: Source,
    /// Through the test version of the login.
    pub trial: bool,
}

/// Who logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// The customer.
    pub user_id: i64,
    /// What the token is derived from.
    pub token_version: u64,
    /// The enterprise user of the last binding.
    pub uid: Option<i64>,
    /// The parent of that binding.
    pub pid: Option<i64>,
}

impl LogIn {
    fn newcomer(&self, subject: &str) -> Newcomer {
        let sealed = |text: &String| Personal::new(subject, text.clone());
        Newcomer {
            openid: sealed(&self.openid),
            unionid: self.unionid.as_ref().map(sealed),
            user_type: self.user_type,
            source: self.source,
            trial: self.trial,
        }
    }
}

impl Operation for LogIn {
    type Outcome = LoggedIn;
    type Refusal = CustomerError;

    async fn attempt(&self, book: &mut Book) -> Result<LoggedIn, Stop<CustomerError>> {
        let claim = book.state::<NameClaim>(&self.claim).await?;
        let user_id = match (identity_holder(&claim), self.new_id) {
            (Some(known), _) => known,
            (None, None) => return Err(Stop::Refused(CustomerError::IdNeeded)),
            (None, Some(new)) => {
                self.register(book, new).await?;
                new
            }
        };
        let id = user_id.to_string();
        let log_in = CustomerCommand::LogIn { trial: self.trial };
        book.decide::<Customer>(&id, &log_in).await?;
        let customer = registered(book, user_id).await?;
        let customer = customer.ok_or(Stop::Refused(CustomerError::NotFound))?;
        let (uid, pid) = customer.last_binding().unzip();
        Ok(LoggedIn {
            user_id,
            token_version: customer.token_version,
            uid,
            pid: pid.flatten(),
        })
    }
}

impl LogIn {
    async fn register(&self, book: &mut Book, user_id: i64) -> Result<(), Stop<CustomerError>> {
        let id = user_id.to_string();
        let subject = StreamId::new(Customer::TYPE, id.clone()).to_string();
        let holder = subject.clone();
        book.decide::<NameClaim>(&self.claim, &NameClaimCommand::Claim { holder })
            .await
            // The book has just seen it free.
            .map_err(|stop| stop.map(|NameClaimError::Taken| CustomerError::Exists))?;
        book.create::<Customer>(&id);
        let register = CustomerCommand::Register(self.newcomer(&subject));
        book.decide::<Customer>(&id, &register).await
    }
}

/// Lets a customer belong to an enterprise user. For one enterprise user the first binding counts: doing it again is
/// quiet and changes no parent.
#[derive(Debug, Clone)]
pub struct BindCustomer {
    /// Who is bound.
    pub customer_id: i64,
    /// To whom, and who brought them.
    pub binding: Binding,
    /// Whoever asks has proved to be the customer, or is staff.
    pub signed: bool,
}

impl Operation for BindCustomer {
    type Outcome = ();
    type Refusal = CustomerError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<CustomerError>> {
        let refuse = |refusal| Err(Stop::Refused(refusal));
        let Some(customer) = registered(book, self.customer_id).await? else {
            return refuse(CustomerError::NotFound);
        };
        if !customer.enabled {
            return refuse(CustomerError::Disabled);
        }
        let Binding { uid, pid, .. } = self.binding;
        let bound = customer.bindings.contains_key(&uid);
        if !self.signed && !bound && !customer.bindings.is_empty() {
            return refuse(CustomerError::Unsigned);
        }
        match book.state::<Card>(&uid.to_string()).await?.created() {
            None => return refuse(CustomerError::NoCard),
            Some(card) if !card.enabled => return refuse(CustomerError::CardDisabled),
            Some(_) => {}
        }
        if let Some(pid) = pid
            && registered(book, pid).await?.is_none()
        {
            return refuse(CustomerError::NoParent);
        }
        let pid = match pid {
            Some(pid) if !bound => self.parent(book, pid).await?,
            Some(_) | None => None,
        };
        let binding = Binding {
            pid,
            ..self.binding
        };
        let id = self.customer_id.to_string();
        book.decide::<Customer>(&id, &CustomerCommand::Bind(binding))
            .await
    }
}

impl BindCustomer {
    /// The parent to keep: nobody is their own, and a descendant's share makes no loop. All parents looked at are guarded,
    /// so two who bring each other at once do not both become the other's parent.
    async fn parent(&self, book: &mut Book, pid: i64) -> Result<Option<i64>, LoadError> {
        let mut above = Some(pid);
        let mut seen = HashSet::new();
        while let Some(ancestor) = above {
            if ancestor == self.customer_id || seen.len() >= LINEAGE_MAX || !seen.insert(ancestor) {
                return Ok(None);
            }
            above = match registered(book, ancestor).await? {
                Some(customer) => customer.bindings.get(&self.binding.uid).copied().flatten(),
                None => None,
            };
        }
        Ok(Some(pid))
    }
}

async fn registered(book: &mut Book, id: i64) -> Result<Option<Registered>, LoadError> {
    let customer: Arc<Customer> = book.state::<Customer>(&id.to_string()).await?;
    Ok(customer.registered().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Secret;

    #[test]
    fn an_identity_is_claimed_per_kind_of_app_and_hidden() {
        let keys = Keys::derive(&Secret::new([7; 32]));
        let id = |user_type| identity_claim(&keys, user_type, "dev_x");
        assert_eq!(id(UserType::MiniProgram), id(UserType::MiniProgram));
        assert_ne!(id(UserType::MiniProgram), id(UserType::OfficialAccount));
        assert!(!id(UserType::MiniProgram).contains("dev_x"));
        let holder = "Customer:7".to_owned();
        assert_eq!(identity_holder(&NameClaim::Held { holder }), Some(7));
        assert_eq!(identity_holder(&NameClaim::Free), None);
    }
}
