//! What can be asked of the catalogue. `is_…` is about the member who asks. Lists come newest first unless they say
//! otherwise.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::events::banner::Placement;
use crate::projections::pages::page;

/// A banner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::banner`")]
pub struct Banner {
    pub id: i64,
    pub image: String,
    pub url: String,
}

/// A cloth in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::cloth`")]
pub struct Cloth {
    pub id: i64,
    pub name: String,
    pub image: String,
    pub intro: String,
    pub price_fen: i64,
    pub dynasty: i16,
    pub created_at: DateTime<Utc>,
}

/// A cloth of the design circle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::cloth`")]
pub struct ClothDetail {
    pub cloth: Cloth,
    pub designer_intro: String,
    pub is_collect: bool,
}

/// A cloth with its merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::cloth`")]
pub struct MerchantCloth {
    pub cloth: Cloth,
    pub is_collect: bool,
    pub merchant: Merchant,
}

/// A merchant beside its cloth.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::merchant`")]
pub struct Merchant {
    pub id: String,
    pub name: String,
    pub logo: Option<String>,
    pub intro: String,
    pub address: String,
    pub is_follow: bool,
    /// Members that follow it.
    pub follow_count: i64,
}

/// A merchant by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::merchant`")]
pub struct MerchantCard {
    pub id: String,
    pub name: String,
    pub logo: Option<String>,
    pub intro: String,
    pub address: String,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A game.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::game`")]
pub struct Game {
    pub id: i64,
    pub name: String,
    pub image: String,
    pub intro: String,
    pub created_at: DateTime<Utc>,
    pub like_count: i64,
    pub is_like: bool,
    pub is_collect: bool,
}

/// A master by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::master`")]
pub struct MasterCard {
    pub id: String,
    pub name: String,
    pub avatar: Option<String>,
    pub intro: String,
    pub address: String,
    pub birthday: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
}

/// A master and whether the asking member follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "see there")]
pub struct Listed {
    pub card: MasterCard,
    pub is_follow: bool,
}

/// A master with what is counted of it and of the member it is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// It.
    pub listed: Listed,
    /// Members that follow it.
    pub follower_count: i64,
    /// Members that the linked member follows; 0 without one.
    pub follow_count: i64,
    /// Articles of the linked member; 0 without one.
    pub article_count: i64,
}

/// The banners of a placement, in the order of their places.
///
/// # Errors
/// When the database says no.
pub async fn banners(db: impl PgExecutor<'_>, placement: Placement) -> sqlx::Result<Vec<Banner>> {
    sqlx::query_as!(
        Banner,
        "SELECT id, image, url
         FROM banners
         WHERE placement = $1 AND shown
         ORDER BY position, id
         LIMIT 200",
        placement.word(),
    )
    .fetch_all(db)
    .await
}

/// Cloths of the design circle.
///
/// # Errors
/// When the database says no.
pub async fn design_cloths(
    db: impl PgExecutor<'_>,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Cloth>> {
    page!(
        Cloth of db, offset, limit,
        "SELECT c.id, c.name, c.image, c.intro, c.price_fen, c.dynasty, c.created_at
         FROM cloths c
         WHERE c.id = ANY (",
        "SELECT id FROM cloths WHERE collection = 'design' AND shown ORDER BY created_at DESC, id",
        ")
         ORDER BY c.created_at DESC, c.id",
    )
}

/// A cloth of the design circle, if it is shown.
///
/// # Errors
/// When the database says no.
pub async fn design_cloth(
    db: impl PgExecutor<'_>,
    uid: &str,
    id: i64,
) -> sqlx::Result<Option<ClothDetail>> {
    let row = sqlx::query!(
        r#"SELECT c.id, c.name, c.image, c.intro, c.price_fen, c.dynasty, c.created_at, c.designer_intro,
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $2 AND r.actor_kind = 'member' AND r.kind = 'collect'
                            AND r.target_kind = 'cloth' AND r.target_id = c.id::text) AS "is_collect!"
           FROM cloths c
           WHERE c.id = $1 AND c.collection = 'design' AND c.shown"#,
        id,
        uid,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| ClothDetail {
        cloth: Cloth {
            id: row.id,
            name: row.name,
            image: row.image,
            intro: row.intro,
            price_fen: row.price_fen,
            dynasty: row.dynasty,
            created_at: row.created_at,
        },
        designer_intro: row.designer_intro,
        is_collect: row.is_collect,
    }))
}

/// A cloth and its merchant, as one row.
struct MerchantClothRow {
    id: i64,
    name: String,
    image: String,
    intro: String,
    price_fen: i64,
    dynasty: i16,
    created_at: DateTime<Utc>,
    is_collect: bool,
    merchant_id: String,
    merchant_name: String,
    logo: Option<String>,
    merchant_intro: String,
    address: String,
    is_follow: bool,
    follow_count: i64,
}

impl From<MerchantClothRow> for MerchantCloth {
    fn from(row: MerchantClothRow) -> Self {
        Self {
            cloth: Cloth {
                id: row.id,
                name: row.name,
                image: row.image,
                intro: row.intro,
                price_fen: row.price_fen,
                dynasty: row.dynasty,
                created_at: row.created_at,
            },
            is_collect: row.is_collect,
            merchant: Merchant {
                id: row.merchant_id,
                name: row.merchant_name,
                logo: row.logo,
                intro: row.merchant_intro,
                address: row.address,
                is_follow: row.is_follow,
                follow_count: row.follow_count,
            },
        }
    }
}

/// Cloths of merchants that are shown, all or the recommended ones.
///
/// # Errors
/// When the database says no.
pub async fn merchant_cloths(
    db: impl PgExecutor<'_>,
    uid: &str,
    only_recommended: bool,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<MerchantCloth>> {
    let rows: sqlx::Result<Vec<MerchantClothRow>> = page!(
        MerchantClothRow of db, offset, limit,
        r#"SELECT c.id, c.name, c.image, c.intro, c.price_fen, c.dynasty, c.created_at,
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $3 AND r.actor_kind = 'member' AND r.kind = 'collect'
                            AND r.target_kind = 'cloth' AND r.target_id = c.id::text OFFSET 0) AS "is_collect!",
                  m.id AS merchant_id, m.name AS merchant_name, m.logo, m.intro AS merchant_intro, m.address,
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = $3 AND f.kind = 'merchant' AND f.target = m.id OFFSET 0) AS "is_follow!",
                  m.follow_count
           FROM cloths c
           JOIN merchants m ON m.id = c.merchant_id
           WHERE c.id = ANY ("#,
        r"SELECT k.id
           FROM cloths k
           JOIN merchants km ON km.id = k.merchant_id
           WHERE k.collection = 'merchant' AND k.shown AND km.shown AND (k.recommended OR NOT $4)
           ORDER BY k.created_at DESC, k.id",
        r")
           ORDER BY c.created_at DESC, c.id",
        uid,
        only_recommended,
    );
    Ok(rows?.into_iter().map(MerchantCloth::from).collect())
}

/// A cloth of a merchant, if both are shown.
///
/// # Errors
/// When the database says no.
pub async fn merchant_cloth(
    db: impl PgExecutor<'_>,
    uid: &str,
    id: i64,
) -> sqlx::Result<Option<MerchantCloth>> {
    let row = sqlx::query_as!(
        MerchantClothRow,
        r#"SELECT c.id, c.name, c.image, c.intro, c.price_fen, c.dynasty, c.created_at,
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $2 AND r.actor_kind = 'member' AND r.kind = 'collect'
                            AND r.target_kind = 'cloth' AND r.target_id = c.id::text) AS "is_collect!",
                  m.id AS merchant_id, m.name AS merchant_name, m.logo, m.intro AS merchant_intro, m.address,
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = $2 AND f.kind = 'merchant' AND f.target = m.id) AS "is_follow!",
                  m.follow_count
           FROM cloths c
           JOIN merchants m ON m.id = c.merchant_id
           WHERE c.id = $1 AND c.collection = 'merchant' AND c.shown AND m.shown"#,
        id,
        uid,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(MerchantCloth::from))
}

/// Games that are recommended.
///
/// # Errors
/// When the database says no.
pub async fn recommended_games(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Game>> {
    page!(
        Game of db, offset, limit,
        r#"SELECT g.id, g.name, g.image, g.intro, g.created_at, g.like_count,
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $3 AND r.actor_kind = 'member' AND r.kind = 'like'
                            AND r.target_kind = 'game' AND r.target_id = g.id::text OFFSET 0) AS "is_like!",
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $3 AND r.actor_kind = 'member' AND r.kind = 'collect'
                            AND r.target_kind = 'game' AND r.target_id = g.id::text OFFSET 0) AS "is_collect!"
           FROM games g
           WHERE g.id = ANY ("#,
        r"SELECT id FROM games WHERE shown AND recommended ORDER BY created_at DESC, id",
        r")
           ORDER BY g.created_at DESC, g.id",
        uid,
    )
}

/// A game, if it is shown.
///
/// # Errors
/// When the database says no.
pub async fn game(db: impl PgExecutor<'_>, uid: &str, id: i64) -> sqlx::Result<Option<Game>> {
    sqlx::query_as!(
        Game,
        r#"SELECT g.id, g.name, g.image, g.intro, g.created_at, g.like_count,
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $2 AND r.actor_kind = 'member' AND r.kind = 'like'
                            AND r.target_kind = 'game' AND r.target_id = g.id::text) AS "is_like!",
                  EXISTS (SELECT FROM reactions r
                          WHERE r.actor_id = $2 AND r.actor_kind = 'member' AND r.kind = 'collect'
                            AND r.target_kind = 'game' AND r.target_id = g.id::text) AS "is_collect!"
           FROM games g
           WHERE g.id = $1 AND g.shown"#,
        id,
        uid,
    )
    .fetch_optional(db)
    .await
}

/// A master of a list, as one row.
struct MasterRow {
    id: String,
    name: String,
    avatar: Option<String>,
    intro: String,
    address: String,
    birthday: Option<NaiveDate>,
    created_at: DateTime<Utc>,
    is_follow: bool,
}

impl From<MasterRow> for Listed {
    fn from(row: MasterRow) -> Self {
        Self {
            card: MasterCard {
                id: row.id,
                name: row.name,
                avatar: row.avatar,
                intro: row.intro,
                address: row.address,
                birthday: row.birthday,
                created_at: row.created_at,
            },
            is_follow: row.is_follow,
        }
    }
}

/// Masters, all or the recommended ones.
///
/// # Errors
/// When the database says no.
pub async fn masters(
    db: impl PgExecutor<'_>,
    uid: &str,
    only_recommended: bool,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Listed>> {
    let rows: sqlx::Result<Vec<MasterRow>> = page!(
        MasterRow of db, offset, limit,
        r#"SELECT m.id, m.name, m.avatar, m.intro, m.address, m.birthday, m.created_at,
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = $3 AND f.kind = 'master' AND f.target = m.id OFFSET 0) AS "is_follow!"
           FROM masters m
           WHERE m.id = ANY ("#,
        r"SELECT id FROM masters WHERE shown AND (recommended OR NOT $4) ORDER BY created_at DESC, id",
        r")
           ORDER BY m.created_at DESC, m.id",
        uid,
        only_recommended,
    );
    Ok(rows?.into_iter().map(Listed::from).collect())
}

/// A master, if it is shown.
///
/// # Errors
/// When the database says no.
pub async fn master(db: impl PgExecutor<'_>, uid: &str, id: &str) -> sqlx::Result<Option<Linked>> {
    let row = sqlx::query!(
        r#"SELECT m.id, m.name, m.avatar, m.intro, m.address, m.birthday, m.created_at, m.follower_count,
                  EXISTS (SELECT FROM follows f
                          WHERE f.follower = $2 AND f.kind = 'master' AND f.target = m.id) AS "is_follow!",
                  coalesce(c.follow_count, 0) AS "follow_count!",
                  coalesce(c.article_count, 0) AS "article_count!"
           FROM masters m
           LEFT JOIN member_counts c ON c.uid = m.uid
           WHERE m.id = $1 AND m.shown"#,
        id,
        uid,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Linked {
        listed: Listed {
            card: MasterCard {
                id: row.id,
                name: row.name,
                avatar: row.avatar,
                intro: row.intro,
                address: row.address,
                birthday: row.birthday,
                created_at: row.created_at,
            },
            is_follow: row.is_follow,
        },
        follower_count: row.follower_count,
        follow_count: row.follow_count,
        article_count: row.article_count,
    }))
}

/// Masters that a member follows, followed last first.
///
/// # Errors
/// When the database says no.
pub async fn followed_masters(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<MasterCard>> {
    page!(
        MasterCard of db, offset, limit,
        "SELECT m.id, m.name, m.avatar, m.intro, m.address, m.birthday, m.created_at
         FROM masters m
         JOIN follows f ON f.follower = $3 AND f.kind = 'master' AND f.target = m.id
         WHERE m.id = ANY (",
        "SELECT k.target
         FROM follows k
         JOIN masters km ON km.id = k.target
         WHERE k.kind || ':' || k.follower = 'master:' || $3 AND km.shown
         ORDER BY k.followed_at DESC, k.target",
        ")
         ORDER BY f.followed_at DESC, m.id",
        uid,
    )
}

/// Merchants that a member follows, followed last first.
///
/// # Errors
/// When the database says no.
pub async fn followed_merchants(
    db: impl PgExecutor<'_>,
    uid: &str,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<MerchantCard>> {
    page!(
        MerchantCard of db, offset, limit,
        "SELECT m.id, m.name, m.logo, m.intro, m.address, m.phone, m.email, m.created_at
         FROM merchants m
         JOIN follows f ON f.follower = $3 AND f.kind = 'merchant' AND f.target = m.id
         WHERE m.id = ANY (",
        "SELECT k.target
         FROM follows k
         JOIN merchants km ON km.id = k.target
         WHERE k.kind || ':' || k.follower = 'merchant:' || $3 AND km.shown
         ORDER BY k.followed_at DESC, k.target",
        ")
         ORDER BY f.followed_at DESC, m.id",
        uid,
    )
}
