//! Writing and deleting comments, whatever they stand under (contract README section 3, row 16).

use serde::{Deserialize, Serialize};

use super::targets::{Standing, standing};
use super::{Book, Decide, Operation, Stop};
use crate::events::comment::{Reply, Written};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::{Article, Comment, CommentEvent};

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
    /// It is not for whoever asks to delete.
    #[error("the comment is somebody else's")]
    Foreign,
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

/// Answers a comment under the same target. Where the thread begins follows from what is answered: a wrong beginning
/// would tear the thread apart.
#[derive(Debug, Clone)]
pub struct ReplyToComment {
    /// The new id.
    pub id: i64,
    /// What both stand under.
    pub target: Target,
    /// The comment that is answered.
    pub reply_id: i64,
    /// Where the sender thinks the thread begins. It must be a comment under the target, and counts for nothing else.
    pub first_reply_id: Option<i64>,
    /// Who writes it.
    pub author: Party,
    /// The text.
    pub content: String,
}

impl Operation for ReplyToComment {
    /// The comment's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = CommentError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<CommentError>> {
        if standing(book, &self.target).await? != Standing::Live {
            return Err(Stop::Refused(CommentError::NoTarget));
        }
        let answered = self.shown(book, self.reply_id).await?;
        if let Some(first) = self.first_reply_id {
            self.shown(book, first).await?;
        }
        let id = self.id.to_string();
        let publish = CommentCommand::Publish {
            target: self.target.clone(),
            author: self.author.clone(),
            content: self.content.clone(),
            reply: Some(reply_to(self.reply_id, &answered)),
        };
        book.create::<Comment>(&id);
        book.decide::<Comment>(&id, &publish).await?;
        Ok(self.id)
    }
}

impl ReplyToComment {
    /// A comment that is shown under the same target.
    async fn shown(&self, book: &mut Book, id: i64) -> Result<Written, Stop<CommentError>> {
        match &*book.state::<Comment>(&id.to_string()).await? {
            Comment::Live(written) if written.target == self.target => Ok(written.clone()),
            Comment::Unwritten | Comment::Live(_) | Comment::Deleted(_) => {
                Err(Stop::Refused(CommentError::NoTarget))
            }
        }
    }
}

/// An answer to a comment, in its thread. One on top is the beginning of its own.
fn reply_to(reply_id: i64, answered: &Written) -> Reply {
    let top = answered.top.clone();
    let (first_reply_id, first_reply_author) = top.unwrap_or((reply_id, answered.author.clone()));
    Reply {
        reply_id,
        reply_author: answered.author.clone(),
        first_reply_id,
        first_reply_author,
    }
}

/// Deletes comments under targets of one kind, for one member: all of them or none. Those that are unknown, deleted
/// already or under something else are passed over.
#[derive(Debug, Clone)]
pub struct DeleteComments {
    /// Which.
    pub ids: Vec<i64>,
    /// What they stand under.
    pub kind: TargetKind,
    /// Who asks.
    pub by: Party,
}

impl Operation for DeleteComments {
    type Outcome = ();
    type Refusal = CommentError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<CommentError>> {
        let ids: Vec<String> = self.ids.iter().map(i64::to_string).collect();
        book.open_all::<Comment>(&ids).await?;
        for id in &ids {
            let comment = book.state::<Comment>(id).await?;
            let written = match &*comment {
                Comment::Live(written) if written.target.kind == self.kind => written,
                Comment::Unwritten | Comment::Live(_) | Comment::Deleted(_) => continue,
            };
            if written.author != self.by && !self.tidies(book, &written.target).await? {
                return Err(Stop::Refused(CommentError::Foreign));
            }
            let delete = CommentCommand::Delete { reason: None };
            book.decide::<Comment>(id, &delete).await?;
        }
        Ok(())
    }
}

impl DeleteComments {
    /// Under one's own article one may tidy up (`community.md` 3.2).
    async fn tidies(&self, book: &mut Book, target: &Target) -> Result<bool, Stop<CommentError>> {
        if target.kind != TargetKind::Article || self.by.kind != PartyKind::Member {
            return Ok(false);
        }
        let article = book.state::<Article>(&target.id).await?;
        Ok(article.author() == Some(self.by.id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

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

    #[test]
    fn a_reply_belongs_to_the_thread_of_what_it_answers() {
        let member = |id: &str| Party::new(PartyKind::Member, id);
        let on_top = Written {
            target: target(),
            author: member("0f"),
            top: None,
        };
        let first = reply_to(53, &on_top);
        assert_eq!((first.reply_id, first.first_reply_id), (53, 53));
        assert_eq!(first.first_reply_author, member("0f"));
        let below = Written {
            target: target(),
            author: member("7c"),
            top: Some((53, member("0f"))),
        };
        let second = reply_to(54, &below);
        assert_eq!((second.reply_id, second.first_reply_id), (54, 53));
        assert_eq!(second.reply_author, member("7c"));
        assert_eq!(second.first_reply_author, member("0f"));
    }
}
