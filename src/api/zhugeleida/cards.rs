//! Business cards (`contract/zhugeleida.md` 3.10, 3.11).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Page, Recording};
use super::card_log::{CardQuery, record};
use super::envelope::{self, Answer, Rows};
use super::{Problem, SURFACE, time};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::card::{CardVisit, ReactToCard};
use crate::events::customer::Source;
use crate::events::reaction::ReactionKind;
use crate::events::{Card, Reaction};
use crate::projections::cards::{self, BoundCard, CardDetail};

const MINGPIAN: &str = "/zhugeleida/xiaochengxu/mingpian";

/// Whoever has no picture.
pub const DEFAULT_AVATAR: &str = "statics/imgs/setAvator.jpg";

/// Rows of a list whose page nobody asked for.
const UNPAGED: Page = Page {
    offset: 0,
    limit: 200,
};

/// A card as a visitor sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Card)]
pub struct CardData {
    /// Enterprise user id.
    #[schema(example = 1)]
    id: i64,
    /// User name.
    #[schema(example = "张聪")]
    username: String,
    /// User avatar.
    avatar: String,
    /// Avatar on the card.
    mingpian_avatar: String,
    /// Company name.
    company: String,
    /// Company address.
    address: String,
    /// Job title.
    position: String,
    /// Empty when unset.
    email: String,
    /// WeChat id, empty when unset.
    wechat: String,
    /// Phone shown on the card.
    mingpian_phone: String,
    /// Wall time in UTC+8.
    #[schema(example = "2018-06-01T22:09:20.000")]
    create_date: String,
    /// Views, this one included.
    popularity_num: i64,
    /// Praises.
    praise_num: i64,
    /// Forwards.
    forward_num: i64,
    /// Whether the caller praises the card.
    is_praise: bool,
    /// Signature text.
    sign: String,
    /// Whether the caller likes the signature.
    is_sign: bool,
    /// Likes of the signature.
    sign_num: i64,
    /// Photos, by id.
    photo: Vec<Photo>,
}

/// A photo on a card.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Photo)]
pub struct Photo {
    /// Its id within the card.
    #[schema(example = 4)]
    id: i64,
    /// Where it is.
    photo_url: String,
}

/// An enterprise user the caller is bound to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::BoundCard)]
pub struct BoundCardData {
    /// Enterprise user id.
    id: i64,
    /// User name.
    username: String,
    /// How the caller was bound: `扫码` or `转发`.
    #[schema(example = "扫码")]
    source: &'static str,
    /// User avatar.
    avatar: String,
    /// Company name.
    company: String,
    /// Job title.
    position: String,
    /// Empty when unset.
    email: String,
    /// Phone shown on the card.
    mingpian_phone: String,
    /// Of the card; wall time in UTC+8.
    #[schema(example = "2018-06-01T22:09:20.000")]
    create_date: String,
}

/// Who signed, and which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct AllQuery {
    /// The caller.
    user_id: i64,
    /// Unix time in milliseconds, as text.
    #[param(example = "1528871213546")]
    timestamp: String,
    /// `md5_hex(timestamp + token)`.
    #[param(example = "3eb2d45dd640c392d2cfa6f9e9b70aa9")]
    rand_str: String,
    /// Page number from 1; 0 counts as 1. Without this and `length` all rows, at most 200.
    #[param(minimum = 0)]
    current_page: Option<i64>,
    /// Rows on a page; more than 100 count as 100.
    #[param(minimum = 1)]
    length: Option<i64>,
}

/// Show a card and log the visit (显示单个用户的信息 并记录【访问名片】日志信息)
#[utoipa::path(
    get, path = MINGPIAN, tag = SURFACE, operation_id = "zhugeleida_mingpian",
    params(CardQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<Rows<CardData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn mingpian(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, done) = record(&app, &call, CardVisit::View, MINGPIAN).await?;
    let uid = call.uid()?;
    let (card, is_praise, is_sign) = tokio::try_join!(
        shown(&app, uid),
        stands(&app, customer_id, ReactionKind::Praise, uid),
        stands(&app, customer_id, ReactionKind::Sign, uid),
    )?;
    let rows = Rows {
        ret_data: vec![card_data(card, is_praise, is_sign)],
        data_count: 1,
    };
    Ok((Stamp::of(&app, &done), envelope::data("查询成功", rows)).into_response())
}

/// All enterprise users of the customer (显示所有的企业微信用户)
///
/// Those the caller is bound to; disabled ones are left out. Newest card first.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/mingpian/all", tag = SURFACE, operation_id = "zhugeleida_mingpian_all",
    params(AllQuery),
    responses((status = 200, description = "Codes: 200, 301, 303, 306, 404", body = Answer<Rows<BoundCardData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn all(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let page = if call.is_paged()? {
        call.page()?
    } else {
        UNPAGED
    };
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let found = cards::of_customer(app.reads(), customer_id, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let rows = Rows {
        ret_data: found.cards.into_iter().map(bound_card_data).collect(),
        data_count: found.total,
    };
    Ok((stamp, envelope::data("查询成功", rows)).into_response())
}

/// A card that the ledger knows, as the read tables show it. They are waited for; where they are late all the same, it is
/// too early to ask.
pub async fn shown(app: &App, uid: i64) -> Result<CardDetail, Problem> {
    let found = cards::by_uid(app.reads(), uid).await;
    let found = found.map_err(|error| Problem::query(app, error))?;
    found.ok_or_else(Problem::overloaded)
}

/// Whether a card may be used, for queries; commands find out for themselves.
pub async fn usable(app: &App, uid: i64) -> Result<(), Problem> {
    let found = app.ledger().current::<Card>(&uid.to_string()).await?;
    match found.state.created() {
        None => Err(Problem::no_such_id()),
        Some(card) if !card.enabled => Err(Problem::disabled()),
        Some(_) => Ok(()),
    }
}

/// Whether a customer's reaction to a card stands: one stream each, mostly in memory.
async fn stands(
    app: &App,
    customer_id: i64,
    kind: ReactionKind,
    uid: i64,
) -> Result<bool, Problem> {
    let key = ReactToCard::key(customer_id, kind, uid).to_string();
    let found = app.ledger().current::<Reaction>(&key).await?;
    Ok(*found.state != Reaction::Absent)
}

fn card_data(card: CardDetail, is_praise: bool, is_sign: bool) -> CardData {
    let avatar = or_default(card.avatar);
    CardData {
        id: card.uid,
        username: card.username,
        mingpian_avatar: Some(card.mingpian_avatar)
            .filter(|own| !own.is_empty())
            .unwrap_or_else(|| avatar.clone()),
        avatar,
        company: card.company,
        address: card.address,
        position: card.position,
        email: card.email,
        wechat: card.wechat,
        mingpian_phone: card.mingpian_phone,
        create_date: time::iso(card.created_at),
        popularity_num: card.popularity_num,
        praise_num: card.praise_num,
        forward_num: card.forward_num,
        is_praise,
        sign: card.sign,
        is_sign,
        sign_num: card.sign_num,
        photo: card
            .photos
            .into_iter()
            .map(|photo| Photo {
                id: photo.photo_id,
                photo_url: photo.photo_url,
            })
            .collect(),
    }
}

fn bound_card_data(card: BoundCard) -> BoundCardData {
    BoundCardData {
        id: card.uid,
        username: card.username,
        source: match Source::from_number(card.source) {
            Some(Source::Forward) => "转发",
            Some(Source::Scan) | None => "扫码",
        },
        avatar: or_default(card.avatar),
        company: card.company,
        position: card.position,
        email: card.email,
        mingpian_phone: card.mingpian_phone,
        create_date: time::iso(card.created_at),
    }
}

/// A picture of somebody, be there one or not.
pub fn or_default(avatar: String) -> String {
    if avatar.is_empty() {
        DEFAULT_AVATAR.to_owned()
    } else {
        avatar
    }
}
