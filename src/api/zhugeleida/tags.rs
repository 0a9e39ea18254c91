//! Tags of a company's case library (`contract/zhugeleida.md` 3.29–3.31).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::Call;
use super::companies::company;
use super::envelope::{self, Answer, NotedAnswer, Rows};
use super::params::{CompanyQuery, SignedQuery};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::projections::cases::CaseTag;
use crate::projections::tags::{self, TagItem};

/// Which tags.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct NameQuery {
    /// What the name contains, whatever the letter case.
    #[param(max_length = 50, example = "隆鼻")]
    name: Option<String>,
}

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Tag)]
pub struct TagData {
    /// Tag id.
    #[schema(example = 2)]
    id: i64,
    /// Name.
    #[schema(example = "隆鼻")]
    name: String,
}

impl From<TagItem> for TagData {
    fn from(TagItem { id, name }: TagItem) -> Self {
        Self { id, name }
    }
}

impl From<CaseTag> for TagData {
    fn from(CaseTag { id, name }: CaseTag) -> Self {
        Self { id, name }
    }
}

/// Tags, with fuzzy search (标签列表展示 | 模糊搜索)
///
/// By id, at most 200. Looking here does not enter the history of searches.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/case_tag/case_list", tag = SURFACE, operation_id = "zhugeleida_tags",
    params(SignedQuery, CompanyQuery, NameQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 303, 306, 404", body = Answer<Rows<TagData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn list(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    call.customer(&app).await?;
    let containing = call.params.text("name")?.chars(0..=50)?;
    let containing = containing.or(String::new());
    let company_id = company(&app, &call).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let found = tags::list(app.reads(), company_id, &containing).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let rows = Rows {
        data_count: found.total,
        ret_data: data(found.items),
    };
    Ok((stamp, envelope::data("", rows)).into_response())
}

/// Tags searched by me (历史标签记录)
///
/// Each once, the last first, at most 20.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/case_tag/history_case_list", tag = SURFACE,
    operation_id = "zhugeleida_tag_history",
    params(SignedQuery, CompanyQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = NotedAnswer<Rows<TagData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn history(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let company_id = company(&app, &call).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let found = tags::searched_by(app.reads(), customer_id, company_id).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    Ok((stamp, envelope::noted("", all(found))).into_response())
}

/// Hot tags (热门标签搜索)
///
/// Those that are looked for most, at most 10.
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/case_tag/top_search_tag_list", tag = SURFACE,
    operation_id = "zhugeleida_hot_tags",
    params(SignedQuery, CompanyQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = NotedAnswer<Rows<TagData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn hot(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    call.customer(&app).await?;
    let company_id = company(&app, &call).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let found = tags::hot(app.reads(), company_id).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    Ok((stamp, envelope::noted("", all(found))).into_response())
}

fn data(tags: Vec<TagItem>) -> Vec<TagData> {
    tags.into_iter().map(TagData::from).collect()
}

/// Tags that are all there are.
fn all(tags: Vec<TagItem>) -> Rows<TagData> {
    Rows {
        data_count: i64::try_from(tags.len()).unwrap_or(i64::MAX),
        ret_data: data(tags),
    }
}
