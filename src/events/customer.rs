//! What can have happened to a customer of the mini-program (小程序用户), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeMap;

use chrono::serde::ts_milliseconds;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::{Personal, State};
use crate::stored_events;

/// How long WeChat takes a form id.
pub const FORM_ID_LIFE: TimeDelta = TimeDelta::days(7);

/// Form ids a rule remembers of one customer; who sends more of them within a week may repeat the first.
const FORM_IDS_REMEMBERED: usize = 200;

/// Through which kind of WeChat app somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserType {
    /// 微信公众号.
    OfficialAccount,
    /// 微信小程序.
    MiniProgram,
}

impl UserType {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::OfficialAccount => 1,
            Self::MiniProgram => 2,
        }
    }

    /// That of a number on the wire.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::OfficialAccount),
            2 => Some(Self::MiniProgram),
            _ => None,
        }
    }
}

/// How somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// By a QR code: 扫码.
    Scan,
    /// By what somebody forwarded: 转发.
    Forward,
}

impl Source {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Scan => 1,
            Self::Forward => 2,
        }
    }

    /// That of a number on the wire.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Scan),
            2 => Some(Self::Forward),
            _ => None,
        }
    }
}

/// Facts about a customer. Its stream is `Customer:{user_id}`, a positive integer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CustomerEvent {
    /// A WeChat identity was seen for the first time. `NameClaim` (scope `wechat-openid`) keeps it one customer's.
    CustomerRegistered {
        /// Who they are to the app of `user_type`.
        openid: Personal<String>,
        /// Who they are to all apps of the same owner, where WeChat says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unionid: Option<Personal<String>>,
        /// Through which kind of app.
        user_type: UserType,
        /// How they came.
        source: Source,
        /// Through the test version of the login.
        trial: bool,
    },
    /// They proved who they are.
    CustomerLoggedIn {
        /// Through the test version of the login.
        trial: bool,
    },
    /// They belong to an enterprise user from here on.
    CustomerBound {
        /// The enterprise user.
        uid: i64,
        /// The customer whose share brought them; absent: they came straight from the enterprise user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<i64>,
        /// How they came.
        source: Source,
        /// Through which kind of app.
        user_type: UserType,
    },
    /// They let the app see their WeChat profile. Only changed fields are there.
    CustomerProfileUpdated {
        /// Nickname, 1…64 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<Personal<String>>,
        /// Address of their picture, 1…512 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        headimgurl: Option<Personal<String>>,
        /// At most 64 characters, often empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        city: Option<Personal<String>>,
        /// At most 64 characters, often empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country: Option<Personal<String>>,
        /// At most 64 characters, often empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        province: Option<Personal<String>>,
        /// As `zh_CN`; at most 16 characters, often empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<Personal<String>>,
    },
    /// They may be sent one template message more.
    FormIdCollected {
        /// What WeChat asks for with that message.
        form_id: Personal<String>,
        /// Until when WeChat takes it, milliseconds since the epoch.
        #[serde(with = "ts_milliseconds")]
        expires_at: DateTime<Utc>,
    },
    /// They handed their phone number to an enterprise user.
    CustomerPhoneCaptured {
        /// To whom.
        uid: i64,
        /// With the dialling code where it is a foreign one.
        phone: Personal<String>,
        /// Without the dialling code.
        pure_phone: Personal<String>,
        /// The dialling code.
        country_code: Personal<String>,
    },
    /// Signatures under the old token are void.
    CustomerTokenRotated {},
    /// May not use the app.
    CustomerDisabled {},
    /// May use it again.
    CustomerEnabled {},
    /// The person was forgotten: their data key is destroyed.
    PersonErased {},
}

stored_events!(CustomerEvent {
    CustomerRegistered: 1,
    CustomerLoggedIn: 1,
    CustomerBound: 1,
    CustomerProfileUpdated: 1,
    FormIdCollected: 1,
    CustomerPhoneCaptured: 1,
    CustomerTokenRotated: 1,
    CustomerDisabled: 1,
    CustomerEnabled: 1,
    PersonErased: 1,
});

/// A customer as rules and signatures need to see it. Readers want `projections::customers`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every customer that is looked at is registered"
)]
pub enum Customer {
    /// Never seen.
    #[default]
    Unregistered,
    /// Seen, perhaps disabled.
    Registered(Registered),
}

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Has only ever come through the test version of the login.
    pub trial: bool,
    /// May use the app.
    pub enabled: bool,
    /// The person was forgotten.
    pub erased: bool,
    /// How often the token was rotated: the token is derived from it.
    pub token_version: u64,
    /// The parent under each enterprise user they belong to.
    pub bindings: BTreeMap<i64, Option<i64>>,
    /// The enterprise user of the last binding.
    pub last_bound: Option<i64>,
    /// What they let the app see.
    pub profile: CustomerProfile,
    /// Form ids that were good when the last one came.
    pub form_ids: Vec<FormId>,
    /// The number each enterprise user was last handed.
    pub phones: BTreeMap<i64, Personal<String>>,
}

/// A WeChat profile; nothing before the person agreed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `CustomerEvent`")]
pub struct CustomerProfile {
    pub username: Option<Personal<String>>,
    pub headimgurl: Option<Personal<String>>,
    pub city: Option<Personal<String>>,
    pub country: Option<Personal<String>>,
    pub province: Option<Personal<String>>,
    pub language: Option<Personal<String>>,
}

/// A form id and until when it is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `CustomerEvent`")]
pub struct FormId {
    pub form_id: Personal<String>,
    #[serde(with = "ts_milliseconds")]
    pub expires_at: DateTime<Utc>,
}

impl Customer {
    /// The customer, if there is one.
    #[must_use]
    pub fn registered(&self) -> Option<&Registered> {
        match self {
            Self::Unregistered => None,
            Self::Registered(customer) => Some(customer),
        }
    }
}

impl Registered {
    /// Enterprise user and parent of the last binding.
    #[must_use]
    pub fn last_binding(&self) -> Option<(i64, Option<i64>)> {
        let uid = self.last_bound?;
        Some((uid, self.bindings.get(&uid).copied().flatten()))
    }

    fn apply(&mut self, event: &CustomerEvent) {
        match event {
            CustomerEvent::CustomerRegistered { .. } => {}
            CustomerEvent::CustomerLoggedIn { trial } => self.trial &= trial,
            CustomerEvent::CustomerBound { uid, pid, .. } => {
                self.bindings.insert(*uid, *pid);
                self.last_bound = Some(*uid);
            }
            CustomerEvent::CustomerProfileUpdated {
                username,
                headimgurl,
                city,
                country,
                province,
                language,
            } => {
                let profile = &mut self.profile;
                set(&mut profile.username, username.as_ref());
                set(&mut profile.headimgurl, headimgurl.as_ref());
                set(&mut profile.city, city.as_ref());
                set(&mut profile.country, country.as_ref());
                set(&mut profile.province, province.as_ref());
                set(&mut profile.language, language.as_ref());
            }
            CustomerEvent::FormIdCollected {
                form_id,
                expires_at,
            } => {
                let now = *expires_at - FORM_ID_LIFE;
                self.form_ids.retain(|known| known.expires_at > now);
                if self.form_ids.len() >= FORM_IDS_REMEMBERED {
                    self.form_ids.remove(0);
                }
                self.form_ids.push(FormId {
                    form_id: form_id.clone(),
                    expires_at: *expires_at,
                });
            }
            CustomerEvent::CustomerPhoneCaptured { uid, phone, .. } => {
                self.phones.insert(*uid, phone.clone());
            }
            CustomerEvent::CustomerTokenRotated {} => self.token_version += 1,
            CustomerEvent::CustomerDisabled {} => self.enabled = false,
            CustomerEvent::CustomerEnabled {} => self.enabled = true,
            CustomerEvent::PersonErased {} => {
                self.erased = true;
                self.enabled = false;
                self.token_version += 1;
                self.profile = CustomerProfile::default();
                self.form_ids.clear();
                self.phones.clear();
            }
        }
    }
}

fn set(value: &mut Option<Personal<String>>, new: Option<&Personal<String>>) {
    if let Some(new) = new {
        *value = Some(new.clone());
    }
}

impl State for Customer {
    const TYPE: &'static str = "Customer";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = CustomerEvent;

    fn apply(&mut self, event: &CustomerEvent) {
        match (event, &mut *self) {
            (CustomerEvent::CustomerRegistered { trial, .. }, _) => {
                *self = Self::Registered(Registered {
                    trial: *trial,
                    enabled: true,
                    erased: false,
                    token_version: 0,
                    bindings: BTreeMap::new(),
                    last_bound: None,
                    profile: CustomerProfile::default(),
                    form_ids: Vec::new(),
                    phones: BTreeMap::new(),
                });
            }
            (event, Self::Registered(customer)) => customer.apply(event),
            (_, Self::Unregistered) => {}
        }
    }
}
