//! Merchants: following them (`contract/community.md` 3.45, 3.46, 3.54). They are read with their cloths.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PAGE, PageParams, millis};
use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::events::party::TargetKind;
use crate::projections::catalogue::{self, MerchantCard};

/// A merchant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MerchantCard)]
pub struct MerchantCardView {
    merchant_id: String,
    #[schema(example = "商户9")]
    name: String,
    /// The name of a picture.
    logo: Option<String>,
    intro: String,
    address: String,
    phone: Option<String>,
    email: Option<String>,
    /// Milliseconds since the epoch.
    created_at: i64,
}

impl From<MerchantCard> for MerchantCardView {
    fn from(card: MerchantCard) -> Self {
        Self {
            merchant_id: card.id,
            name: card.name,
            logo: card.logo,
            intro: card.intro,
            address: card.address,
            phone: card.phone,
            email: card.email,
            created_at: millis(card.created_at),
        }
    }
}

/// Which merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MerchantId)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct MerchantId {
    /// Merchant id.
    #[schema(example = "f10e8d4f1e7f44598cec660bce874490")]
    merchant_id: String,
}

/// Follow a merchant (关注商家)
#[utoipa::path(
    post, path = "/community/api/v1/merchant_follow", tag = SURFACE, operation_id = "community_merchant_follow",
    request_body = MerchantId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn follow(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::follow(&app, &call, TargetKind::Merchant, "merchant_id", true).await
}

/// Unfollow a merchant (取消关注商家)
#[utoipa::path(
    post, path = "/community/api/v1/merchant_unfollow", tag = SURFACE, operation_id = "community_merchant_unfollow",
    request_body = MerchantId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn unfollow(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::follow(&app, &call, TargetKind::Merchant, "merchant_id", false).await
}

/// Merchants that the caller follows, followed last first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyFollowingMerchants)]
pub struct MyFollowingMerchants {
    my_following_merchants: Vec<MerchantCardView>,
}

/// Merchants I follow (我关注的商家)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_following_merchants", tag = SURFACE, operation_id = "community_my_following_merchants",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyFollowingMerchants>)),
)]
pub async fn following(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let merchants = catalogue::followed_merchants(app.reads(), uid, page.offset, page.limit).await;
    let merchants = merchants.map_err(|error| Problem::query(&app, error))?;
    let my_following_merchants = merchants.into_iter().map(MerchantCardView::from).collect();
    Ok(envelope::found(
        stamp,
        MyFollowingMerchants {
            my_following_merchants,
        },
    ))
}
