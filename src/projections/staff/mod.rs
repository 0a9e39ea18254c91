//! Staff accounts. Members, authors and team users are other read models.

mod queries;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{StaffMember, any, by_uid, page};

use super::{FoldError, Handling, Projection, number};
use crate::events::{AccountEvent, Event, Fact};

/// The read model `staff`.
pub struct Staff;

#[async_trait]
impl Projection for Staff {
    fn name(&self) -> &'static str {
        "staff"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Account"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Account(event) = event else {
            return Handling::Ignored;
        };
        match event {
            AccountEvent::AccountOpened { .. }
            | AccountEvent::AccountProfileUpdated(_)
            | AccountEvent::AccountDisabled { .. }
            | AccountEvent::AccountEnabled {}
            | AccountEvent::AccountRoleChanged { .. }
            | AccountEvent::PersonErased {} => Handling::Handled,
            AccountEvent::PasswordSet { .. } | AccountEvent::AccountStandingAdjusted { .. } => {
                Handling::Ignored
            }
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        if !changes.opened.is_empty() {
            insert(tx, changes.opened).await?;
        }
        if !changes.changed.is_empty() {
            update(tx, changes.changed).await?;
        }
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes {
    opened: BTreeMap<i64, Opened>,
    changed: BTreeMap<i64, Changed>,
}

/// An account of this batch, as it stands at its end.
struct Opened {
    position: i64,
    created_at: DateTime<Utc>,
    now: Changed,
}

/// New values of what can change.
#[derive(Default)]
struct Changed {
    name: Option<String>,
    role: Option<i64>,
    perm: Option<i64>,
    enabled: Option<bool>,
}

impl Changes {
    fn fold(&mut self, fact: &Fact) -> Result<(), FoldError> {
        let Event::Account(event) = &fact.event else {
            return Ok(());
        };
        let Some(uid) = fact.recorded.stream.id.strip_prefix("backend:") else {
            return Ok(());
        };
        let uid = number(fact, uid)?;
        match event {
            AccountEvent::AccountOpened {
                name, role, perm, ..
            } => {
                let opened = Opened {
                    position: fact.recorded.position,
                    created_at: fact.recorded.recorded_at,
                    now: Changed {
                        name: Some(name.text().to_owned()),
                        role: Some(i64::from(*role)),
                        perm: Some(bits(*perm)?),
                        enabled: Some(true),
                    },
                };
                self.opened.insert(uid, opened);
            }
            AccountEvent::AccountProfileUpdated(change) => {
                if let Some(name) = &change.name {
                    self.of(uid).name = Some(name.text().to_owned());
                }
            }
            AccountEvent::PasswordSet { .. } | AccountEvent::AccountStandingAdjusted { .. } => {}
            AccountEvent::AccountDisabled { .. } => self.of(uid).enabled = Some(false),
            AccountEvent::AccountEnabled {} => self.of(uid).enabled = Some(true),
            AccountEvent::AccountRoleChanged { role, perm } => {
                let perm = bits(*perm)?;
                let account = self.of(uid);
                account.role = Some(i64::from(*role));
                account.perm = Some(perm);
            }
            AccountEvent::PersonErased {} => {
                let account = self.of(uid);
                account.name = Some(String::new());
                account.enabled = Some(false);
            }
        }
        Ok(())
    }

    fn of(&mut self, uid: i64) -> &mut Changed {
        match self.opened.get_mut(&uid) {
            Some(opened) => &mut opened.now,
            None => self.changed.entry(uid).or_default(),
        }
    }
}

fn bits(perm: u64) -> Result<i64, FoldError> {
    i64::try_from(perm).map_err(|_| FoldError::Data(format!("{perm} is no set of permissions")))
}

async fn insert(tx: &mut PgConnection, opened: BTreeMap<i64, Opened>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut created_at, mut enabled, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (uid, account) in opened {
        numbers.0.push(uid);
        numbers.1.push(account.position);
        numbers.2.push(account.now.perm.unwrap_or_default());
        numbers.3.push(account.now.role.unwrap_or_default());
        created_at.push(account.created_at);
        enabled.push(account.now.enabled.unwrap_or_default());
        names.push(account.now.name.unwrap_or_default());
    }
    sqlx::query!(
        "INSERT INTO staff (uid, position, perm, role, created_at, enabled, name)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[],
                              $6::boolean[], $7::text[])",
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &created_at,
        &enabled,
        &names,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<i64, Changed>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut enabled, mut names) = (Vec::new(), Vec::new());
    for (uid, account) in changed {
        numbers.0.push(uid);
        numbers.1.push(account.perm);
        numbers.2.push(account.role);
        enabled.push(account.enabled);
        names.push(account.name);
    }
    sqlx::query!(
        "UPDATE staff s
         SET perm = coalesce(n.perm, s.perm),
             role = coalesce(n.role, s.role),
             enabled = coalesce(n.enabled, s.enabled),
             name = coalesce(n.name, s.name)
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::text[])
              AS n(uid, perm, role, enabled, name)
         WHERE s.uid = n.uid",
        &numbers.0,
        &numbers.1 as &[Option<i64>],
        &numbers.2 as &[Option<i64>],
        &enabled as &[Option<bool>],
        &names as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
