//! Where the read tables show personal data, and of whom: counted before and after somebody is forgotten.
//!
//! Each projection blanks its own columns when it meets `PersonErased`. Tables that nobody moves (kept by a switch to go back to,
//! or left by a rebuild) would meet it only when they are taken up again: [`forget_aside`] shows it to them at once.

use sqlx::{PgConnection, PgPool};

use super::projector::Slot;
use super::{FoldError, Handling, Projection, all};
use crate::events::Fact;
use crate::ledger::StreamId;

/// What a table shows of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The table.
    pub table: &'static str,
    /// Its columns that are the person's.
    pub columns: &'static [&'static str],
    /// The rows in which at least one of them says something.
    pub rows: i64,
}

const NAME: &[&str] = &["name"];
const MEMBER: &[&str] = &[
    "nickname",
    "country",
    "phone",
    "gender",
    "birthday_ms",
    "avatar",
    "province",
    "city",
    "email",
    "intro",
    "invitation_code",
    "inviter",
];
const CUSTOMER: &[&str] = &[
    "username",
    "headimgurl",
    "city",
    "country",
    "province",
    "language",
];
const CARD: &[&str] = &[
    "username",
    "avatar",
    "mingpian_avatar",
    "email",
    "wechat",
    "mingpian_phone",
    "sign",
    "qr_code_url",
    "poster_url",
];

/// What the read tables show of a person, a line for each table that may.
///
/// # Errors
/// When the database says no.
pub async fn shown(pool: &PgPool, person: &StreamId) -> sqlx::Result<Vec<Shown>> {
    let mut db = pool.acquire().await?;
    let id = person.id.as_str();
    match (person.aggregate.as_ref(), id.split_once(':')) {
        ("Account", Some((realm, own))) => account(&mut db, id, realm, own).await,
        ("Customer", None) => customer(&mut db, id).await,
        ("Card", None) => card(&mut db, id).await,
        _ => Ok(Vec::new()),
    }
}

async fn account(
    db: &mut PgConnection,
    id: &str,
    realm: &str,
    own: &str,
) -> sqlx::Result<Vec<Shown>> {
    let mut found = Vec::new();
    let mut say = |table, columns, rows| {
        found.push(Shown {
            table,
            columns,
            rows,
        });
    };
    match realm {
        "backend" => {
            let rows = sqlx::query_scalar!(
                r#"SELECT count(*) AS "rows!" FROM staff WHERE uid::text = $1 AND name <> ''"#,
                own
            );
            say("staff", NAME, rows.fetch_one(&mut *db).await?);
        }
        "community" => {
            let rows = sqlx::query_scalar!(
                r#"SELECT count(*) AS "rows!" FROM members
                   WHERE uid = $1
                     AND (nickname <> '' OR country <> '' OR phone <> '' OR gender <> 0
                          OR num_nonnulls(birthday_ms, avatar, province, city, email, intro, invitation_code, inviter) > 0)"#,
                own
            );
            say("members", MEMBER, rows.fetch_one(&mut *db).await?);
            say("messages", &["content"], written(db, "member", own).await?);
        }
        "weidu" => {
            let rows = sqlx::query_scalar!(
                r#"SELECT count(*) AS "rows!" FROM authors WHERE id = $1 AND name <> ''"#,
                own
            );
            say("authors", NAME, rows.fetch_one(&mut *db).await?);
        }
        "xdua" => {
            let rows = sqlx::query_scalar!(
                r#"SELECT count(*) AS "rows!" FROM dua_users WHERE id = $1 AND name <> ''"#,
                own
            );
            say("dua_users", NAME, rows.fetch_one(&mut *db).await?);
        }
        _ => {}
    }
    let sessions = sqlx::query_scalar!(
        r#"SELECT count(*) AS "rows!" FROM sessions WHERE account = $1"#,
        id
    );
    say(
        "sessions",
        &["token_hash"],
        sessions.fetch_one(&mut *db).await?,
    );
    Ok(found)
}

async fn customer(db: &mut PgConnection, id: &str) -> sqlx::Result<Vec<Shown>> {
    let number: i64 = id.parse().unwrap_or_default();
    let rows = sqlx::query_scalar!(
        r#"SELECT count(*) AS "rows!" FROM customers
           WHERE id = $1 AND concat(username, headimgurl, city, country, province, language) <> ''"#,
        number
    );
    let customers = rows.fetch_one(&mut *db).await?;
    let rows = sqlx::query_scalar!(
        r#"SELECT count(*) AS "rows!" FROM customer_form_ids WHERE customer_id = $1"#,
        number
    );
    let form_ids = rows.fetch_one(&mut *db).await?;
    let messages = written(db, "customer", id).await?;
    let say = |table, columns, rows| Shown {
        table,
        columns,
        rows,
    };
    Ok(vec![
        say("customers", CUSTOMER, customers),
        say("customer_form_ids", &["form_id"], form_ids),
        say("messages", &["content"], messages),
    ])
}

async fn card(db: &mut PgConnection, id: &str) -> sqlx::Result<Vec<Shown>> {
    let number: i64 = id.parse().unwrap_or_default();
    let rows = sqlx::query_scalar!(
        r#"SELECT count(*) AS "rows!" FROM cards
           WHERE uid = $1 AND concat(username, avatar, mingpian_avatar, email, wechat, mingpian_phone, sign, qr_code_url,
                                     poster_url) <> ''"#,
        number
    );
    let cards = rows.fetch_one(&mut *db).await?;
    let rows = sqlx::query_scalar!(
        r#"SELECT count(*) AS "rows!" FROM card_photos WHERE uid = $1"#,
        number
    );
    let photos = rows.fetch_one(&mut *db).await?;
    let messages = written(db, "card", id).await?;
    let say = |table, columns, rows| Shown {
        table,
        columns,
        rows,
    };
    Ok(vec![
        say("cards", CARD, cards),
        say("card_photos", &["photo_url"], photos),
        say("messages", &["content"], messages),
    ])
}

async fn written(db: &mut PgConnection, kind: &str, id: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "rows!" FROM messages WHERE from_id = $1 AND from_kind = $2 AND content <> ''"#,
        id,
        kind,
    )
    .fetch_one(db)
    .await
}

/// Shows somebody's erasure to the tables that stand aside; answers the schemas that were looked through. Shown again when
/// those tables catch up, it finds nothing left to blank.
///
/// # Errors
/// [`FoldError`].
pub async fn forget_aside(pool: &PgPool, erased: &Fact) -> Result<Vec<String>, FoldError> {
    let mut schemas = Vec::new();
    for projection in all() {
        if projection.handles(&erased.event) != Handling::Handled {
            continue;
        }
        for schema in aside(pool, *projection).await? {
            if forget_in(pool, *projection, &schema, erased).await? {
                schemas.push(schema);
            }
        }
    }
    Ok(schemas)
}

/// The schemas of a projection's tables that do not serve, or serve only what was.
async fn aside(pool: &PgPool, projection: &dyn Projection) -> sqlx::Result<Vec<String>> {
    let mut schemas = vec![
        Slot::Shadow.schema(projection),
        Slot::Old.schema(projection),
    ];
    let past = format!("{}{}", projection.schema(), Slot::AS_OF);
    let found = sqlx::query_scalar!(
        r#"SELECT nspname::text AS "schema!" FROM pg_namespace
           WHERE starts_with(nspname::text, $1)
           ORDER BY nspname"#,
        past,
    );
    schemas.extend(found.fetch_all(pool).await?);
    Ok(schemas)
}

async fn forget_in(
    pool: &PgPool,
    projection: &dyn Projection,
    schema: &str,
    erased: &Fact,
) -> Result<bool, FoldError> {
    let mut tx = pool.begin().await?;
    let there = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "there!""#,
        schema
    );
    if !there.fetch_one(&mut *tx).await? {
        return Ok(false);
    }
    let path = sqlx::query_scalar!(
        "SELECT set_config('search_path', $1 || ', public', true)",
        schema
    );
    path.fetch_one(&mut *tx).await?;
    projection.apply(&[erased], &mut tx).await?;
    tx.commit().await?;
    Ok(true)
}
