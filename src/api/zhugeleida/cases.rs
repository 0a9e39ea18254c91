//! A company's case library (`contract/zhugeleida.md` 3.28, 3.35, 3.37, 3.38).

use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Recording};
use super::companies::{case_of, company, run, tag_of};
use super::diaries::{cover_show_type_text, status_text};
use super::envelope::{self, Answer, NotedAnswer, Nothing, Rows};
use super::params::{CompanyQuery, PageQuery, SignedQuery};
use super::tags::TagData;
use super::{Problem, SURFACE, time};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::browsing::{BrowseCases, ReactInLibrary};
use crate::commands::reaction::Wish;
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::projections::cases::{self, CaseItem, CasePage, LastDiary};

const LIST: &str = "/zhugeleida/xiaochengxu/case_manage/case_list";
const COLLECT: &str = "/zhugeleida/xiaochengxu/case_manage/collection_case";

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct CasesQuery {
    /// This case only; it enters the caller's browsing history.
    case_id: Option<i64>,
    /// Cases that carry this tag; the first page enters the caller's history of searches.
    search_tag_id: Option<i64>,
}

/// What to collect.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct CollectQuery {
    /// A case of the company; in the query or in the body.
    case_id: i64,
    /// 1 collected, 0 not collected; in the query or in the body.
    #[param(minimum = 0, maximum = 1, default = 1)]
    status: Option<i64>,
}

/// A case with its last change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::ListedCase)]
pub struct ListedCase {
    #[serde(flatten)]
    case: CaseData,
    /// Last edit, tagging or publication of the case or of one of its diaries; UTC+8.
    #[schema(example = "2019-01-28 14:38:15")]
    update_date: String,
}

/// A case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Case)]
pub struct CaseData {
    /// Case id.
    #[schema(example = 1)]
    case_id: i64,
    /// Whose it is.
    #[schema(example = 1)]
    company_id: i64,
    /// Name of the person in the case.
    #[schema(example = "李汉杰-就是我，不一样的暗火")]
    customer_name: String,
    /// Picture of that person.
    headimgurl: String,
    /// JSON text, as it was stored.
    #[schema(example = "{}")]
    cover_picture: String,
    /// 1 published.
    #[schema(example = 1)]
    status: i16,
    /// `已发`.
    #[schema(example = "已发")]
    status_text: &'static str,
    /// By id.
    tag_list: Vec<TagData>,
    /// The published diary of the latest day; `{}` when there is none.
    last_diary_data: LastDiaryData,
    /// When it was made; in the caller's own lists, when it was looked at or collected; UTC+8.
    #[schema(example = "2019-01-25 15:35:29")]
    create_date: String,
}

/// The last diary of a case, or `{}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::LastDiary)]
#[serde(untagged)]
pub enum LastDiaryData {
    /// It has one.
    Diary(Box<LastDiaryPage>),
    /// It has none.
    None(Nothing),
}

/// The last diary of a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::LastDiaryPage)]
pub struct LastDiaryPage {
    /// Diary id.
    diary_id: i64,
    /// The case.
    case_id: i64,
    /// Whose case that is.
    company_id: i64,
    /// Title.
    #[schema(example = "我的美白日记1")]
    title: String,
    /// The day it tells of, UTC+8.
    #[schema(example = "2019-01-28 13:50:00")]
    diary_date: String,
    /// JSON text, as it was stored.
    cover_picture: String,
    /// JSON text, as it was stored.
    content: String,
    /// 1 published.
    status: i16,
    /// `已发`.
    status_text: &'static str,
    /// 1 pictures only, 2 video only.
    cover_show_type: i16,
    /// `只展示图片` or `只展示视频`.
    cover_show_type_text: &'static str,
    /// When it was made, UTC+8.
    #[schema(example = "2019-01-28 14:03:11")]
    create_date: String,
}

/// Case library: list, single, by tag (案例库_列表展示(分页) | 单个展示 | 根据标签搜索相关案例)
///
/// Published cases of the company, the last changed first.
#[utoipa::path(
    get, path = LIST, tag = SURFACE, operation_id = "zhugeleida_cases",
    params(SignedQuery, CompanyQuery, CasesQuery, PageQuery),
    responses(
        (status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = NotedAnswer<Rows<ListedCase>>)
    ),
    security(("zhugeleida_signature" = [])),
)]
pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let optional = |field| Ok::<_, Problem>(call.params.quoted_int(field)?.optional());
    let (case_id, tag_id) = (optional("case_id")?, optional("search_tag_id")?);
    let page = call.page()?;
    let company_id = company(&app, &call).await?;
    let counts_search = page.offset == 0;
    let stamp = if case_id.is_some() || (tag_id.is_some() && counts_search) {
        if call.incoming.method == Method::HEAD {
            return Err(Problem::wrong_method());
        }
        let browse = BrowseCases {
            customer_id,
            company_id,
            case_id,
            tag_id,
            counts_search,
        };
        let done = run(&app, &call, customer_id, LIST, browse).await?;
        Stamp::of(&app, &done)
    } else {
        if let Some(tag_id) = tag_id {
            tag_of(&app, company_id, tag_id).await?;
        }
        Stamp::as_of(&app, &call.incoming).await?
    };
    let (offset, limit) = (page.offset, page.limit);
    let found = match (case_id, tag_id) {
        (Some(case_id), tag_id) => cases::one(app.reads(), company_id, case_id, tag_id).await,
        (None, Some(tag_id)) => cases::by_tag(app.reads(), company_id, tag_id, offset, limit).await,
        (None, None) => cases::library(app.reads(), company_id, offset, limit).await,
    };
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let rows = Rows {
        ret_data: found.items.into_iter().map(listed).collect(),
        data_count: found.total,
    };
    Ok((stamp, envelope::noted("查询成功", rows)).into_response())
}

/// Collect a case (收藏某个案例)
///
/// Sets a state, so it may be repeated.
#[utoipa::path(
    post, path = COLLECT, tag = SURFACE, operation_id = "zhugeleida_collect_case",
    params(SignedQuery, CompanyQuery, CollectQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404, 409", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn collect(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let (company_id, case_id) = (call.number("company_id")?, call.number("case_id")?);
    let status = call.choice("status", |status| match status {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })?;
    let wish = if status.or(true) {
        Wish::Add(None)
    } else {
        Wish::Remove
    };
    case_of(&app, company_id, case_id).await?;
    let react = ReactInLibrary {
        key: ReactionKey {
            actor: Party::new(PartyKind::Customer, customer_id),
            kind: ReactionKind::Collect,
            target: Target::new(TargetKind::Case, case_id),
        },
        wish,
        at: app.now(),
    };
    let done = run(&app, &call, customer_id, COLLECT, react).await?;
    let msg = if done.outcome.stands {
        "收藏成功"
    } else {
        "取消收藏成功"
    };
    Ok((Stamp::of(&app, &done), envelope::success(msg)).into_response())
}

/// My browsing history (我的足迹 - 浏览记录)
///
/// One row for each time a case was opened, the last first.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/case_manage/browse_case_list_record", tag = SURFACE,
    operation_id = "zhugeleida_browsed_cases",
    params(SignedQuery, CompanyQuery, PageQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = NotedAnswer<Rows<CaseData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn browsed(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let page = call.page()?;
    let company_id = company(&app, &call).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let (offset, limit) = (page.offset, page.limit);
    let found = cases::browsed_by(app.reads(), customer_id, company_id, offset, limit).await;
    own(&app, stamp, found)
}

/// My collected cases (我的收藏 - 案例列表)
///
/// Each once, the last collected first.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/case_manage/collection_case_list_record", tag = SURFACE,
    operation_id = "zhugeleida_collected_cases",
    params(SignedQuery, CompanyQuery, PageQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = NotedAnswer<Rows<CaseData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn collected(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let page = call.page()?;
    let company_id = company(&app, &call).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let (offset, limit) = (page.offset, page.limit);
    let found = cases::collected_by(app.reads(), customer_id, company_id, offset, limit).await;
    own(&app, stamp, found)
}

/// A list of the caller's own.
fn own(app: &App, stamp: Stamp, found: sqlx::Result<CasePage>) -> Result<Response, Problem> {
    let found = found.map_err(|error| Problem::query(app, error))?;
    let data = |case: CaseItem| {
        let at = time::second(case.at);
        case_data(case, at)
    };
    let rows = Rows {
        ret_data: found.items.into_iter().map(data).collect(),
        data_count: found.total,
    };
    Ok((stamp, envelope::noted("查询成功", rows)).into_response())
}

fn listed(case: CaseItem) -> ListedCase {
    let (update_date, create_date) = (time::second(case.at), time::second(case.created_at));
    ListedCase {
        case: case_data(case, create_date),
        update_date,
    }
}

fn case_data(case: CaseItem, create_date: String) -> CaseData {
    let (case_id, company_id) = (case.case_id, case.company_id);
    CaseData {
        case_id,
        company_id,
        customer_name: case.customer_name,
        headimgurl: case.headimgurl,
        cover_picture: case.cover_picture,
        status: case.status,
        status_text: status_text(case.status),
        tag_list: case.tags.into_iter().map(TagData::from).collect(),
        last_diary_data: match case.last_diary {
            Some(diary) => LastDiaryData::Diary(Box::new(last_diary(case_id, company_id, diary))),
            None => LastDiaryData::None(Nothing {}),
        },
        create_date,
    }
}

fn last_diary(case_id: i64, company_id: i64, diary: LastDiary) -> LastDiaryPage {
    LastDiaryPage {
        diary_id: diary.diary_id,
        case_id,
        company_id,
        title: diary.title,
        diary_date: time::second(diary.diary_date),
        cover_picture: diary.cover_picture,
        content: diary.content,
        status: diary.status,
        status_text: status_text(diary.status),
        cover_show_type: diary.cover_show_type,
        cover_show_type_text: cover_show_type_text(diary.cover_show_type),
        create_date: time::second(diary.created_at),
    }
}
