//! Accounts of team users (realm `xdua`): the names that teams show.

use async_trait::async_trait;
use sqlx::PgConnection;

use super::accounts::{Accounts, ChangedRows, NewRows, shows_names};
use super::{FoldError, Handling, Projection};
use crate::events::{Event, Fact};

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
        shows_names(event)
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let accounts = Accounts::fold("xdua:", batch);
        if let Some(rows) = NewRows::of(accounts.opened) {
            insert(tx, &rows).await?;
        }
        if let Some(rows) = ChangedRows::of(accounts.changed) {
            update(tx, &rows).await?;
        }
        Ok(())
    }
}

async fn insert(tx: &mut PgConnection, rows: &NewRows) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO dua_users (id, name, enabled, created_at, position)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::boolean[]), unnest($4::timestamptz[]),
                unnest($5::bigint[])",
        &rows.ids,
        &rows.names,
        &rows.enabled,
        &rows.created_at,
        &rows.positions,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, rows: &ChangedRows) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE dua_users u
         SET name = coalesce(n.name, u.name),
             enabled = coalesce(n.enabled, u.enabled)
         FROM unnest($1::text[], $2::text[], $3::boolean[]) AS n(id, name, enabled)
         WHERE u.id = n.id",
        &rows.ids,
        &rows.names as &[Option<String>],
        &rows.enabled as &[Option<bool>],
    )
    .execute(tx)
    .await?;
    Ok(())
}
