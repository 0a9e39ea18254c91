//! What can be asked of the cards.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

/// A card with everything it shows; what is not set is `""`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::card`")]
pub struct CardDetail {
    pub uid: i64,
    pub company_id: i64,
    /// The company's name now.
    pub company: String,
    pub created_at: DateTime<Utc>,
    /// The position of the last event that changed what it shows.
    pub changed: i64,
    pub username: String,
    pub avatar: String,
    pub mingpian_avatar: String,
    pub address: String,
    pub position: String,
    pub email: String,
    pub wechat: String,
    pub mingpian_phone: String,
    pub sign: String,
    pub qr_code_url: String,
    pub poster_url: String,
    /// How often it was looked at.
    pub popularity_num: i64,
    pub praise_num: i64,
    pub forward_num: i64,
    /// Likes of the signature.
    pub sign_num: i64,
    /// In order of their ids.
    pub photos: Vec<CardPhoto>,
}

/// A photo on a card.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::card`")]
pub struct CardPhoto {
    pub photo_id: i64,
    pub photo_url: String,
}

/// A card that somebody is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::card`")]
pub struct BoundCard {
    pub uid: i64,
    pub username: String,
    /// How the customer came: 1 scan, 2 forward.
    pub source: i64,
    pub avatar: String,
    /// The company's name now.
    pub company: String,
    pub position: String,
    pub email: String,
    pub mingpian_phone: String,
    pub created_at: DateTime<Utc>,
}

/// A part of the cards that somebody is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundCards {
    /// How many there are on all pages.
    pub total: i64,
    /// Those of this page, newest first.
    pub cards: Vec<BoundCard>,
}

/// The card of an enterprise user, in whatever state.
///
/// # Errors
/// When the database says no.
pub async fn by_uid(db: impl PgExecutor<'_>, uid: i64) -> sqlx::Result<Option<CardDetail>> {
    let row = sqlx::query!(
        r#"SELECT c.uid, c.company_id, coalesce(o.name, '') AS "company!", c.created_at, c.changed, c.username,
                  c.avatar, c.mingpian_avatar, c.address, c.job, c.email, c.wechat, c.mingpian_phone, c.sign,
                  c.qr_code_url, c.poster_url, coalesce(n.popularity_num, 0) AS "popularity_num!",
                  coalesce(n.praise_num, 0) AS "praise_num!", coalesce(n.forward_num, 0) AS "forward_num!",
                  coalesce(n.sign_num, 0) AS "sign_num!",
                  ARRAY(SELECT photo_id FROM card_photos p WHERE p.uid = c.uid ORDER BY photo_id) AS "photo_ids!",
                  ARRAY(SELECT photo_url FROM card_photos p WHERE p.uid = c.uid ORDER BY photo_id) AS "photo_urls!"
           FROM cards c
           LEFT JOIN companies o ON o.id = c.company_id
           LEFT JOIN card_counts n ON n.uid = c.uid
           WHERE c.uid = $1"#,
        uid,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| CardDetail {
        uid: row.uid,
        company_id: row.company_id,
        company: row.company,
        created_at: row.created_at,
        changed: row.changed,
        username: row.username,
        avatar: row.avatar,
        mingpian_avatar: row.mingpian_avatar,
        address: row.address,
        position: row.job,
        email: row.email,
        wechat: row.wechat,
        mingpian_phone: row.mingpian_phone,
        sign: row.sign,
        qr_code_url: row.qr_code_url,
        poster_url: row.poster_url,
        popularity_num: row.popularity_num,
        praise_num: row.praise_num,
        forward_num: row.forward_num,
        sign_num: row.sign_num,
        photos: row
            .photo_ids
            .into_iter()
            .zip(row.photo_urls)
            .map(|(photo_id, photo_url)| CardPhoto {
                photo_id,
                photo_url,
            })
            .collect(),
    }))
}

/// A page of the cards that a customer is bound to and that may be used, newest first, and how many there are.
///
/// # Errors
/// When the database says no.
pub async fn of_customer(
    db: impl PgExecutor<'_>,
    customer_id: i64,
    offset: i64,
    limit: i64,
) -> sqlx::Result<BoundCards> {
    let rows = sqlx::query!(
        r#"WITH mine AS (
               SELECT c.uid, c.username, b.source, c.avatar, c.company_id, c.job, c.email, c.mingpian_phone, c.created_at
               FROM customer_bindings b
               JOIN cards c ON c.uid = b.uid AND c.enabled
               WHERE b.customer_id = $1
           )
           SELECT t.total AS "total!", m.uid AS "uid?", m.username AS "username?", m.source AS "source?",
                  m.avatar AS "avatar?", coalesce(o.name, '') AS "company!", m.job AS "job?", m.email AS "email?",
                  m.mingpian_phone AS "mingpian_phone?", m.created_at AS "created_at?"
           FROM (SELECT count(*) AS total FROM mine) t
           LEFT JOIN (SELECT * FROM mine ORDER BY created_at DESC, uid DESC OFFSET $2 LIMIT $3) m ON true
           LEFT JOIN companies o ON o.id = m.company_id
           ORDER BY m.created_at DESC, m.uid DESC"#,
        customer_id,
        offset,
        limit,
    )
    .fetch_all(db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let cards = rows.into_iter().filter_map(|row| {
        Some(BoundCard {
            uid: row.uid?,
            username: row.username?,
            source: row.source?,
            avatar: row.avatar?,
            company: row.company,
            position: row.job?,
            email: row.email?,
            mingpian_phone: row.mingpian_phone?,
            created_at: row.created_at?,
        })
    });
    Ok(BoundCards {
        total,
        cards: cards.collect(),
    })
}
