//! Diaries of cases, what customers say of them and whether they praise them (`contract/zhugeleida.md` 3.32–3.34, 3.36).

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Recording};
use super::cards::or_default;
use super::companies::{case_shown, company, diary_of, diary_shown, run};
use super::envelope::{self, Answer, NotedAnswer, Nothing, Rows};
use super::params::{CompanyQuery, OptionalCompanyQuery, PageQuery, SignedQuery};
use super::{Problem, SURFACE, time, toggle};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::browsing::{ReactInLibrary, ReadDiary};
use crate::commands::comment::{CommentError, PublishComment};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::projections::diaries::{self, DiariesWanted, DiaryComment, DiaryItem};

const LIST: &str = "/zhugeleida/admin/diary_manage/diary_list";
const ALIAS: &str = "/zhugeleida/xiaochengxu/diary_manage/diary_list";
const REVIEW: &str = "/zhugeleida/xiaochengxu/diary_manage/review_diary/{id}";
const PRAISE: &str = "/zhugeleida/xiaochengxu/diary_manage/praise_diary/{id}";

/// Which diaries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct DiariesQuery {
    /// This diary only; reading it counts.
    diary_id: Option<i64>,
    /// Diaries of this case only.
    case_id: Option<i64>,
}

/// A comment on a diary.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = zhugeleida::Review)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct Review {
    /// What the caller says.
    #[schema(min_length = 1, max_length = 500, example = "不错的日记。。。。")]
    content: String,
}

/// Which way to praise.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct PraiseQuery {
    /// 1: let it stand, 0: take it back; absent: the other way round than it is.
    #[param(minimum = 0, maximum = 1)]
    status: Option<i64>,
}

/// A diary.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Diary)]
pub struct DiaryData {
    /// Diary id.
    #[schema(example = 1)]
    diary_id: i64,
    /// The case it belongs to.
    #[schema(example = 1)]
    case_id: i64,
    /// Whose case that is.
    #[schema(example = 1)]
    company_id: i64,
    /// Title.
    #[schema(example = "我的美白日记1")]
    title: String,
    /// The day it tells of, UTC+8.
    #[schema(example = "2019-01-28 13:50:00")]
    diary_date: String,
    /// JSON text, as it was stored.
    #[schema(example = "{}")]
    cover_picture: String,
    /// JSON text, as it was stored.
    #[schema(example = "{}")]
    content: String,
    /// 1 published.
    status: i16,
    /// `已发`.
    #[schema(example = "已发")]
    status_text: &'static str,
    /// Days since the first published diary of the case.
    #[schema(example = 0)]
    interval_days: i32,
    /// How often it was opened.
    read_count: i64,
    /// Comments.
    comment_count: i64,
    /// Praises.
    up_count: i64,
    /// 1 when the caller praises it, else 0.
    is_praise_diary: u8,
    /// `已点赞` or `未点赞`.
    #[schema(example = "未点赞")]
    is_praise_diary_text: &'static str,
    /// 1 pictures only, 2 video only.
    cover_show_type: i16,
    /// `只展示图片` or `只展示视频`.
    #[schema(example = "只展示图片")]
    cover_show_type_text: &'static str,
    /// When it was made, UTC+8.
    #[schema(example = "2019-01-28 14:03:11")]
    create_date: String,
}

/// What a customer says about a diary.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::DiaryComment)]
pub struct CommentData {
    /// Who says it.
    #[schema(example = 1)]
    from_customer_id: i64,
    /// That person's name.
    #[schema(example = "做自己")]
    from_customer_name: String,
    /// Picture of that person.
    from_customer_headimgurl: String,
    /// What is said.
    #[schema(example = "不错的日记。。。。")]
    content: String,
    /// When, UTC+8.
    #[schema(example = "2019-01-29 20:01:27")]
    create_time: String,
}

/// Diaries (日记 - 列表展示)
///
/// Published ones of the company's published cases, the latest day first. With `diary_id` the reading counts, and the
/// answer shows it.
#[utoipa::path(
    get, path = LIST, tag = SURFACE, operation_id = "zhugeleida_diaries",
    params(SignedQuery, CompanyQuery, DiariesQuery, PageQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = NotedAnswer<Rows<DiaryData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    answer_list(&app, &call).await
}

/// The same under the mini-program's own path
#[utoipa::path(
    get, path = ALIAS, tag = SURFACE, operation_id = "zhugeleida_diaries_alias",
    params(SignedQuery, CompanyQuery, DiariesQuery, PageQuery),
    responses((status = 200, description = "As under the other path", body = NotedAnswer<Rows<DiaryData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn list_alias(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    answer_list(&app, &call).await
}

async fn answer_list(app: &App, call: &Call) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(app).await?;
    let optional = |field| Ok::<_, Problem>(call.params.quoted_int(field)?.optional());
    let (diary_id, case_id) = (optional("diary_id")?, optional("case_id")?);
    let page = call.page()?;
    let company_id = company(app, call).await?;
    let (stamp, found) = if let Some(diary_id) = diary_id {
        if call.incoming.method == Method::HEAD {
            return Err(Problem::wrong_method());
        }
        let read = ReadDiary {
            customer_id,
            company_id,
            diary_id,
            case_id,
        };
        let done = run(app, call, customer_id, LIST, read).await?;
        let found = diaries::one(app.reads(), customer_id, company_id, diary_id).await;
        (Stamp::of(app, &done), found)
    } else {
        if let Some(case_id) = case_id {
            case_shown(app, company_id, case_id).await?;
        }
        let stamp = Stamp::as_of(app, &call.incoming).await?;
        let wanted = DiariesWanted {
            customer_id,
            company_id,
            case_id,
            offset: page.offset,
            limit: page.limit,
        };
        (stamp, diaries::page(app.reads(), wanted).await)
    };
    let found = found.map_err(|error| Problem::query(app, error))?;
    let rows = Rows {
        ret_data: found.items.into_iter().map(diary_data).collect(),
        data_count: found.total,
    };
    Ok((stamp, envelope::noted("查询成功", rows)).into_response())
}

/// Comment on a diary (评论日记)
#[utoipa::path(
    post, path = REVIEW, tag = SURFACE, operation_id = "zhugeleida_review_diary",
    params(("id" = i64, Path, description = "The diary."), SignedQuery, OptionalCompanyQuery),
    request_body = Review,
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn review(
    State(app): State<App>,
    Path(id): Path<String>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let diary_id = number(&id)?;
    let content = call.params.text("content")?.chars(1..=500)?.required()?;
    belonging(&app, &call, diary_id).await?;
    let publish = PublishComment {
        id: app.ledger().next_id("comment").await?,
        target: Target::new(TargetKind::Diary, diary_id),
        author: Party::new(PartyKind::Customer, customer_id),
        content,
    };
    let done = run(&app, &call, customer_id, REVIEW, publish).await?;
    Ok((Stamp::of(&app, &done), envelope::success("成功")).into_response())
}

/// Comments of a diary (评论列表展示)
///
/// Newest first.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/diary_manage/diary_id_review_list/{id}", tag = SURFACE,
    operation_id = "zhugeleida_diary_reviews",
    params(("id" = i64, Path, description = "The diary."), SignedQuery, OptionalCompanyQuery, PageQuery),
    responses(
        (status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = NotedAnswer<Rows<CommentData>>)
    ),
    security(("zhugeleida_signature" = [])),
)]
pub async fn reviews(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Response, Problem> {
    call.customer(&app).await?;
    let diary_id = number(&id)?;
    let page = call.page()?;
    belonging(&app, &call, diary_id).await?;
    diary_shown(&app, diary_id).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let found = diaries::comments(app.reads(), diary_id, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let rows = Rows {
        ret_data: found.items.into_iter().map(comment_data).collect(),
        data_count: found.total,
    };
    Ok((stamp, envelope::noted("查询成功", rows)).into_response())
}

/// Praise a diary (点赞日记)
///
/// Flips, unless `status` says which way. The very same request again within two seconds flips nothing.
#[utoipa::path(
    post, path = PRAISE, tag = SURFACE, operation_id = "zhugeleida_praise_diary",
    params(("id" = i64, Path, description = "The diary."), SignedQuery, OptionalCompanyQuery, PraiseQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404, 409", body = Answer<Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn praise(
    State(app): State<App>,
    Path(id): Path<String>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let diary_id = number(&id)?;
    let wish = toggle::wish(&call)?;
    belonging(&app, &call, diary_id).await?;
    let request = call.desk(&app, customer_id, PRAISE)?;
    let key = ReactionKey {
        actor: Party::new(PartyKind::Customer, customer_id),
        kind: ReactionKind::Praise,
        target: Target::new(TargetKind::Diary, diary_id),
    };
    let react = ReactInLibrary {
        key: key.clone(),
        wish,
        at: request.metadata.at,
    };
    let work = app.clone();
    let done =
        app.detached(async move { toggle::run(&work, &call, request, (&key, wish), &react).await });
    let done = done.await??;
    let msg = if done.outcome.stands {
        "点赞成功"
    } else {
        "取消点赞成功"
    };
    Ok((Stamp::of(&app, &done), envelope::success(msg)).into_response())
}

impl From<CommentError> for Problem {
    fn from(refusal: CommentError) -> Self {
        match refusal {
            CommentError::NotFound | CommentError::NoTarget => Self::no_such_id(),
            // Ids are made for the request, and nobody deletes here; only a bug gets here.
            CommentError::Exists | CommentError::Foreign => Self::fault(refusal),
        }
    }
}

/// The id in the path.
fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::wrong_type())
}

/// The diary must be one, and the company's where one is asked about.
async fn belonging(app: &App, call: &Call, diary_id: i64) -> Result<(), Problem> {
    let company_id = call.params.quoted_int("company_id")?.optional();
    diary_of(app, company_id, diary_id).await
}

fn diary_data(diary: DiaryItem) -> DiaryData {
    DiaryData {
        diary_id: diary.diary_id,
        case_id: diary.case_id,
        company_id: diary.company_id,
        title: diary.title,
        diary_date: time::second(diary.diary_date),
        cover_picture: diary.cover_picture,
        content: diary.content,
        status: diary.status,
        status_text: status_text(diary.status),
        interval_days: diary.interval_days,
        read_count: diary.read_count,
        comment_count: diary.comment_count,
        up_count: diary.up_count,
        is_praise_diary: u8::from(diary.praised),
        is_praise_diary_text: if diary.praised {
            "已点赞"
        } else {
            "未点赞"
        },
        cover_show_type: diary.cover_show_type,
        cover_show_type_text: cover_show_type_text(diary.cover_show_type),
        create_date: time::second(diary.created_at),
    }
}

fn comment_data(comment: DiaryComment) -> CommentData {
    CommentData {
        from_customer_id: comment.customer_id,
        from_customer_name: comment.name,
        from_customer_headimgurl: or_default(comment.avatar),
        content: comment.content,
        create_time: time::second(comment.created_at),
    }
}

/// How a case or a diary stands, for people.
pub fn status_text(status: i16) -> &'static str {
    match status {
        1 => "已发",
        _ => "未发",
    }
}

/// What the cover of a diary shows, for people.
pub fn cover_show_type_text(kind: i16) -> &'static str {
    match kind {
        2 => "只展示视频",
        _ => "只展示图片",
    }
}
