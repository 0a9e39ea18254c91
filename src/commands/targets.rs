//! Whether what somebody reacts to, comments on or follows is there. The streams looked at are guarded: it is still there
//! when the command is recorded.

use super::Book;
use crate::events::listed::{Listed, Listing};
use crate::events::party::{Target, TargetKind};
use crate::events::project::ProjectDetails;
use crate::events::ticket::Sale;
use crate::events::{
    Account, Article, Card, Case, Cloth, Comment, Company, Diary, Game, Master, Merchant, Product,
    Project, Showcase, Tag, Ticket,
};
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
        TargetKind::Showcase => match &*book.state::<Showcase>(id).await? {
            Showcase::Unpublished => Standing::Unknown,
            Showcase::Published(case) if case.withdrawn => Standing::Gone,
            Showcase::Published(_) => Standing::Live,
        },
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
        TargetKind::Cloth => cloth(book, id).await?,
        TargetKind::Game => listed(&*book.state::<Game>(id).await?),
        TargetKind::Master => listed(&*book.state::<Master>(id).await?),
        TargetKind::Merchant => listed(&*book.state::<Merchant>(id).await?),
        TargetKind::Ticket => ticket(book, id).await?,
    })
}

async fn case(book: &mut Book, id: &str) -> Result<Standing, LoadError> {
    Ok(match &*book.state::<Case>(id).await? {
        Case::Uncreated => Standing::Unknown,
        case if case.published() => Standing::Live,
        Case::Live(_) | Case::Deleted { .. } => Standing::Gone,
    })
}

fn listed<D: Listing>(listed: &Listed<D>) -> Standing {
    match listed {
        Listed::Unlisted => Standing::Unknown,
        Listed::Shown(_) => Standing::Live,
        Listed::Withdrawn(_) => Standing::Gone,
    }
}

/// A cloth goes out of sight with its merchant.
async fn cloth(book: &mut Book, id: &str) -> Result<Standing, LoadError> {
    let cloth = book.state::<Cloth>(id).await?;
    let merchant_id = cloth
        .details()
        .and_then(|cloth| cloth.merchant_id.as_deref());
    match (listed(&*cloth), merchant_id) {
        (Standing::Live, Some(merchant_id)) => {
            Ok(listed(&*book.state::<Merchant>(merchant_id).await?))
        }
        (standing, _) => Ok(standing),
    }
}

/// A ticket goes out of sight with its project, and that with its master; sold ones stay.
async fn ticket(book: &mut Book, id: &str) -> Result<Standing, LoadError> {
    let ticket = book.state::<Ticket>(id).await?;
    let project_id = match &*ticket {
        Ticket::Unissued => return Ok(Standing::Unknown),
        Ticket::Issued {
            sale: Sale::Withdrawn,
            ..
        } => return Ok(Standing::Gone),
        Ticket::Issued { details, .. } => details.project_id,
    };
    project(book, project_id).await
}

/// How a project stands, its master considered.
pub(super) async fn project(book: &mut Book, project_id: i64) -> Result<Standing, LoadError> {
    let project = book.state::<Project>(&project_id.to_string()).await?;
    match &*project {
        Project::Shown(ProjectDetails { master_id, .. }) => {
            Ok(listed(&*book.state::<Master>(master_id).await?))
        }
        Project::Unlisted | Project::Withdrawn(_) => Ok(listed(&*project)),
    }
}
