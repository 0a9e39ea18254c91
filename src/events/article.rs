//! What can have happened to an article of the community, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about an article. Its stream is `Article:{article_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArticleEvent {
    /// It was written, for everybody to read.
    ArticlePublished {
        /// The uid of the member who wrote it.
        author: String,
        /// The text.
        content: String,
        /// Media names of its pictures, at most nine, in their order.
        images: Vec<String>,
    },
    /// It is no longer shown. What was said and made of it stays in the log.
    ArticleDeleted {
        /// The uid of the member who wrote it.
        author: String,
        /// Why, where staff said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

stored_events!(ArticleEvent {
    ArticlePublished: 1,
    ArticleDeleted: 1,
});

/// An article as rules need to see it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Article {
    /// Never written.
    #[default]
    Unpublished,
    /// Shown.
    Live {
        /// The uid of its author.
        author: String,
    },
    /// No longer shown.
    Deleted {
        /// The uid of its author.
        author: String,
    },
}

impl Article {
    /// The uid of its author, shown or not.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        match self {
            Self::Unpublished => None,
            Self::Live { author } | Self::Deleted { author } => Some(author),
        }
    }
}

impl State for Article {
    const TYPE: &'static str = "Article";
    type Event = ArticleEvent;

    fn apply(&mut self, event: &ArticleEvent) {
        *self = match event {
            ArticleEvent::ArticlePublished { author, .. } => Self::Live {
                author: author.clone(),
            },
            ArticleEvent::ArticleDeleted { author, .. } => Self::Deleted {
                author: author.clone(),
            },
        };
    }

    fn breaks(&self, event: &ArticleEvent) -> Option<&'static str> {
        let kept = matches!(
            (event, self),
            (ArticleEvent::ArticlePublished { .. }, Self::Unpublished)
                | (ArticleEvent::ArticleDeleted { .. }, Self::Live { .. })
        );
        (!kept).then_some("an article is published once and then deleted once")
    }
}
