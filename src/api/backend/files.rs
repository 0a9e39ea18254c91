//! Serving stored files to anybody: their links are unguessable, and other surfaces show them to anonymous readers.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tracing::warn;
use uuid::Uuid;

use super::Problem;
use super::envelope::Answer;
use crate::api::App;
use crate::projections::media::{self, MediaFile};

/// A file never changes under its link.
const FOR_A_YEAR: &str = "public, max-age=31536000, immutable";

/// The bytes of an image.
#[derive(utoipa::ToSchema)]
#[schema(as = backend::StoredFile, value_type = String, format = Binary)]
#[expect(dead_code, reason = "it documents the answer, which is streamed")]
pub struct StoredFile(Vec<u8>);

/// A stored file
///
/// Without login. `HEAD` and `If-None-Match` work.
#[utoipa::path(
    get, path = "/upload/{date}/{file}", tag = "files", operation_id = "stored_file",
    params(
        ("date" = String, Path, description = "The day it was stored, in UTC+8", example = "20240102"),
        ("file" = String, Path, description = "Its name", example = "6f9619ff-8b86-4011-b42d-00c04fc964ff.jpg"),
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "image/*", body = StoredFile),
        (status = 304, description = "As known"),
        (status = 404, description = "Code 404", body = Answer),
    ),
    security(()),
)]
pub async fn serve(
    State(app): State<App>,
    Path((date, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let uri = uri(&date, &file).ok_or_else(Problem::unknown_path)?;
    let found = media::by_uri(app.reads(), &uri).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let found = found.ok_or_else(Problem::unknown_path)?;
    let tag = format!("\"{}\"", found.sha256);
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok());
    if matches(known, &tag) {
        return Ok((
            StatusCode::NOT_MODIFIED,
            [(ETAG, tag), (CACHE_CONTROL, FOR_A_YEAR.to_owned())],
        )
            .into_response());
    }
    stored(&app, found, tag).await
}

async fn stored(app: &App, file: MediaFile, tag: String) -> Result<Response, Problem> {
    // The key comes from the log, not from the request.
    let Some(opened) = app.files().open(&file.uri).await? else {
        warn!(media.id = %file.id, "The bytes of media {} are not in the file store", file.id);
        return Err(Problem::unknown_path());
    };
    let headers = [
        (CONTENT_TYPE, file.content_type),
        (CONTENT_LENGTH, opened.size.to_string()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CACHE_CONTROL, FOR_A_YEAR.to_owned()),
        (ETAG, tag),
    ];
    Ok((headers, Body::from_stream(opened.bytes)).into_response())
}

/// The link, if it is one that we could have given out: nothing else is even looked up.
fn uri(date: &str, file: &str) -> Option<String> {
    let (id, extension) = file.split_once('.')?;
    let day = date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit());
    let known = ["jpg", "png", "gif", "webp"].contains(&extension);
    let id = id
        .parse::<Uuid>()
        .ok()
        .filter(|uuid| uuid.to_string() == id)?;
    (day && known).then(|| format!("/upload/{date}/{id}.{extension}"))
}

fn matches<'h>(mut known: impl Iterator<Item = &'h str>, tag: &str) -> bool {
    known.any(|line| {
        line.split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == tag || one == "*")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_our_making_are_looked_up() {
        let file = "6f9619ff-8b86-4011-b42d-00c04fc964ff.jpg";
        assert_eq!(
            uri("20240102", file),
            Some(format!("/upload/20240102/{file}"))
        );
        for (date, file) in [
            ("2024010", file),
            ("../../etc", file),
            ("20240102", "6F9619FF-8b86-4011-b42d-00c04fc964ff.jpg"),
            ("20240102", "6f9619ff-8b86-4011-b42d-00c04fc964ff.svg"),
            ("20240102", "x.jpg"),
            ("20240102", "6f9619ff-8b86-4011-b42d-00c04fc964ff"),
        ] {
            assert_eq!(uri(date, file), None, "{date}/{file}");
        }
    }

    #[test]
    fn a_known_tag_matches_however_it_is_listed() {
        let known = |line: &'static str| matches([line].into_iter(), "\"a\"");
        assert!(known("\"a\"") && known("\"b\", W/\"a\"") && known("*"));
        assert!(!known("\"b\"") && !known("a"));
    }
}
