//! Commands to cases of the case library (`zhugeleida.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed};
use super::one::{execute, operate, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Numbered, bit};
use crate::commands::case::{self, CaseCommand, CaseEdit, TAGS_MAX};
use crate::events::Case;
use crate::events::case::CaseProfile;

/// The largest cover, in bytes.
const COVER: usize = 16 * 1024;

/// Make a case. It begins unpublished.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCase {
    /// Whose it is.
    company_id: i64,
    /// Whom it tells of, 1 to 64 characters.
    customer_name: String,
    /// Place of a picture of that person, at most 512 characters.
    #[serde(default)]
    headimgurl: String,
    /// JSON as a text, at most 16 KiB.
    #[serde(default = "nothing")]
    #[schema(default = "{}")]
    cover_picture: String,
    /// Tags of the company, at most 20.
    #[serde(default)]
    tag_ids: Vec<i64>,
}

/// An empty JSON object.
pub(super) fn nothing() -> String {
    "{}".to_owned()
}

impl Fields for CreateCase {
    const NAME: &'static str = "CreateCase";

    fn check(&self, flaws: &mut Flaws) {
        customer_name(flaws, &self.customer_name);
        headimgurl(flaws, &self.headimgurl);
        json(flaws, "cover_picture", &self.cover_picture, COVER);
        tag_ids(flaws, &self.tag_ids);
    }
}

impl StaffCreation for CreateCase {
    type Target = Numbered<Case>;
    const BIT: u64 = bit::MINI_PROGRAM;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let create = case::CreateCase {
            id: call.app.ledger().next_id("case").await?,
            company_id: self.company_id,
            profile: CaseProfile {
                customer_name: trimmed(&self.customer_name),
                headimgurl: trimmed(&self.headimgurl),
                cover_picture: self.cover_picture,
            },
            tag_ids: self.tag_ids.into_iter().collect(),
        };
        let done = call.app.desk().run(&call.request, &create).await?;
        // A repeated key answers the case that the first request made.
        let id = done.outcome.to_string();
        Ok(Success::of::<Numbered<Case>, _>(&call.app, &id, &done))
    }
}

/// Describe a case otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditCase {
    /// 1 to 64 characters.
    customer_name: Option<String>,
    /// At most 512 characters.
    headimgurl: Option<String>,
    /// JSON as a text, at most 16 KiB.
    cover_picture: Option<String>,
}

impl Fields for EditCase {
    const NAME: &'static str = "EditCase";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(text) = &self.customer_name {
            customer_name(flaws, text);
        }
        if let Some(text) = &self.headimgurl {
            headimgurl(flaws, text);
        }
        if let Some(text) = &self.cover_picture {
            json(flaws, "cover_picture", text, COVER);
        }
    }
}

impl StaffCommand for EditCase {
    type Target = Numbered<Case>;

    async fn run(self, call: Call, case: Numbered<Case>) -> Result<Success, Failure> {
        let edit = CaseCommand::Edit(CaseEdit {
            customer_name: self.customer_name.as_deref().map(trimmed),
            headimgurl: self.headimgurl.as_deref().map(trimmed),
            cover_picture: self.cover_picture,
        });
        execute::<Case>(call, case, edit).await
    }
}

/// Let a case carry these tags and no others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TagCase {
    /// The whole new set: tags of the company, at most 20.
    tag_ids: Vec<i64>,
}

impl Fields for TagCase {
    const NAME: &'static str = "TagCase";

    fn check(&self, flaws: &mut Flaws) {
        tag_ids(flaws, &self.tag_ids);
    }
}

impl StaffCommand for TagCase {
    type Target = Numbered<Case>;

    async fn run(self, call: Call, case: Numbered<Case>) -> Result<Success, Failure> {
        let tag = case::TagCase {
            id: case.number,
            tag_ids: self.tag_ids.into_iter().collect(),
        };
        operate(call, case, &tag).await
    }
}

plain! {
    /// Show a case.
    PublishCase to Numbered<Case>: Case, CaseCommand::Publish
}

plain! {
    /// Show a case no longer; its diaries are out of sight with it.
    WithdrawCase to Numbered<Case>: Case, CaseCommand::Withdraw
}

/// Remove a case. Refused while it has diaries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteCase {}

impl Fields for DeleteCase {
    const NAME: &'static str = "DeleteCase";
}

impl StaffCommand for DeleteCase {
    type Target = Numbered<Case>;

    async fn run(self, call: Call, case: Numbered<Case>) -> Result<Success, Failure> {
        let delete = case::DeleteCase { id: case.number };
        operate(call, case, &delete).await
    }
}

fn customer_name(flaws: &mut Flaws, text: &str) {
    flaws.chars("customer_name", text.trim(), 1..=64);
}

fn headimgurl(flaws: &mut Flaws, text: &str) {
    flaws.chars("headimgurl", text.trim(), 0..=512);
}

fn tag_ids(flaws: &mut Flaws, ids: &[i64]) {
    if ids.len() > TAGS_MAX {
        let given = ids.len();
        flaws.say(
            "tag_ids",
            format!("must be at most {TAGS_MAX} tags, not {given}"),
        );
    }
}

/// JSON as a text: it is stored and answered as it is, so clients must be able to read it.
pub(super) fn json(flaws: &mut Flaws, field: &str, text: &str, most: usize) {
    flaws.bytes(field, text, 1..=most);
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        flaws.say(field, "must be JSON");
    }
}
