//! Commands to products (`zhugeleida.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed};
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::product::{self, ProductCommand, ProductEdit};
use crate::events::Product;
use crate::events::product::{self as facts, ProductProfile};

/// The largest content, in bytes of JSON.
const CONTENT: usize = 64 * 1024;

/// What a product's page shows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductContent {
    /// At its top.
    cover_data: Vec<ProductBlock>,
    /// Below.
    article_data: Vec<ProductBlock>,
}

/// Pictures or texts that belong together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductBlock {
    /// Of what.
    r#type: BlockType,
    /// The texts, or the places of the pictures.
    data: Vec<String>,
}

/// What a block is made of.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BlockType {
    /// Pictures.
    PictureUrl,
    /// Headings.
    Title,
    /// Paragraphs.
    Content,
}

impl ProductContent {
    fn facts(&self) -> facts::ProductContent {
        let blocks = |blocks: &[ProductBlock]| blocks.iter().map(ProductBlock::facts).collect();
        facts::ProductContent {
            cover_data: blocks(&self.cover_data),
            article_data: blocks(&self.article_data),
        }
    }
}

impl ProductBlock {
    fn facts(&self) -> facts::ProductBlock {
        facts::ProductBlock {
            kind: match self.r#type {
                BlockType::PictureUrl => facts::BlockKind::PictureUrl,
                BlockType::Title => facts::BlockKind::Title,
                BlockType::Content => facts::BlockKind::Content,
            },
            data: self.data.clone(),
        }
    }
}

/// Make a product. It begins off shelf.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateProduct {
    /// Whose it is.
    company_id: i64,
    /// 1 to 200 characters.
    name: String,
    /// Free text, at most 100 characters.
    price: String,
    /// Why it is recommended, at most 500 characters.
    #[serde(default)]
    reason: String,
    /// What its page shows, at most 64 KiB.
    content: ProductContent,
}

impl Fields for CreateProduct {
    const NAME: &'static str = "CreateProduct";

    fn check(&self, flaws: &mut Flaws) {
        name(flaws, &self.name);
        price(flaws, &self.price);
        reason(flaws, &self.reason);
        content(flaws, &self.content);
    }
}

impl StaffCreation for CreateProduct {
    type Target = Numbered<Product>;
    const BIT: u64 = bit::MINI_PROGRAM;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let create = product::CreateProduct {
            id: call.app.ledger().next_id("product").await?,
            company_id: self.company_id,
            profile: ProductProfile {
                name: trimmed(&self.name),
                price: trimmed(&self.price),
                reason: trimmed(&self.reason),
                content: self.content.facts(),
            },
        };
        let done = call.app.desk().run(&call.request, &create).await?;
        // A repeated key answers the product that the first request made.
        let id = done.outcome.to_string();
        Ok(Success::of::<Numbered<Product>, _>(&call.app, &id, &done))
    }
}

/// Describe a product otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditProduct {
    /// 1 to 200 characters.
    name: Option<String>,
    /// At most 100 characters.
    price: Option<String>,
    /// At most 500 characters.
    reason: Option<String>,
    /// At most 64 KiB.
    content: Option<ProductContent>,
}

impl Fields for EditProduct {
    const NAME: &'static str = "EditProduct";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(text) = &self.name {
            name(flaws, text);
        }
        if let Some(text) = &self.price {
            price(flaws, text);
        }
        if let Some(text) = &self.reason {
            reason(flaws, text);
        }
        if let Some(blocks) = &self.content {
            content(flaws, blocks);
        }
    }
}

impl StaffCommand for EditProduct {
    type Target = Numbered<Product>;

    async fn run(self, call: Call, product: Numbered<Product>) -> Result<Success, Failure> {
        let edit = ProductCommand::Edit(ProductEdit {
            name: self.name.as_deref().map(trimmed),
            price: self.price.as_deref().map(trimmed),
            reason: self.reason.as_deref().map(trimmed),
            content: self.content.as_ref().map(ProductContent::facts),
        });
        execute::<Product>(call, product, edit).await
    }
}

plain! {
    /// Put a product on the shelf.
    PublishProduct to Numbered<Product>: Product, ProductCommand::Publish
}

plain! {
    /// Put a product on the shelf and recommend it.
    RecommendProduct to Numbered<Product>: Product, ProductCommand::Recommend
}

plain! {
    /// Take a product off the shelf.
    WithdrawProduct to Numbered<Product>: Product, ProductCommand::Withdraw
}

fn name(flaws: &mut Flaws, text: &str) {
    flaws.chars("name", text.trim(), 1..=200);
}

fn price(flaws: &mut Flaws, text: &str) {
    flaws.chars("price", text.trim(), 0..=100);
}

fn reason(flaws: &mut Flaws, text: &str) {
    flaws.chars("reason", text.trim(), 0..=500);
}

fn content(flaws: &mut Flaws, content: &ProductContent) {
    let blocks = content.cover_data.iter().chain(&content.article_data);
    if blocks
        .flat_map(|block| &block.data)
        .any(|text| text.contains('\0'))
    {
        flaws.say("content", "must not contain U+0000");
    }
    // Numbers, texts and lists always serialize.
    let json = serde_json::to_string(&content.facts()).unwrap_or_default();
    flaws.bytes("content", &json, 0..=CONTENT);
}
