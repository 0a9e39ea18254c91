//! Views and likes of cases. Both are streams of their own, named by who looks or likes and what.

use serde::Deserialize;
use utoipa::ToSchema;

use super::super::answer::{Failure, Success};
use super::super::table::{Call, Fields, StaffCommand};
use super::super::target::{Target, bit};
use crate::api::app::App;
use crate::commands::reaction::Wish;
use crate::commands::showcase::{self, LikeShowcase, is_id};
use crate::events::Visit;
use crate::events::party::{PartyKind, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::ledger::{Freshness, LoadError};

/// Somebody's visits to a case.
pub(in crate::api::admin) struct ShowcaseVisit(showcase::RecordShowcaseView);

impl Target for ShowcaseVisit {
    const AGGREGATE: &'static str = "Visit";
    const REALM: Option<&'static str> = Some("weidu");

    fn parse(id: &str) -> Option<Self> {
        showcase::RecordShowcaseView::parse(id).map(Self)
    }

    fn id(&self) -> String {
        self.0.visit()
    }

    /// Also the first time.
    async fn opened_by(&self, _app: &App) -> Result<Option<u64>, LoadError> {
        Ok(Some(bit::WEIDU))
    }
}

/// Record that an author, or `anonymous`, looked at a case: to `Visit/weidu:{viewer}:showcase:{task_id}`. Counts every time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api::admin) struct RecordShowcaseView {}

impl Fields for RecordShowcaseView {
    const NAME: &'static str = "RecordShowcaseView";
}

impl StaffCommand for RecordShowcaseView {
    type Target = ShowcaseVisit;

    async fn run(self, call: Call, visit: ShowcaseVisit) -> Result<Success, Failure> {
        let id = visit.id();
        let app = &call.app;
        // The stream is not looked at when it is written, so that it has no contention: a condition on it is checked before.
        if let Some((_, wanted)) = &call.request.if_match {
            let stands = app.ledger().load::<Visit>(&id, Freshness::Reread).await?;
            if stands.version != *wanted {
                return Err(Failure::Conflict);
            }
        }
        let request = crate::commands::Request {
            if_match: None,
            ..call.request
        };
        let done = app.desk().run(&request, &visit.0).await?;
        let stands = app.ledger().load::<Visit>(&id, Freshness::Reread).await?;
        let success = Success::of::<ShowcaseVisit, _>(app, &id, &done);
        Ok(success.at(stands.version))
    }
}

/// An author's like of a case.
pub(in crate::api::admin) struct ShowcaseLike(ReactionKey);

impl Target for ShowcaseLike {
    const AGGREGATE: &'static str = "Reaction";
    const REALM: Option<&'static str> = Some("weidu");

    fn parse(id: &str) -> Option<Self> {
        let key: ReactionKey = id.parse().ok()?;
        let ours = key.actor.kind == PartyKind::Weidu
            && key.kind == ReactionKind::Like
            && key.target.kind == TargetKind::Showcase;
        (ours && is_id(&key.actor.id) && is_id(&key.target.id)).then_some(Self(key))
    }

    fn id(&self) -> String {
        self.0.to_string()
    }

    /// Also the first time.
    async fn opened_by(&self, _app: &App) -> Result<Option<u64>, LoadError> {
        Ok(Some(bit::WEIDU))
    }
}

/// Like a case as an author: to `Reaction/weidu:{actor}:like:showcase:{task_id}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api::admin) struct AddReaction {}

impl Fields for AddReaction {
    const NAME: &'static str = "AddReaction";
}

impl StaffCommand for AddReaction {
    type Target = ShowcaseLike;

    async fn run(self, call: Call, like: ShowcaseLike) -> Result<Success, Failure> {
        react(call, like, Wish::Add(None)).await
    }
}

/// Take an author's like of a case back; also of one that was withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api::admin) struct RemoveReaction {}

impl Fields for RemoveReaction {
    const NAME: &'static str = "RemoveReaction";
}

impl StaffCommand for RemoveReaction {
    type Target = ShowcaseLike;

    async fn run(self, call: Call, like: ShowcaseLike) -> Result<Success, Failure> {
        react(call, like, Wish::Remove).await
    }
}

async fn react(call: Call, like: ShowcaseLike, wish: Wish) -> Result<Success, Failure> {
    let id = like.id();
    let operation = LikeShowcase { key: like.0, wish };
    let done = call.app.desk().run(&call.request, &operation).await?;
    Ok(Success::of::<ShowcaseLike, _>(&call.app, &id, &done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_likes_of_cases_by_authors_are_reachable() {
        let (user, task) = ("szasc68seig9jrhqw4eaj9gu3h", "5trb5tu7tj8kfe7gwk7qakfpac");
        let like = format!("weidu:{user}:like:showcase:{task}");
        assert_eq!(ShowcaseLike::parse(&like).unwrap().id(), like);
        for bad in [
            format!("member:{user}:like:showcase:{task}"),
            format!("weidu:{user}:praise:showcase:{task}"),
            format!("weidu:{user}:like:article:{task}"),
            format!("weidu:anonymous:like:showcase:{task}"),
            format!("weidu:{user}:like:showcase:7"),
            format!("weidu:{user}"),
        ] {
            assert!(ShowcaseLike::parse(&bad).is_none(), "{bad}");
        }
    }
}
