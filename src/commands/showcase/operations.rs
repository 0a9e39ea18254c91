//! Commands to a case that look at other streams, too: the accounts of authors, and what its audience does.

use super::authors::is_author;
use super::{NewFile, ShowcaseCommand, ShowcaseEdit, ShowcaseError, is_id};
use crate::commands::comment::{CommentError, PublishComment};
use crate::commands::reaction::{ReactionError, Wish, react};
use crate::commands::targets::{Standing, standing};
use crate::commands::{Book, Operation, Stop};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::ReactionKey;
use crate::events::showcase::{Industry, Score, ShowcaseFile};
use crate::events::{Showcase, Visit, VisitEvent};

/// Who looks at a case without an account.
const ANONYMOUS: &str = "anonymous";

async fn known(book: &mut Book, user_id: &str) -> Result<(), Stop<ShowcaseError>> {
    if is_author(book, user_id).await? {
        return Ok(());
    }
    Err(Stop::Refused(ShowcaseError::NoAuthor {
        user_id: user_id.to_owned(),
    }))
}

/// Publishes a case of an author that exists.
#[derive(Debug, Clone)]
pub struct PublishShowcase {
    /// Its id.
    pub id: String,
    /// The id of its author, without the realm.
    pub user_id: String,
    /// Its trade.
    pub industry: Industry,
    /// What it is worth.
    pub score: Score,
}

impl Operation for PublishShowcase {
    /// The case's id.
    type Outcome = String;
    type Refusal = ShowcaseError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<ShowcaseError>> {
        known(book, &self.user_id).await?;
        let publish = ShowcaseCommand::Publish {
            user_id: self.user_id.clone(),
            industry: self.industry,
            score: self.score,
        };
        book.decide::<Showcase>(&self.id, &publish).await?;
        Ok(self.id.clone())
    }
}

/// Describes a case otherwise; a new author must exist.
#[derive(Debug, Clone)]
pub struct EditShowcase {
    /// The case.
    pub id: String,
    /// What changes.
    pub edit: ShowcaseEdit,
}

impl Operation for EditShowcase {
    type Outcome = ();
    type Refusal = ShowcaseError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ShowcaseError>> {
        if let Some(user_id) = &self.edit.user_id {
            known(book, user_id).await?;
        }
        let edit = ShowcaseCommand::Edit(self.edit.clone());
        book.decide::<Showcase>(&self.id, &edit).await
    }
}

/// Adds a file to a case; whoever supplies it must exist.
#[derive(Debug, Clone)]
pub struct AddShowcaseFile {
    /// The case.
    pub id: String,
    /// The file.
    pub file: NewFile,
}

impl Operation for AddShowcaseFile {
    /// The file as recorded: under a repeated key the first one.
    type Outcome = ShowcaseFile;
    type Refusal = ShowcaseError;

    async fn attempt(&self, book: &mut Book) -> Result<ShowcaseFile, Stop<ShowcaseError>> {
        if let Some(user_id) = &self.file.user_id {
            known(book, user_id).await?;
        }
        let case = book.state::<Showcase>(&self.id).await?;
        let Some(case) = case.published() else {
            return Err(Stop::Refused(ShowcaseError::NotFound));
        };
        let file = self.file.of(&self.id, &case.user_id);
        let add = ShowcaseCommand::AddFile(file.clone());
        book.decide::<Showcase>(&self.id, &add).await?;
        Ok(file)
    }
}

/// Records that somebody looked at a case. Every time counts, so it is not safe to repeat.
#[derive(Debug, Clone)]
pub struct RecordShowcaseView {
    /// The id of an author without the realm, or `anonymous`.
    pub viewer: String,
    /// The case.
    pub task_id: String,
}

impl RecordShowcaseView {
    /// The id of the stream it is recorded on.
    #[must_use]
    pub fn visit(&self) -> String {
        let viewer = Party::new(PartyKind::Weidu, &self.viewer);
        format!("{viewer}:{}", self.target())
    }

    /// Whose visit to what an id names; `None` when it is no visit to a case.
    #[must_use]
    pub fn parse(visit: &str) -> Option<Self> {
        let (viewer, task_id) = visit.strip_prefix("weidu:")?.split_once(":showcase:")?;
        let viewer_fits = viewer == ANONYMOUS || is_id(viewer);
        (viewer_fits && is_id(task_id)).then(|| Self {
            viewer: viewer.to_owned(),
            task_id: task_id.to_owned(),
        })
    }

    fn target(&self) -> Target {
        Target::new(TargetKind::Showcase, &self.task_id)
    }
}

impl Operation for RecordShowcaseView {
    type Outcome = ();
    type Refusal = ShowcaseError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ShowcaseError>> {
        if self.viewer != ANONYMOUS {
            known(book, &self.viewer).await?;
        }
        match standing(book, &self.target()).await? {
            Standing::Live => {}
            Standing::Gone | Standing::Unknown => {
                return Err(Stop::Refused(ShowcaseError::NotFound));
            }
        }
        let viewed = VisitEvent::ShowcaseViewed {
            viewer: self.viewer.clone(),
            task_id: self.task_id.clone(),
        };
        // Without a look at the stream: all who have no account share one, and must not wait for each other.
        book.append_any::<Visit>(&self.visit(), &[viewed])?;
        Ok(())
    }
}

/// Likes a case as an author, or takes that back.
#[derive(Debug, Clone)]
pub struct LikeShowcase {
    /// The author, the like, the case.
    pub key: ReactionKey,
    /// What is wished.
    pub wish: Wish,
}

impl Operation for LikeShowcase {
    /// Whether the case is liked afterwards.
    type Outcome = bool;
    type Refusal = ShowcaseError;

    async fn attempt(&self, book: &mut Book) -> Result<bool, Stop<ShowcaseError>> {
        known(book, &self.key.actor.id).await?;
        let standing = standing(book, &self.key.target).await?;
        let reacted = react(book, &self.key, self.wish, standing).await;
        reacted.map_err(|stop| stop.map(|ReactionError::NoTarget| ShowcaseError::NotFound))
    }
}

/// Writes a comment under a case as an author.
#[derive(Debug, Clone)]
pub struct CommentOnShowcase {
    /// The new id.
    pub id: i64,
    /// The case.
    pub task_id: String,
    /// The id of the author, without the realm.
    pub author_id: String,
    /// The text.
    pub content: String,
}

impl Operation for CommentOnShowcase {
    /// The comment's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = ShowcaseError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<ShowcaseError>> {
        known(book, &self.author_id).await?;
        if !is_id(&self.task_id) {
            return Err(Stop::Refused(ShowcaseError::NotFound));
        }
        let publish = PublishComment {
            id: self.id,
            target: Target::new(TargetKind::Showcase, &self.task_id),
            author: Party::new(PartyKind::Weidu, &self.author_id),
            content: self.content.clone(),
        };
        let published = publish.attempt(book).await;
        published.map_err(|stop| {
            stop.map(|refusal| match refusal {
                CommentError::NotFound | CommentError::NoTarget => ShowcaseError::NotFound,
                CommentError::Exists | CommentError::Foreign => ShowcaseError::Exists,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_is_named_by_viewer_and_case() {
        let id = "5trb5tu7tj8kfe7gwk7qakfpac";
        for viewer in ["szasc68seig9jrhqw4eaj9gu3h", "anonymous"] {
            let visit = format!("weidu:{viewer}:showcase:{id}");
            assert_eq!(RecordShowcaseView::parse(&visit).unwrap().visit(), visit);
        }
        for bad in [
            format!("customer:2:showcase:{id}"),
            format!("weidu:nobody:showcase:{id}"),
            format!("weidu:anonymous:card:{id}"),
            "weidu:anonymous:showcase:new".to_owned(),
            format!("weidu::showcase:{id}"),
        ] {
            assert!(RecordShowcaseView::parse(&bad).is_none(), "{bad}");
        }
    }
}
