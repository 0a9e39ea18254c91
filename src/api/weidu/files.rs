//! Serving files of cases and their previews to anybody, under the paths that the list shows.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use tracing::warn;

use super::Problem;
use super::problem::Failure;
use crate::api::App;
use crate::api::files::{self, Keep, Known};
use crate::commands::showcase::is_id;
use crate::projections::showcases;

/// Where files are served.
pub const PATH: &str = "/{date}/task/{task_id}/users/{user_id}/{file_id}/{name}";

/// Previews are made by us.
const PREVIEW_TYPE: &str = "image/jpeg";
/// What is no picture is for keeping, not for showing: what a browser would run stays harmless.
const ANY_TYPE: &str = "application/octet-stream";

/// The bytes of a file.
#[derive(utoipa::ToSchema)]
#[schema(as = weidu::StoredFile, value_type = String, format = Binary)]
#[expect(dead_code, reason = "it documents the answer, which is streamed")]
pub struct StoredFile(Vec<u8>);

/// The parts of a path.
#[derive(Debug, Deserialize)]
pub struct Parts {
    date: String,
    task_id: String,
    user_id: String,
    file_id: String,
    name: String,
}

impl Parts {
    /// The path as the list shows it, if it can be one: nothing else is even looked up.
    fn path(&self) -> Option<String> {
        let Self {
            date,
            task_id,
            user_id,
            file_id,
            name,
        } = self;
        let ids = [task_id, user_id, file_id].into_iter().all(|id| is_id(id));
        (is_day(date) && ids)
            .then(|| format!("{date}/task/{task_id}/users/{user_id}/{file_id}/{name}"))
    }
}

/// `20210203`.
pub fn is_day(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A file of a case, or its preview
///
/// Under `path` and `preview_path` of the list, without login. `HEAD` and `If-None-Match` work. Files of withdrawn cases are
/// not served.
#[utoipa::path(
    get, path = PATH, tag = "files", operation_id = "case_file",
    params(
        ("date" = String, Path, description = "The day it was added, in UTC+8", example = "20210203"),
        ("task_id" = String, Path, description = "The case", example = "5trb5tu7tj8kfe7gwk7qakfpac"),
        ("user_id" = String, Path, description = "Who supplied it", example = "szasc68seig9jrhqw4eaj9gu3h"),
        ("file_id" = String, Path, description = "Its id", example = "kspnaeba8tr37jit7s5ingnnwr"),
        ("name" = String, Path, description = "Its name, or that of its preview", example = "fabu.jpg"),
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "image/*", body = StoredFile),
        (status = 304, description = "As known"),
        (status = 404, description = "Code 404", body = Failure),
    ),
    security(()),
)]
pub async fn serve(
    State(app): State<App>,
    Path(parts): Path<Parts>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = parts.path().ok_or_else(Problem::unknown_path)?;
    let found = showcases::file(app.reads(), &parts.task_id, &parts.file_id).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let found = found.ok_or_else(Problem::unknown_path)?;
    let preview = found.preview_path == path;
    if !preview && found.path != path {
        return Err(Problem::unknown_path());
    }
    let tag = if preview {
        format!("{}-preview", parts.file_id)
    } else {
        parts.file_id
    };
    let known = Known {
        key: &path,
        content_type: content_type(preview, &found.mime_type),
        tag: &tag,
        keep: Keep::Forever,
    };
    if let Some(response) = files::answer(app.files(), known, &headers).await? {
        return Ok(response);
    }
    warn!(
        file.path = path,
        "The bytes of {path} are not in the file store"
    );
    Err(Problem::unknown_path())
}

fn content_type(preview: bool, recorded: &str) -> &str {
    match recorded {
        _ if preview => PREVIEW_TYPE,
        "image/jpeg" | "image/png" | "image/gif" | "image/webp" => recorded,
        _ => ANY_TYPE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_making_are_looked_up() {
        let id = "kspnaeba8tr37jit7s5ingnnwr";
        let path = |date: &str, id: &str| {
            let parts = Parts {
                date: date.to_owned(),
                task_id: id.to_owned(),
                user_id: id.to_owned(),
                file_id: id.to_owned(),
                name: "fabu.jpg".to_owned(),
            };
            parts.path()
        };
        assert_eq!(
            path("20210203", id),
            Some(format!("20210203/task/{id}/users/{id}/{id}/fabu.jpg"))
        );
        assert_eq!(path("2021020x", id), None);
        assert_eq!(path("..", id), None);
        assert_eq!(path("20210203", ".."), None);
    }

    #[test]
    fn what_is_no_picture_is_not_shown() {
        assert_eq!(content_type(false, "image/png"), "image/png");
        assert_eq!(content_type(true, "text/html"), "image/jpeg");
        for other in ["text/html", "image/svg+xml", "", "a\r\nb"] {
            assert_eq!(content_type(false, other), ANY_TYPE, "{other}");
        }
    }
}
