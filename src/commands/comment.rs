//! Writing and deleting comments, whatever they stand under (contract README section 3, row 16).

use serde::{Deserialize, Serialize};

use super::targets::{Standing, standing};
use super::{Book, Decide, Operation, Stop};
use crate::events::comment::Reply;
use crate::events::party::{Party, Target};
use crate::events::{Comment, CommentEvent};

/// What can be asked of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommentCommand {
    /// Write it. That its target is there is the operation's to guard.
    Publish {
        /// What it stands under.
        target: Target,
        /// Who writes it.
        author: Party,
        /// The text.
        content: String,
        /// Of a reply: what it answers.
        reply: Option<Reply>,
    },
    /// Show it no longer. Who may is the caller's to know.
    Delete {
        /// Why, where staff says so.
        reason: Option<String>,
    },
}

/// Why a comment says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CommentError {
    /// There is none.
    #[error("there is no such comment")]
    NotFound,
    /// The id is taken.
    #[error("the comment exists already")]
    Exists,
    /// What it would stand under, or answer, is not there.
    #[error("there is nothing to comment on")]
    NoTarget,
}

impl Decide for Comment {
    type Command = CommentCommand;
    type Refusal = CommentError;

    fn decide(&self, command: &CommentCommand) -> Result<Vec<CommentEvent>, CommentError> {
        match (command, self) {
            (
                CommentCommand::Publish {
                    target,
                    author,
                    content,
                    reply,
                },
                Self::Unwritten,
            ) => Ok(vec![CommentEvent::CommentPublished {
                target: target.clone(),
                author: author.clone(),
                content: content.clone(),
                reply: reply.clone(),
            }]),
            (CommentCommand::Publish { .. }, Self::Live(_) | Self::Deleted(_)) => {
                Err(CommentError::Exists)
            }
            (CommentCommand::Delete { reason }, Self::Live(written)) => {
                Ok(vec![CommentEvent::CommentDeleted {
                    target: written.target.clone(),
                    reason: reason.clone(),
                }])
            }
            (CommentCommand::Delete { .. }, Self::Deleted(_)) => Ok(vec![]),
            (CommentCommand::Delete { .. }, Self::Unwritten) => Err(CommentError::NotFound),
        }
    }
}

/// Writes a comment under something that is there.
#[derive(Debug, Clone)]
pub struct PublishComment {
    /// The new id.
    pub id: i64,
    /// What it stands under.
    pub target: Target,
    /// Who writes it.
    pub author: Party,
    /// The text.
    pub content: String,
}

impl Operation for PublishComment {
    /// The comment's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = CommentError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<CommentError>> {
        if standing(book, &self.target).await? != Standing::Live {
            return Err(Stop::Refused(CommentError::NoTarget));
        }
        let id = self.id.to_string();
        let publish = CommentCommand::Publish {
            target: self.target.clone(),
            author: self.author.clone(),
            content: self.content.clone(),
            reply: None,
        };
        book.create::<Comment>(&id);
        book.decide::<Comment>(&id, &publish).await?;
        Ok(self.id)
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;
    use crate::events::party::{PartyKind, TargetKind};

    fn target() -> Target {
        Target::new(TargetKind::Article, 61)
    }

    fn publish() -> CommentCommand {
        CommentCommand::Publish {
            target: target(),
            author: Party::new(PartyKind::Member, "0f"),
            content: "好".to_owned(),
            reply: None,
        }
    }

    fn published() -> CommentEvent {
        CommentEvent::CommentPublished {
            target: target(),
            author: Party::new(PartyKind::Member, "0f"),
            content: "好".to_owned(),
            reply: None,
        }
    }

    fn deleted() -> CommentEvent {
        CommentEvent::CommentDeleted {
            target: target(),
            reason: None,
        }
    }

    #[test]
    fn a_comment_is_written_once() {
        let rules = || TestFramework::<Comment>::with(());
        rules()
            .given_no_previous_events()
            .when(publish())
            .then_expect_events(vec![published()]);
        for given in [vec![published()], vec![published(), deleted()]] {
            rules()
                .given(given)
                .when(publish())
                .then_expect_error(CommentError::Exists);
        }
    }

    #[test]
    fn a_comment_is_deleted_once_and_says_what_it_stood_under() {
        let rules = || TestFramework::<Comment>::with(());
        let delete = || CommentCommand::Delete { reason: None };
        rules()
            .given(vec![published()])
            .when(delete())
            .then_expect_events(vec![deleted()]);
        rules()
            .given(vec![published(), deleted()])
            .when(delete())
            .then_expect_events(vec![]);
        rules()
            .given_no_previous_events()
            .when(delete())
            .then_expect_error(CommentError::NotFound);
    }
}
