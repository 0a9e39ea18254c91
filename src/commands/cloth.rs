//! Commands about cloths that look at other streams, too: whose a merchant's cloth is, and which collection one belongs to.

use super::listed::{ListedCommand, ListedError, owned};
use super::reaction::{ReactionError, Wish, react};
use super::targets::standing;
use super::{Book, Operation, Stop};
use crate::events::Cloth;
use crate::events::cloth::{ClothDetails, Collection};
use crate::events::party::TargetKind;
use crate::events::reaction::ReactionKey;

/// Makes a cloth; the merchant of a merchant's cloth must be shown.
#[derive(Debug, Clone)]
pub struct CreateCloth {
    /// Its new id.
    pub id: String,
    /// How it is described.
    pub details: ClothDetails,
}

impl Operation for CreateCloth {
    type Outcome = String;
    type Refusal = ListedError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<ListedError>> {
        book.create::<Cloth>(&self.id);
        if let Some(merchant_id) = &self.details.merchant_id {
            owned(book, "merchant_id", TargetKind::Merchant, merchant_id).await?;
        }
        let create = ListedCommand::Create(self.details.clone());
        book.decide::<Cloth>(&self.id, &create).await?;
        Ok(self.id.clone())
    }
}

/// Collects a cloth of one collection, or takes that back; a cloth of another collection is not there.
#[derive(Debug, Clone)]
pub struct CollectCloth {
    /// Who, how, what.
    pub key: ReactionKey,
    /// What is wished.
    pub wish: Wish,
    /// The collection the cloth must belong to.
    pub collection: Collection,
}

impl Operation for CollectCloth {
    type Outcome = bool;
    type Refusal = ReactionError;

    async fn attempt(&self, book: &mut Book) -> Result<bool, Stop<ReactionError>> {
        let cloth = book.state::<Cloth>(&self.key.target.id).await?;
        let here = |details: &ClothDetails| details.collection == self.collection;
        if !cloth.details().is_some_and(here) {
            return Err(Stop::Refused(ReactionError::NoTarget));
        }
        let standing = standing(book, &self.key.target).await?;
        react(book, &self.key, self.wish, standing).await
    }
}
