//! Commands to a case that look at other streams, too: its company, the tags it carries.

use std::collections::BTreeSet;

use super::{CaseCommand, CaseError};
use crate::commands::tag::{TagCommand, TagError};
use crate::commands::{Book, Operation, Stop};
use crate::events::case::{CaseProfile, LiveCase};
use crate::events::{Case, Company, Tag};

async fn live(book: &mut Book, id: &str) -> Result<LiveCase, Stop<CaseError>> {
    let case = book.state::<Case>(id).await?;
    case.live()
        .cloned()
        .ok_or(Stop::Refused(CaseError::NotFound))
}

/// Lets a case carry these tags and no others: said on the case's stream and on that of each tag that comes or goes.
async fn tag(
    book: &mut Book,
    case_id: i64,
    tag_ids: &BTreeSet<i64>,
) -> Result<(), Stop<CaseError>> {
    let id = case_id.to_string();
    let case = live(book, &id).await?;
    let moving: Vec<String> = case
        .tags
        .symmetric_difference(tag_ids)
        .map(i64::to_string)
        .collect();
    book.open_all::<Tag>(&moving).await?;
    let tag_ids = tag_ids.clone();
    let company_id = case.company_id;
    for tag_id in case.tags.difference(&tag_ids) {
        unassign(book, case_id, *tag_id).await?;
    }
    for tag_id in tag_ids.difference(&case.tags) {
        let assign = TagCommand::Assign {
            company_id,
            case_id,
        };
        book.decide::<Tag>(&tag_id.to_string(), &assign)
            .await
            .map_err(|stop| no_tag(stop, *tag_id))?;
    }
    book.decide::<Case>(&id, &CaseCommand::Tag { tag_ids })
        .await
}

async fn unassign(book: &mut Book, case_id: i64, tag_id: i64) -> Result<(), Stop<CaseError>> {
    book.decide::<Tag>(&tag_id.to_string(), &TagCommand::Unassign { case_id })
        .await
        .map_err(|stop| no_tag(stop, tag_id))
}

/// All that a tag can have against being given or taken.
fn no_tag(stop: Stop<TagError>, tag_id: i64) -> Stop<CaseError> {
    stop.map(|_| CaseError::NoTag { tag_id })
}

/// Makes a case of a company that is there, with tags of that company.
#[derive(Debug, Clone)]
pub struct CreateCase {
    /// The new id.
    pub id: i64,
    /// Whose it is.
    pub company_id: i64,
    /// How it is described.
    pub profile: CaseProfile,
    /// The tags it carries from the start.
    pub tag_ids: BTreeSet<i64>,
}

impl Operation for CreateCase {
    /// The case's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = CaseError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<CaseError>> {
        let company_id = self.company_id;
        let company = book.state::<Company>(&company_id.to_string()).await?;
        if *company == Company::Uncreated {
            return Err(Stop::Refused(CaseError::NoCompany { company_id }));
        }
        let id = self.id.to_string();
        let create = CaseCommand::Create {
            company_id,
            profile: self.profile.clone(),
        };
        book.create::<Case>(&id);
        book.decide::<Case>(&id, &create).await?;
        tag(book, self.id, &self.tag_ids).await?;
        Ok(self.id)
    }
}

/// Lets a case carry these tags and no others.
#[derive(Debug, Clone)]
pub struct TagCase {
    /// The case.
    pub id: i64,
    /// The whole new set.
    pub tag_ids: BTreeSet<i64>,
}

impl Operation for TagCase {
    type Outcome = ();
    type Refusal = CaseError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<CaseError>> {
        tag(book, self.id, &self.tag_ids).await
    }
}

/// Removes a case that has no diaries, and takes its tags from it.
#[derive(Debug, Clone)]
pub struct DeleteCase {
    /// The case.
    pub id: i64,
}

impl Operation for DeleteCase {
    type Outcome = ();
    type Refusal = CaseError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<CaseError>> {
        let id = self.id.to_string();
        let before = book.state::<Case>(&id).await?;
        book.decide::<Case>(&id, &CaseCommand::Delete).await?;
        let carried = before.live().map(|case| case.tags.clone());
        let carried = carried.unwrap_or_default();
        let ids: Vec<String> = carried.iter().map(i64::to_string).collect();
        book.open_all::<Tag>(&ids).await?;
        for tag_id in carried {
            unassign(book, self.id, tag_id).await?;
        }
        Ok(())
    }
}
