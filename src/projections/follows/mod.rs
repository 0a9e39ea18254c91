//! Who follows whom.

mod queries;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::PgConnection;

pub use queries::{PublicMember, followed_by, followers_of};

use super::{FoldError, Handling, Projection};
use crate::events::party::{Party, PartyKind, Target};
use crate::events::{Event, Fact, FollowEvent};

/// The read model `follows`.
pub struct Follows;

#[async_trait]
impl Projection for Follows {
    fn name(&self) -> &'static str {
        "follows"
    }

    fn version(&self) -> u32 {
        2
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Follow"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Follow(event) = event else {
            return Handling::Ignored;
        };
        match event {
            FollowEvent::Followed { .. } | FollowEvent::Unfollowed { .. } => Handling::Handled,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut begun: BTreeMap<Pair<'_>, &Fact> = BTreeMap::new();
        let mut ended: BTreeSet<Pair<'_>> = BTreeSet::new();
        for fact in batch {
            let Event::Follow(event) = &fact.event else {
                continue;
            };
            match event {
                FollowEvent::Followed { follower, target } => {
                    if let Some(pair) = pair(follower, target) {
                        begun.insert(pair, fact);
                    }
                }
                FollowEvent::Unfollowed { follower, target } => {
                    if let Some(pair) = pair(follower, target)
                        && begun.remove(&pair).is_none()
                    {
                        ended.insert(pair);
                    }
                }
            }
        }
        if !ended.is_empty() {
            delete(tx, ended).await?;
        }
        if !begun.is_empty() {
            insert(tx, begun).await?;
        }
        Ok(())
    }
}

/// Follower, kind and target.
type Pair<'f> = (&'f str, &'static str, &'f str);

/// Only members follow.
fn pair<'f>(follower: &'f Party, target: &'f Target) -> Option<Pair<'f>> {
    let member = follower.kind == PartyKind::Member;
    member.then_some((&*follower.id, target.kind.word(), &*target.id))
}

async fn insert(tx: &mut PgConnection, begun: BTreeMap<Pair<'_>, &Fact>) -> sqlx::Result<()> {
    let mut texts: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut positions, mut times) = (Vec::new(), Vec::new());
    for ((follower, kind, target), fact) in begun {
        texts.0.push(follower.to_owned());
        texts.1.push(kind.to_owned());
        texts.2.push(target.to_owned());
        positions.push(fact.place.position);
        times.push(fact.place.recorded_at);
    }
    sqlx::query!(
        "INSERT INTO follows (follower, kind, target, position, followed_at)
         SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]),
                unnest($5::timestamptz[])",
        &texts.0,
        &texts.1,
        &texts.2,
        &positions,
        &times,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn delete(tx: &mut PgConnection, ended: BTreeSet<Pair<'_>>) -> sqlx::Result<()> {
    let mut texts: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for (follower, kind, target) in ended {
        texts.0.push(follower.to_owned());
        texts.1.push(kind.to_owned());
        texts.2.push(target.to_owned());
    }
    sqlx::query!(
        "DELETE FROM follows f
         USING unnest($1::text[], $2::text[], $3::text[]) AS n(follower, kind, target)
         WHERE f.follower = n.follower AND f.kind = n.kind AND f.target = n.target",
        &texts.0,
        &texts.1,
        &texts.2,
    )
    .execute(tx)
    .await?;
    Ok(())
}
