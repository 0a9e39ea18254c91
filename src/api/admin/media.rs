//! Commands to stored files (`backend.md` section 4).

use serde::Deserialize;
use tracing::warn;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand};
use super::target::{MediaId, Target};
use crate::api::app::App;
use crate::api::community::small_key;
use crate::commands::media::MediaCommand;
use crate::events::{self, Event, Media, MediaEvent};
use crate::ledger::StreamId;

/// Enter a file whose bytes were brought into the file store by other ways, under `media/<id>.<extension>`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreMedia {
    /// 1 to 8 of `[a-z0-9]`.
    extension: String,
    /// Bytes.
    size: u64,
    /// As `image/jpeg`.
    mime_type: String,
}

impl Fields for StoreMedia {
    const NAME: &'static str = "StoreMedia";

    fn check(&self, flaws: &mut Flaws) {
        flaws.bytes("extension", &self.extension, 1..=8);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !self.extension.bytes().all(plain) {
            flaws.say("extension", "must be of a to z and 0 to 9");
        }
        if i64::try_from(self.size).is_err() {
            flaws.say("size", "must be below 2^63");
        }
        flaws.bytes("mime_type", &self.mime_type, 3..=100);
        if !is_mime_type(&self.mime_type) {
            flaws.say("mime_type", "must look like image/jpeg");
        }
    }
}

impl StaffCommand for StoreMedia {
    type Target = MediaId;

    async fn run(self, call: Call, media: MediaId) -> Result<Success, Failure> {
        let id = media.id();
        let store = MediaCommand::Store {
            uri: format!("/media/{id}.{}", self.extension),
            content_type: self.mime_type,
            size_bytes: i64::try_from(self.size).unwrap_or(i64::MAX),
            sha256: String::new(),
            by: None,
        };
        let desk = call.app.desk();
        let done = desk.execute::<Media>(&call.request, &id, store).await?;
        Ok(Success::of::<MediaId, _>(&call.app, &id, &done))
    }
}

/// Two words of the letters that a header may hold, with a slash between them.
fn is_mime_type(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-._".contains(&b);
    let word = |text: &str| !text.is_empty() && text.bytes().all(letter);
    let words = text.split_once('/');
    words.is_some_and(|(kind, subtype)| word(kind) && word(subtype))
}

/// Stop serving a stored file, and remove its bytes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteMedia {}

impl Fields for DeleteMedia {
    const NAME: &'static str = "DeleteMedia";
}

impl StaffCommand for DeleteMedia {
    type Target = MediaId;

    async fn run(self, call: Call, media: MediaId) -> Result<Success, Failure> {
        let id = media.id();
        let desk = call.app.desk();
        let done = desk
            .execute::<Media>(&call.request, &id, MediaCommand::Delete)
            .await?;
        // Also when it was deleted before: the bytes may have stayed when the service went down in between.
        if let Err(error) = remove_bytes(&call.app, &id).await {
            warn!(media.id = %id, error, "The bytes of file {id} stay until it is deleted again: {error}");
        }
        Ok(Success::of::<MediaId, _>(&call.app, &id, &done))
    }
}

/// The state of a deleted file does not know its key any more, its events do.
async fn remove_bytes(app: &App, id: &str) -> Result<(), String> {
    let stream = StreamId::new(MediaId::AGGREGATE, id);
    let stored = app.ledger().stream(&stream).await;
    for event in &stored.map_err(|error| error.to_string())? {
        let event = events::decode(event).map_err(|error| error.to_string())?;
        if let Event::Media(MediaEvent::MediaStored { uri, .. }) = event {
            // Beside an image of the community lies a small one.
            for key in [uri, small_key(id)] {
                let removed = app.files().delete(&key).await;
                removed.map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}
