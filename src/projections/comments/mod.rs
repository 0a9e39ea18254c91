//! Comments of all surfaces with the votes on them, and the tickets that are talked about.
//!
//! How many comments something has stands with it: `articles` …

mod queries;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::PgConnection;

pub use queries::{Author, CircleItem, CommentItem, circle, page, pages};

use super::{FoldError, Handling, Projection, at, number};
use crate::events::comment::Reply;
use crate::events::party::{Party, Target, TargetKind};
use crate::events::reaction::{ReactionKind, Vote};
use crate::events::{CommentEvent, Event, Fact, ReactionEvent};

/// The read model `comments`.
pub struct Comments;

#[async_trait]
impl Projection for Comments {
    fn name(&self) -> &'static str {
        "comments"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Comment", "Reaction"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Comment(event) => match event {
                CommentEvent::CommentPublished { .. } | CommentEvent::CommentDeleted { .. } => {
                    Handling::Handled
                }
            },
            Event::Reaction(event) => match event {
                ReactionEvent::ReactionAdded { .. } | ReactionEvent::ReactionRemoved { .. } => {
                    Handling::Handled
                }
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
    made: Vec<Made<'f>>,
    removed: Vec<i64>,
    /// Votes up and down, also where it comes to nothing: a row is there as soon as anything happened.
    votes: BTreeMap<i64, (i64, i64)>,
    /// Tickets whose newest comment may be another now.
    tickets: BTreeSet<i64>,
}

/// A comment of this batch.
struct Made<'f> {
    id: i64,
    fact: &'f Fact,
    target: &'f Target,
    author: &'f Party,
    content: &'f str,
    reply: Option<&'f Reply>,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) -> Result<(), FoldError> {
        match &fact.event {
            Event::Comment(event) => self.comment(fact, event),
            Event::Reaction(event) => self.vote(fact, event),
            _ => Ok(()),
        }
    }

    fn comment(&mut self, fact: &'f Fact, event: &'f CommentEvent) -> Result<(), FoldError> {
        let id = number(fact, &fact.place.stream.id)?;
        let target = match event {
            CommentEvent::CommentPublished {
                target,
                author,
                content,
                reply,
            } => {
                self.made.push(Made {
                    id,
                    fact,
                    target,
                    author,
                    content,
                    reply: reply.as_ref(),
                });
                target
            }
            CommentEvent::CommentDeleted { target, .. } => {
                self.removed.push(id);
                target
            }
        };
        if target.kind == TargetKind::Ticket {
            self.tickets.insert(number(fact, &target.id)?);
        }
        Ok(())
    }

    fn vote(&mut self, fact: &Fact, event: &ReactionEvent) -> Result<(), FoldError> {
        let (kind, target, value, step) = match event {
            ReactionEvent::ReactionAdded {
                kind,
                target,
                value,
                ..
            } => (kind, target, value, 1),
            ReactionEvent::ReactionRemoved {
                kind,
                target,
                value,
                ..
            } => (kind, target, value, -1),
        };
        if (*kind, target.kind) != (ReactionKind::Vote, TargetKind::Comment) {
            return Ok(());
        }
        let id = number(fact, &target.id)?;
        let (up, down) = self.votes.entry(id).or_default();
        match value {
            Some(Vote::Up) => *up += step,
            Some(Vote::Down) => *down += step,
            None => {}
        }
        Ok(())
    }

    /// A comment is deleted after it was published, and for good: those of this batch that go again come first.
    async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.made.is_empty() {
            insert(tx, &self.made).await?;
        }
        if !self.removed.is_empty() {
            sqlx::query!("DELETE FROM comments WHERE id = ANY($1)", &self.removed)
                .execute(&mut *tx)
                .await?;
        }
        if !self.votes.is_empty() {
            votes(tx, self.votes).await?;
        }
        if !self.tickets.is_empty() {
            move_circle(tx, self.tickets).await?;
        }
        Ok(())
    }
}

async fn insert(tx: &mut PgConnection, made: &[Made<'_>]) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(made.len());
    let mut positions = Vec::with_capacity(made.len());
    let mut times = Vec::with_capacity(made.len());
    let mut replies: (Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut reply_authors: (Vec<_>, Vec<_>) = Default::default();
    let mut first_authors: (Vec<_>, Vec<_>) = Default::default();
    for comment in made {
        ids.push(comment.id);
        positions.push(comment.fact.place.position);
        times.push(at(comment.fact));
        texts.0.push(comment.target.kind.word().to_owned());
        texts.1.push(comment.target.id.clone());
        texts.2.push(comment.author.kind.word().to_owned());
        texts.3.push(comment.author.id.clone());
        texts.4.push(comment.content.to_owned());
        let kind = |party: &Party| party.kind.word().to_owned();
        let id = |party: &Party| party.id.clone();
        let (answered, first) = (
            comment.reply.map(|reply| &reply.reply_author),
            comment.reply.map(|reply| &reply.first_reply_author),
        );
        replies.0.push(comment.reply.map(|reply| reply.reply_id));
        replies
            .1
            .push(comment.reply.map(|reply| reply.first_reply_id));
        reply_authors.0.push(answered.map(kind));
        reply_authors.1.push(answered.map(id));
        first_authors.0.push(first.map(kind));
        first_authors.1.push(first.map(id));
    }
    sqlx::query!(
        "INSERT INTO comments (id, position, created_at, target_kind, target_id, author_kind, author_id, content,
                               reply_id, reply_author_kind, reply_author_id,
                               first_reply_id, first_reply_author_kind, first_reply_author_id)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::timestamptz[]), unnest($4::text[]),
                unnest($5::text[]), unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::bigint[]),
                unnest($10::text[]), unnest($11::text[]), unnest($12::bigint[]), unnest($13::text[]),
                unnest($14::text[])",
        &ids,
        &positions,
        &times,
        &texts.0,
        &texts.1,
        &texts.2,
        &texts.3,
        &texts.4,
        &replies.0 as &[Option<i64>],
        &reply_authors.0 as &[Option<String>],
        &reply_authors.1 as &[Option<String>],
        &replies.1 as &[Option<i64>],
        &first_authors.0 as &[Option<String>],
        &first_authors.1 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn votes(tx: &mut PgConnection, votes: BTreeMap<i64, (i64, i64)>) -> sqlx::Result<()> {
    let ids: Vec<i64> = votes.keys().copied().collect();
    let (up, down): (Vec<i64>, Vec<i64>) = votes.into_values().unzip();
    sqlx::query!(
        "INSERT INTO comment_votes AS c (comment_id, up_count, down_count)
         SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[])
         ON CONFLICT (comment_id) DO UPDATE
         SET up_count = c.up_count + EXCLUDED.up_count, down_count = c.down_count + EXCLUDED.down_count",
        &ids,
        &up,
        &down,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The newest comment of each ticket follows from the comments that are there, so it does not matter in which order they
/// came and went.
async fn move_circle(tx: &mut PgConnection, tickets: BTreeSet<i64>) -> sqlx::Result<()> {
    let tickets: Vec<i64> = tickets.into_iter().collect();
    sqlx::query!(
        "WITH newest AS (
             SELECT t.ticket_id, c.id, c.created_at
             FROM unnest($1::bigint[]) AS t(ticket_id)
             LEFT JOIN LATERAL (
                 SELECT id, created_at
                 FROM comments
                 WHERE target_kind = 'ticket' AND target_id = t.ticket_id::text
                 ORDER BY created_at DESC, id
                 LIMIT 1
             ) c ON true
         ), quiet AS (
             DELETE FROM ticket_circle q USING newest n WHERE q.ticket_id = n.ticket_id AND n.id IS NULL
         )
         INSERT INTO ticket_circle (ticket_id, comment_id, commented_at)
         SELECT n.ticket_id, n.id, n.created_at FROM newest n WHERE n.id IS NOT NULL
         ON CONFLICT (ticket_id) DO UPDATE
         SET comment_id = EXCLUDED.comment_id, commented_at = EXCLUDED.commented_at",
        &tickets,
    )
    .execute(tx)
    .await?;
    Ok(())
}
