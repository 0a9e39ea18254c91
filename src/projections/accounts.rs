//! The fold of accounts that read models of all realms share: each has its own tables and takes one realm.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Handling;
use crate::events::{AccountEvent, Event, Fact};

/// What a batch comes to in one realm, by the id without the realm.
#[derive(Default)]
pub(super) struct Accounts<'f> {
    /// Accounts of this batch, as they stand at its end.
    pub opened: BTreeMap<&'f str, Opened<'f>>,
    /// What changes of older ones.
    pub changed: BTreeMap<&'f str, Changed<'f>>,
}

/// An account of this batch.
pub(super) struct Opened<'f> {
    pub position: i64,
    pub created_at: DateTime<Utc>,
    pub now: Changed<'f>,
}

/// New values of what can change.
#[derive(Default)]
pub(super) struct Changed<'f> {
    /// `""` once erased.
    pub name: Option<&'f str>,
    pub enabled: Option<bool>,
    /// Role and permission bits; staff only.
    pub rights: Option<(u32, u64)>,
}

/// Whether an event may change a row of a read model that shows names.
pub(super) fn shows_names(event: &Event) -> Handling {
    let Event::Account(event) = event else {
        return Handling::Ignored;
    };
    match event {
        AccountEvent::AccountOpened { .. }
        | AccountEvent::AccountProfileUpdated(_)
        | AccountEvent::AccountDisabled { .. }
        | AccountEvent::AccountEnabled {}
        | AccountEvent::PersonErased {} => Handling::Handled,
        AccountEvent::PasswordSet { .. }
        | AccountEvent::AccountRoleChanged { .. }
        | AccountEvent::AccountStandingAdjusted { .. } => Handling::Ignored,
    }
}

impl<'f> Accounts<'f> {
    /// Folds what a batch says about one realm, which is given with its colon.
    pub fn fold(realm: &str, batch: &[&'f Fact]) -> Self {
        let mut accounts = Self::default();
        for fact in batch {
            if let Event::Account(event) = &fact.event
                && let Some(id) = fact.place.stream.id.strip_prefix(realm)
            {
                accounts.enter(fact, id, event);
            }
        }
        accounts
    }

    fn enter(&mut self, fact: &'f Fact, id: &'f str, event: &'f AccountEvent) {
        match event {
            AccountEvent::AccountOpened {
                name, role, perm, ..
            } => {
                let opened = Opened {
                    position: fact.place.position,
                    created_at: fact.place.recorded_at,
                    now: Changed {
                        name: Some(name.text()),
                        enabled: Some(true),
                        rights: Some((*role, *perm)),
                    },
                };
                self.opened.insert(id, opened);
            }
            AccountEvent::AccountProfileUpdated(change) => {
                if let Some(name) = &change.name {
                    self.of(id).name = Some(name.text());
                }
            }
            AccountEvent::PasswordSet { .. } | AccountEvent::AccountStandingAdjusted { .. } => {}
            AccountEvent::AccountDisabled { .. } => self.of(id).enabled = Some(false),
            AccountEvent::AccountEnabled {} => self.of(id).enabled = Some(true),
            AccountEvent::AccountRoleChanged { role, perm } => {
                self.of(id).rights = Some((*role, *perm));
            }
            AccountEvent::PersonErased {} => {
                let account = self.of(id);
                account.name = Some("");
                account.enabled = Some(false);
            }
        }
    }

    fn of(&mut self, id: &'f str) -> &mut Changed<'f> {
        match self.opened.get_mut(id) {
            Some(opened) => &mut opened.now,
            None => self.changed.entry(id).or_default(),
        }
    }
}

/// What a read model that shows names writes of new accounts, a column a field.
#[derive(Default)]
pub(super) struct NewRows {
    pub ids: Vec<String>,
    pub names: Vec<String>,
    pub enabled: Vec<bool>,
    pub created_at: Vec<DateTime<Utc>>,
    pub positions: Vec<i64>,
}

impl NewRows {
    /// `None` when there are none.
    pub fn of(opened: BTreeMap<&str, Opened<'_>>) -> Option<Self> {
        let mut rows = Self::default();
        for (id, account) in opened {
            rows.ids.push(id.to_owned());
            rows.names.push(text(account.now.name).unwrap_or_default());
            rows.enabled.push(account.now.enabled.unwrap_or_default());
            rows.created_at.push(account.created_at);
            rows.positions.push(account.position);
        }
        (!rows.ids.is_empty()).then_some(rows)
    }
}

/// What it changes of older ones; what is `None` stays.
#[derive(Default)]
pub(super) struct ChangedRows {
    pub ids: Vec<String>,
    pub names: Vec<Option<String>>,
    pub enabled: Vec<Option<bool>>,
}

impl ChangedRows {
    /// `None` when there are none.
    pub fn of(changed: BTreeMap<&str, Changed<'_>>) -> Option<Self> {
        let mut rows = Self::default();
        for (id, account) in changed {
            rows.ids.push(id.to_owned());
            rows.names.push(text(account.name));
            rows.enabled.push(account.enabled);
        }
        (!rows.ids.is_empty()).then_some(rows)
    }
}

pub(super) fn text(value: Option<&str>) -> Option<String> {
    value.map(str::to_owned)
}
