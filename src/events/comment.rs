//! What can have happened to a comment, whatever it stands under, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::party::{Party, Target};
use crate::ledger::State;
use crate::stored_events;

/// Facts about a comment. Its stream is `Comment:{comment_id}`, one number space for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommentEvent {
    /// It was written, for everybody to read.
    CommentPublished {
        /// What it stands under, for good: an article, game, ticket, diary or showcase.
        target: Target,
        /// Who wrote it.
        author: Party,
        /// The text.
        content: String,
        /// Of a reply: what it answers, and where the thread begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<Reply>,
    },
    /// It is no longer shown. Replies to it stay.
    CommentDeleted {
        /// What it stood under.
        target: Target,
        /// Why, where staff said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// What a reply answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The comment that is answered.
    pub reply_id: i64,
    /// Who wrote that.
    pub reply_author: Party,
    /// The comment on top of the thread; the answered one when that is on top.
    pub first_reply_id: i64,
    /// Who wrote that.
    pub first_reply_author: Party,
}

stored_events!(CommentEvent {
    CommentPublished: 1,
    CommentDeleted: 1,
});

/// A comment as rules need to see it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comment {
    /// Never written.
    #[default]
    Unwritten,
    /// Shown.
    Live(Written),
    /// No longer shown.
    Deleted(Written),
}

/// What is known of a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// What it stands under.
    pub target: Target,
    /// Who wrote it.
    pub author: Party,
    /// Of a reply: the top of its thread and who wrote that.
    pub top: Option<(i64, Party)>,
}

impl Comment {
    /// What is known of it, shown or not.
    #[must_use]
    pub fn written(&self) -> Option<&Written> {
        match self {
            Self::Unwritten => None,
            Self::Live(written) | Self::Deleted(written) => Some(written),
        }
    }
}

impl State for Comment {
    const TYPE: &'static str = "Comment";
    type Event = CommentEvent;

    fn apply(&mut self, event: &CommentEvent) {
        match event {
            CommentEvent::CommentPublished {
                target,
                author,
                reply,
                ..
            } => {
                let top = reply.as_ref();
                *self = Self::Live(Written {
                    target: target.clone(),
                    author: author.clone(),
                    top: top.map(|r| (r.first_reply_id, r.first_reply_author.clone())),
                });
            }
            CommentEvent::CommentDeleted { .. } => {
                if let Self::Live(written) = self {
                    *self = Self::Deleted(written.clone());
                }
            }
        }
    }

    fn breaks(&self, event: &CommentEvent) -> Option<&'static str> {
        let kept = matches!(
            (event, self),
            (CommentEvent::CommentPublished { .. }, Self::Unwritten)
                | (CommentEvent::CommentDeleted { .. }, Self::Live(_))
        );
        (!kept).then_some("a comment is published once and then deleted once")
    }
}
