//! Publishing and deleting articles (contract README section 3, row 17).

use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop};
use crate::events::{Article, ArticleEvent};

/// Pictures an article has, at most.
pub const IMAGES: usize = 9;

/// What can be asked of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArticleCommand {
    /// Write it.
    Publish {
        /// The uid of the member who writes it.
        author: String,
        /// The text.
        content: String,
        /// Media names of its pictures, at most [`IMAGES`].
        images: Vec<String>,
    },
    /// Show it no longer. Who may is the caller's to know.
    Delete {
        /// Why, where staff says so.
        reason: Option<String>,
    },
}

/// Why an article says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ArticleError {
    /// There is none.
    #[error("there is no such article")]
    NotFound,
    /// The id is taken.
    #[error("the article exists already")]
    Exists,
    /// Somebody else wrote it.
    #[error("somebody else wrote the article")]
    Foreign,
}

impl Decide for Article {
    type Command = ArticleCommand;
    type Refusal = ArticleError;

    fn decide(&self, command: &ArticleCommand) -> Result<Vec<ArticleEvent>, ArticleError> {
        match (command, self) {
            (
                ArticleCommand::Publish {
                    author,
                    content,
                    images,
                },
                Self::Unpublished,
            ) => Ok(vec![ArticleEvent::ArticlePublished {
                author: author.clone(),
                content: content.clone(),
                images: images.clone(),
            }]),
            (ArticleCommand::Publish { .. }, Self::Live { .. } | Self::Deleted { .. }) => {
                Err(ArticleError::Exists)
            }
            (ArticleCommand::Delete { .. }, Self::Unpublished) => Err(ArticleError::NotFound),
            (ArticleCommand::Delete { .. }, Self::Deleted { .. }) => Ok(vec![]),
            (ArticleCommand::Delete { reason }, Self::Live { author }) => {
                Ok(vec![ArticleEvent::ArticleDeleted {
                    author: author.clone(),
                    reason: reason.clone(),
                }])
            }
        }
    }
}

/// Publishes an article.
#[derive(Debug, Clone)]
pub struct PublishArticle {
    /// The new id.
    pub id: i64,
    /// The uid of the member who writes it.
    pub author: String,
    /// The text.
    pub content: String,
    /// Media names of its pictures.
    pub images: Vec<String>,
}

impl Operation for PublishArticle {
    /// The article's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = ArticleError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<ArticleError>> {
        let id = self.id.to_string();
        let publish = ArticleCommand::Publish {
            author: self.author.clone(),
            content: self.content.clone(),
            images: self.images.clone(),
        };
        book.create::<Article>(&id);
        book.decide::<Article>(&id, &publish).await?;
        Ok(self.id)
    }
}

/// Deletes articles of one author: all of them or none. Those that are unknown or deleted already are passed over.
#[derive(Debug, Clone)]
pub struct DeleteArticles {
    /// Which.
    pub ids: Vec<i64>,
    /// The uid of whoever asks.
    pub author: String,
}

impl Operation for DeleteArticles {
    type Outcome = ();
    type Refusal = ArticleError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ArticleError>> {
        let ids: Vec<String> = self.ids.iter().map(i64::to_string).collect();
        book.open_all::<Article>(&ids).await?;
        for id in &ids {
            match &*book.state::<Article>(id).await? {
                Article::Unpublished | Article::Deleted { .. } => {}
                Article::Live { author } if *author == self.author => {
                    let delete = ArticleCommand::Delete { reason: None };
                    book.decide::<Article>(id, &delete).await?;
                }
                Article::Live { .. } => return Err(Stop::Refused(ArticleError::Foreign)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn rules() -> TestFramework<Article> {
        TestFramework::with(())
    }

    fn publish() -> ArticleCommand {
        ArticleCommand::Publish {
            author: "0f".to_owned(),
            content: "春日踏青".to_owned(),
            images: vec!["a.jpeg".to_owned()],
        }
    }

    fn published() -> ArticleEvent {
        ArticleEvent::ArticlePublished {
            author: "0f".to_owned(),
            content: "春日踏青".to_owned(),
            images: vec!["a.jpeg".to_owned()],
        }
    }

    fn delete() -> ArticleCommand {
        ArticleCommand::Delete {
            reason: Some("广告".to_owned()),
        }
    }

    fn deleted() -> ArticleEvent {
        ArticleEvent::ArticleDeleted {
            author: "0f".to_owned(),
            reason: Some("广告".to_owned()),
        }
    }

    #[test]
    fn an_article_is_published_once() {
        rules()
            .given_no_previous_events()
            .when(publish())
            .then_expect_events(vec![published()]);
        for given in [vec![published()], vec![published(), deleted()]] {
            rules()
                .given(given)
                .when(publish())
                .then_expect_error(ArticleError::Exists);
        }
    }

    #[test]
    fn an_article_is_deleted_once_and_the_deletion_names_its_author() {
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
            .then_expect_error(ArticleError::NotFound);
    }
}
