//! What can have happened to an account (staff, member, author, team user), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::{Personal, State};
use crate::stored_events;

/// Facts about an account. Its stream is `Account:{realm}:{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountEvent {
    /// The account came to be.
    AccountOpened {
        /// The name it is shown and, for staff, logged in under.
        name: Personal<String>,
        /// Staff: 0 operator, 1 super administrator.
        #[serde(default)]
        role: u32,
        /// Staff: permission bits, below 2^53.
        #[serde(default)]
        perm: u64,
    },
    /// The person changed how they appear. Only changed fields are there.
    AccountProfileUpdated {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Personal<String>>,
    },
    /// A password was set; sessions opened under an older one are void from here on.
    PasswordSet {
        /// Argon2id, PHC text.
        password_hash: Personal<String>,
    },
    /// The account may not be used.
    AccountDisabled {},
    /// The account may be used again.
    AccountEnabled {},
    /// Staff: role and permissions.
    AccountRoleChanged {
        /// 0 operator, 1 super administrator.
        role: u32,
        /// Permission bits, below 2^53.
        perm: u64,
    },
    /// The person was forgotten: their data key is destroyed.
    PersonErased {},
}

stored_events!(AccountEvent {
    AccountOpened: 1,
    AccountProfileUpdated: 1,
    PasswordSet: 1,
    AccountDisabled: 1,
    AccountEnabled: 1,
    AccountRoleChanged: 1,
    PersonErased: 1,
});

/// An account as rules and logins need to see it. Readers want `projections::staff`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    /// Never opened.
    #[default]
    Unopened,
    /// Opened, perhaps disabled.
    Open(OpenAccount),
}

/// What is known of an opened account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAccount {
    /// The name as registered.
    pub name: Personal<String>,
    /// 0 operator, 1 super administrator.
    pub role: u32,
    /// Permission bits.
    pub perm: u64,
    /// May be used.
    pub enabled: bool,
    /// How often a password was set: sessions remember it.
    pub credential_version: u64,
    /// Argon2id, PHC text; `None` without a password.
    pub password_hash: Option<Personal<String>>,
}

impl Account {
    /// The opened account, if there is one.
    #[must_use]
    pub fn open(&self) -> Option<&OpenAccount> {
        match self {
            Self::Unopened => None,
            Self::Open(account) => Some(account),
        }
    }
}

impl State for Account {
    const TYPE: &'static str = "Account";
    type Event = AccountEvent;

    fn apply(&mut self, event: &AccountEvent) {
        if let AccountEvent::AccountOpened { name, role, perm } = event {
            *self = Self::Open(OpenAccount {
                name: name.clone(),
                role: *role,
                perm: *perm,
                enabled: true,
                credential_version: 0,
                password_hash: None,
            });
            return;
        }
        let Self::Open(account) = self else { return };
        match event {
            AccountEvent::AccountOpened { .. } => {}
            AccountEvent::AccountProfileUpdated { name } => {
                if let Some(name) = name {
                    account.name = name.clone();
                }
            }
            AccountEvent::PasswordSet { password_hash } => {
                account.password_hash = Some(password_hash.clone());
                account.credential_version += 1;
            }
            AccountEvent::AccountDisabled {} => account.enabled = false,
            AccountEvent::AccountEnabled {} => account.enabled = true,
            AccountEvent::AccountRoleChanged { role, perm } => {
                account.role = *role;
                account.perm = *perm;
            }
            AccountEvent::PersonErased {} => {
                account.password_hash = None;
                account.credential_version += 1;
                account.enabled = false;
            }
        }
    }
}
