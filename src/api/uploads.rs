//! Files that come in, the same for every surface that takes them: in a form or as they are, recognized by their content.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use super::request::Incoming;

/// What a form may hold around its file, in bytes.
pub const AROUND_THE_FILE: usize = 64 * 1024;

/// Does this say that a form comes?
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        let text = text.trim_start().to_ascii_lowercase();
        text.starts_with("multipart/form-data") && text.contains("boundary=")
    })
}

/// The bytes of the part `file` of a form, of which there is exactly one, not empty. Other parts are ignored.
pub async fn only_file(incoming: &Incoming) -> Option<Bytes> {
    let mut form = Request::new(incoming.body.clone().into());
    *form.headers_mut() = incoming.headers.clone();
    DefaultBodyLimit::disable().apply(&mut form);
    let mut form = Multipart::from_request(form, &()).await.ok()?;
    let mut file = None;
    while let Some(part) = form.next_field().await.ok()? {
        if part.name() == Some("file") {
            let bytes = part.bytes().await.ok()?;
            if file.replace(bytes).is_some() {
                return None;
            }
        }
    }
    file.filter(|bytes: &Bytes| !bytes.is_empty())
}

/// Type and extension of an image, by its content.
#[must_use]
pub fn recognize(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match infer::get(bytes)?.mime_type() {
        "image/jpeg" => Some(("image/jpeg", "jpg")),
        "image/png" => Some(("image/png", "png")),
        "image/gif" => Some(("image/gif", "gif")),
        "image/webp" => Some(("image/webp", "webp")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_recognized_by_content() {
        let webp = b"RIFF\x24\x00\x00\x00WEBPVP8 ";
        assert_eq!(recognize(webp), Some(("image/webp", "webp")));
        assert_eq!(recognize(b"GIF89a....."), Some(("image/gif", "gif")));
        assert_eq!(
            recognize(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            None
        );
        assert_eq!(recognize(b"BM......................"), None);
        assert_eq!(recognize(b""), None);
    }
}
