//! Whether what somebody reacts to, comments on or follows is there. The streams looked at are guarded: it is still there
//! when the command is recorded.

use super::Book;
use crate::events::party::{Target, TargetKind};
use crate::events::{Account, Card, Case, Comment, Company, Diary, Product, Tag};
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
        TargetKind::Card => match book.state::<Card>(id).await?.created() {
            None => Standing::Unknown,
            Some(card) if card.enabled => Standing::Live,
            Some(_) => Standing::Gone,
        },
        TargetKind::Product => match &*book.state::<Product>(id).await? {
            Product::Uncreated => Standing::Unknown,
            product if product.shown().is_some() => Standing::Live,
            Product::Created { .. } => Standing::Gone,
        },
        // A company has one whether or not it shows anything yet.
        TargetKind::Website => match &*book.state::<Company>(id).await? {
            Company::Uncreated => Standing::Unknown,
            Company::Created { .. } => Standing::Live,
        },
        TargetKind::Tag => match &*book.state::<Tag>(id).await? {
            Tag::Uncreated => Standing::Unknown,
            Tag::Live(_) => Standing::Live,
            Tag::Deleted => Standing::Gone,
        },
        TargetKind::Case => case(book, id).await?,
        // Nobody sees a diary while its case is out of sight.
        TargetKind::Diary => {
            let diary = book.state::<Diary>(id).await?;
            match (diary.belongs_to(), diary.live()) {
                (None, _) => Standing::Unknown,
                (Some(_), Some(live)) if live.published => {
                    case(book, &live.case_id.to_string()).await?
                }
                (Some(_), _) => Standing::Gone,
            }
        }
        TargetKind::Article
        | TargetKind::Cloth
        | TargetKind::Game
        | TargetKind::Ticket
        | TargetKind::Master
        | TargetKind::Merchant
        | TargetKind::Showcase => Standing::Unknown,
    })
}

async fn case(book: &mut Book, id: &str) -> Result<Standing, LoadError> {
    Ok(match &*book.state::<Case>(id).await? {
        Case::Uncreated => Standing::Unknown,
        case if case.published() => Standing::Live,
        Case::Live(_) | Case::Deleted { .. } => Standing::Gone,
    })
}
