//! Products of a company (`contract/zhugeleida.md` 3.19–3.21).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Page, Recording};
use super::cards::{or_default, usable};
use super::companies::run;
use super::envelope::{self, Answer, Nothing, Rows};
use super::params::{PageQuery, SignedQuery, UidQuery};
use super::{Problem, SURFACE, time};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::browsing::{ProductVisit, VisitProduct};
use crate::events::conversation::{Pair, Side};
use crate::projections::messages;
use crate::projections::products::{self, ProductItem};

const SINGLE: &str = "/zhugeleida/xiaochengxu/product/product_single/";
const FORWARD: &str = "/zhugeleida/xiaochengxu/mallManage/forward_product/";

/// Rows of a list whose page nobody asked for.
const UNPAGED: Page = Page {
    offset: 0,
    limit: 200,
};

/// Which product.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct ProductQuery {
    /// A product of the company of `uid`.
    product_id: i64,
}

/// One product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::OneProduct)]
pub struct OneProduct {
    /// The product.
    ret_data: [ProductData; 1],
    /// Unread chat messages from the enterprise user to the caller.
    chatinfo_count: i64,
    /// 1.
    data_count: i64,
}

/// A product with its page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Product)]
pub struct ProductData {
    /// Product id.
    #[schema(example = 10)]
    id: i64,
    /// Name.
    #[schema(example = "门票2")]
    name: String,
    /// Free text.
    #[schema(example = "280-1280")]
    price: String,
    /// Avatar of the enterprise user.
    user_avatar: String,
    /// Why it is recommended.
    reason: String,
    /// When it was first published; wall time in UTC+8.
    #[schema(example = "2018-07-21T11:24:03.761")]
    publisher_date: String,
    /// What its page shows.
    content: Content,
    /// The day it was first published, in UTC+8.
    #[schema(example = "2018-07-21")]
    create_date: String,
    /// `已发布` or `推荐`.
    #[schema(example = "已发布")]
    status: &'static str,
    /// 1 published, 3 recommended.
    status_code: i16,
}

/// A product as the list shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::ListedProduct)]
pub struct ListedProduct {
    /// Product id.
    #[schema(example = 10)]
    id: i64,
    /// When it was first published; wall time in UTC+8.
    #[schema(example = "2018-07-21T11:24:03.761")]
    publisher_date: String,
    /// What stands at the top of its page.
    content: Cover,
    /// Name.
    #[schema(example = "门票2")]
    name: String,
    /// Free text.
    #[schema(example = "280-1280")]
    price: String,
    /// Avatar of the enterprise user.
    user_avatar: String,
    /// Name of the enterprise user.
    username: String,
    /// Job title of the enterprise user.
    position: String,
    /// Why it is recommended.
    reason: String,
    /// The day it was first published, in UTC+8.
    #[schema(example = "2018-07-21")]
    create_date: String,
    /// `已发布` or `推荐`.
    #[schema(example = "已发布")]
    status: &'static str,
    /// 1 published, 3 recommended.
    status_code: i16,
}

/// What a product's page shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::ProductContent)]
pub struct Content {
    /// At its top.
    cover_data: Vec<Block>,
    /// Below.
    article_data: Vec<Block>,
}

/// What stands at the top of a product's page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::ProductCover)]
pub struct Cover {
    /// At its top.
    cover_data: Vec<Block>,
}

/// Pictures or texts that belong together.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = zhugeleida::ProductBlock)]
pub struct Block {
    /// `picture_url`, `title` or `content`.
    #[schema(example = "picture_url")]
    r#type: String,
    /// The texts, or the places of the pictures.
    data: Vec<String>,
}

/// One product (产品-查看单个产品)
#[utoipa::path(
    get, path = SINGLE, tag = SURFACE, operation_id = "zhugeleida_product_single",
    params(SignedQuery, UidQuery, ProductQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<OneProduct>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn single(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let visit = visit(&call, customer_id, ProductVisit::View)?;
    let done = run(&app, &call, customer_id, SINGLE, visit).await?;
    let found = products::one(app.reads(), visit.uid, visit.product_id).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    // The read tables were waited for; where they are late all the same, it is too early to ask.
    let product = found.ok_or_else(Problem::overloaded)?;
    let pair = Pair {
        uid: visit.uid,
        customer_id,
    };
    let unread = messages::unread(app.reads(), pair, Side::Customer).await;
    let data = OneProduct {
        ret_data: [product_data(product)?],
        chatinfo_count: unread.map_err(|error| Problem::query(&app, error))?,
        data_count: 1,
    };
    Ok((Stamp::of(&app, &done), envelope::data("查询成功", data)).into_response())
}

/// All products (产品-查看所有产品)
///
/// Those on the shelf of the company of `uid`, newest first; without a page all of them, at most 200.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/product/product_list/", tag = SURFACE,
    operation_id = "zhugeleida_product_list",
    params(SignedQuery, UidQuery, PageQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = Answer<Rows<ListedProduct>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    call.customer(&app).await?;
    let uid = call.uid()?;
    let page = if call.is_paged()? {
        call.page()?
    } else {
        UNPAGED
    };
    usable(&app, uid).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let found = products::page(app.reads(), uid, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let rows: Result<_, Problem> = found.items.into_iter().map(listed).collect();
    let rows = Rows {
        ret_data: rows?,
        data_count: found.total,
    };
    Ok((stamp, envelope::data("查询成功", rows)).into_response())
}

/// Record forwarding of a product (产品里-记录转发产品动作)
#[utoipa::path(
    get, path = FORWARD, tag = SURFACE, operation_id = "zhugeleida_forward_product",
    params(SignedQuery, UidQuery, ProductQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn forward(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let visit = visit(&call, customer_id, ProductVisit::Forward)?;
    let done = run(&app, &call, customer_id, FORWARD, visit).await?;
    let answer = envelope::success("记录转发产品成功");
    Ok((Stamp::of(&app, &done), answer).into_response())
}

fn visit(call: &Call, customer_id: i64, visit: ProductVisit) -> Result<VisitProduct, Problem> {
    Ok(VisitProduct {
        customer_id,
        uid: call.uid()?,
        product_id: call.number("product_id")?,
        visit,
    })
}

fn product_data(product: ProductItem) -> Result<ProductData, Problem> {
    Ok(ProductData {
        content: Content {
            cover_data: blocks(&product.cover_data)?,
            article_data: blocks(&product.article_data)?,
        },
        publisher_date: time::iso(product.published_at),
        create_date: time::day(product.published_at),
        status: status(product.status),
        status_code: product.status,
        id: product.id,
        name: product.name,
        price: product.price,
        user_avatar: or_default(product.user_avatar),
        reason: product.reason,
    })
}

fn listed(product: ProductItem) -> Result<ListedProduct, Problem> {
    Ok(ListedProduct {
        content: Cover {
            cover_data: blocks(&product.cover_data)?,
        },
        publisher_date: time::iso(product.published_at),
        create_date: time::day(product.published_at),
        status: status(product.status),
        status_code: product.status,
        id: product.id,
        name: product.name,
        price: product.price,
        user_avatar: or_default(product.user_avatar),
        username: product.username,
        position: product.position,
        reason: product.reason,
    })
}

fn blocks(json: &str) -> Result<Vec<Block>, Problem> {
    serde_json::from_str(json).map_err(Problem::fault)
}

fn status(code: i16) -> &'static str {
    match code {
        1 => "已发布",
        3 => "推荐",
        _ => "已下架",
    }
}
