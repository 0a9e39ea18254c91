//! Masters: reading them and following them (`contract/community.md` 3.35 … 3.39, 3.51).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PAGE, PageParams, millis};
use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::events::party::TargetKind;
use crate::projections::catalogue::{self, Listed, MasterCard};

/// A master.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::MasterCard)]
pub struct MasterCardView {
    master_id: String,
    #[schema(example = "达人0")]
    name: String,
    /// The name of a picture.
    avatar: Option<String>,
    intro: String,
    address: String,
    /// `YYYY-MM-DD`.
    #[schema(example = "1990-01-01")]
    birthday: Option<String>,
    /// Milliseconds since the epoch.
    created_at: i64,
}

impl From<MasterCard> for MasterCardView {
    fn from(card: MasterCard) -> Self {
        Self {
            master_id: card.id,
            name: card.name,
            avatar: card.avatar,
            intro: card.intro,
            address: card.address,
            birthday: card.birthday.map(|day| day.format("%Y-%m-%d").to_string()),
            created_at: millis(card.created_at),
        }
    }
}

/// A master as the caller sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::MasterWithFollow)]
pub struct MasterWithFollow {
    #[serde(flatten)]
    card: MasterCardView,
    /// The caller follows it.
    is_follow: bool,
}

impl From<Listed> for MasterWithFollow {
    fn from(listed: Listed) -> Self {
        Self {
            card: listed.card.into(),
            is_follow: listed.is_follow,
        }
    }
}

/// A master with what is counted of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MasterCounted)]
pub struct MasterCounted {
    #[serde(flatten)]
    master: MasterWithFollow,
    /// Members that the linked member follows.
    follow_count: i64,
    /// Articles of the linked member.
    article_count: i64,
    /// Members that follow the master.
    follower_count: i64,
}

/// A master in a list, in the words of members and in its own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MasterListItem)]
pub struct MasterListItem {
    /// The same as `master_id`.
    uid: String,
    /// The same as `name`.
    nickname: String,
    /// The name of a picture.
    avatar: Option<String>,
    intro: String,
    /// The caller follows it; not among recommended masters.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_follow: Option<bool>,
    /// Milliseconds since the epoch.
    created_at: i64,
    master_id: String,
    name: String,
}

impl MasterListItem {
    fn new(listed: Listed, with_follow: bool) -> Self {
        let card = listed.card;
        Self {
            uid: card.id.clone(),
            nickname: card.name.clone(),
            avatar: card.avatar,
            intro: card.intro,
            is_follow: with_follow.then_some(listed.is_follow),
            created_at: millis(card.created_at),
            master_id: card.id,
            name: card.name,
        }
    }
}

/// Which master.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::MasterId)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct MasterId {
    /// Master id.
    #[schema(example = "bcedd63f179848a8bdc4ab4126b8119d")]
    #[param(example = "bcedd63f179848a8bdc4ab4126b8119d")]
    master_id: String,
}

/// A master.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MasterDetail)]
pub struct MasterDetail {
    master_detail: MasterCounted,
}

/// Master detail (达人详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/master_detail", tag = SURFACE, operation_id = "community_master_detail",
    request_body = MasterId, params(MasterId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<MasterDetail>)),
)]
pub async fn detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.hex_id("master_id")?.required()?;
    let master = catalogue::master(app.reads(), &call.member.uid, &id).await;
    let master = master.map_err(|error| Problem::query(&app, error))?;
    let master = master.ok_or_else(Problem::not_found)?;
    let master_detail = MasterCounted {
        master: master.listed.into(),
        follow_count: master.follow_count,
        article_count: master.article_count,
        follower_count: master.follower_count,
    };
    Ok(envelope::found(stamp, MasterDetail { master_detail }))
}

/// Masters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MasterList)]
pub struct MasterList {
    master_list: Vec<MasterListItem>,
}

/// Masters (达人列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/master_list", tag = SURFACE, operation_id = "community_master_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MasterList>)),
)]
pub async fn list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    masters(&app, &call, false).await
}

/// Recommended masters (推荐达人列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/master_recommend_list", tag = SURFACE, operation_id = "community_master_recommend_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MasterList>)),
)]
pub async fn recommend_list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    masters(&app, &call, true).await
}

/// Recommended masters are listed without the caller's follows, as documented.
async fn masters(
    app: &App,
    call: &MemberCall,
    only_recommended: bool,
) -> Result<Response, Problem> {
    let stamp = call.as_of(app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let masters = catalogue::masters(app.reads(), uid, only_recommended, page.offset, page.limit)
        .await
        .map_err(|error| Problem::query(app, error))?;
    let item = |listed| MasterListItem::new(listed, !only_recommended);
    let master_list = masters.into_iter().map(item).collect();
    Ok(envelope::found(stamp, MasterList { master_list }))
}

/// Follow a master (关注用户)
#[utoipa::path(
    post, path = "/community/api/v1/master_follow", tag = SURFACE, operation_id = "community_master_follow",
    request_body = MasterId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn follow(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::follow(&app, &call, TargetKind::Master, "master_id", true).await
}

/// Unfollow a master (取消关注用户)
#[utoipa::path(
    post, path = "/community/api/v1/master_unfollow", tag = SURFACE, operation_id = "community_master_unfollow",
    request_body = MasterId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn unfollow(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::follow(&app, &call, TargetKind::Master, "master_id", false).await
}

/// Masters that the caller follows, followed last first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyFollowingMasters)]
pub struct MyFollowingMasters {
    my_following_masters: Vec<MasterCardView>,
}

/// Masters I follow (我关注的达人)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_following_masters", tag = SURFACE, operation_id = "community_my_following_masters",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyFollowingMasters>)),
)]
pub async fn following(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let masters = catalogue::followed_masters(app.reads(), uid, page.offset, page.limit).await;
    let masters = masters.map_err(|error| Problem::query(&app, error))?;
    let my_following_masters = masters.into_iter().map(MasterCardView::from).collect();
    Ok(envelope::found(
        stamp,
        MyFollowingMasters {
            my_following_masters,
        },
    ))
}
