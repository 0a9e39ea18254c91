//! What can have happened to an account (staff, member, author, team user), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Deserializer, Serialize};

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
        /// Members: the dialling code of the phone, without `+`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country: Option<Personal<String>>,
        /// Members: the phone, digits only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<String>>,
    },
    /// The person changed how they appear. Only changed fields are there; null says that one was cleared.
    AccountProfileUpdated(Box<ProfileChange>),
    /// A password was set; sessions opened under an older one are void from here on.
    PasswordSet {
        /// Argon2id, PHC text.
        password_hash: Personal<String>,
    },
    /// The account may not be used.
    AccountDisabled {
        /// Why, at most 200 characters, if anybody said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// The account may be used again.
    AccountEnabled {},
    /// Staff: role and permissions.
    AccountRoleChanged {
        /// 0 operator, 1 super administrator.
        role: u32,
        /// Permission bits, below 2^53.
        perm: u64,
    },
    /// Staff gave a member another standing. Only changed fields are there; null says that one was cleared.
    AccountStandingAdjusted {
        /// 0 ordinary.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<u64>,
        /// Points, below 2^53.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<u64>,
        /// Level, below 2^53.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<u64>,
        /// Experience, below 2^53.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exp: Option<u64>,
        /// The code by which the member invites others, at most 64 characters.
        #[serde(
            default,
            deserialize_with = "mentioned",
            skip_serializing_if = "Option::is_none"
        )]
        invitation_code: Option<Option<Personal<String>>>,
        /// Who invited the member, at most 64 characters.
        #[serde(
            default,
            deserialize_with = "mentioned",
            skip_serializing_if = "Option::is_none"
        )]
        inviter: Option<Option<Personal<String>>>,
    },
    /// The person was forgotten: their data key is destroyed.
    PersonErased {},
}

/// New values of a profile; `Some(None)` clears one.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChange {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// Members: the name of an image.
    #[serde(
        default,
        deserialize_with = "mentioned",
        skip_serializing_if = "Option::is_none"
    )]
    pub avatar: Option<Option<Personal<String>>>,
    /// Members: 0 unknown, 1 male, 2 female.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Personal<u8>>,
    /// Members: at most 64 characters.
    #[serde(
        default,
        deserialize_with = "mentioned",
        skip_serializing_if = "Option::is_none"
    )]
    pub province: Option<Option<Personal<String>>>,
    /// Members: at most 64 characters.
    #[serde(
        default,
        deserialize_with = "mentioned",
        skip_serializing_if = "Option::is_none"
    )]
    pub city: Option<Option<Personal<String>>>,
    /// Members: milliseconds since the epoch, may be negative.
    #[serde(
        default,
        deserialize_with = "mentioned",
        skip_serializing_if = "Option::is_none"
    )]
    pub birthday_ms: Option<Option<Personal<i64>>>,
    /// Members: at most 128 characters.
    #[serde(
        default,
        deserialize_with = "mentioned",
        skip_serializing_if = "Option::is_none"
    )]
    pub email: Option<Option<Personal<String>>>,
    /// Members: at most 500 characters.
    #[serde(
        default,
        deserialize_with = "mentioned",
        skip_serializing_if = "Option::is_none"
    )]
    pub intro: Option<Option<Personal<String>>>,
}

/// A field that is there, perhaps null: what is absent never comes here.
fn mentioned<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

stored_events!(AccountEvent {
    AccountOpened: 1,
    AccountProfileUpdated: 1,
    PasswordSet: 1,
    AccountDisabled: 1,
    AccountEnabled: 1,
    AccountRoleChanged: 1,
    AccountStandingAdjusted: 1,
    PersonErased: 1,
});

/// An account as rules and logins need to see it. Readers want `projections::staff`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Account {
    /// Never opened.
    #[default]
    Unopened,
    /// Opened, perhaps disabled.
    Open(Box<OpenAccount>),
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
    /// Members: how they appear beside the name.
    #[serde(default)]
    pub profile: Profile,
    /// Members: what staff made of them.
    #[serde(default)]
    pub standing: AccountStanding,
}

/// How a member appears, beside the name.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `ProfileChange`")]
pub struct Profile {
    pub country: Option<Personal<String>>,
    pub phone: Option<Personal<String>>,
    pub avatar: Option<Personal<String>>,
    pub gender: Option<Personal<u8>>,
    pub province: Option<Personal<String>>,
    pub city: Option<Personal<String>>,
    pub birthday_ms: Option<Personal<i64>>,
    pub email: Option<Personal<String>>,
    pub intro: Option<Personal<String>>,
}

/// What staff made of a member.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `AccountStandingAdjusted`")]
pub struct AccountStanding {
    pub category: u64,
    pub score: u64,
    pub level: u64,
    pub exp: u64,
    pub invitation_code: Option<Personal<String>>,
    pub inviter: Option<Personal<String>>,
}

impl Profile {
    fn apply(&mut self, change: &ProfileChange) {
        let ProfileChange {
            name: _,
            avatar,
            gender,
            province,
            city,
            birthday_ms,
            email,
            intro,
        } = change;
        if let Some(gender) = gender {
            self.gender = Some(gender.clone());
        }
        replace(&mut self.avatar, avatar.as_ref());
        replace(&mut self.province, province.as_ref());
        replace(&mut self.city, city.as_ref());
        replace(&mut self.birthday_ms, birthday_ms.as_ref());
        replace(&mut self.email, email.as_ref());
        replace(&mut self.intro, intro.as_ref());
    }
}

fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
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
        if let AccountEvent::AccountOpened {
            name,
            role,
            perm,
            country,
            phone,
        } = event
        {
            *self = Self::Open(Box::new(OpenAccount {
                name: name.clone(),
                role: *role,
                perm: *perm,
                enabled: true,
                credential_version: 0,
                password_hash: None,
                profile: Profile {
                    country: country.clone(),
                    phone: phone.clone(),
                    ..Profile::default()
                },
                standing: AccountStanding::default(),
            }));
            return;
        }
        let Self::Open(account) = self else { return };
        match event {
            AccountEvent::AccountOpened { .. } => {}
            AccountEvent::AccountProfileUpdated(change) => {
                replace(&mut account.name, change.name.as_ref());
                account.profile.apply(change);
            }
            AccountEvent::PasswordSet { password_hash } => {
                account.password_hash = Some(password_hash.clone());
                account.credential_version += 1;
            }
            AccountEvent::AccountDisabled { .. } => account.enabled = false,
            AccountEvent::AccountEnabled {} => account.enabled = true,
            AccountEvent::AccountRoleChanged { role, perm } => {
                account.role = *role;
                account.perm = *perm;
            }
            AccountEvent::AccountStandingAdjusted {
                category,
                score,
                level,
                exp,
                invitation_code,
                inviter,
            } => {
                let standing = &mut account.standing;
                replace(&mut standing.category, category.as_ref());
                replace(&mut standing.score, score.as_ref());
                replace(&mut standing.level, level.as_ref());
                replace(&mut standing.exp, exp.as_ref());
                replace(&mut standing.invitation_code, invitation_code.as_ref());
                replace(&mut standing.inviter, inviter.as_ref());
            }
            AccountEvent::PersonErased {} => {
                account.name.erase();
                account.password_hash = None;
                account.credential_version += 1;
                account.enabled = false;
                account.profile = Profile::default();
                // What staff counted is no personal data.
                account.standing.invitation_code = None;
                account.standing.inviter = None;
            }
        }
    }

    fn breaks(&self, event: &AccountEvent) -> Option<&'static str> {
        let opens = matches!(event, AccountEvent::AccountOpened { .. });
        let open = matches!(self, Self::Open(_));
        (opens == open).then_some("an account is opened once, before all else")
    }
}
