//! The catalogue that staff keeps: banners, cloths, games, masters and merchants (`contract/community.md` 3.15 … 3.54).

mod banners;
mod cloths;
mod games;
mod masters;
mod merchants;

use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use masters::{MasterCardView, MasterWithFollow};
pub use merchants::MerchantCardView;

use super::Problem;
use super::call::MemberCall;
use super::envelope;
use crate::api::App;
use crate::commands::follow::{FollowCommand, FollowOrStop};
use crate::commands::reaction::{React, Wish};
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};

/// Rows of a list that nobody sized.
pub const PAGE: i64 = 100;

/// The functions of this folder.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(banners::home))
        .routes(routes!(banners::design_circle))
        .routes(routes!(banners::game))
        .routes(routes!(banners::ticket))
        .routes(routes!(cloths::design_list))
        .routes(routes!(cloths::design_detail))
        .routes(routes!(cloths::design_collect))
        .routes(routes!(cloths::design_uncollect))
        .routes(routes!(cloths::merchant_list))
        .routes(routes!(cloths::merchant_recommend_list))
        .routes(routes!(cloths::merchant_detail))
        .routes(routes!(cloths::merchant_collect))
        .routes(routes!(cloths::merchant_uncollect))
        .routes(routes!(games::detail))
        .routes(routes!(games::recommend_list))
        .routes(routes!(games::like))
        .routes(routes!(games::unlike))
        .routes(routes!(games::collect))
        .routes(routes!(games::uncollect))
        .routes(routes!(masters::detail))
        .routes(routes!(masters::list))
        .routes(routes!(masters::recommend_list))
        .routes(routes!(masters::follow))
        .routes(routes!(masters::unfollow))
        .routes(routes!(masters::following))
        .routes(routes!(merchants::follow))
        .routes(routes!(merchants::unfollow))
        .routes(routes!(merchants::following))
}

/// Which part of a list.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::PageOf100)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct PageParams {
    /// Rows to pass over.
    #[schema(minimum = 0, default = 0)]
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Rows wanted; more than 100 counts as 100.
    #[schema(minimum = 1, default = 100)]
    #[param(minimum = 1, default = 100)]
    limit: Option<i64>,
}

/// Likes or collects something of the catalogue, or takes that back.
async fn react(
    app: &App,
    call: &MemberCall,
    kind: ReactionKind,
    target: Target,
    wish: Wish,
) -> Result<Response, Problem> {
    let key = key(call, kind, target);
    let done = call.run(app, React { key, wish }).await?;
    Ok(envelope::done(app, &done, envelope::Nothing {}))
}

fn key(call: &MemberCall, kind: ReactionKind, target: Target) -> ReactionKey {
    ReactionKey {
        actor: call.member.party(),
        kind,
        target,
    }
}

/// Follows a master or merchant, or stops.
async fn follow(
    app: &App,
    call: &MemberCall,
    kind: TargetKind,
    field: &'static str,
    follow: bool,
) -> Result<Response, Problem> {
    let id = call.fields.hex_id(field)?.required()?;
    let command = FollowCommand {
        follower: call.member.party(),
        target: Target::new(kind, id),
        follow,
    };
    let done = call.run(app, FollowOrStop { command }).await?;
    Ok(envelope::done(app, &done, envelope::Nothing {}))
}

/// A time on the wire.
pub fn millis(at: chrono::DateTime<chrono::Utc>) -> i64 {
    at.timestamp_millis()
}
