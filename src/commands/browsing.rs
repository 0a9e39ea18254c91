//! What customers do with what a company shows them: looks, searches and forwards, which are only counted and logged, and
//! praise. One stream per customer and thing, so that what is popular never contends; what is looked at is guarded.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::reaction::{ReactionError, Toggled, Wish, react};
use super::targets::{Standing, standing};
use super::{Book, Operation, Stop};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::ReactionKey;
use crate::events::{Card, Case, Diary, Product, Reaction, Tag, Visit, VisitEvent};
use crate::ledger::LoadError;

/// Why there is nothing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum BrowsingError {
    /// It is not there, is out of sight, or does not belong together.
    #[error("there is no such thing to look at")]
    NotFound,
    /// The card of the enterprise user is disabled.
    #[error("the card is disabled")]
    CardDisabled,
}

const NOT_FOUND: Stop<BrowsingError> = Stop::Refused(BrowsingError::NotFound);

/// For whom the enterprise user works, whose card must be usable.
async fn company_of(book: &mut Book, uid: i64) -> Result<i64, Stop<BrowsingError>> {
    let card = book.state::<Card>(&uid.to_string()).await?;
    match card.created() {
        None => Err(NOT_FOUND),
        Some(card) if card.enabled => Ok(card.company_id),
        Some(_) => Err(Stop::Refused(BrowsingError::CardDisabled)),
    }
}

/// What is shown must be there.
async fn seen(book: &mut Book, target: &Target) -> Result<(), Stop<BrowsingError>> {
    match standing(book, target).await? {
        Standing::Live => Ok(()),
        Standing::Gone | Standing::Unknown => Err(NOT_FOUND),
    }
}

fn record(
    book: &mut Book,
    customer_id: i64,
    target: &Target,
    event: VisitEvent,
) -> Result<(), LoadError> {
    let visitor = Party::new(PartyKind::Customer, customer_id);
    book.append_any::<Visit>(&format!("{visitor}:{target}"), &[event])
}

/// What customers do with a product, beside asking about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductVisit {
    /// They look at it.
    View,
    /// They forward it.
    Forward,
}

/// Records what a customer did with a product on the shelf of an enterprise user's company.
#[derive(Debug, Clone, Copy)]
pub struct VisitProduct {
    /// Who.
    pub customer_id: i64,
    /// On whose pages.
    pub uid: i64,
    /// With which product.
    pub product_id: i64,
    /// What.
    pub visit: ProductVisit,
}

impl Operation for VisitProduct {
    type Outcome = ();
    type Refusal = BrowsingError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<BrowsingError>> {
        let Self {
            customer_id,
            uid,
            product_id,
            visit,
        } = *self;
        let company_id = company_of(book, uid).await?;
        let product = book.state::<Product>(&product_id.to_string()).await?;
        if product.shown().map(|(owner, _)| owner) != Some(company_id) {
            return Err(NOT_FOUND);
        }
        let event = match visit {
            ProductVisit::View => VisitEvent::ProductViewed {
                customer_id,
                uid,
                product_id,
            },
            ProductVisit::Forward => VisitEvent::ProductForwarded {
                customer_id,
                uid,
                product_id,
            },
        };
        let target = Target::new(TargetKind::Product, product_id);
        Ok(record(book, customer_id, &target, event)?)
    }
}

/// Records that a customer looked at the website of an enterprise user's company.
#[derive(Debug, Clone, Copy)]
pub struct VisitWebsite {
    /// Who.
    pub customer_id: i64,
    /// On whose pages.
    pub uid: i64,
}

impl Operation for VisitWebsite {
    /// Whose website it is.
    type Outcome = i64;
    type Refusal = BrowsingError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<BrowsingError>> {
        let Self { customer_id, uid } = *self;
        let company_id = company_of(book, uid).await?;
        let event = VisitEvent::WebsiteViewed {
            customer_id,
            uid,
            company_id,
        };
        let target = Target::new(TargetKind::Website, company_id);
        record(book, customer_id, &target, event)?;
        Ok(company_id)
    }
}

/// Records that a customer opened a case, looked cases up by a tag, or both.
#[derive(Debug, Clone, Copy)]
pub struct BrowseCases {
    /// Who.
    pub customer_id: i64,
    /// In whose library.
    pub company_id: i64,
    /// The case that is opened.
    pub case_id: Option<i64>,
    /// The tag that is looked for.
    pub tag_id: Option<i64>,
    /// Whether looking for the tag counts: further pages of the same search do not.
    pub counts_search: bool,
}

impl Operation for BrowseCases {
    type Outcome = ();
    type Refusal = BrowsingError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<BrowsingError>> {
        let Self {
            customer_id,
            company_id,
            ..
        } = *self;
        if let Some(case_id) = self.case_id {
            let target = Target::new(TargetKind::Case, case_id);
            seen(book, &target).await?;
            let case = book.state::<Case>(&target.id).await?;
            if case.company_id() != Some(company_id) {
                return Err(NOT_FOUND);
            }
            let event = VisitEvent::CaseBrowsed {
                customer_id,
                company_id,
                case_id,
            };
            record(book, customer_id, &target, event)?;
        }
        if let Some(tag_id) = self.tag_id {
            let target = Target::new(TargetKind::Tag, tag_id);
            let tag = book.state::<Tag>(&target.id).await?;
            if tag.live().map(|tag| tag.company_id) != Some(company_id) {
                return Err(NOT_FOUND);
            }
            if self.counts_search {
                let event = VisitEvent::TagSearched {
                    customer_id,
                    company_id,
                    tag_id,
                };
                record(book, customer_id, &target, event)?;
            }
        }
        Ok(())
    }
}

/// Records that a customer opened a diary.
#[derive(Debug, Clone, Copy)]
pub struct ReadDiary {
    /// Who.
    pub customer_id: i64,
    /// In whose library.
    pub company_id: i64,
    /// Which diary.
    pub diary_id: i64,
    /// The case it must belong to, where one is named.
    pub case_id: Option<i64>,
}

impl Operation for ReadDiary {
    type Outcome = ();
    type Refusal = BrowsingError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<BrowsingError>> {
        let Self {
            customer_id,
            company_id,
            diary_id,
            case_id,
        } = *self;
        let target = Target::new(TargetKind::Diary, diary_id);
        seen(book, &target).await?;
        let diary = book.state::<Diary>(&target.id).await?;
        let (case, owner) = diary.belongs_to().ok_or(NOT_FOUND)?;
        if owner != company_id || case_id.is_some_and(|wanted| wanted != case) {
            return Err(NOT_FOUND);
        }
        let event = VisitEvent::DiaryRead {
            customer_id,
            company_id,
            diary_id,
        };
        Ok(record(book, customer_id, &target, event)?)
    }
}

/// Praises a diary or collects a case, or takes that back; taking back works on what is gone, too.
#[derive(Debug, Clone)]
pub struct ReactInLibrary {
    /// Who, how, to what.
    pub key: ReactionKey,
    /// What is wished.
    pub wish: Wish,
    /// When.
    pub at: DateTime<Utc>,
}

impl Operation for ReactInLibrary {
    type Outcome = Toggled;
    type Refusal = BrowsingError;

    async fn attempt(&self, book: &mut Book) -> Result<Toggled, Stop<BrowsingError>> {
        // Looked at first, so that a refusal, too, is tied to how it stood.
        book.state::<Reaction>(&self.key.to_string()).await?;
        let standing = standing(book, &self.key.target).await?;
        let stands = react(book, &self.key, self.wish, standing)
            .await
            .map_err(|stop| stop.map(|ReactionError::NoTarget| BrowsingError::NotFound))?;
        let at = self.at;
        Ok(Toggled { stands, at })
    }
}
