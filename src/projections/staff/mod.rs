//! Staff accounts. Members, authors and team users are other read models.

mod queries;

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::PgConnection;

pub use queries::{StaffMember, any, by_uid, page};

use super::accounts::{Accounts, Changed, Opened, text};
use super::{FoldError, Handling, Projection};
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
        let accounts = Accounts::fold("backend:", batch);
        if !accounts.opened.is_empty() {
            insert(tx, accounts.opened).await?;
        }
        if !accounts.changed.is_empty() {
            update(tx, accounts.changed).await?;
        }
        Ok(())
    }
}

fn uid(id: &str) -> Result<i64, FoldError> {
    id.parse()
        .map_err(|_| FoldError::Data(format!("Account:backend:{id} names no number")))
}

fn bits(perm: u64) -> Result<i64, FoldError> {
    i64::try_from(perm).map_err(|_| FoldError::Data(format!("{perm} is no set of permissions")))
}

async fn insert(
    tx: &mut PgConnection,
    opened: BTreeMap<&str, Opened<'_>>,
) -> Result<(), FoldError> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut created_at, mut enabled, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (id, account) in opened {
        let (role, perm) = account.now.rights.unwrap_or_default();
        numbers.0.push(uid(id)?);
        numbers.1.push(account.position);
        numbers.2.push(bits(perm)?);
        numbers.3.push(i64::from(role));
        created_at.push(account.created_at);
        enabled.push(account.now.enabled.unwrap_or_default());
        names.push(text(account.now.name).unwrap_or_default());
    }
    sqlx::query!(
        "INSERT INTO staff (uid, position, perm, role, created_at, enabled, name)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]),
                unnest($5::timestamptz[]), unnest($6::boolean[]), unnest($7::text[])",
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

async fn update(
    tx: &mut PgConnection,
    changed: BTreeMap<&str, Changed<'_>>,
) -> Result<(), FoldError> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut enabled, mut names) = (Vec::new(), Vec::new());
    for (id, account) in changed {
        numbers.0.push(uid(id)?);
        numbers
            .1
            .push(account.rights.map(|(_, perm)| bits(perm)).transpose()?);
        numbers
            .2
            .push(account.rights.map(|(role, _)| i64::from(role)));
        enabled.push(account.enabled);
        names.push(text(account.name));
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
