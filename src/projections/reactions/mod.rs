//! Reactions that stand, of all surfaces: whose, of which kind, to what, since when.
//!
//! How many there are stands with what they are about: `articles`, `comments` …

mod queries;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{Reactor, likes_and_collects};

use super::{FoldError, Handling, Projection, at};
use crate::events::party::{Party, Target};
use crate::events::reaction::{ReactionKind, Vote};
use crate::events::{Event, Fact, ReactionEvent};

/// The read model `reactions`.
pub struct Reactions;

#[async_trait]
impl Projection for Reactions {
    fn name(&self) -> &'static str {
        "reactions"
    }

    fn version(&self) -> u32 {
        2
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Reaction"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Reaction(event) = event else {
            return Handling::Ignored;
        };
        match event {
            ReactionEvent::ReactionAdded { .. } | ReactionEvent::ReactionRemoved { .. } => {
                Handling::Handled
            }
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changed = BTreeMap::new();
        for fact in batch {
            let Event::Reaction(event) = &fact.event else {
                continue;
            };
            let (key, stands) = match event {
                ReactionEvent::ReactionAdded {
                    actor,
                    kind,
                    target,
                    value,
                } => {
                    let stands = Stands {
                        value: *value,
                        position: fact.place.position,
                        reacted_at: at(fact),
                    };
                    ((actor, *kind, target), Some(stands))
                }
                ReactionEvent::ReactionRemoved {
                    actor,
                    kind,
                    target,
                    value: _,
                } => ((actor, *kind, target), None),
            };
            changed.insert(key, stands);
        }
        write(tx, changed).await?;
        Ok(())
    }
}

/// A stream of its own each, so the last word of a batch is the last word.
type Key<'f> = (&'f Party, ReactionKind, &'f Target);

/// A reaction that stands at the end of a batch.
struct Stands {
    value: Option<Vote>,
    position: i64,
    reacted_at: DateTime<Utc>,
}

/// Keys as columns.
#[derive(Default)]
struct Keys {
    actor_kinds: Vec<String>,
    actor_ids: Vec<String>,
    kinds: Vec<String>,
    target_kinds: Vec<String>,
    target_ids: Vec<String>,
}

impl Keys {
    fn push(&mut self, (actor, kind, target): Key<'_>) {
        self.actor_kinds.push(actor.kind.word().to_owned());
        self.actor_ids.push(actor.id.clone());
        self.kinds.push(kind.word().to_owned());
        self.target_kinds.push(target.kind.word().to_owned());
        self.target_ids.push(target.id.clone());
    }
}

async fn write(
    tx: &mut PgConnection,
    changed: BTreeMap<Key<'_>, Option<Stands>>,
) -> sqlx::Result<()> {
    let (mut gone, mut new) = (Keys::default(), Keys::default());
    let mut values: Vec<Option<String>> = Vec::new();
    let (mut positions, mut times) = (Vec::new(), Vec::new());
    for (key, stands) in changed {
        let Some(stands) = stands else {
            gone.push(key);
            continue;
        };
        new.push(key);
        values.push(stands.value.map(|vote| vote.word().to_owned()));
        positions.push(stands.position);
        times.push(stands.reacted_at);
    }
    if !gone.kinds.is_empty() {
        sqlx::query!(
            "DELETE FROM reactions r
             USING unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                   AS n(actor_kind, actor_id, kind, target_kind, target_id)
             WHERE r.actor_kind = n.actor_kind AND r.actor_id = n.actor_id AND r.kind = n.kind
               AND r.target_kind = n.target_kind AND r.target_id = n.target_id",
            &gone.actor_kinds,
            &gone.actor_ids,
            &gone.kinds,
            &gone.target_kinds,
            &gone.target_ids,
        )
        .execute(&mut *tx)
        .await?;
    }
    if !new.kinds.is_empty() {
        // One that was taken back and stands again within a batch has its row still.
        sqlx::query!(
            "INSERT INTO reactions (actor_kind, actor_id, kind, target_kind, target_id, value, position, reacted_at)
             SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]),
                    unnest($5::text[]), unnest($6::text[]), unnest($7::bigint[]), unnest($8::timestamptz[])
             ON CONFLICT (actor_id, actor_kind, kind, target_kind, target_id) DO UPDATE
             SET value = EXCLUDED.value, position = EXCLUDED.position, reacted_at = EXCLUDED.reacted_at",
            &new.actor_kinds,
            &new.actor_ids,
            &new.kinds,
            &new.target_kinds,
            &new.target_ids,
            &values as &[Option<String>],
            &positions,
            &times,
        )
        .execute(tx)
        .await?;
    }
    Ok(())
}
