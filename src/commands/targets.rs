//! Whether what somebody reacts to, comments on or follows is there. The streams looked at are guarded: it is still there
//! when the command is recorded.

use super::Book;
use crate::events::party::{Target, TargetKind};
use crate::events::{Account, Article, Comment};
use crate::ledger::LoadError;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It never was.
    Unknown,
    /// It was deleted or withdrawn: what was done to it can be undone, and nothing new begins.
    Gone,
    /// It is there.
    Live,
}

/// How a target stands.
///
/// # Errors
/// [`LoadError`].
pub async fn standing(book: &mut Book, target: &Target) -> Result<Standing, LoadError> {
    let id = target.id.as_str();
    Ok(match target.kind {
        TargetKind::Article => match &*book.state::<Article>(id).await? {
            Article::Unpublished => Standing::Unknown,
            Article::Live { .. } => Standing::Live,
            Article::Deleted { .. } => Standing::Gone,
        },
        TargetKind::Comment => match &*book.state::<Comment>(id).await? {
            Comment::Unwritten => Standing::Unknown,
            Comment::Live(_) => Standing::Live,
            Comment::Deleted(_) => Standing::Gone,
        },
        // Who is disabled stays visible (contract README 2.10).
        TargetKind::User => {
            let account = book.state::<Account>(&format!("community:{id}")).await?;
            if account.open().is_some() {
                Standing::Live
            } else {
                Standing::Unknown
            }
        }
        TargetKind::Cloth
        | TargetKind::Game
        | TargetKind::Ticket
        | TargetKind::Master
        | TargetKind::Merchant
        | TargetKind::Card
        | TargetKind::Product
        | TargetKind::Website
        | TargetKind::Case
        | TargetKind::Tag
        | TargetKind::Diary
        | TargetKind::Showcase => Standing::Unknown,
    })
}
