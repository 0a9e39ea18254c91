//! Commands to a tag that look at other streams, too: the claim on its name, its company.

use super::{TagCommand, TagError};
use crate::commands::name_claim::{NameClaimCommand, NameClaimError};
use crate::commands::{Book, Operation, Stop};
use crate::events::tag::LiveTag;
use crate::events::{Company, NameClaim, Tag};
use crate::ledger::{Keys, State, StreamId};

/// The scope of names.
const SCOPE: &str = "tag-name";

/// The id of the claim on a name among a company's tags.
fn claim_id(keys: &Keys, company_id: i64, name: &str) -> String {
    let hashed = keys.name(SCOPE, &format!("{company_id}/{name}"));
    format!("{SCOPE}:{hashed}")
}

fn holder(id: &str) -> String {
    StreamId::new(Tag::TYPE, id).to_string()
}

async fn claim(book: &mut Book, claim: &str, tag: &str) -> Result<(), Stop<TagError>> {
    let holder = holder(tag);
    book.decide::<NameClaim>(claim, &NameClaimCommand::Claim { holder })
        .await
        .map_err(|stop| stop.map(|NameClaimError::Taken| TagError::NameTaken))
}

async fn release(book: &mut Book, claim: &str, tag: &str) -> Result<(), Stop<TagError>> {
    let holder = holder(tag);
    book.decide::<NameClaim>(claim, &NameClaimCommand::Release { holder })
        .await
        .map_err(|stop| stop.map(|NameClaimError::Taken| TagError::NameTaken))
}

async fn live(book: &mut Book, id: &str) -> Result<LiveTag, Stop<TagError>> {
    let tag = book.state::<Tag>(id).await?;
    tag.live().cloned().ok_or(Stop::Refused(TagError::NotFound))
}

/// Makes a tag of a company that is there; its name is claimed.
#[derive(Debug, Clone)]
pub struct CreateTag {
    /// The new id.
    pub id: i64,
    /// The keys claims are named under.
    pub keys: Keys,
    /// Whose it is.
    pub company_id: i64,
    /// What it is called.
    pub name: String,
}

impl Operation for CreateTag {
    /// The tag's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = TagError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<TagError>> {
        let company_id = self.company_id;
        let company = book.state::<Company>(&company_id.to_string()).await?;
        if *company == Company::Uncreated {
            return Err(Stop::Refused(TagError::NoCompany { company_id }));
        }
        let id = self.id.to_string();
        claim(book, &claim_id(&self.keys, company_id, &self.name), &id).await?;
        let create = TagCommand::Create {
            company_id,
            name: self.name.clone(),
        };
        book.create::<Tag>(&id);
        book.decide::<Tag>(&id, &create).await?;
        Ok(self.id)
    }
}

/// Calls a tag otherwise; the new name is claimed and the old one let go.
#[derive(Debug, Clone)]
pub struct RenameTag {
    /// The tag.
    pub id: i64,
    /// The keys claims are named under.
    pub keys: Keys,
    /// What it is called from here on.
    pub name: String,
}

impl Operation for RenameTag {
    type Outcome = ();
    type Refusal = TagError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<TagError>> {
        let id = self.id.to_string();
        let tag = live(book, &id).await?;
        if tag.name != self.name {
            let id_of = |name: &str| claim_id(&self.keys, tag.company_id, name);
            claim(book, &id_of(&self.name), &id).await?;
            release(book, &id_of(&tag.name), &id).await?;
        }
        let name = self.name.clone();
        book.decide::<Tag>(&id, &TagCommand::Rename { name }).await
    }
}

/// Removes a tag that no case carries; its name is free again.
#[derive(Debug, Clone)]
pub struct DeleteTag {
    /// The tag.
    pub id: i64,
    /// The keys claims are named under.
    pub keys: Keys,
}

impl Operation for DeleteTag {
    type Outcome = ();
    type Refusal = TagError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<TagError>> {
        let id = self.id.to_string();
        let before = book.state::<Tag>(&id).await?;
        book.decide::<Tag>(&id, &TagCommand::Delete).await?;
        if let Some(tag) = before.live() {
            let name = claim_id(&self.keys, tag.company_id, &tag.name);
            release(book, &name, &id).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_claimed_within_its_company() {
        let keys = Keys::derive(&crate::ledger::Secret::new([7; 32]));
        let id = |company, name| claim_id(&keys, company, name);
        assert_eq!(id(1, "隆鼻"), id(1, "隆鼻"));
        assert_ne!(id(1, "隆鼻"), id(2, "隆鼻"));
        assert_ne!(id(1, "1/a"), id(11, "a"));
    }
}
