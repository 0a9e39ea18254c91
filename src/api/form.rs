//! Forms with one file in them, `multipart/form-data`.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use super::request::Incoming;

/// What a form may hold around its file, in bytes.
pub const AROUND_THE_FILE: usize = 64 * 1024;

/// A form that cannot be read, or has not exactly one file that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no form with exactly one file")]
pub struct BadForm;

/// A form with one file.
#[derive(Debug)]
pub struct Form {
    /// The bytes of the part `file`.
    pub file: Bytes,
    /// What the sender calls the file.
    pub file_name: Option<String>,
    /// The other parts that are texts, by their names.
    texts: Vec<(String, String)>,
}

/// Does a request say that it is a form?
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        let text = text.trim_start().to_ascii_lowercase();
        text.starts_with("multipart/form-data") && text.contains("boundary=")
    })
}

impl Form {
    /// Reads the form in a body.
    ///
    /// # Errors
    /// [`BadForm`].
    pub async fn read(incoming: &Incoming) -> Result<Self, BadForm> {
        let mut request = Request::new(incoming.body.clone().into());
        *request.headers_mut() = incoming.headers.clone();
        DefaultBodyLimit::disable().apply(&mut request);
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|_| BadForm)?;
        let mut file = None;
        let mut texts = Vec::new();
        while let Some(part) = form.next_field().await.map_err(|_| BadForm)? {
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|_| BadForm)?;
            if name == "file" {
                if file.replace((bytes, file_name)).is_some() {
                    return Err(BadForm);
                }
            } else if let Ok(text) = std::str::from_utf8(&bytes) {
                texts.push((name, text.to_owned()));
            }
        }
        let (file, file_name) = file.filter(|(bytes, _)| !bytes.is_empty()).ok_or(BadForm)?;
        Ok(Self {
            file,
            file_name,
            texts,
        })
    }

    /// A part that is a text, the last of its name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let named = self.texts.iter().rev().find(|(other, _)| other == name);
        named.map(|(_, text)| text.as_str())
    }
}
