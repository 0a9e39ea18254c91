//! Accounts of team users (realm `xdua`): the names that teams show. Staff, members and authors are other read models.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{FoldError, Handling, Projection};
use crate::events::{AccountEvent, Event, Fact};

/// The read model `dua_users`.
pub struct DuaUsers;

#[async_trait]
impl Projection for DuaUsers {
    fn name(&self) -> &'static str {
        "dua_users"
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
            | AccountEvent::PersonErased {} => Handling::Handled,
            AccountEvent::PasswordSet { .. }
            | AccountEvent::AccountRoleChanged { .. }
            | AccountEvent::AccountStandingAdjusted { .. } => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact);
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

/// What a batch comes to, by id.
#[derive(Default)]
struct Changes<'f> {
    opened: BTreeMap<&'f str, Opened>,
    changed: BTreeMap<&'f str, Changed>,
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
    enabled: Option<bool>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) {
        let Event::Account(event) = &fact.event else {
            return;
        };
        let Some(id) = fact.recorded.stream.id.strip_prefix("xdua:") else {
            return;
        };
        match event {
            AccountEvent::AccountOpened { name, .. } => {
                let opened = Opened {
                    position: fact.recorded.position,
                    created_at: fact.recorded.recorded_at,
                    now: Changed {
                        name: Some(name.text().to_owned()),
                        enabled: Some(true),
                    },
                };
                self.opened.insert(id, opened);
            }
            AccountEvent::AccountProfileUpdated(change) => {
                if let Some(name) = &change.name {
                    self.of(id).name = Some(name.text().to_owned());
                }
            }
            AccountEvent::AccountDisabled { .. } => self.of(id).enabled = Some(false),
            AccountEvent::AccountEnabled {} => self.of(id).enabled = Some(true),
            AccountEvent::PersonErased {} => {
                let account = self.of(id);
                account.name = Some(String::new());
                account.enabled = Some(false);
            }
            AccountEvent::PasswordSet { .. }
            | AccountEvent::AccountRoleChanged { .. }
            | AccountEvent::AccountStandingAdjusted { .. } => {}
        }
    }

    fn of(&mut self, id: &'f str) -> &mut Changed {
        match self.opened.get_mut(id) {
            Some(opened) => &mut opened.now,
            None => self.changed.entry(id).or_default(),
        }
    }
}

async fn insert(tx: &mut PgConnection, opened: BTreeMap<&str, Opened>) -> sqlx::Result<()> {
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    let (mut enabled, mut created_at, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for (id, account) in opened {
        texts.0.push(id.to_owned());
        texts.1.push(account.now.name.unwrap_or_default());
        enabled.push(account.now.enabled.unwrap_or_default());
        created_at.push(account.created_at);
        positions.push(account.position);
    }
    sqlx::query!(
        "INSERT INTO dua_users (id, name, enabled, created_at, position)
         SELECT * FROM unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[], $5::bigint[])",
        &texts.0,
        &texts.1,
        &enabled,
        &created_at,
        &positions,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<&str, Changed>) -> sqlx::Result<()> {
    let (mut ids, mut names, mut enabled) = (Vec::new(), Vec::new(), Vec::new());
    for (id, account) in changed {
        ids.push(id.to_owned());
        names.push(account.name);
        enabled.push(account.enabled);
    }
    sqlx::query!(
        "UPDATE dua_users u
         SET name = coalesce(n.name, u.name),
             enabled = coalesce(n.enabled, u.enabled)
         FROM unnest($1::text[], $2::text[], $3::boolean[]) AS n(id, name, enabled)
         WHERE u.id = n.id",
        &ids,
        &names as &[Option<String>],
        &enabled as &[Option<bool>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
