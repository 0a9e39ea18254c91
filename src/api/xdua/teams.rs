//! Work teams of the caller (`contract/xdua.md` 2.1).

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Failure;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::{self, Stamp};
use crate::api::identity;
use crate::api::request::Incoming;
use crate::api::wire::{Field, Params};
use crate::projections::filter::{self, Filter, Order, Page, is_too_costly};
use crate::projections::teams::{self, FIELDS, PAGE, TeamItem, TeamsWanted};

/// The version a client speaks.
const APIV: HeaderName = HeaderName::from_static("apiv");

/// What of the teams is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct TeamsQuery {
    /// A Mongo query, as JSON or as Base64 of it, at most 8 KiB after decoding; anything else is a pattern for `code`.
    #[param(example = "{\"name\": {\"$regex\": \".s.\"}}")]
    filter: Option<String>,
    /// Page number from 1; with it, `offset` is ignored. 0 counts as 1.
    #[param(minimum = 0)]
    page: Option<i64>,
    /// Teams to pass over; only without `page`.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Teams on the page; more than 100 count as 100, 0 as the default.
    #[param(minimum = 0, default = 20)]
    limit: Option<i64>,
    /// `field:ASC` or `field:DESC`, several separated by commas. Equals are ordered by `id`.
    #[param(default = "cstamp:DESC", example = "key:DESC")]
    order: Option<String>,
}

/// What is answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = xdua::Success)]
pub struct Success {
    /// 0.
    #[schema(example = 0)]
    error: u16,
    /// `Success`.
    #[schema(example = "Success")]
    reason: &'static str,
    /// A page.
    result: TeamList,
}

/// A page of teams.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = xdua::TeamList)]
pub struct TeamList {
    /// How many pages of this size there are, at least 1.
    #[schema(example = 1)]
    maxpage: i64,
    /// Those of this page.
    list: Vec<TeamData>,
}

/// A work team. Its numbers are strings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = xdua::Team)]
pub struct TeamData {
    /// `"1"` in use, `"0"` disabled.
    #[schema(example = "1")]
    enabled: String,
    /// `"1"` joined by invitation only, else `"0"`.
    #[schema(example = "0")]
    invite_only: String,
    /// Number of roles.
    #[schema(example = "1")]
    rolec: String,
    /// Number of user–role assignments.
    #[schema(example = "0")]
    usroc: String,
    /// Key name.
    #[schema(example = "children")]
    code: String,
    /// Address of a picture, empty when there is none.
    #[schema(example = "http://xdua-files.oss-cn-qingdao.aliyuncs.com/Image/default.png")]
    avatar: String,
    /// Id of the creator.
    #[schema(example = "Dt5mvrtU")]
    creator_id: String,
    /// `"1"` private, else `"0"`.
    #[schema(example = "0")]
    private: String,
    /// Team id.
    #[schema(example = "b15f96dd")]
    id: String,
    /// When it was created, UTC+8.
    #[schema(example = "2018-05-25 14:54:39")]
    cstamp: String,
    /// Name.
    #[schema(example = "儿研所")]
    name: String,
    /// The creator's name.
    #[schema(example = "dua:辣椒帅")]
    creator_name: String,
    /// Short description.
    #[schema(example = "给儿研所项目创建的用工队")]
    brief: String,
}

impl From<TeamItem> for TeamData {
    fn from(team: TeamItem) -> Self {
        Self {
            enabled: team.enabled.to_string(),
            invite_only: team.invite_only.to_string(),
            rolec: team.rolec.to_string(),
            usroc: team.usroc.to_string(),
            code: team.code,
            avatar: team.avatar,
            creator_id: team.creator_id,
            private: team.private.to_string(),
            id: team.id,
            cstamp: team.cstamp,
            name: team.name,
            creator_name: team.creator_name,
            brief: team.brief,
        }
    }
}

/// Work teams of the caller (查询工队)
///
/// Only the caller's own, whatever the filter says; disabled ones, too, deleted ones never.
#[utoipa::path(
    get, path = "/obj", tag = SURFACE, operation_id = "xdua_teams",
    params(
        ("apiv" = Option<String>, Header, description = "API version, any `1.x.y`; `1.0.0` by default.", example = "1.0.0"),
        TeamsQuery
    ),
    responses(
        (status = 200, description = "`error` 0, or a failure: 1001, 1002, 1003, 2001, 2002, 2003, 2004, 2005", body = Success),
        (status = 500, description = "Something broke (`error` 5000).", body = Failure)
    ),
    security(("xdua_token" = [])),
)]
pub async fn list(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    answer_list(&app, request).await
}

/// The same under a prefix
///
/// For deployments that tell surfaces apart by path.
#[utoipa::path(
    get, path = "/xdua/obj", tag = SURFACE, operation_id = "xdua_teams_under_prefix",
    params(
        ("apiv" = Option<String>, Header, description = "API version, any `1.x.y`; `1.0.0` by default.", example = "1.0.0"),
        TeamsQuery
    ),
    responses(
        (status = 200, description = "As `/obj`", body = Success),
        (status = 500, description = "As `/obj`", body = Failure)
    ),
    security(("xdua_token" = [])),
)]
pub async fn list_under_prefix(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    answer_list(&app, request).await
}

async fn answer_list(app: &App, request: Request) -> Result<Response, Problem> {
    let incoming = Incoming::read(app, request, app.settings().body_max_bytes).await?;
    let token = token(&incoming.headers)?;
    let creator_id = identity::team_user(app, &token).await?;
    version(&incoming.headers)?;
    let Asked {
        sent,
        filter,
        order,
        page,
    } = Asked::read(&incoming.query())?;
    let stamp = Stamp::as_of(app, &incoming).await?;
    let wanted = TeamsWanted {
        creator_id,
        filter,
        order,
        page,
    };
    let found = match teams::page(app.reads(), &wanted).await {
        Ok(found) => found,
        Err(error) if wanted.filter.is_some() && is_too_costly(&error) => {
            return Err(Problem::filter(&sent, 0));
        }
        Err(error) => return Err(Problem::query(app, error)),
    };
    let success = Success {
        error: 0,
        reason: "Success",
        result: TeamList {
            maxpage: page.count(found.total),
            list: found.items.into_iter().map(TeamData::from).collect(),
        },
    };
    Ok((stamp, answer::json(StatusCode::OK, &success)).into_response())
}

/// The parameters, read.
struct Asked {
    /// The filter as it was sent.
    sent: String,
    filter: Option<Filter>,
    order: Order,
    page: Page,
}

impl Asked {
    fn read(params: &Params) -> Result<Self, Problem> {
        let text = |field| params.verbatim(field).map(Field::optional);
        // A parameter that stands there twice, or with U+0000 in it, is as good as one that does not parse.
        let sent = text("filter").map_err(|_| Problem::filter("", 0))?;
        let sent = sent.unwrap_or_default();
        let filter = if sent.trim().is_empty() {
            None
        } else {
            Some(filter::parse(&sent, &FIELDS)?)
        };
        let order = text("order").map_err(|_| Problem::order(""))?;
        let order = Order::parse(order.as_deref().unwrap_or_default(), &FIELDS)?;
        let number = |field| text(field).map_err(|invalid| Problem::page(invalid.field));
        let (page, offset, limit) = (number("page")?, number("offset")?, number("limit")?);
        let page = Page::parse(page.as_deref(), offset.as_deref(), limit.as_deref(), PAGE)?;
        Ok(Self {
            sent,
            filter,
            order,
            page,
        })
    }
}

/// The token, with or without `Bearer` in front.
fn token(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(Problem::authorization_required());
    };
    // Tokens are ASCII; what is not is unknown.
    let text = String::from_utf8_lossy(value.as_bytes());
    let text = text.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim()
    } else {
        text
    };
    if token.is_empty() {
        return Err(Problem::authorization_required());
    }
    Ok(token.to_owned())
}

/// Any `1.x.y`.
fn version(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(APIV) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let text = text.trim();
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('.');
    if text.is_empty() || (parts.next() == Some("1") && parts.all(number)) {
        Ok(())
    } else {
        Err(Problem::version(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_token_stands_alone_or_after_bearer() {
        let read = |value: &str| token(&headers(AUTHORIZATION, value)).ok();
        for good in ["abc", " abc ", "Bearer abc", "bearer  abc"] {
            assert_eq!(read(good).as_deref(), Some("abc"), "{good}");
        }
        assert_eq!(read("Basic abc").as_deref(), Some("Basic abc"));
        for none in ["", " ", "Bearer", "Bearer "] {
            assert_eq!(read(none), None, "{none}");
        }
        assert!(token(&HeaderMap::new()).is_err());
    }

    #[test]
    fn only_the_first_major_version_is_spoken() {
        let spoken = |value: &str| version(&headers(APIV, value)).is_ok();
        for good in ["", "1", "1.0", "1.0.0", "1.22.333"] {
            assert!(spoken(good), "{good}");
        }
        for bad in ["2.0.0", "10.0.0", "0.9", "1.", "1.x", "v1", "one"] {
            assert!(!spoken(bad), "{bad}");
        }
        assert!(version(&HeaderMap::new()).is_ok());
    }
}
