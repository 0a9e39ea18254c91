//! Answering with a stored file.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue,
    IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::app::App;
use crate::gateways::FileError;

/// A file never changes under its link.
const FOR_A_YEAR: &str = "public, max-age=31536000, immutable";

/// A file in the store, by what the log says of it.
pub struct Stored<'f> {
    /// Its key; from the log, not from the request.
    pub key: &'f str,
    /// Its type.
    pub content_type: &'f str,
    /// What tells its content from any other.
    pub tag: &'f str,
}

impl Stored<'_> {
    /// The bytes, or that the client has them; `None` when they are not in the store.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn answer(
        &self,
        app: &App,
        headers: &HeaderMap,
    ) -> Result<Option<Response>, FileError> {
        let tag = format!("\"{}\"", self.tag);
        let known = headers.get_all(IF_NONE_MATCH).iter();
        let known = known.filter_map(|value| value.to_str().ok());
        if matches(known, &tag) {
            let headers = [(ETAG, tag), (CACHE_CONTROL, FOR_A_YEAR.to_owned())];
            return Ok(Some((StatusCode::NOT_MODIFIED, headers).into_response()));
        }
        let Some(opened) = app.files().open(self.key).await? else {
            return Ok(None);
        };
        let headers = [
            (CONTENT_TYPE, self.content_type.to_owned()),
            (CONTENT_LENGTH, opened.size.to_string()),
            (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            (CACHE_CONTROL, FOR_A_YEAR.to_owned()),
            (ETAG, tag),
        ];
        let mut answer = (headers, Body::from_stream(opened.bytes)).into_response();
        if !is_harmless(self.content_type) {
            let saved = HeaderValue::from_static("attachment");
            answer.headers_mut().insert(CONTENT_DISPOSITION, saved);
        }
        Ok(Some(answer))
    }
}

/// May a browser show it under our name? What could run there is saved instead.
fn is_harmless(content_type: &str) -> bool {
    let harmless = ["image/", "video/", "audio/"];
    let kind = harmless.iter().any(|kind| content_type.starts_with(kind));
    kind && !content_type.starts_with("image/svg")
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
    fn a_known_tag_matches_however_it_is_listed() {
        let known = |line: &'static str| matches([line].into_iter(), "\"a\"");
        assert!(known("\"a\"") && known("\"b\", W/\"a\"") && known("*"));
        assert!(!known("\"b\"") && !known("a"));
    }

    #[test]
    fn what_could_run_in_a_browser_is_saved() {
        assert!(is_harmless("image/png") && is_harmless("video/mp4"));
        assert!(!is_harmless("image/svg+xml") && !is_harmless("text/html"));
    }
}
