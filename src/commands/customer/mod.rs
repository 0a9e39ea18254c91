//! What can be asked of a customer of the mini-program (contract README section 3, row 5; `zhugeleida.md` 3.1–3.4, 4).
//!
//! `operations.rs` has the commands that look at other streams, too: the login over name and customer, the binding over
//! card and parents.

mod operations;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::customer::{
    CustomerProfile, FORM_ID_LIFE, FormId, Registered, Source, UserType,
};
use crate::events::{Customer, CustomerEvent};
use crate::ledger::Personal;

pub use operations::{BindCustomer, LINEAGE_MAX, LogIn, LoggedIn, identity_claim, identity_holder};

/// What can be asked of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerCommand {
    /// Enter somebody seen for the first time. The WeChat identity is claimed in the same job.
    Register(Newcomer),
    /// Record that they proved who they are.
    LogIn {
        /// Through the test version of the login.
        trial: bool,
    },
    /// Let them belong to an enterprise user. That card and parent are there is the operation's to guard.
    Bind(Binding),
    /// Store what they let the app see of their WeChat profile.
    UpdateProfile(Profile),
    /// Keep a form id.
    CollectFormId {
        /// The id.
        form_id: Personal<String>,
        /// When it came.
        at: DateTime<Utc>,
    },
    /// Record that they handed over their phone number.
    CapturePhone {
        /// To whom.
        uid: i64,
        /// With the dialling code where it is a foreign one.
        phone: Personal<String>,
        /// Without the dialling code.
        pure_phone: Personal<String>,
        /// The dialling code.
        country_code: Personal<String>,
    },
    /// Let signatures under the present token be void.
    RotateToken,
    /// Shut them out.
    Disable,
    /// Let them in again.
    Enable,
    /// Forget who they are.
    Erase,
}

/// Somebody seen for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Who they are to the app.
    pub openid: Personal<String>,
    /// Who they are to all apps of its owner.
    pub unionid: Option<Personal<String>>,
    /// Through which kind of app they came.
    pub user_type: UserType,
    /// How they came.
    pub source: Source,
    /// Through the test version of the login.
    pub trial: bool,
}

/// To whom somebody belongs, and who brought them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The enterprise user.
    pub uid: i64,
    /// The customer who brought them.
    pub pid: Option<i64>,
    /// How they came.
    pub source: Source,
    /// Through which kind of app.
    pub user_type: UserType,
}

/// A WeChat profile as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `CustomerEvent`")]
pub struct Profile {
    pub username: Personal<String>,
    pub headimgurl: Personal<String>,
    pub city: Personal<String>,
    pub country: Personal<String>,
    pub province: Personal<String>,
    pub language: Personal<String>,
}

/// Why a customer says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CustomerError {
    /// There is none.
    #[error("there is no such customer")]
    NotFound,
    /// The id is taken.
    #[error("the customer exists already")]
    Exists,
    /// They may not use the app.
    #[error("the customer is disabled")]
    Disabled,
    /// There is no such card.
    #[error("there is no such card")]
    NoCard,
    /// The card may not be used.
    #[error("the card is disabled")]
    CardDisabled,
    /// There is no such parent.
    #[error("there is no customer who could be the parent")]
    NoParent,
    /// Only the first binding of all goes without a signature.
    #[error("only a first binding goes without a signature")]
    Unsigned,
    /// Somebody new, and no id was at hand for them: take one and ask again.
    #[error("a new customer needs an id")]
    IdNeeded,
}

impl Decide for Customer {
    type Command = CustomerCommand;
    type Refusal = CustomerError;

    fn decide(&self, command: &CustomerCommand) -> Result<Vec<CustomerEvent>, CustomerError> {
        match (command, self) {
            (CustomerCommand::Register(newcomer), Self::Unregistered) => {
                let newcomer = newcomer.clone();
                Ok(vec![CustomerEvent::CustomerRegistered {
                    openid: newcomer.openid,
                    unionid: newcomer.unionid,
                    user_type: newcomer.user_type,
                    source: newcomer.source,
                    trial: newcomer.trial,
                }])
            }
            (CustomerCommand::Register(_), Self::Registered(_)) => Err(CustomerError::Exists),
            (_, Self::Unregistered) => Err(CustomerError::NotFound),
            // Who was forgotten stays so.
            (CustomerCommand::Disable | CustomerCommand::Erase, Self::Registered(customer))
                if customer.erased =>
            {
                Ok(vec![])
            }
            (_, Self::Registered(customer)) if customer.erased => Err(CustomerError::NotFound),
            (command, Self::Registered(customer)) => change(customer, command),
        }
    }
}

fn change(
    customer: &Registered,
    command: &CustomerCommand,
) -> Result<Vec<CustomerEvent>, CustomerError> {
    Ok(match command {
        CustomerCommand::Register(_) => return Err(CustomerError::Exists),
        CustomerCommand::Erase => vec![CustomerEvent::PersonErased {}],
        CustomerCommand::RotateToken => vec![CustomerEvent::CustomerTokenRotated {}],
        CustomerCommand::Disable if customer.enabled => vec![CustomerEvent::CustomerDisabled {}],
        CustomerCommand::Enable if !customer.enabled => vec![CustomerEvent::CustomerEnabled {}],
        CustomerCommand::Disable | CustomerCommand::Enable => vec![],
        // What follows is done by the customers themselves or in their name.
        _ if !customer.enabled => return Err(CustomerError::Disabled),
        CustomerCommand::LogIn { trial } => vec![CustomerEvent::CustomerLoggedIn { trial: *trial }],
        CustomerCommand::Bind(binding) if customer.bindings.contains_key(&binding.uid) => vec![],
        CustomerCommand::Bind(binding) => vec![CustomerEvent::CustomerBound {
            uid: binding.uid,
            pid: binding.pid,
            source: binding.source,
            user_type: binding.user_type,
        }],
        CustomerCommand::UpdateProfile(profile) => updated(&customer.profile, profile),
        CustomerCommand::CollectFormId { form_id, .. } if knows(customer, form_id) => vec![],
        CustomerCommand::CollectFormId { form_id, at } => vec![CustomerEvent::FormIdCollected {
            form_id: form_id.clone(),
            expires_at: *at + FORM_ID_LIFE,
        }],
        CustomerCommand::CapturePhone { uid, phone, .. }
            if customer.phones.get(uid) == Some(phone) =>
        {
            vec![]
        }
        CustomerCommand::CapturePhone {
            uid,
            phone,
            pure_phone,
            country_code,
        } => vec![CustomerEvent::CustomerPhoneCaptured {
            uid: *uid,
            phone: phone.clone(),
            pure_phone: pure_phone.clone(),
            country_code: country_code.clone(),
        }],
    })
}

fn knows(customer: &Registered, form_id: &Personal<String>) -> bool {
    let known = |known: &FormId| known.form_id == *form_id;
    customer.form_ids.iter().any(known)
}

/// Only what changes; nothing at all when nothing does.
fn updated(old: &CustomerProfile, new: &Profile) -> Vec<CustomerEvent> {
    let new = CustomerProfile {
        username: changed(&new.username, old.username.as_ref()),
        headimgurl: changed(&new.headimgurl, old.headimgurl.as_ref()),
        city: changed(&new.city, old.city.as_ref()),
        country: changed(&new.country, old.country.as_ref()),
        province: changed(&new.province, old.province.as_ref()),
        language: changed(&new.language, old.language.as_ref()),
    };
    if new == CustomerProfile::default() {
        return vec![];
    }
    vec![CustomerEvent::CustomerProfileUpdated {
        username: new.username,
        headimgurl: new.headimgurl,
        city: new.city,
        country: new.country,
        province: new.province,
        language: new.language,
    }]
}

fn changed(new: &Personal<String>, old: Option<&Personal<String>>) -> Option<Personal<String>> {
    (Some(new) != old).then(|| new.clone())
}
