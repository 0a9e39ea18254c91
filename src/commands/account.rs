//! What can be asked of an account, and opening a staff account as one job over name and account
//! (contract README section 3, rows 1 and 2; `backend.md` 4).

use serde::{Deserialize, Serialize};

use super::name_claim::{NameClaimCommand, NameClaimError};
use super::{Book, Decide, Operation, Stop};
use crate::events::account::{AccountStanding, OpenAccount, ProfileChange};
use crate::events::{Account, AccountEvent, NameClaim};
use crate::ledger::{Keys, Personal, StreamId};

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
        /// Members: their phone.
        phone: Option<AccountPhone>,
    },
    /// Set a password: sessions opened before are void.
    SetPassword {
        /// Argon2id, PHC text.
        password_hash: Personal<String>,
    },
    /// Show it under another name, or otherwise; names only where they need not be unique.
    UpdateProfile(Box<ProfileChange>),
    /// Give a member another standing.
    AdjustStanding(StandingChange),
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
        /// Why, if anybody says.
        reason: Option<Personal<String>>,
    },
    /// Put it back into use.
    Enable,
    /// Forget whose it is.
    Erase {
        /// Nobody erases itself.
        by: Actor,
    },
}

impl AccountCommand {
    /// Shows an account under another name, which need not be unique or was claimed.
    #[must_use]
    pub fn rename(name: Personal<String>) -> Self {
        Self::UpdateProfile(Box::new(ProfileChange {
            name: Some(name),
            ..ProfileChange::default()
        }))
    }
}

/// The phone of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPhone {
    /// The dialling code, without `+`.
    pub country: Personal<String>,
    /// Digits only.
    pub phone: Personal<String>,
}

/// What changes of a standing; what is absent stays, `Some(None)` clears.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `AccountStandingAdjusted`")]
pub struct StandingChange {
    pub category: Option<u64>,
    pub score: Option<u64>,
    pub level: Option<u64>,
    pub exp: Option<u64>,
    pub invitation_code: Option<Option<Personal<String>>>,
    pub inviter: Option<Option<Personal<String>>>,
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
    /// Nobody disables, demotes or erases itself.
    #[error("nobody disables, demotes or erases itself")]
    Oneself,
}

impl Decide for Account {
    type Command = AccountCommand;
    type Refusal = AccountError;

    fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, AccountError> {
        if let AccountCommand::Open {
            name,
            role,
            perm,
            phone,
        } = command
        {
            let phone = phone.clone();
            let (country, phone) = phone.map(|phone| (phone.country, phone.phone)).unzip();
            return match self {
                Self::Unopened => Ok(vec![AccountEvent::AccountOpened {
                    name: name.clone(),
                    role: *role,
                    perm: *perm,
                    country,
                    phone,
                }]),
                Self::Open(_) => Err(AccountError::Exists),
            };
        }
        let account = self.open().ok_or(AccountError::NotFound)?;
        if account.name.is_erased() {
            // Who was forgotten stays so.
            return match command {
                AccountCommand::Disable { .. } | AccountCommand::Erase { .. } => Ok(vec![]),
                _ => Err(AccountError::NotFound),
            };
        }
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
        AccountCommand::UpdateProfile(change) => Ok(updated(account, change)),
        AccountCommand::AdjustStanding(change) => Ok(adjusted(&account.standing, change)),
        AccountCommand::ChangeRole {
            by: Actor::Itself, ..
        }
        | AccountCommand::Disable {
            by: Actor::Itself, ..
        }
        | AccountCommand::Erase { by: Actor::Itself } => Err(AccountError::Oneself),
        AccountCommand::Erase { by: Actor::Another } => Ok(vec![AccountEvent::PersonErased {}]),
        AccountCommand::ChangeRole { role, perm, .. }
            if (*role, *perm) != (account.role, account.perm) =>
        {
            Ok(vec![AccountEvent::AccountRoleChanged {
                role: *role,
                perm: *perm,
            }])
        }
        AccountCommand::Disable { reason, .. } if account.enabled => {
            let reason = reason.clone();
            Ok(vec![AccountEvent::AccountDisabled { reason }])
        }
        AccountCommand::Enable if !account.enabled => Ok(vec![AccountEvent::AccountEnabled {}]),
        AccountCommand::ChangeRole { .. }
        | AccountCommand::Disable { .. }
        | AccountCommand::Enable => Ok(vec![]),
    }
}

/// Only what changes; nothing at all when nothing does.
fn updated(account: &OpenAccount, change: &ProfileChange) -> Vec<AccountEvent> {
    let old = &account.profile;
    // Nobody having said anything and having said "unknown" are one.
    let unknown = Personal::new("", 0);
    let change = ProfileChange {
        name: changed(change.name.as_ref(), &account.name),
        avatar: changed(change.avatar.as_ref(), &old.avatar),
        gender: changed(
            change.gender.as_ref(),
            old.gender.as_ref().unwrap_or(&unknown),
        ),
        province: changed(change.province.as_ref(), &old.province),
        city: changed(change.city.as_ref(), &old.city),
        birthday_ms: changed(change.birthday_ms.as_ref(), &old.birthday_ms),
        email: changed(change.email.as_ref(), &old.email),
        intro: changed(change.intro.as_ref(), &old.intro),
    };
    if change == ProfileChange::default() {
        return vec![];
    }
    vec![AccountEvent::AccountProfileUpdated(Box::new(change))]
}

/// Only what changes; nothing at all when nothing does.
fn adjusted(old: &AccountStanding, change: &StandingChange) -> Vec<AccountEvent> {
    let change = StandingChange {
        category: changed(change.category.as_ref(), &old.category),
        score: changed(change.score.as_ref(), &old.score),
        level: changed(change.level.as_ref(), &old.level),
        exp: changed(change.exp.as_ref(), &old.exp),
        invitation_code: changed(change.invitation_code.as_ref(), &old.invitation_code),
        inviter: changed(change.inviter.as_ref(), &old.inviter),
    };
    if change == StandingChange::default() {
        return vec![];
    }
    vec![AccountEvent::AccountStandingAdjusted {
        category: change.category,
        score: change.score,
        level: change.level,
        exp: change.exp,
        invitation_code: change.invitation_code,
        inviter: change.inviter,
    }]
}

fn changed<T: Clone + PartialEq>(new: Option<&T>, old: &T) -> Option<T> {
    new.filter(|new| *new != old).cloned()
}

/// The scope staff names are unique in.
const STAFF_NAMES: &str = "backend-name";

/// The id of the claim on a staff name: names differ by more than letter case.
#[must_use]
pub fn staff_name_claim(keys: &Keys, name: &str) -> String {
    let hashed = keys.name(STAFF_NAMES, &name.trim().to_lowercase());
    format!("{STAFF_NAMES}:{hashed}")
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
            phone: None,
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
            country: None,
            phone: None,
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
            phone: None,
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
        let disable = || AccountCommand::Disable {
            by: Actor::Another,
            reason: Some(text("spam")),
        };
        let disabled = AccountEvent::AccountDisabled {
            reason: Some(text("spam")),
        };
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
        let disable = AccountCommand::Disable {
            by: Actor::Itself,
            reason: None,
        };
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
    fn who_is_forgotten_is_so_once_and_for_good() {
        let erase = |by| AccountCommand::Erase { by };
        let erased = AccountEvent::PersonErased {};
        rules()
            .given(vec![opened()])
            .when(erase(Actor::Another))
            .then_expect_events(vec![erased.clone()]);
        rules()
            .given(vec![opened()])
            .when(erase(Actor::Itself))
            .then_expect_error(AccountError::Oneself);
        rules()
            .given_no_previous_events()
            .when(erase(Actor::Another))
            .then_expect_error(AccountError::NotFound);
        let gone = || vec![opened(), erased.clone()];
        let disable = AccountCommand::Disable {
            by: Actor::Another,
            reason: None,
        };
        for quiet in [erase(Actor::Another), disable] {
            rules().given(gone()).when(quiet).then_expect_events(vec![]);
        }
        let password_hash = text("h");
        for refused in [
            AccountCommand::Enable,
            AccountCommand::SetPassword { password_hash },
            AccountCommand::rename(text("again")),
        ] {
            rules()
                .given(gone())
                .when(refused)
                .then_expect_error(AccountError::NotFound);
        }
    }

    #[test]
    fn nothing_of_the_person_stays_in_the_state() {
        let mut account = Account::default();
        let mail = ProfileChange {
            email: Some(Some(text("wang@example.com"))),
            ..ProfileChange::default()
        };
        for event in [opened(), updated(mail), AccountEvent::PersonErased {}] {
            crate::ledger::State::apply(&mut account, &event);
        }
        let kept = serde_json::to_string(&account).unwrap();
        assert!(
            !kept.contains("admin") && !kept.contains("example.com"),
            "{kept}"
        );
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

    fn update(change: ProfileChange) -> AccountCommand {
        AccountCommand::UpdateProfile(Box::new(change))
    }

    fn updated(change: ProfileChange) -> AccountEvent {
        AccountEvent::AccountProfileUpdated(Box::new(change))
    }

    fn named(name: &str) -> ProfileChange {
        ProfileChange {
            name: Some(text(name)),
            ..ProfileChange::default()
        }
    }

    #[test]
    fn a_new_name_is_recorded_when_it_differs() {
        rules()
            .given(vec![opened()])
            .when(update(named("other")))
            .then_expect_events(vec![updated(named("other"))]);
        rules()
            .given(vec![opened(), updated(named("other"))])
            .when(update(named("other")))
            .then_expect_events(vec![]);
        rules()
            .given_no_previous_events()
            .when(update(named("other")))
            .then_expect_error(AccountError::NotFound);
    }

    #[test]
    fn a_profile_tells_what_was_set_what_was_cleared_and_what_stays() {
        let set = ProfileChange {
            city: Some(Some(text("青岛"))),
            gender: Some(Personal::new("Account:backend:7", 2)),
            ..ProfileChange::default()
        };
        let clear = ProfileChange {
            city: Some(None),
            ..ProfileChange::default()
        };
        let mut both = set.clone();
        both.name = Some(text("admin"));
        both.intro = Some(None);
        both.gender = set.gender.clone();
        rules()
            .given(vec![opened()])
            .when(update(both))
            .then_expect_events(vec![updated(set.clone())]);
        rules()
            .given(vec![opened(), updated(set.clone())])
            .when(update(clear.clone()))
            .then_expect_events(vec![updated(clear.clone())]);
        rules()
            .given(vec![opened(), updated(set), updated(clear.clone())])
            .when(update(clear.clone()))
            .then_expect_events(vec![]);
        // What is cleared stays so in storage: null is not the same as absent.
        let stored = serde_json::to_value(updated(clear.clone())).unwrap();
        let expected = serde_json::json!({"AccountProfileUpdated": {"city": null}});
        assert_eq!(stored, expected);
        assert_eq!(
            serde_json::from_value::<AccountEvent>(stored).unwrap(),
            updated(clear)
        );
    }

    #[test]
    fn a_standing_is_recorded_as_far_as_it_differs() {
        let adjust = |score, inviter| {
            AccountCommand::AdjustStanding(StandingChange {
                score: Some(score),
                inviter: Some(inviter),
                ..StandingChange::default()
            })
        };
        let adjusted = |score, inviter| AccountEvent::AccountStandingAdjusted {
            category: None,
            score,
            level: None,
            exp: None,
            invitation_code: None,
            inviter,
        };
        let somebody = || Some(text("somebody"));
        rules()
            .given(vec![opened()])
            .when(adjust(7, None))
            .then_expect_events(vec![adjusted(Some(7), None)]);
        let before = vec![opened(), adjusted(Some(7), Some(somebody()))];
        rules()
            .given(before.clone())
            .when(adjust(7, somebody()))
            .then_expect_events(vec![]);
        rules()
            .given(before)
            .when(adjust(7, None))
            .then_expect_events(vec![adjusted(None, Some(None))]);
    }
}
