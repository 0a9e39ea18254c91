//! Private messages as each side has them, the conversations they add up to, and how much of those was read.

mod chat;
mod cursors;
mod queries;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::PgConnection;

pub use chat::{ChatItem, ChatLook, PushItem, PushLook, after, chat, news, unread, welcome};
pub use queries::{Card, ConversationItem, MemberCard, MessageItem, conversations, page, peer};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::conversation::ConversationId;
use crate::events::party::{Party, PartyKind};
use crate::events::{
    AccountEvent, CardEvent, ConversationEvent, CustomerEvent, Event, Fact, MessageEvent,
};

/// The read model `messages`.
pub struct Messages;

#[async_trait]
impl Projection for Messages {
    fn name(&self) -> &'static str {
        "messages"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Account", "Card", "Conversation", "Customer", "Message"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Message(event) => match event {
                MessageEvent::MessageSent { .. } | MessageEvent::MessageDeleted { .. } => {
                    Handling::Handled
                }
            },
            Event::Account(event) => match event {
                AccountEvent::PersonErased {} => Handling::Handled,
                AccountEvent::AccountOpened { .. }
                | AccountEvent::AccountProfileUpdated(_)
                | AccountEvent::PasswordSet { .. }
                | AccountEvent::AccountDisabled { .. }
                | AccountEvent::AccountEnabled {}
                | AccountEvent::AccountRoleChanged { .. }
                | AccountEvent::AccountStandingAdjusted { .. } => Handling::Ignored,
            },
            Event::Conversation(event) => match event {
                ConversationEvent::ConversationRead { .. } => Handling::Handled,
            },
            Event::Card(event) => match event {
                CardEvent::PersonErased {} => Handling::Handled,
                CardEvent::CardCreated { .. }
                | CardEvent::CardEdited { .. }
                | CardEvent::CardPhotoAdded { .. }
                | CardEvent::CardPhotoRemoved { .. }
                | CardEvent::CardTokenRotated {}
                | CardEvent::CardDisabled {}
                | CardEvent::CardEnabled {} => Handling::Ignored,
            },
            Event::Customer(event) => match event {
                CustomerEvent::PersonErased {} => Handling::Handled,
                CustomerEvent::CustomerRegistered { .. }
                | CustomerEvent::CustomerLoggedIn { .. }
                | CustomerEvent::CustomerBound { .. }
                | CustomerEvent::CustomerProfileUpdated { .. }
                | CustomerEvent::FormIdCollected { .. }
                | CustomerEvent::CustomerPhoneCaptured { .. }
                | CustomerEvent::CustomerTokenRotated {}
                | CustomerEvent::CustomerDisabled {}
                | CustomerEvent::CustomerEnabled {} => Handling::Ignored,
            },
            _ => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    sent: Vec<Sent<'f>>,
    /// Copies thrown away, and by whom.
    thrown: Vec<(i64, &'f Party)>,
    erased: BTreeSet<Party>,
    /// How far each owner has read of what it has with each peer.
    read: BTreeMap<(Party, Party), i64>,
}

/// A message of this batch.
struct Sent<'f> {
    id: i64,
    fact: &'f Fact,
    from: &'f Party,
    to: &'f Party,
    content: &'f str,
    info_type: Option<u8>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Message(MessageEvent::MessageSent {
                from,
                to,
                content,
                info_type,
            }) => self.sent.push(Sent {
                id: number(fact, &fact.place.stream.id)?,
                fact,
                from,
                to,
                content: content.text(),
                info_type: *info_type,
            }),
            Event::Message(MessageEvent::MessageDeleted { by }) => {
                let id = number(fact, &fact.place.stream.id)?;
                self.thrown.push((id, by));
            }
            Event::Account(AccountEvent::PersonErased {}) => {
                if let Some(uid) = fact.place.stream.id.strip_prefix("community:") {
                    self.erased.insert(Party::new(PartyKind::Member, uid));
                }
            }
            Event::Card(CardEvent::PersonErased {}) => {
                let uid = number(fact, &fact.place.stream.id)?;
                self.erased.insert(Party::new(PartyKind::Card, uid));
            }
            Event::Customer(CustomerEvent::PersonErased {}) => {
                let id = number(fact, &fact.place.stream.id)?;
                self.erased.insert(Party::new(PartyKind::Customer, id));
            }
            Event::Conversation(ConversationEvent::ConversationRead { through }) => {
                let ConversationId { pair, side } = fact.place.stream.id.parse().map_err(|_| {
                    FoldError::Data(format!("{} names no conversation", fact.place.stream))
                })?;
                let key = (pair.party(side), pair.party(side.other()));
                let read = self.read.entry(key).or_insert(0);
                *read = (*read).max(*through);
            }
            _ => {}
        }
        Ok(())
    }

    /// A copy is thrown away after it was made, and for good: those of this batch that go again come first.
    async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        let mut sides = Sides::default();
        if !self.erased.is_empty() {
            erase(tx, &self.erased).await?;
        }
        if !self.sent.is_empty() {
            insert(tx, &self.sent).await?;
            copy(tx, &self.sent, &mut sides).await?;
        }
        let mut thrown = Sides::default();
        if !self.thrown.is_empty() {
            throw(tx, &self.thrown, &mut thrown).await?;
        }
        cursors::write(tx, &self.sent, &self.read, &thrown).await?;
        sides.append(thrown);
        if !sides.owner_ids.is_empty() {
            converse(tx, &sides).await?;
        }
        Ok(())
    }
}

/// Who and with whom, as columns.
#[derive(Default)]
struct Sides {
    owner_kinds: Vec<String>,
    owner_ids: Vec<String>,
    peer_kinds: Vec<String>,
    peer_ids: Vec<String>,
}

impl Sides {
    fn push(&mut self, owner: &Party, peer: &Party) {
        self.owner_kinds.push(owner.kind.word().to_owned());
        self.owner_ids.push(owner.id.clone());
        self.peer_kinds.push(peer.kind.word().to_owned());
        self.peer_ids.push(peer.id.clone());
    }

    fn append(&mut self, mut other: Self) {
        self.owner_kinds.append(&mut other.owner_kinds);
        self.owner_ids.append(&mut other.owner_ids);
        self.peer_kinds.append(&mut other.peer_kinds);
        self.peer_ids.append(&mut other.peer_ids);
    }
}

async fn erase(tx: &mut PgConnection, erased: &BTreeSet<Party>) -> sqlx::Result<()> {
    let kinds: Vec<String> = erased.iter().map(|p| p.kind.word().to_owned()).collect();
    let ids: Vec<String> = erased.iter().map(|p| p.id.clone()).collect();
    sqlx::query!(
        "WITH writers AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w(kind, id)),
              noted AS (INSERT INTO erased_writers (kind, id) SELECT w.kind, w.id FROM writers w ON CONFLICT DO NOTHING)
         UPDATE messages m
         SET content = ''
         FROM writers w
         WHERE m.from_id = w.id AND m.from_kind = w.kind AND m.content <> ''",
        &kinds,
        &ids,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(tx: &mut PgConnection, sent: &[Sent<'_>]) -> sqlx::Result<()> {
    let ids: Vec<i64> = sent.iter().map(|message| message.id).collect();
    let positions: Vec<i64> = sent.iter().map(|m| m.fact.place.position).collect();
    let times: Vec<_> = sent.iter().map(|message| at(message.fact)).collect();
    let kind = |party: &Party| party.kind.word().to_owned();
    let from_kinds: Vec<String> = sent.iter().map(|message| kind(message.from)).collect();
    let from_ids: Vec<String> = sent.iter().map(|m| m.from.id.clone()).collect();
    let to_kinds: Vec<String> = sent.iter().map(|message| kind(message.to)).collect();
    let to_ids: Vec<String> = sent.iter().map(|m| m.to.id.clone()).collect();
    let info_types: Vec<Option<i16>> = sent.iter().map(|m| m.info_type.map(i16::from)).collect();
    let contents: Vec<String> = sent.iter().map(|m| m.content.to_owned()).collect();
    sqlx::query!(
        "INSERT INTO messages (id, position, sent_at, from_kind, from_id, to_kind, to_id, info_type, content)
         SELECT n.id, n.position, n.sent_at, n.from_kind, n.from_id, n.to_kind, n.to_id, n.info_type,
                CASE WHEN e.id IS NULL THEN n.content ELSE '' END
         FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::smallint[], $9::text[])
              AS n(id, position, sent_at, from_kind, from_id, to_kind, to_id, info_type, content)
         LEFT JOIN erased_writers e ON e.id = n.from_id AND e.kind = n.from_kind",
        &ids,
        &positions,
        &times,
        &from_kinds,
        &from_ids,
        &to_kinds,
        &to_ids,
        &info_types as &[Option<i16>],
        &contents,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn copy(tx: &mut PgConnection, sent: &[Sent<'_>], sides: &mut Sides) -> sqlx::Result<()> {
    let (mut positions, mut ids, mut incoming) = (Vec::new(), Vec::new(), Vec::new());
    for message in sent {
        for (owner, peer) in [(message.from, message.to), (message.to, message.from)] {
            sides.push(owner, peer);
            positions.push(message.fact.place.position);
            ids.push(message.id);
            incoming.push(peer == message.from);
        }
    }
    sqlx::query!(
        "INSERT INTO message_copies (owner_kind, owner_id, peer_kind, peer_id, position, message_id, incoming)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::bigint[]),
                unnest($6::bigint[]), unnest($7::boolean[])",
        &sides.owner_kinds,
        &sides.owner_ids,
        &sides.peer_kinds,
        &sides.peer_ids,
        &positions,
        &ids,
        &incoming,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What nobody has any more is not kept either.
async fn throw(
    tx: &mut PgConnection,
    thrown: &[(i64, &Party)],
    sides: &mut Sides,
) -> sqlx::Result<()> {
    let ids: Vec<i64> = thrown.iter().map(|(id, _)| *id).collect();
    let kinds: Vec<String> = thrown
        .iter()
        .map(|(_, by)| by.kind.word().to_owned())
        .collect();
    let owners: Vec<String> = thrown.iter().map(|(_, by)| by.id.clone()).collect();
    let rows = sqlx::query!(
        "DELETE FROM message_copies c
         USING unnest($1::bigint[], $2::text[], $3::text[]) AS n(message_id, kind, id)
         WHERE c.message_id = n.message_id AND c.owner_id = n.id AND c.owner_kind = n.kind
         RETURNING c.owner_kind, c.owner_id, c.peer_kind, c.peer_id",
        &ids,
        &kinds,
        &owners,
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in rows {
        sides.owner_kinds.push(row.owner_kind);
        sides.owner_ids.push(row.owner_id);
        sides.peer_kinds.push(row.peer_kind);
        sides.peer_ids.push(row.peer_id);
    }
    sqlx::query!(
        "DELETE FROM messages m
         WHERE m.id = ANY($1) AND NOT EXISTS (SELECT FROM message_copies c WHERE c.message_id = m.id)",
        &ids,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The newest message of each conversation follows from the copies that are there, so it does not matter in which order
/// they came and went.
async fn converse(tx: &mut PgConnection, sides: &Sides) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH newest AS (
             SELECT s.owner_kind, s.owner_id, s.peer_kind, s.peer_id, c.position, c.message_id
             FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                       AS n(owner_kind, owner_id, peer_kind, peer_id)) s
             LEFT JOIN LATERAL (
                 SELECT position, message_id
                 FROM message_copies
                 WHERE owner_id = s.owner_id AND owner_kind = s.owner_kind
                   AND peer_id = s.peer_id AND peer_kind = s.peer_kind
                 ORDER BY position DESC
                 LIMIT 1
             ) c ON true
         ), quiet AS (
             DELETE FROM conversations q
             USING newest n
             WHERE q.owner_id = n.owner_id AND q.owner_kind = n.owner_kind
               AND q.peer_id = n.peer_id AND q.peer_kind = n.peer_kind AND n.message_id IS NULL
         )
         INSERT INTO conversations (owner_kind, owner_id, peer_kind, peer_id, position, message_id)
         SELECT * FROM newest n WHERE n.message_id IS NOT NULL
         ON CONFLICT (owner_id, owner_kind, peer_id, peer_kind) DO UPDATE
         SET position = EXCLUDED.position, message_id = EXCLUDED.message_id",
        &sides.owner_kinds,
        &sides.owner_ids,
        &sides.peer_kinds,
        &sides.peer_ids,
    )
    .execute(tx)
    .await?;
    Ok(())
}
