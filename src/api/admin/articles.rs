//! Commands to articles (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed_some};
use super::listing::Bounds;
use super::one::execute;
use super::table::{Call, Fields, StaffCommand};
use super::target::Numbered;
use crate::commands::article::ArticleCommand;
use crate::events::Article;

/// Show an article no longer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteArticle {
    /// Why, at most 200 characters.
    reason: Option<String>,
}

impl Fields for DeleteArticle {
    const NAME: &'static str = "DeleteArticle";

    fn check(&self, flaws: &mut Flaws) {
        flaws.text("reason", self.reason.as_ref(), 200);
    }
}

impl StaffCommand for DeleteArticle {
    type Target = Numbered<Article>;

    async fn run(self, call: Call, article: Numbered<Article>) -> Result<Success, Failure> {
        let reason = trimmed_some(self.reason.as_ref());
        let delete = ArticleCommand::Delete {
            reason: reason.filter(|text| !text.is_empty()),
        };
        execute::<Article>(call, article, delete).await
    }
}
