//! Commands to stored files (`backend.md` section 4).

use serde::Deserialize;
use tracing::warn;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::table::{Call, Fields, StaffCommand};
use super::target::{MediaId, Target};
use crate::api::app::App;
use crate::commands::media::MediaCommand;
use crate::events::{self, Event, Media, MediaEvent};
use crate::ledger::StreamId;

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
            let removed = app.files().delete(&uri).await;
            removed.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
