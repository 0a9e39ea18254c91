//! Members following members (`contract/community.md` 3.50, 3.55, 3.85 and 3.91). Following masters and merchants is the
//! same command with another target.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::MemberCall;
use super::envelope::{self, Answer, Nothing};
use super::members::PublicMemberData;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::commands::follow::{FollowCommand, FollowOrStop};
use crate::events::party::{Target, TargetKind};
use crate::projections::follows;

/// Rows on a page that nobody sized.
const PAGE: i64 = 100;

/// Which part of a list.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::PageRequest)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct PageRequest {
    /// Rows on the page; more than 100 count as 100.
    #[param(minimum = 1, default = 100)]
    #[schema(minimum = 1, default = 100)]
    limit: Option<i64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Whom to follow, or to stop following.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::FollowRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct FollowRequest {
    /// 32 hex characters; not the caller.
    to_uid: String,
}

/// Follow a user (关注用户)
#[utoipa::path(
    post, path = "/community/api/v1/user_follow", tag = SURFACE, operation_id = "community_user_follow",
    request_body = FollowRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<Nothing>)),
)]
pub async fn follow(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let target = user(&call)?;
    follow_or_stop(&app, &call, target, true).await
}

/// Stop following a user (取消关注用户)
#[utoipa::path(
    post, path = "/community/api/v1/user_unfollow", tag = SURFACE, operation_id = "community_user_unfollow",
    request_body = FollowRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<Nothing>)),
)]
pub async fn unfollow(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let target = user(&call)?;
    follow_or_stop(&app, &call, target, false).await
}

fn user(call: &MemberCall) -> Result<Target, Problem> {
    let to_uid = call.fields.hex_id("to_uid")?;
    let to_uid = to_uid.check(|uid| *uid != call.member.uid)?.required()?;
    Ok(Target::new(TargetKind::User, to_uid))
}

/// The caller follows a target from here on, or no longer.
pub(super) async fn follow_or_stop(
    app: &App,
    call: &MemberCall,
    target: Target,
    follow: bool,
) -> Result<Response, Problem> {
    let command = FollowCommand {
        follower: call.member.party(),
        target,
        follow,
    };
    let done = call.run(app, FollowOrStop { command }).await?;
    Ok(envelope::done(app, &done, Nothing {}))
}

/// Members, the latest follower first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyFollower)]
pub struct MyFollower {
    my_follower: Vec<PublicMemberData>,
}

/// My followers (我的粉丝)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_follower", tag = SURFACE, operation_id = "community_my_follower",
    params(PageRequest), request_body = PageRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyFollower>)),
)]
pub async fn followers(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(PAGE)?;
    let stamp = call.as_of(&app).await?;
    let uid = &call.member.uid;
    let found = follows::followers_of(app.reads(), uid, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let my_follower = found.into_iter().map(PublicMemberData::from).collect();
    Ok(envelope::found(stamp, MyFollower { my_follower }))
}

/// Members, the latest followed first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyFollowingUsers)]
pub struct MyFollowingUsers {
    my_following_users: Vec<PublicMemberData>,
}

/// Users I follow (我关注的用户)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_following_users", tag = SURFACE,
    operation_id = "community_my_following_users",
    params(PageRequest), request_body = PageRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyFollowingUsers>)),
)]
pub async fn following(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(PAGE)?;
    let stamp = call.as_of(&app).await?;
    let uid = &call.member.uid;
    let found = follows::followed_by(app.reads(), uid, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let my_following_users = found.into_iter().map(PublicMemberData::from).collect();
    Ok(envelope::found(
        stamp,
        MyFollowingUsers { my_following_users },
    ))
}
