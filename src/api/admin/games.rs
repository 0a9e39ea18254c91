//! Commands to games (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_some};
use super::listing::{Bounds, make};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::listed::ListedCommand;
use crate::events::Game;
use crate::events::game::{GameDetails, GameEdit};

/// Enter a game.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateGame {
    /// 1 to 100 characters.
    name: String,
    /// The name of a picture.
    image: String,
    /// At most 2000 characters.
    #[serde(default)]
    intro: String,
    /// Among those that are recommended.
    #[serde(default)]
    recommended: bool,
}

impl Fields for CreateGame {
    const NAME: &'static str = "CreateGame";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", Some(&self.name), 100);
        flaws.image("image", Some(&self.image));
        flaws.text("intro", Some(&self.intro), 2000);
    }
}

impl StaffCreation for CreateGame {
    type Target = Numbered<Game>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = GameDetails {
            name: trimmed(&self.name),
            image: self.image,
            intro: trimmed(&self.intro),
            recommended: self.recommended,
        };
        let id = call.app.ledger().next_id("game").await?.to_string();
        make::<Numbered<Game>, _>(call, id, details).await
    }
}

/// Describe a game otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditGame {
    /// 1 to 100 characters.
    name: Option<String>,
    /// The name of a picture.
    image: Option<String>,
    /// At most 2000 characters.
    intro: Option<String>,
    /// Among those that are recommended.
    recommended: Option<bool>,
}

impl Fields for EditGame {
    const NAME: &'static str = "EditGame";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", self.name.as_ref(), 100);
        flaws.image("image", self.image.as_ref());
        flaws.text("intro", self.intro.as_ref(), 2000);
    }
}

impl StaffCommand for EditGame {
    type Target = Numbered<Game>;

    async fn run(self, call: Call, target: Numbered<Game>) -> Result<Success, Failure> {
        let edit = GameEdit {
            name: trimmed_some(self.name.as_ref()),
            image: self.image,
            intro: trimmed_some(self.intro.as_ref()),
            recommended: self.recommended,
        };
        execute::<Game>(call, target, ListedCommand::Edit(edit)).await
    }
}

plain!(
    /// Put a game out of sight.
    WithdrawGame to Numbered<Game>: Game, ListedCommand::Withdraw
);
plain!(
    /// Show a game again.
    RestoreGame to Numbered<Game>: Game, ListedCommand::Restore
);
