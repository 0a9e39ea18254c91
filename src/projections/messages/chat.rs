//! What can be asked of the mini-program's chat.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::events::conversation::{Pair, Side};
use crate::projections::pages::near;

/// A message of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatItem {
    /// Of the event that made it.
    pub position: i64,
    /// When.
    pub sent_at: DateTime<Utc>,
    /// Who wrote it.
    pub writer: Side,
    /// Its kind, 1…5.
    pub info_type: i16,
    /// JSON; `""` once its writer is erased.
    pub content: String,
}

/// A part of a conversation as one side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLook {
    /// How far this side had read it.
    pub read_through: i64,
    /// The customer's name; `""` before they tell it.
    pub customer: String,
    /// The customer's picture; `""` before they tell it.
    pub avatar: String,
    /// The messages, newest first.
    pub items: Vec<ChatItem>,
}

/// A message for the sockets of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushItem {
    /// The message.
    pub message: ChatItem,
    /// It was the first between the two.
    pub is_first: bool,
}

/// What a customer's socket does not show yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLook {
    /// The position of the newest message there is; 0 when there is none.
    pub newest: i64,
    /// The customer's name; `""` before they tell it.
    pub customer: String,
    /// The customer's picture; `""` before they tell it.
    pub customer_avatar: String,
    /// The enterprise user's picture; `""` when there is none.
    pub card_avatar: String,
    /// The messages.
    pub items: Vec<PushItem>,
}

/// A row of both; without a message where there is none.
struct Row {
    read_through: i64,
    customer: String,
    avatar: String,
    position: Option<i64>,
    sent_at: Option<DateTime<Utc>>,
    from_kind: Option<String>,
    info_type: Option<i16>,
    content: Option<String>,
}

impl Row {
    fn item(&self) -> Option<ChatItem> {
        Some(ChatItem {
            position: self.position?,
            sent_at: self.sent_at?,
            writer: writer(self.from_kind.as_deref()?),
            info_type: self.info_type.unwrap_or(1),
            content: self.content.clone()?,
        })
    }
}

fn writer(kind: &str) -> Side {
    if kind == Side::Customer.kind().word() {
        Side::Customer
    } else {
        Side::Card
    }
}

fn look(rows: Vec<Row>) -> ChatLook {
    let items = rows.iter().filter_map(Row::item).collect();
    let first = rows.into_iter().next();
    let (read_through, customer, avatar) = first
        .map(|row| (row.read_through, row.customer, row.avatar))
        .unwrap_or_default();
    ChatLook {
        read_through,
        customer,
        avatar,
        items,
    }
}

/// One row at least, also of a conversation that nobody began: of `$keys`, in their order.
macro_rules! of_side {
    ($db:expr, $pair:expr, $side:expr, $open:literal, $more:literal, $close:literal $(, $argument:expr)*) => {{
        let (owner, peer) = ($pair.party($side), $pair.party($side.other()));
        sqlx::query_as!(
            Row,
            "SELECT coalesce(r.read_through, 0) AS \"read_through!\", coalesce(u.username, '') AS \"customer!\",
                    coalesce(u.headimgurl, '') AS \"avatar!\", m.position AS \"position?\", m.sent_at AS \"sent_at?\",
                    m.from_kind AS \"from_kind?\", m.info_type AS \"info_type?\", m.content AS \"content?\"
             FROM (VALUES (1)) AS one(n)
             LEFT JOIN conversation_cursors r
                 ON r.owner_id = $1 AND r.owner_kind = $2 AND r.peer_id = $3 AND r.peer_kind = $4
             LEFT JOIN customers u ON u.id = $5
             LEFT JOIN unnest("
                + $open
                + " SELECT c.message_id
                    FROM message_copies c
                    WHERE c.owner_id = $1 AND c.owner_kind = $2 AND c.peer_id = $3 AND c.peer_kind = $4 "
                + $more
                + " ORDER BY c.position DESC "
                + $close
                + ") WITH ORDINALITY AS p(id, place) ON true
             LEFT JOIN messages m ON m.id = p.id
             ORDER BY p.place",
            owner.id,
            owner.kind.word(),
            peer.id,
            peer.kind.word(),
            $pair.customer_id
            $(, $argument)*
        )
        .fetch_all($db)
        .await
    }};
}

/// What one side has of a conversation, newest first.
///
/// # Errors
/// When the database says no.
pub async fn chat(
    db: impl PgExecutor<'_>,
    pair: Pair,
    side: Side,
    offset: i64,
    limit: i64,
) -> sqlx::Result<ChatLook> {
    let rows = if let Some((from, to)) = near(offset, limit) {
        of_side!(
            db,
            pair,
            side,
            "(ARRAY(",
            "",
            "LIMIT 100))[$6:$7]",
            from,
            to
        )?
    } else {
        of_side!(
            db,
            pair,
            side,
            "ARRAY(",
            "",
            "OFFSET $6 LIMIT $7)",
            offset,
            limit
        )?
    };
    Ok(look(rows))
}

/// What one side has not been shown yet, own messages included: at most the newest hundred, newest first.
///
/// # Errors
/// When the database says no.
pub async fn news(db: impl PgExecutor<'_>, pair: Pair, side: Side) -> sqlx::Result<ChatLook> {
    let rows = of_side!(
        db,
        pair,
        side,
        "ARRAY(",
        "AND c.position > coalesce((
             SELECT n.read_through
             FROM conversation_cursors n
             WHERE n.owner_id = $1 AND n.owner_kind = $2 AND n.peer_id = $3 AND n.peer_kind = $4), 0)",
        "LIMIT 100)"
    )?;
    Ok(look(rows))
}

/// How many messages of the other side one side has not been shown yet.
///
/// # Errors
/// When the database says no.
pub async fn unread(db: impl PgExecutor<'_>, pair: Pair, side: Side) -> sqlx::Result<i64> {
    let (owner, peer) = (pair.party(side), pair.party(side.other()));
    let count = sqlx::query_scalar!(
        "SELECT unread_count
         FROM conversation_cursors
         WHERE owner_id = $1 AND owner_kind = $2 AND peer_id = $3 AND peer_kind = $4",
        owner.id,
        owner.kind.word(),
        peer.id,
        peer.kind.word(),
    )
    .fetch_optional(db)
    .await?;
    Ok(count.unwrap_or(0))
}

/// A row for a socket; without a message where there is none.
struct PushRow {
    newest: i64,
    customer: String,
    customer_avatar: String,
    card_avatar: String,
    is_first: bool,
    position: Option<i64>,
    sent_at: Option<DateTime<Utc>>,
    from_kind: Option<String>,
    info_type: Option<i16>,
    content: Option<String>,
}

impl PushRow {
    fn item(&self) -> Option<PushItem> {
        let message = ChatItem {
            position: self.position?,
            sent_at: self.sent_at?,
            writer: writer(self.from_kind.as_deref()?),
            info_type: self.info_type.unwrap_or(1),
            content: self.content.clone()?,
        };
        Some(PushItem {
            message,
            is_first: self.is_first,
        })
    }
}

/// One row at least: of the customer's copies beyond `$beyond`, in this order.
macro_rules! for_sockets {
    ($db:expr, $pair:expr, $beyond:literal, $order:literal $(, $argument:expr)*) => {{
        let (owner, peer) = ($pair.party(Side::Customer), $pair.party(Side::Card));
        sqlx::query_as!(
            PushRow,
            "SELECT coalesce(e.newest, 0) AS \"newest!\", coalesce(u.username, '') AS \"customer!\",
                    coalesce(u.headimgurl, '') AS \"customer_avatar!\", coalesce(k.avatar, '') AS \"card_avatar!\",
                    coalesce(m.position = e.oldest, false) AS \"is_first!\", m.position AS \"position?\",
                    m.sent_at AS \"sent_at?\", m.from_kind AS \"from_kind?\", m.info_type AS \"info_type?\",
                    m.content AS \"content?\"
             FROM (SELECT min(position) AS oldest, max(position) AS newest
                   FROM message_copies
                   WHERE owner_id = $1 AND owner_kind = 'customer' AND peer_id = $2 AND peer_kind = 'card') e
             LEFT JOIN customers u ON u.id = $3
             LEFT JOIN cards k ON k.uid = $4
             LEFT JOIN unnest(ARRAY(
                 SELECT c.message_id
                 FROM message_copies c
                 WHERE c.owner_id = $1 AND c.owner_kind = 'customer' AND c.peer_id = $2 AND c.peer_kind = 'card'
                   AND c.position > "
                + $beyond
                + " ORDER BY c.position "
                + $order
                + " LIMIT 100)) WITH ORDINALITY AS p(id, place) ON true
             LEFT JOIN messages m ON m.id = p.id
             ORDER BY p.place",
            owner.id,
            peer.id,
            $pair.customer_id,
            $pair.uid
            $(, $argument)*
        )
        .fetch_all($db)
        .await
    }};
}

fn push_look(rows: Vec<PushRow>) -> PushLook {
    let items = rows.iter().filter_map(PushRow::item).collect();
    let mut look = PushLook {
        newest: 0,
        customer: String::new(),
        customer_avatar: String::new(),
        card_avatar: String::new(),
        items,
    };
    if let Some(row) = rows.into_iter().next() {
        look.newest = row.newest;
        look.customer = row.customer;
        look.customer_avatar = row.customer_avatar;
        look.card_avatar = row.card_avatar;
    }
    look
}

/// What a customer's new socket is shown at once: what they were not shown yet, at most the newest hundred, newest first.
///
/// # Errors
/// When the database says no.
pub async fn welcome(db: impl PgExecutor<'_>, pair: Pair) -> sqlx::Result<PushLook> {
    let rows = for_sockets!(
        db,
        pair,
        "coalesce((
             SELECT r.read_through
             FROM conversation_cursors r
             WHERE r.owner_id = $1 AND r.owner_kind = 'customer' AND r.peer_id = $2 AND r.peer_kind = 'card'), 0)",
        "DESC"
    )?;
    Ok(push_look(rows))
}

/// What came after a position, at most a hundred, oldest first.
///
/// # Errors
/// When the database says no.
pub async fn after(db: impl PgExecutor<'_>, pair: Pair, position: i64) -> sqlx::Result<PushLook> {
    let rows = for_sockets!(db, pair, "$5", "ASC", position)?;
    Ok(push_look(rows))
}
