//! What can be asked of the messages.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::projections::catalogue::{MasterCard, MerchantCard};
use crate::projections::pages::page;

/// A message as one of its sides has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageItem {
    /// Its number.
    pub id: i64,
    /// Who wrote it; the customer service is called by its kind.
    pub from_id: String,
    /// Whom it is for.
    pub to_id: String,
    /// What it says; `""` once its writer is erased.
    pub content: String,
    /// When.
    pub sent_at: DateTime<Utc>,
}

/// The other side of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Card {
    /// A member.
    Member(MemberCard),
    /// A master that is shown.
    Master(MasterCard),
    /// A merchant that is shown.
    Merchant(MerchantCard),
    /// The customer service.
    CustomerService,
}

/// A member as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::account`")]
pub struct MemberCard {
    pub uid: String,
    /// `""` once erased.
    pub nickname: String,
    pub avatar: Option<String>,
    pub gender: i16,
    pub country: String,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday_ms: Option<i64>,
    pub intro: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A conversation with the newest message its owner has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationItem {
    /// With whom.
    pub card: Card,
    /// What was said last.
    pub last: MessageItem,
}

/// A member, a master or a merchant by its columns: one of the three, or none for the customer service.
struct CardRow {
    uid: Option<String>,
    nickname: Option<String>,
    avatar: Option<String>,
    gender: Option<i16>,
    country: Option<String>,
    province: Option<String>,
    city: Option<String>,
    birthday_ms: Option<i64>,
    intro: Option<String>,
    created_at: Option<DateTime<Utc>>,
    master_id: Option<String>,
    merchant_id: Option<String>,
    name: Option<String>,
    picture: Option<String>,
    what: Option<String>,
    address: Option<String>,
    birthday: Option<NaiveDate>,
    phone: Option<String>,
    email: Option<String>,
    listed_at: Option<DateTime<Utc>>,
}

impl CardRow {
    fn card(self) -> Option<Card> {
        if let Some(uid) = self.uid {
            return Some(Card::Member(MemberCard {
                uid,
                nickname: self.nickname?,
                avatar: self.avatar,
                gender: self.gender?,
                country: self.country?,
                province: self.province,
                city: self.city,
                birthday_ms: self.birthday_ms,
                intro: self.intro,
                created_at: self.created_at?,
            }));
        }
        if let Some(id) = self.master_id {
            return Some(Card::Master(MasterCard {
                id,
                name: self.name?,
                avatar: self.picture,
                intro: self.what?,
                address: self.address?,
                birthday: self.birthday,
                created_at: self.listed_at?,
            }));
        }
        Some(Card::Merchant(MerchantCard {
            id: self.merchant_id?,
            name: self.name?,
            logo: self.picture,
            intro: self.what?,
            address: self.address?,
            phone: self.phone,
            email: self.email,
            created_at: self.listed_at?,
        }))
    }
}

/// Whoever has this id, if it can be seen: the ids of members, masters and merchants are random, so that no two are alike.
///
/// # Errors
/// When the database says no.
pub async fn peer(db: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Option<Card>> {
    let row = sqlx::query_as!(
        CardRow,
        r#"SELECT u.uid AS "uid?", u.nickname AS "nickname?", u.avatar AS "avatar?", u.gender AS "gender?",
                  u.country AS "country?", u.province AS "province?", u.city AS "city?",
                  u.birthday_ms AS "birthday_ms?", u.intro AS "intro?", u.created_at AS "created_at?",
                  a.id AS "master_id?", e.id AS "merchant_id?",
                  coalesce(a.name, e.name) AS "name?", coalesce(a.avatar, e.logo) AS "picture?",
                  coalesce(a.intro, e.intro) AS "what?", coalesce(a.address, e.address) AS "address?",
                  a.birthday AS "birthday?", e.phone AS "phone?", e.email AS "email?",
                  coalesce(a.created_at, e.created_at) AS "listed_at?"
           FROM (SELECT $1::text AS id) p
           LEFT JOIN members u ON u.uid = p.id
           LEFT JOIN masters a ON a.id = p.id AND a.shown
           LEFT JOIN merchants e ON e.id = p.id AND e.shown"#,
        id,
    )
    .fetch_one(db)
    .await?;
    Ok(row.card())
}

/// What a member has of its conversation with somebody, newest first.
///
/// # Errors
/// When the database says no.
pub async fn page(
    db: impl PgExecutor<'_>,
    owner: &str,
    peer: (&str, &str),
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<MessageItem>> {
    let (kind, id) = peer;
    page!(
        MessageItem of db,
        offset,
        limit,
        "SELECT m.id, CASE m.from_id WHEN '' THEN m.from_kind ELSE m.from_id END AS \"from_id!\",
                    CASE m.to_id WHEN '' THEN m.to_kind ELSE m.to_id END AS \"to_id!\", m.content, m.sent_at
             FROM unnest(",
        "SELECT message_id
         FROM message_copies
         WHERE owner_id = $3 AND owner_kind = 'member' AND peer_id = $5 AND peer_kind = $4
         ORDER BY position DESC",
        ") WITH ORDINALITY AS p(id, place)
             JOIN messages m ON m.id = p.id
             ORDER BY p.place",
        owner,
        kind,
        id,
    )
}

/// A conversation by its columns.
struct ConversationRow {
    peer_kind: String,
    message_id: i64,
    from_id: String,
    to_id: String,
    content: String,
    sent_at: DateTime<Utc>,
    uid: Option<String>,
    nickname: Option<String>,
    avatar: Option<String>,
    gender: Option<i16>,
    country: Option<String>,
    province: Option<String>,
    city: Option<String>,
    birthday_ms: Option<i64>,
    intro: Option<String>,
    created_at: Option<DateTime<Utc>>,
    master_id: Option<String>,
    merchant_id: Option<String>,
    name: Option<String>,
    picture: Option<String>,
    what: Option<String>,
    address: Option<String>,
    birthday: Option<NaiveDate>,
    phone: Option<String>,
    email: Option<String>,
    listed_at: Option<DateTime<Utc>>,
}

impl ConversationRow {
    fn item(self) -> Option<ConversationItem> {
        let last = MessageItem {
            id: self.message_id,
            from_id: self.from_id,
            to_id: self.to_id,
            content: self.content,
            sent_at: self.sent_at,
        };
        let card = if self.peer_kind == "customer_service" {
            Card::CustomerService
        } else {
            let row = CardRow {
                uid: self.uid,
                nickname: self.nickname,
                avatar: self.avatar,
                gender: self.gender,
                country: self.country,
                province: self.province,
                city: self.city,
                birthday_ms: self.birthday_ms,
                intro: self.intro,
                created_at: self.created_at,
                master_id: self.master_id,
                merchant_id: self.merchant_id,
                name: self.name,
                picture: self.picture,
                what: self.what,
                address: self.address,
                birthday: self.birthday,
                phone: self.phone,
                email: self.email,
                listed_at: self.listed_at,
            };
            row.card()?
        };
        Some(ConversationItem { card, last })
    }
}

/// A member's conversations with sides of these kinds, the one with the newest message first. With whom cannot be seen is
/// left out.
///
/// # Errors
/// When the database says no.
pub async fn conversations(
    db: impl PgExecutor<'_>,
    owner: &str,
    kinds: &[String],
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<ConversationItem>> {
    let rows: Vec<ConversationRow> = page!(
        ConversationRow of db,
        offset,
        limit,
        "SELECT c.peer_kind, m.id AS message_id,
                    CASE m.from_id WHEN '' THEN m.from_kind ELSE m.from_id END AS \"from_id!\",
                    CASE m.to_id WHEN '' THEN m.to_kind ELSE m.to_id END AS \"to_id!\", m.content, m.sent_at,
                    u.uid AS \"uid?\", u.nickname AS \"nickname?\", u.avatar AS \"avatar?\", u.gender AS \"gender?\",
                    u.country AS \"country?\", u.province AS \"province?\", u.city AS \"city?\",
                    u.birthday_ms AS \"birthday_ms?\", u.intro AS \"intro?\", u.created_at AS \"created_at?\",
                    a.id AS \"master_id?\", e.id AS \"merchant_id?\",
                    coalesce(a.name, e.name) AS \"name?\", coalesce(a.avatar, e.logo) AS \"picture?\",
                    coalesce(a.intro, e.intro) AS \"what?\", coalesce(a.address, e.address) AS \"address?\",
                    a.birthday AS \"birthday?\", e.phone AS \"phone?\", e.email AS \"email?\",
                    coalesce(a.created_at, e.created_at) AS \"listed_at?\"
             FROM unnest(",
        "SELECT n.position
         FROM conversations n
         LEFT JOIN members nu ON n.peer_kind = 'member' AND nu.uid = n.peer_id
         LEFT JOIN masters na ON n.peer_kind = 'master' AND na.id = n.peer_id AND na.shown
         LEFT JOIN merchants ne ON n.peer_kind = 'merchant' AND ne.id = n.peer_id AND ne.shown
         WHERE n.owner_id = $3 AND n.owner_kind = 'member' AND n.peer_kind = ANY($4)
           AND (n.peer_kind = 'customer_service' OR nu.uid IS NOT NULL OR na.id IS NOT NULL OR ne.id IS NOT NULL)
         ORDER BY n.position DESC",
        ") WITH ORDINALITY AS p(position, place)
             JOIN conversations c ON c.owner_id = $3 AND c.owner_kind = 'member' AND c.position = p.position
             JOIN messages m ON m.id = c.message_id
             LEFT JOIN members u ON c.peer_kind = 'member' AND u.uid = c.peer_id
             LEFT JOIN masters a ON c.peer_kind = 'master' AND a.id = c.peer_id
             LEFT JOIN merchants e ON c.peer_kind = 'merchant' AND e.id = c.peer_id
             ORDER BY p.place",
        owner,
        kinds,
    )?;
    Ok(rows.into_iter().filter_map(ConversationRow::item).collect())
}
