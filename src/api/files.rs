//! Answering a stored file: bytes as they come, a tag, and how long it may be kept.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue,
    IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::gateways::{FileError, FileStore};

/// How long others may keep a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It never changes under its link.
    Forever,
    /// They ask each time whether it is still this one.
    WhileFresh,
}

impl Keep {
    fn cache_control(self) -> &'static str {
        match self {
            Keep::Forever => "public, max-age=31536000, immutable",
            Keep::WhileFresh => "public, no-cache",
        }
    }
}

/// A file as the log knows it.
pub struct Known<'k> {
    /// Its key in the file store, from the log and not from the request.
    pub key: &'k str,
    /// Its recognized type.
    pub content_type: &'k str,
    /// What tells its bytes from others under the same link.
    pub tag: &'k str,
    /// How long others may keep it.
    pub keep: Keep,
}

/// Its bytes, or that they are as the caller knows them; `None` when they are not in the store.
///
/// # Errors
/// [`FileError`].
pub async fn answer(
    store: &FileStore,
    file: Known<'_>,
    headers: &HeaderMap,
) -> Result<Option<Response>, FileError> {
    let tag = format!("\"{}\"", file.tag);
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok());
    if matches(known, &tag) {
        let headers = [
            (ETAG, tag),
            (CACHE_CONTROL, file.keep.cache_control().to_owned()),
        ];
        return Ok(Some((StatusCode::NOT_MODIFIED, headers).into_response()));
    }
    let Some(opened) = store.open(file.key).await? else {
        return Ok(None);
    };
    let headers = [
        (CONTENT_TYPE, file.content_type.to_owned()),
        (CONTENT_LENGTH, opened.size.to_string()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CACHE_CONTROL, file.keep.cache_control().to_owned()),
        (ETAG, tag),
    ];
    let mut answer = (headers, Body::from_stream(opened.bytes)).into_response();
    if !is_harmless(file.content_type) {
        let saved = HeaderValue::from_static("attachment");
        answer.headers_mut().insert(CONTENT_DISPOSITION, saved);
    }
    Ok(Some(answer))
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
