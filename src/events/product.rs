//! What can have happened to a product (产品) of a company, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::set;
use crate::ledger::State;
use crate::stored_events;

/// Facts about a product. Its stream is `Product:{id}`, a positive integer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProductEvent {
    /// It came to be, off shelf.
    ProductCreated {
        /// Whose product it is, for good.
        company_id: i64,
        /// What it is called, 1…200 characters.
        name: String,
        /// Free text, as `280-1280`; at most 100 characters.
        price: String,
        /// Why it is recommended, at most 500 characters.
        reason: String,
        /// What its page shows.
        content: ProductContent,
    },
    /// It is described otherwise. Only changed fields are there.
    ProductEdited {
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The new price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<String>,
        /// The new reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What its page shows now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<ProductContent>,
    },
    /// It is for sale: 已发布.
    ProductPublished {},
    /// It is for sale and recommended: 推荐.
    ProductRecommended {},
    /// It is off shelf: 已下架.
    ProductWithdrawn {},
}

stored_events!(ProductEvent {
    ProductCreated: 1,
    ProductEdited: 1,
    ProductPublished: 1,
    ProductRecommended: 1,
    ProductWithdrawn: 1,
});

/// What a product's page shows, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductContent {
    /// At its top.
    pub cover_data: Vec<ProductBlock>,
    /// Below.
    pub article_data: Vec<ProductBlock>,
}

/// Pictures or texts that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductBlock {
    /// Of what.
    #[serde(rename = "type")]
    pub kind: BlockKind,
    /// The texts, or the places of the pictures.
    pub data: Vec<String>,
}

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Pictures.
    PictureUrl,
    /// Headings.
    Title,
    /// Paragraphs.
    Content,
}

impl ProductContent {
    /// The picture that stands for the product.
    #[must_use]
    pub fn first_picture(&self) -> Option<&str> {
        let pictures = |block: &&ProductBlock| block.kind == BlockKind::PictureUrl;
        let mut data = self
            .cover_data
            .iter()
            .filter(pictures)
            .flat_map(|b| &b.data);
        data.next().map(String::as_str)
    }
}

/// How a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// 已发布.
    Published,
    /// 已下架; every product begins so.
    OffShelf,
    /// 推荐.
    Recommended,
}

impl ProductStatus {
    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Published => 1,
            Self::OffShelf => 2,
            Self::Recommended => 3,
        }
    }
}

/// A product as rules need to see it. Readers want `projections::products`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Product {
    /// Never created.
    #[default]
    Uncreated,
    /// There, on the shelf or off it.
    Created {
        /// Whose it is.
        company_id: i64,
        /// How it is described.
        profile: ProductProfile,
        /// How it stands.
        status: ProductStatus,
    },
}

/// How a product is described.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of `ProductEvent`")]
pub struct ProductProfile {
    pub name: String,
    pub price: String,
    pub reason: String,
    pub content: ProductContent,
}

impl Product {
    /// Whose it is and how it is described, while customers see it.
    #[must_use]
    pub fn shown(&self) -> Option<(i64, &ProductProfile)> {
        match self {
            Self::Created {
                company_id,
                profile,
                status: ProductStatus::Published | ProductStatus::Recommended,
            } => Some((*company_id, profile)),
            Self::Uncreated
            | Self::Created {
                status: ProductStatus::OffShelf,
                ..
            } => None,
        }
    }

    fn stand(&mut self, now: ProductStatus) {
        if let Self::Created { status, .. } = self {
            *status = now;
        }
    }
}

impl State for Product {
    const TYPE: &'static str = "Product";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type Event = ProductEvent;

    fn apply(&mut self, event: &ProductEvent) {
        match event {
            ProductEvent::ProductCreated {
                company_id,
                name,
                price,
                reason,
                content,
            } => {
                *self = Self::Created {
                    company_id: *company_id,
                    profile: ProductProfile {
                        name: name.clone(),
                        price: price.clone(),
                        reason: reason.clone(),
                        content: content.clone(),
                    },
                    status: ProductStatus::OffShelf,
                };
            }
            ProductEvent::ProductEdited {
                name,
                price,
                reason,
                content,
            } => {
                if let Self::Created { profile, .. } = self {
                    set(&mut profile.name, name.as_ref());
                    set(&mut profile.price, price.as_ref());
                    set(&mut profile.reason, reason.as_ref());
                    set(&mut profile.content, content.as_ref());
                }
            }
            ProductEvent::ProductPublished {} => self.stand(ProductStatus::Published),
            ProductEvent::ProductRecommended {} => self.stand(ProductStatus::Recommended),
            ProductEvent::ProductWithdrawn {} => self.stand(ProductStatus::OffShelf),
        }
    }
}
