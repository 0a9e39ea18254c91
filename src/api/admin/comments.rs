//! Commands to comments, whatever they stand under (the last sections of `community.md`, `zhugeleida.md` and `weidu.md`).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Target, bit, number};
use crate::api::app::App;
use crate::commands::comment::CommentCommand;
use crate::commands::showcase::CommentOnShowcase;
use crate::events::Comment;
use crate::events::party::TargetKind;
use crate::ledger::LoadError;

/// A comment.
pub(super) struct CommentId(i64);

impl Target for CommentId {
    const AGGREGATE: &'static str = "Comment";

    fn parse(id: &str) -> Option<Self> {
        number(id).map(Self)
    }

    fn id(&self) -> String {
        self.0.to_string()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Comment>(&self.id()).await?;
        let written = found.state.written();
        Ok(written.and_then(|written| bit_under(written.target.kind)))
    }
}

/// The bit that opens comments under things of a kind; `None` where none can stand.
fn bit_under(kind: TargetKind) -> Option<u64> {
    match kind {
        TargetKind::Article | TargetKind::Game | TargetKind::Ticket => Some(bit::MODERATION),
        TargetKind::Diary => Some(bit::MINI_PROGRAM),
        TargetKind::Showcase => Some(bit::WEIDU),
        TargetKind::Comment
        | TargetKind::Cloth
        | TargetKind::User
        | TargetKind::Master
        | TargetKind::Merchant
        | TargetKind::Card
        | TargetKind::Product
        | TargetKind::Website
        | TargetKind::Case
        | TargetKind::Tag => None,
    }
}

/// What staff comments on in somebody's name: everything else has an endpoint for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CommentedKind)]
enum Commented {
    /// A customer case.
    Showcase,
}

/// Write a comment under a customer case as an author.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishComment {
    /// `showcase`.
    #[schema(inline)]
    target_kind: Commented,
    /// The case's id.
    target_id: String,
    /// The id of the author's account, without the realm.
    author_id: String,
    /// 1 to 1000 characters.
    content: String,
}

impl Fields for PublishComment {
    const NAME: &'static str = "PublishComment";

    fn check(&self, flaws: &mut Flaws) {
        flaws.chars("content", self.content.trim(), 1..=1000);
    }
}

impl StaffCreation for PublishComment {
    type Target = CommentId;
    const BIT: u64 = bit::WEIDU;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let Self {
            target_kind: Commented::Showcase,
            ..
        } = self;
        let publish = CommentOnShowcase {
            id: call.app.ledger().next_id("comment").await?,
            task_id: self.target_id,
            author_id: self.author_id,
            content: self.content.trim().to_owned(),
        };
        let done = call.app.desk().run(&call.request, &publish).await?;
        // A repeated key answers the comment that the first request wrote.
        let id = done.outcome.to_string();
        Ok(Success::of::<CommentId, _>(&call.app, &id, &done))
    }
}

/// Show a comment no longer. Replies to it stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteComment {
    /// Why, at most 200 characters.
    reason: Option<String>,
}

impl Fields for DeleteComment {
    const NAME: &'static str = "DeleteComment";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(text) = &self.reason {
            flaws.chars("reason", text.trim(), 0..=200);
        }
    }
}

impl StaffCommand for DeleteComment {
    type Target = CommentId;

    async fn run(self, call: Call, comment: CommentId) -> Result<Success, Failure> {
        let id = comment.id();
        let reason = self.reason.map(|text| text.trim().to_owned());
        let delete = CommentCommand::Delete {
            reason: reason.filter(|text| !text.is_empty()),
        };
        let desk = call.app.desk();
        let done = desk.execute::<Comment>(&call.request, &id, delete).await?;
        Ok(Success::of::<CommentId, _>(&call.app, &id, &done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_follows_what_is_commented_on() {
        assert_eq!(bit_under(TargetKind::Article), Some(8));
        assert_eq!(bit_under(TargetKind::Diary), Some(32));
        assert_eq!(bit_under(TargetKind::Showcase), Some(64));
        assert_eq!(bit_under(TargetKind::Card), None);
    }
}
