//! What can have happened to a game, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::listed::{Listed, described, listing};
use crate::stored_events;

described! {
    /// How a game is described.
    GameDetails, edited by GameEdit
    fixed {}
    free {
        /// 1…100 characters.
        name: String,
        /// The name of a picture.
        image: String,
        /// What it is, at most 2000 characters.
        intro: String,
        /// Among those that are recommended.
        recommended: bool,
    }
}

/// Facts about a game. Its stream is `Game:{game_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GameEvent {
    /// Staff made it. It is shown.
    GameCreated(GameDetails),
    /// It is described otherwise. Only changed fields are there.
    GameEdited(GameEdit),
    /// It is out of sight.
    GameWithdrawn {},
    /// It is shown again.
    GameRestored {},
}

stored_events!(GameEvent {
    GameCreated: 1,
    GameEdited: 1,
    GameWithdrawn: 1,
    GameRestored: 1,
});

listing!(
    "Game": GameDetails, GameEdit,
    GameEvent { GameCreated, GameEdited, GameWithdrawn, GameRestored }
);

/// A game as its own rules need to see it. Readers want `projections::catalogue`.
pub type Game = Listed<GameDetails>;
