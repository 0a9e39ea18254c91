//! What a batch comes to, as a handful of statements.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Bound, Changed, Changes, Made};

impl Changes<'_> {
    pub(super) async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.made.is_empty() {
            insert(tx, self.made).await?;
        }
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        if !self.bindings.is_empty() {
            bind(tx, self.bindings).await?;
        }
        if !self.forgotten.is_empty() {
            forget(tx, self.forgotten).await?;
        }
        if !self.form_ids.is_empty() {
            collect(tx, self.form_ids).await?;
        }
        Ok(())
    }
}

/// The six texts of a profile, a column each.
#[derive(Default)]
struct Texts([Vec<Option<String>>; 6]);

impl Texts {
    fn push(&mut self, changed: &Changed<'_>) {
        let texts = [
            changed.username,
            changed.headimgurl,
            changed.city,
            changed.country,
            changed.province,
            changed.language,
        ];
        for (column, text) in self.0.iter_mut().zip(texts) {
            column.push(text.map(str::to_owned));
        }
    }
}

async fn insert(tx: &mut PgConnection, made: BTreeMap<i64, Made<'_>>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut flags: (Vec<_>, Vec<_>) = Default::default();
    let (mut created_at, mut texts) = (Vec::new(), Texts::default());
    for (id, customer) in made {
        numbers.0.push(id);
        numbers.1.push(customer.position);
        numbers.2.push(customer.user_type.number());
        numbers.3.push(customer.source.number());
        flags.0.push(customer.now.trial.unwrap_or_default());
        flags.1.push(customer.now.enabled.unwrap_or_default());
        created_at.push(customer.created_at);
        texts.push(&customer.now);
    }
    let [username, headimgurl, city, country, province, language] = texts.0;
    sqlx::query!(
        "INSERT INTO customers (id, position, created_at, user_type, source, trial, enabled,
                                username, headimgurl, city, country, province, language)
         SELECT id, position, created_at, user_type, source, trial, enabled, coalesce(username, ''),
                coalesce(headimgurl, ''), coalesce(city, ''), coalesce(country, ''), coalesce(province, ''),
                coalesce(language, '')
         FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::boolean[],
                     $7::boolean[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
              AS n(id, position, created_at, user_type, source, trial, enabled,
                   username, headimgurl, city, country, province, language)",
        &numbers.0,
        &numbers.1,
        &created_at,
        &numbers.2,
        &numbers.3,
        &flags.0,
        &flags.1,
        &username as &[Option<String>],
        &headimgurl as &[Option<String>],
        &city as &[Option<String>],
        &country as &[Option<String>],
        &province as &[Option<String>],
        &language as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<i64, Changed<'_>>) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(changed.len());
    let mut flags: (Vec<_>, Vec<_>) = Default::default();
    let mut texts = Texts::default();
    for (id, customer) in changed {
        ids.push(id);
        flags.0.push(customer.trial);
        flags.1.push(customer.enabled);
        texts.push(&customer);
    }
    let [username, headimgurl, city, country, province, language] = texts.0;
    sqlx::query!(
        "UPDATE customers c
         SET trial = coalesce(n.trial, c.trial),
             enabled = coalesce(n.enabled, c.enabled),
             username = coalesce(n.username, c.username),
             headimgurl = coalesce(n.headimgurl, c.headimgurl),
             city = coalesce(n.city, c.city),
             country = coalesce(n.country, c.country),
             province = coalesce(n.province, c.province),
             language = coalesce(n.language, c.language)
         FROM unnest($1::bigint[], $2::boolean[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::text[], $9::text[])
              AS n(id, trial, enabled, username, headimgurl, city, country, province, language)
         WHERE c.id = n.id",
        &ids,
        &flags.0 as &[Option<bool>],
        &flags.1 as &[Option<bool>],
        &username as &[Option<String>],
        &headimgurl as &[Option<String>],
        &city as &[Option<String>],
        &country as &[Option<String>],
        &province as &[Option<String>],
        &language as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn bind(tx: &mut PgConnection, bindings: BTreeMap<(i64, i64), Bound>) -> sqlx::Result<()> {
    let mut ids: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut bound_at = Vec::with_capacity(bindings.len());
    for ((customer_id, uid), bound) in bindings {
        ids.0.push(customer_id);
        ids.1.push(uid);
        ids.2.push(bound.pid);
        numbers.0.push(bound.source.number());
        numbers.1.push(bound.user_type.number());
        numbers.2.push(bound.position);
        bound_at.push(bound.at);
    }
    sqlx::query!(
        "INSERT INTO customer_bindings (customer_id, uid, pid, source, user_type, position, bound_at)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]),
                unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::timestamptz[])",
        &ids.0,
        &ids.1,
        &ids.2 as &[Option<i64>],
        &numbers.0,
        &numbers.1,
        &numbers.2,
        &bound_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn forget(tx: &mut PgConnection, forgotten: BTreeSet<i64>) -> sqlx::Result<()> {
    let ids: Vec<i64> = forgotten.into_iter().collect();
    sqlx::query!(
        "DELETE FROM customer_form_ids WHERE customer_id = ANY($1)",
        &ids,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn collect(
    tx: &mut PgConnection,
    form_ids: BTreeMap<(i64, &str), DateTime<Utc>>,
) -> sqlx::Result<()> {
    let mut customers = Vec::with_capacity(form_ids.len());
    let (mut ids, mut expires_at) = (Vec::new(), Vec::new());
    for ((customer_id, form_id), until) in form_ids {
        customers.push(customer_id);
        ids.push(form_id.to_owned());
        expires_at.push(until);
    }
    sqlx::query!(
        "INSERT INTO customer_form_ids (customer_id, form_id, expires_at)
         SELECT unnest($1::bigint[]), unnest($2::text[]), unnest($3::timestamptz[])
         ON CONFLICT (customer_id, form_id) DO UPDATE SET expires_at = EXCLUDED.expires_at",
        &customers,
        &ids,
        &expires_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}
