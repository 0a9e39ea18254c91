//! Cloths of the design circle and of merchants (`contract/community.md` 3.16 … 3.19, 3.40 … 3.44). A cloth of the one is not
//! there for the functions of the other.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PAGE, PageParams, key, millis};
use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::commands::cloth::CollectCloth;
use crate::commands::reaction::Wish;
use crate::events::cloth::Collection;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::projections::catalogue::{self, Cloth, Merchant, MerchantCloth};

/// A cloth.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Cloth)]
pub struct ClothView {
    cloth_id: i64,
    #[schema(example = "服饰名称19")]
    name: String,
    /// The name of a picture.
    image: String,
    intro: String,
    /// In fen.
    #[schema(example = 2999)]
    price: i64,
    /// A code of the client's own, 0…99.
    dynasty: i16,
    /// Milliseconds since the epoch.
    created_at: i64,
}

impl From<Cloth> for ClothView {
    fn from(cloth: Cloth) -> Self {
        Self {
            cloth_id: cloth.id,
            name: cloth.name,
            image: cloth.image,
            intro: cloth.intro,
            price: cloth.price_fen,
            dynasty: cloth.dynasty,
            created_at: millis(cloth.created_at),
        }
    }
}

/// A cloth of the design circle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::DesignCloth)]
pub struct DesignClothView {
    #[serde(flatten)]
    cloth: ClothView,
    /// About who designed it.
    designer_intro: String,
    /// The caller collected it.
    is_collect: bool,
}

/// A merchant beside its cloth.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Merchant)]
pub struct MerchantView {
    merchant_id: String,
    #[schema(example = "商户9")]
    name: String,
    /// The name of a picture.
    logo: Option<String>,
    intro: String,
    address: String,
    /// The caller follows it.
    is_follow: bool,
    /// Members that follow it; only in a cloth's detail.
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_count: Option<i64>,
}

impl MerchantView {
    fn new(merchant: Merchant, counted: bool) -> Self {
        Self {
            merchant_id: merchant.id,
            name: merchant.name,
            logo: merchant.logo,
            intro: merchant.intro,
            address: merchant.address,
            is_follow: merchant.is_follow,
            follow_count: counted.then_some(merchant.follow_count),
        }
    }
}

/// A cloth with its merchant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MerchantCloth)]
pub struct MerchantClothView {
    #[serde(flatten)]
    cloth: ClothView,
    /// The caller collected it.
    is_collect: bool,
    merchant: MerchantView,
}

impl MerchantClothView {
    fn new(found: MerchantCloth, counted: bool) -> Self {
        Self {
            cloth: found.cloth.into(),
            is_collect: found.is_collect,
            merchant: MerchantView::new(found.merchant, counted),
        }
    }
}

/// Which cloth.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::ClothId)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct ClothId {
    /// Cloth id.
    #[schema(minimum = 1, example = 20)]
    #[param(minimum = 1, example = 20)]
    cloth_id: i64,
}

/// Cloths of the design circle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::DesignClothList)]
pub struct DesignClothList {
    design_circle_cloth_list: Vec<ClothView>,
}

/// Design circle cloths (读设计圈服饰列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/design_circle_cloth_list", tag = SURFACE, operation_id = "community_design_circle_cloth_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<DesignClothList>)),
)]
pub async fn design_list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let cloths = catalogue::design_cloths(app.reads(), page.offset, page.limit).await;
    let cloths = cloths.map_err(|error| Problem::query(&app, error))?;
    let design_circle_cloth_list = cloths.into_iter().map(ClothView::from).collect();
    Ok(envelope::found(
        stamp,
        DesignClothList {
            design_circle_cloth_list,
        },
    ))
}

/// A cloth of the design circle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::DesignClothDetail)]
pub struct DesignClothDetail {
    design_circle_cloth_detail: DesignClothView,
}

/// Design circle cloth detail (读设计圈服饰详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/design_circle_cloth_detail", tag = SURFACE, operation_id = "community_design_circle_cloth_detail",
    request_body = ClothId, params(ClothId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<DesignClothDetail>)),
)]
pub async fn design_detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.id("cloth_id")?.required()?;
    let cloth = catalogue::design_cloth(app.reads(), &call.member.uid, id).await;
    let cloth = cloth.map_err(|error| Problem::query(&app, error))?;
    let cloth = cloth.ok_or_else(Problem::not_found)?;
    let design_circle_cloth_detail = DesignClothView {
        cloth: cloth.cloth.into(),
        designer_intro: cloth.designer_intro,
        is_collect: cloth.is_collect,
    };
    Ok(envelope::found(
        stamp,
        DesignClothDetail {
            design_circle_cloth_detail,
        },
    ))
}

/// Collect a design circle cloth (对设计圈服饰收藏)
#[utoipa::path(
    post, path = "/community/api/v1/design_circle_cloth_collect", tag = SURFACE, operation_id = "community_design_circle_cloth_collect",
    request_body = ClothId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn design_collect(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    collect(&app, &call, Collection::Design, Wish::Add(None)).await
}

/// Remove a design circle cloth from the collection (对设计圈服饰取消收藏)
#[utoipa::path(
    post, path = "/community/api/v1/design_circle_cloth_uncollect", tag = SURFACE, operation_id = "community_design_circle_cloth_uncollect",
    request_body = ClothId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn design_uncollect(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    collect(&app, &call, Collection::Design, Wish::Remove).await
}

/// Collect a merchant cloth (对商家服饰收藏)
#[utoipa::path(
    post, path = "/community/api/v1/merchant_cloth_collect", tag = SURFACE, operation_id = "community_merchant_cloth_collect",
    request_body = ClothId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn merchant_collect(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    collect(&app, &call, Collection::Merchant, Wish::Add(None)).await
}

/// Remove a merchant cloth from the collection (对商家服饰取消收藏)
#[utoipa::path(
    post, path = "/community/api/v1/merchant_cloth_uncollect", tag = SURFACE, operation_id = "community_merchant_cloth_uncollect",
    request_body = ClothId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn merchant_uncollect(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    collect(&app, &call, Collection::Merchant, Wish::Remove).await
}

async fn collect(
    app: &App,
    call: &MemberCall,
    collection: Collection,
    wish: Wish,
) -> Result<Response, Problem> {
    let target = Target::new(TargetKind::Cloth, call.fields.id("cloth_id")?.required()?);
    let collect = CollectCloth {
        key: key(call, ReactionKind::Collect, target),
        wish,
        collection,
    };
    let done = call.run(app, collect).await?;
    Ok(envelope::done(app, &done, Nothing {}))
}

/// Cloths of merchants.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MerchantClothList)]
pub struct MerchantClothList {
    merchant_cloth_list: Vec<MerchantClothView>,
}

/// Merchant cloths (读商家服饰列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/merchant_cloth_list", tag = SURFACE, operation_id = "community_merchant_cloth_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MerchantClothList>)),
)]
pub async fn merchant_list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    of_merchants(&app, &call, false).await
}

/// Recommended merchant cloths (系统推荐商家服饰列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/merchant_cloth_recommend_list", tag = SURFACE, operation_id = "community_merchant_cloth_recommend_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MerchantClothList>)),
)]
pub async fn merchant_recommend_list(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    of_merchants(&app, &call, true).await
}

async fn of_merchants(
    app: &App,
    call: &MemberCall,
    only_recommended: bool,
) -> Result<Response, Problem> {
    let stamp = call.as_of(app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let cloths =
        catalogue::merchant_cloths(app.reads(), uid, only_recommended, page.offset, page.limit)
            .await
            .map_err(|error| Problem::query(app, error))?;
    let view = |cloth| MerchantClothView::new(cloth, false);
    let merchant_cloth_list = cloths.into_iter().map(view).collect();
    Ok(envelope::found(
        stamp,
        MerchantClothList {
            merchant_cloth_list,
        },
    ))
}

/// A cloth with its merchant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MerchantClothDetail)]
pub struct MerchantClothDetail {
    merchant_cloth_detail: MerchantClothView,
}

/// Merchant cloth detail (读商家服饰详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/merchant_cloth_detail", tag = SURFACE, operation_id = "community_merchant_cloth_detail",
    request_body = ClothId, params(ClothId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<MerchantClothDetail>)),
)]
pub async fn merchant_detail(
    State(app): State<App>,
    call: MemberCall,
) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.id("cloth_id")?.required()?;
    let cloth = catalogue::merchant_cloth(app.reads(), &call.member.uid, id).await;
    let cloth = cloth.map_err(|error| Problem::query(&app, error))?;
    let cloth = cloth.ok_or_else(Problem::not_found)?;
    let merchant_cloth_detail = MerchantClothView::new(cloth, true);
    Ok(envelope::found(
        stamp,
        MerchantClothDetail {
            merchant_cloth_detail,
        },
    ))
}
