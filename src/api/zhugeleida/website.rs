//! A company's website (`contract/zhugeleida.md` 3.23).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::call::Recording;
use super::companies::run;
use super::envelope::{self, Answer};
use super::params::{SignedQuery, UidQuery};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::commands::browsing::VisitWebsite;
use crate::projections::websites::{self, Pictures};

const WEBSITE: &str = "/zhugeleida/xiaochengxu/website";

/// What a website shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::WebsiteData)]
pub struct WebsiteData {
    /// Its pictures.
    ret_data: WebsitePictures,
    /// How many there are.
    #[schema(example = 6)]
    data_count: usize,
}

/// The pictures of a website, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::WebsitePictures)]
pub struct WebsitePictures {
    /// Those that scroll at its top.
    cover_picture: Vec<WebsitePicture>,
    /// Those below.
    content_picture: Vec<WebsitePicture>,
}

/// A picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::WebsitePicture)]
pub struct WebsitePicture {
    /// Where it is.
    picture_url: String,
}

/// Company website pictures (官网展示)
///
/// Those of the company of `uid`; none until they are set.
#[utoipa::path(
    get, path = WEBSITE, tag = SURFACE, operation_id = "zhugeleida_website",
    params(SignedQuery, UidQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<WebsiteData>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn website(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    let visit = VisitWebsite {
        customer_id,
        uid: call.uid()?,
    };
    let done = run(&app, &call, customer_id, WEBSITE, visit).await?;
    let found = websites::of(app.reads(), done.outcome).await;
    let Pictures {
        cover_picture,
        content_picture,
    } = found.map_err(|error| Problem::query(&app, error))?;
    let data = WebsiteData {
        data_count: cover_picture.len() + content_picture.len(),
        ret_data: WebsitePictures {
            cover_picture: pictures(cover_picture),
            content_picture: pictures(content_picture),
        },
    };
    Ok((Stamp::of(&app, &done), envelope::data("", data)).into_response())
}

fn pictures(places: Vec<String>) -> Vec<WebsitePicture> {
    let picture = |picture_url| WebsitePicture { picture_url };
    places.into_iter().map(picture).collect()
}
