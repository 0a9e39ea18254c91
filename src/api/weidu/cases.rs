//! The list of cases (`contract/weidu.md` 2.1).

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize, Serializer};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use super::problem::Failure;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::{self, Stamp};
use crate::api::request::Incoming;
use crate::api::wire::{Field, Invalid, Params};
use crate::events::showcase::Industry;
use crate::projections::showcases::{self, FileItem, ShowcaseItem, ShowcasesWanted};
use crate::projections::together::Question;

/// Its path.
pub const PATH: &str = "/weidu/api/v1/cases/list";
/// Cases on a page that nobody sized.
const PER_PAGE: i64 = 20;
/// Cases on a page, at most.
const PER_PAGE_MAX: i64 = 100;
/// No list is as long: pages behind it are one empty page.
const OFFSET_MAX: i64 = 1 << 53;

/// What of the cases is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct CasesQuery {
    /// 1 brand design (品牌设计), 2 film and video (影视), 3 company website (企业网站建设), 4 animation design (动漫设计),
    /// 5 game (游戏), 6 visual effects (特效); 0 or absent: all.
    #[param(minimum = 0, maximum = 6, default = 0)]
    industry_type: Option<i64>,
    /// Records per page; above 100 counts as 100.
    #[param(minimum = 1, default = 20)]
    per_page: Option<i64>,
    /// Page number from 1; 0 counts as 1.
    #[param(minimum = 0, default = 1)]
    page: Option<i64>,
}

/// What is answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = weidu::Cases)]
pub struct Cases {
    /// `ok`.
    #[schema(example = "ok")]
    result: &'static str,
    /// 200.
    #[schema(example = 200)]
    code: u16,
    /// The cases of this page.
    data: Vec<CaseData>,
    /// How many cases match, over all pages.
    #[schema(example = 4)]
    total: i64,
}

/// A customer case. Times are milliseconds since the epoch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = weidu::Case)]
pub struct CaseData {
    /// The author's id.
    #[schema(example = "szasc68seig9jrhqw4eaj9gu3h")]
    user_id: String,
    /// The author's name.
    #[schema(example = "1356941364390006784")]
    username: String,
    /// When the case was last published, edited or scored.
    #[schema(example = 1_612_355_363_209_i64)]
    update_time: i64,
    /// Views.
    #[schema(example = 6)]
    view_cnt: i64,
    /// Likes.
    #[schema(example = 3)]
    like_cnt: i64,
    /// Comments.
    #[schema(example = 2)]
    comment_cnt: i64,
    /// 0…100, whole or with a fraction of at most two digits.
    #[schema(value_type = f64, example = 90, minimum = 0, maximum = 100)]
    score: ScoreData,
    /// The case's id.
    #[schema(example = "5trb5tu7tj8kfe7gwk7qakfpac")]
    task_id: String,
    /// Its files, oldest first.
    files: Vec<FileData>,
}

/// A file of a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = weidu::File)]
pub struct FileData {
    /// Its id.
    #[schema(example = "kspnaeba8tr37jit7s5ingnnwr")]
    id: String,
    /// The case's id.
    #[schema(example = "5trb5tu7tj8kfe7gwk7qakfpac")]
    task_id: String,
    /// Who supplied it.
    #[schema(example = "szasc68seig9jrhqw4eaj9gu3h")]
    user_id: String,
    /// When.
    #[schema(example = 1_612_355_738_709_i64)]
    create_time: i64,
    /// The same: a file never changes.
    #[schema(example = 1_612_355_738_709_i64)]
    update_time: i64,
    /// Where it is served, behind a `/`.
    #[schema(
        example = "20210203/task/5trb5tu7tj8kfe7gwk7qakfpac/users/szasc68seig9jrhqw4eaj9gu3h/kspnaeba8tr37jit7s5ingnnwr/fabu.jpg"
    )]
    path: String,
    /// Where its preview is served, behind a `/`; empty without one.
    #[schema(
        example = "20210203/task/5trb5tu7tj8kfe7gwk7qakfpac/users/szasc68seig9jrhqw4eaj9gu3h/kspnaeba8tr37jit7s5ingnnwr/fabu_preview.jpg"
    )]
    preview_path: String,
    /// Its name with extension.
    #[schema(example = "fabu.jpg")]
    name: String,
    /// Without the dot, lower case.
    #[schema(example = "jpg")]
    extension: String,
    /// Bytes.
    #[schema(example = 13237)]
    size: i64,
    /// Its type.
    #[schema(example = "image/jpeg")]
    mime_type: String,
    /// Pixels; 0 when it is no picture.
    #[schema(example = 500)]
    width: i64,
    /// Pixels; 0 when it is no picture.
    #[schema(example = 375)]
    height: i64,
    /// Is there a preview?
    #[schema(example = true)]
    has_pre_img: bool,
}

/// A score, in hundredths. Whole ones are written without a fraction.
#[derive(Debug)]
struct ScoreData(i16);

impl Serialize for ScoreData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            serializer.serialize_i16(self.0 / 100)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 100.0)
        }
    }
}

impl From<ShowcaseItem> for CaseData {
    fn from(case: ShowcaseItem) -> Self {
        let files = case.files.into_iter();
        Self {
            user_id: case.user_id,
            username: case.username,
            update_time: case.update_time,
            view_cnt: case.view_cnt,
            like_cnt: case.like_cnt,
            comment_cnt: case.comment_cnt,
            score: ScoreData(case.score_hundredths),
            files: files.map(|file| FileData::of(file, &case.id)).collect(),
            task_id: case.id,
        }
    }
}

impl FileData {
    fn of(file: FileItem, task_id: &str) -> Self {
        let extension = file.name.rsplit_once('.').map(|(_, extension)| extension);
        Self {
            id: file.id,
            task_id: task_id.to_owned(),
            user_id: file.user_id,
            create_time: file.create_time,
            update_time: file.create_time,
            path: file.path,
            has_pre_img: !file.preview_path.is_empty(),
            preview_path: file.preview_path,
            extension: extension.unwrap_or_default().to_ascii_lowercase(),
            name: file.name,
            size: file.size_bytes,
            mime_type: file.mime_type,
            width: file.width,
            height: file.height,
        }
    }
}

/// List customer cases (客户案例)
///
/// Published cases that are not withdrawn, last changed first. Listing is no view.
#[utoipa::path(
    get, path = PATH, tag = SURFACE, operation_id = "weidu_cases",
    params(CasesQuery),
    responses(
        (status = 200, description = "`code` 200, or 400 for a parameter", body = Cases),
        (status = 500, description = "Something broke (`code` 500).", body = Failure)
    ),
    security(()),
)]
pub async fn list(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let incoming = Incoming::read(&app, request, app.settings().body_max_bytes).await?;
    let wanted = wanted(&incoming.query())?;
    let stamp = Stamp::as_of(&app, &incoming).await?;
    let found = app.crowds().cases.ask(wanted, ()).await;
    let (cases, _) = found.map_err(|error| Problem::query(&app, error))?;
    Ok((stamp, answer::written(&cases)).into_response())
}

/// Pages of the list: the same for everybody.
pub struct CasePages;

impl Question for CasePages {
    type Key = ShowcasesWanted;
    type Asker = ();
    type Answer = Bytes;

    async fn ask(reads: &PgPool, wanted: &ShowcasesWanted, _: &[()]) -> sqlx::Result<Bytes> {
        let found = showcases::page(reads, *wanted).await?;
        answer::write(&Cases {
            result: "ok",
            code: 200,
            data: found.items.into_iter().map(CaseData::from).collect(),
            total: found.total,
        })
    }
}

fn wanted(params: &Params) -> Result<ShowcasesWanted, Invalid> {
    let industry = |number| match number {
        0 => Some(0),
        number => Industry::from_number(number).map(Industry::number),
    };
    let industry_type = int(params, "industry_type")?.parse(industry)?.or(0);
    let per_page = int(params, "per_page")?.within(1..=i64::MAX)?.or(PER_PAGE);
    let page = int(params, "page")?.within(0..=i64::MAX)?.or(1);
    let limit = per_page.min(PER_PAGE_MAX);
    let before = page.max(1) - 1;
    Ok(ShowcasesWanted {
        industry_type,
        offset: before.saturating_mul(limit).min(OFFSET_MAX),
        limit,
    })
}

/// An integer; nothing after the `=` is as good as no parameter.
fn int(params: &Params, field: &'static str) -> Result<Field<i64>, Invalid> {
    let empty = params
        .text(field)?
        .optional()
        .is_none_or(|text| text.is_empty());
    if empty {
        return Params::default().int(field);
    }
    params.int(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Result<(i16, i64, i64), &'static str> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        match wanted(&Params::from_pairs(pairs)) {
            Ok(wanted) => Ok((wanted.industry_type, wanted.offset, wanted.limit)),
            Err(invalid) => Err(invalid.field),
        }
    }

    #[test]
    fn what_is_absent_or_empty_has_its_default() {
        assert_eq!(asked(&[]), Ok((0, 0, 20)));
        let empty = [("industry_type", ""), ("per_page", " "), ("page", "")];
        assert_eq!(asked(&empty), Ok((0, 0, 20)));
        let zero = [("industry_type", "0"), ("page", "0")];
        assert_eq!(asked(&zero), Ok((0, 0, 20)));
        assert_eq!(asked(&[("unknown", "x")]), Ok((0, 0, 20)));
    }

    #[test]
    fn pages_are_cut_and_counted() {
        let page = |page, per_page| asked(&[("page", page), ("per_page", per_page)]);
        assert_eq!(page("3", "5"), Ok((0, 10, 5)));
        assert_eq!(page("2", "101"), Ok((0, 100, 100)));
        assert_eq!(page("9223372036854775807", "100"), Ok((0, OFFSET_MAX, 100)));
        assert_eq!(asked(&[("industry_type", "6")]), Ok((6, 0, 20)));
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        for (field, values) in [
            (
                "industry_type",
                ["7", "-1", "1.0", "游戏", "9223372036854775808"],
            ),
            ("per_page", ["0", "-1", "x", "1e2", "9223372036854775808"]),
            ("page", ["-1", "x", "1.5", "true", "1,2"]),
        ] {
            for value in values {
                assert_eq!(asked(&[(field, value)]), Err(field), "{value}");
            }
            assert_eq!(asked(&[(field, "1"), (field, "2")]), Err(field));
        }
    }

    #[test]
    fn a_whole_score_has_no_fraction() {
        let written = |hundredths| serde_json::to_string(&ScoreData(hundredths)).unwrap();
        for (hundredths, text) in [
            (0, "0"),
            (9_000, "90"),
            (10_000, "100"),
            (8_950, "89.5"),
            (8_999, "89.99"),
            (1, "0.01"),
            (29, "0.29"),
        ] {
            assert_eq!(written(hundredths), text);
        }
    }
}
