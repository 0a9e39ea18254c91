//! Customers of the mini-program, to whom they belong, and the form ids they left.

mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{FoldError, Handling, Projection, number};
use crate::events::customer::{Source, UserType};
use crate::events::{CustomerEvent, Event, Fact};
use crate::ledger::Personal;

/// The read model `customers`.
pub struct Customers;

#[async_trait]
impl Projection for Customers {
    fn name(&self) -> &'static str {
        "customers"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Customer"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Customer(event) = event else {
            return Handling::Ignored;
        };
        match event {
            CustomerEvent::CustomerRegistered { .. }
            | CustomerEvent::CustomerLoggedIn { .. }
            | CustomerEvent::CustomerBound { .. }
            | CustomerEvent::CustomerProfileUpdated { .. }
            | CustomerEvent::FormIdCollected { .. }
            | CustomerEvent::CustomerDisabled {}
            | CustomerEvent::CustomerEnabled {}
            | CustomerEvent::PersonErased {} => Handling::Handled,
            // A number is shown as the message it was handed over in; a token is a question to the ledger.
            CustomerEvent::CustomerPhoneCaptured { .. }
            | CustomerEvent::CustomerTokenRotated {} => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    made: BTreeMap<i64, Made<'f>>,
    changed: BTreeMap<i64, Changed<'f>>,
    /// By customer and enterprise user.
    bindings: BTreeMap<(i64, i64), Bound>,
    /// Until when each is good, by customer and form id.
    form_ids: BTreeMap<(i64, &'f str), DateTime<Utc>>,
    forgotten: BTreeSet<i64>,
}

/// A customer of this batch, as they stand at its end.
struct Made<'f> {
    position: i64,
    created_at: DateTime<Utc>,
    user_type: UserType,
    source: Source,
    now: Changed<'f>,
}

/// New values of what can change.
#[derive(Default)]
struct Changed<'f> {
    trial: Option<bool>,
    enabled: Option<bool>,
    username: Option<&'f str>,
    headimgurl: Option<&'f str>,
    city: Option<&'f str>,
    country: Option<&'f str>,
    province: Option<&'f str>,
    language: Option<&'f str>,
}

/// To whom somebody belongs.
struct Bound {
    pid: Option<i64>,
    source: Source,
    user_type: UserType,
    position: i64,
    at: DateTime<Utc>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        let Event::Customer(event) = &fact.event else {
            return Ok(());
        };
        let id = number(fact, &fact.place.stream.id)?;
        match event {
            CustomerEvent::CustomerRegistered {
                user_type,
                source,
                trial,
                ..
            } => {
                let made = Made {
                    position: fact.place.position,
                    created_at: fact.place.recorded_at,
                    user_type: *user_type,
                    source: *source,
                    now: Changed {
                        trial: Some(*trial),
                        enabled: Some(true),
                        ..Changed::default()
                    },
                };
                self.made.insert(id, made);
            }
            CustomerEvent::CustomerLoggedIn { trial: true }
            | CustomerEvent::CustomerPhoneCaptured { .. }
            | CustomerEvent::CustomerTokenRotated {} => {}
            CustomerEvent::CustomerLoggedIn { trial: false } => self.of(id).trial = Some(false),
            CustomerEvent::CustomerBound {
                uid,
                pid,
                source,
                user_type,
            } => {
                let bound = Bound {
                    pid: *pid,
                    source: *source,
                    user_type: *user_type,
                    position: fact.place.position,
                    at: fact.place.recorded_at,
                };
                self.bindings.insert((id, *uid), bound);
            }
            CustomerEvent::CustomerProfileUpdated {
                username,
                headimgurl,
                city,
                country,
                province,
                language,
            } => {
                let customer = self.of(id);
                set(&mut customer.username, username.as_ref());
                set(&mut customer.headimgurl, headimgurl.as_ref());
                set(&mut customer.city, city.as_ref());
                set(&mut customer.country, country.as_ref());
                set(&mut customer.province, province.as_ref());
                set(&mut customer.language, language.as_ref());
            }
            CustomerEvent::FormIdCollected {
                form_id,
                expires_at,
            } => {
                self.form_ids.insert((id, form_id.text()), *expires_at);
            }
            CustomerEvent::CustomerDisabled {} => self.of(id).enabled = Some(false),
            CustomerEvent::CustomerEnabled {} => self.of(id).enabled = Some(true),
            CustomerEvent::PersonErased {} => self.forget(id),
        }
        Ok(())
    }

    fn forget(&mut self, id: i64) {
        self.form_ids.retain(|(customer, _), _| *customer != id);
        self.forgotten.insert(id);
        let customer = self.of(id);
        *customer = Changed {
            trial: customer.trial,
            enabled: Some(false),
            username: Some(""),
            headimgurl: Some(""),
            city: Some(""),
            country: Some(""),
            province: Some(""),
            language: Some(""),
        };
    }

    fn of(&mut self, id: i64) -> &mut Changed<'f> {
        match self.made.get_mut(&id) {
            Some(made) => &mut made.now,
            None => self.changed.entry(id).or_default(),
        }
    }
}

fn set<'f>(value: &mut Option<&'f str>, new: Option<&'f Personal<String>>) {
    if let Some(new) = new {
        *value = Some(new.text());
    }
}
