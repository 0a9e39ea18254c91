//! What a batch comes to, as a handful of statements.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgConnection;

use super::{Changed, Changes, Made, Role};
use crate::projections::rows::Rows;

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.removed.is_empty() {
            remove(tx, self.removed).await?;
        }
        if !self.made.is_empty() {
            insert(tx, self.made).await?;
        }
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        roles(tx, self.roles).await?;
        members(tx, self.members).await
    }
}

async fn remove(tx: &mut PgConnection, ids: BTreeSet<&str>) -> sqlx::Result<()> {
    let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    sqlx::query!(
        "WITH members AS (DELETE FROM team_members WHERE team_id = ANY($1)),
              roles AS (DELETE FROM team_roles WHERE team_id = ANY($1))
         DELETE FROM teams WHERE id = ANY($1)",
        &ids,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<&str, Made<'_>>) -> sqlx::Result<()> {
    let mut keys: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut flags: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, team) in made {
        keys.0.push(id.to_owned());
        keys.1.push(team.creator_id.to_owned());
        keys.2.push(team.cstamp);
        numbers.0.push(team.ct);
        numbers.1.push(team.now.ut);
        numbers.2.push(team.position);
        numbers.3.push(team.now.rolec);
        numbers.4.push(team.now.usroc);
        flags.0.push(flag(team.now.enabled).unwrap_or_default());
        flags.1.push(flag(team.now.private).unwrap_or_default());
        flags.2.push(flag(team.now.invite_only).unwrap_or_default());
        texts.0.push(team.now.code.unwrap_or_default().to_owned());
        texts.1.push(team.now.name.unwrap_or_default().to_owned());
        texts.2.push(team.now.brief.unwrap_or_default().to_owned());
        texts.3.push(team.now.avatar.unwrap_or_default().to_owned());
    }
    sqlx::query!(
        "INSERT INTO teams (id, creator_id, cstamp, ct, ut, position, rolec, usroc,
                            enabled, private, invite_only, code, name, brief, avatar)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]),
                unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bigint[]),
                unnest($9::smallint[]), unnest($10::smallint[]), unnest($11::smallint[]), unnest($12::text[]),
                unnest($13::text[]), unnest($14::text[]), unnest($15::text[])",
        &keys.0,
        &keys.1,
        &keys.2,
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &numbers.3,
        &numbers.4,
        &flags.0,
        &flags.1,
        &flags.2,
        &texts.0,
        &texts.1,
        &texts.2,
        &texts.3,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<&str, Changed<'_>>) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(changed.len());
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut flags: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (id, team) in changed {
        ids.push(id.to_owned());
        numbers.0.push(team.ut);
        numbers.1.push(team.rolec);
        numbers.2.push(team.usroc);
        flags.0.push(flag(team.enabled));
        flags.1.push(flag(team.private));
        flags.2.push(flag(team.invite_only));
        texts.0.push(team.code.map(str::to_owned));
        texts.1.push(team.name.map(str::to_owned));
        texts.2.push(team.brief.map(str::to_owned));
        texts.3.push(team.avatar.map(str::to_owned));
    }
    sqlx::query!(
        "UPDATE teams t
         SET ut = greatest(t.ut, n.ut),
             rolec = t.rolec + n.rolec,
             usroc = t.usroc + n.usroc,
             enabled = coalesce(n.enabled, t.enabled),
             private = coalesce(n.private, t.private),
             invite_only = coalesce(n.invite_only, t.invite_only),
             code = coalesce(n.code, t.code),
             name = coalesce(n.name, t.name),
             brief = coalesce(n.brief, t.brief),
             avatar = coalesce(n.avatar, t.avatar)
         FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::smallint[],
                     $7::smallint[], $8::text[], $9::text[], $10::text[], $11::text[])
              AS n(id, ut, rolec, usroc, enabled, private, invite_only, code, name, brief, avatar)
         WHERE t.id = n.id",
        &ids,
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &flags.0 as &[Option<i16>],
        &flags.1 as &[Option<i16>],
        &flags.2 as &[Option<i16>],
        &texts.0 as &[Option<String>],
        &texts.1 as &[Option<String>],
        &texts.2 as &[Option<String>],
        &texts.3 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn roles(tx: &mut PgConnection, rows: Rows<(&str, u32), Role<'_>>) -> sqlx::Result<()> {
    if !rows.gone.is_empty() {
        let (teams, ids): (Vec<String>, Vec<i64>) = rows
            .gone
            .into_iter()
            .map(|(team, role)| (team.to_owned(), i64::from(role)))
            .unzip();
        sqlx::query!(
            "DELETE FROM team_roles r
             USING unnest($1::text[], $2::bigint[]) AS n(team_id, role_id)
             WHERE r.team_id = n.team_id AND r.role_id = n.role_id",
            &teams,
            &ids,
        )
        .execute(&mut *tx)
        .await?;
    }
    if rows.new.is_empty() {
        return Ok(());
    }
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>) = Default::default();
    for ((team, id), role) in rows.new {
        texts.0.push(team.to_owned());
        texts.1.push(role.name.to_owned());
        numbers.0.push(i64::from(id));
        numbers.1.push(role.position);
    }
    sqlx::query!(
        "INSERT INTO team_roles (team_id, role_id, name, position)
         SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::text[]), unnest($4::bigint[])",
        &texts.0,
        &numbers.0,
        &texts.1,
        &numbers.1,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn members(tx: &mut PgConnection, rows: Rows<(&str, u32, &str), i64>) -> sqlx::Result<()> {
    if !rows.gone.is_empty() {
        let mut texts: (Vec<_>, Vec<_>) = Default::default();
        let mut roles = Vec::with_capacity(rows.gone.len());
        for (team, role, user) in rows.gone {
            texts.0.push(team.to_owned());
            texts.1.push(user.to_owned());
            roles.push(i64::from(role));
        }
        sqlx::query!(
            "DELETE FROM team_members m
             USING unnest($1::text[], $2::bigint[], $3::text[]) AS n(team_id, role_id, user_id)
             WHERE m.team_id = n.team_id AND m.role_id = n.role_id AND m.user_id = n.user_id",
            &texts.0,
            &roles,
            &texts.1,
        )
        .execute(&mut *tx)
        .await?;
    }
    if rows.new.is_empty() {
        return Ok(());
    }
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>) = Default::default();
    for ((team, role, user), position) in rows.new {
        texts.0.push(team.to_owned());
        texts.1.push(user.to_owned());
        numbers.0.push(i64::from(role));
        numbers.1.push(position);
    }
    sqlx::query!(
        "INSERT INTO team_members (team_id, role_id, user_id, position)
         SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::text[]), unnest($4::bigint[])",
        &texts.0,
        &numbers.0,
        &texts.1,
        &numbers.1,
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn flag(value: Option<bool>) -> Option<i16> {
    value.map(i16::from)
}
