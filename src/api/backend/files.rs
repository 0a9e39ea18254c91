//! Serving stored files to anybody: their links are unguessable, and other surfaces show them to anonymous readers.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tracing::warn;
use uuid::Uuid;

use super::Problem;
use super::envelope::Answer;
use crate::api::App;
use crate::api::files::{self, Keep, Known};
use crate::projections::media;

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
    let known = Known {
        key: &found.uri,
        content_type: &found.content_type,
        tag: &found.sha256,
        keep: Keep::Forever,
    };
    if let Some(response) = files::answer(app.files(), known, &headers).await? {
        return Ok(response);
    }
    warn!(media.id = %found.id, "The bytes of media {} are not in the file store", found.id);
    Err(Problem::unknown_path())
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
}
