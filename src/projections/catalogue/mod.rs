//! The catalogue as members see it: banners, cloths, games, masters and merchants, with what members made of them.
//!
//! One read model, because one page shows several of them and the same streams of reactions and follows count for all.
//! Projects and tickets are another (`tickets`): they move with every order.

mod queries;
mod write;

use async_trait::async_trait;
use sqlx::PgConnection;

pub use queries::{
    Banner, Cloth, ClothDetail, Game, Linked, Listed, MasterCard, Merchant, MerchantCard,
    MerchantCloth, banners, design_cloth, design_cloths, followed_masters, followed_merchants,
    game, master, masters, merchant_cloth, merchant_cloths, recommended_games,
};

use super::listed::Rows;
use super::{FoldError, Handling, Projection, number};
use crate::events::banner::BannerDetails;
use crate::events::cloth::ClothDetails;
use crate::events::game::GameDetails;
use crate::events::master::MasterDetails;
use crate::events::merchant::MerchantDetails;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::events::{CommentEvent, Event, Fact, FollowEvent, ReactionEvent};

/// The read model `catalogue`.
pub struct Catalogue;

#[async_trait]
impl Projection for Catalogue {
    fn name(&self) -> &'static str {
        "catalogue"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &[
            "Banner", "Cloth", "Comment", "Follow", "Game", "Master", "Merchant", "Reaction",
        ]
    }

    fn handles(&self, event: &Event) -> Handling {
        let moves = match event {
            Event::Banner(_)
            | Event::Cloth(_)
            | Event::Game(_)
            | Event::Master(_)
            | Event::Merchant(_) => true,
            event => moved(event).is_some(),
        };
        if moves {
            Handling::Handled
        } else {
            Handling::Ignored
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

/// Places of a game's counters.
const LIKES: usize = 0;
const COLLECTS: usize = 1;
const COMMENTS: usize = 2;

/// A counter of something, and by how much an event moves it.
#[derive(Debug, PartialEq, Eq)]
enum Moved<'e> {
    Game(&'e Target, usize, i64),
    ClothCollects(&'e Target, i64),
    MasterFollowers(&'e Target, i64),
    MerchantFollowers(&'e Target, i64),
}

/// Which counter an event moves, if any.
fn moved(event: &Event) -> Option<Moved<'_>> {
    match event {
        Event::Reaction(event) => match event {
            ReactionEvent::ReactionAdded { kind, target, .. } => reacted(*kind, target, 1),
            ReactionEvent::ReactionRemoved { kind, target, .. } => reacted(*kind, target, -1),
        },
        Event::Comment(event) => match event {
            CommentEvent::CommentPublished { target, .. } => commented(target, 1),
            CommentEvent::CommentDeleted { target, .. } => commented(target, -1),
        },
        Event::Follow(event) => match event {
            FollowEvent::Followed { target, .. } => followed(target, 1),
            FollowEvent::Unfollowed { target, .. } => followed(target, -1),
        },
        _ => None,
    }
}

fn reacted(kind: ReactionKind, target: &Target, by: i64) -> Option<Moved<'_>> {
    match (kind, target.kind) {
        (ReactionKind::Like, TargetKind::Game) => Some(Moved::Game(target, LIKES, by)),
        (ReactionKind::Collect, TargetKind::Game) => Some(Moved::Game(target, COLLECTS, by)),
        (ReactionKind::Collect, TargetKind::Cloth) => Some(Moved::ClothCollects(target, by)),
        (
            ReactionKind::Like
            | ReactionKind::Collect
            | ReactionKind::Praise
            | ReactionKind::Sign
            | ReactionKind::Vote,
            _,
        ) => None,
    }
}

fn commented(target: &Target, by: i64) -> Option<Moved<'_>> {
    (target.kind == TargetKind::Game).then_some(Moved::Game(target, COMMENTS, by))
}

fn followed(target: &Target, by: i64) -> Option<Moved<'_>> {
    match target.kind {
        TargetKind::Master => Some(Moved::MasterFollowers(target, by)),
        TargetKind::Merchant => Some(Moved::MerchantFollowers(target, by)),
        _ => None,
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes {
    banners: Rows<i64, 0>,
    cloths: Rows<i64, 1>,
    games: Rows<i64, 3>,
    masters: Rows<String, 1>,
    merchants: Rows<String, 1>,
}

impl Changes {
    fn fold(&mut self, fact: &Fact) -> Result<(), FoldError> {
        let id = &fact.place.stream.id;
        match &fact.event {
            Event::Banner(event) => {
                let id = number(fact, id)?;
                self.banners.fold::<BannerDetails>(id, fact, event)
            }
            Event::Cloth(event) => {
                let id = number(fact, id)?;
                self.cloths.fold::<ClothDetails>(id, fact, event)
            }
            Event::Game(event) => {
                let id = number(fact, id)?;
                self.games.fold::<GameDetails>(id, fact, event)
            }
            Event::Master(event) => self.masters.fold::<MasterDetails>(id.clone(), fact, event),
            Event::Merchant(event) => {
                self.merchants
                    .fold::<MerchantDetails>(id.clone(), fact, event)
            }
            event => match moved(event) {
                Some(Moved::Game(target, counter, by)) => {
                    self.games.count(number(fact, &target.id)?, counter, by);
                    Ok(())
                }
                Some(Moved::ClothCollects(target, by)) => {
                    self.cloths.count(number(fact, &target.id)?, 0, by);
                    Ok(())
                }
                Some(Moved::MasterFollowers(target, by)) => {
                    self.masters.count(target.id.clone(), 0, by);
                    Ok(())
                }
                Some(Moved::MerchantFollowers(target, by)) => {
                    self.merchants.count(target.id.clone(), 0, by);
                    Ok(())
                }
                None => Ok(()),
            },
        }
    }
}
