//! Images: an id for each, storing it under that, serving it and a small one beside it (`contract/community.md` 3.33; the
//! upload that it implies is ours).

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::{debug, warn};
use utoipa::ToSchema;
use uuid::Uuid;

use super::call::{self, MemberCall};
use super::envelope::{self, Answer};
use super::fields::Fields;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::files::{self, Keep, Known};
use crate::api::form::{AROUND_THE_FILE, Form, is_form};
use crate::api::request::{self, Incoming};
use crate::commands::Decide;
use crate::commands::media::{MediaCommand, MediaError};
use crate::events::Media;
use crate::gateways::pictures::recognize;
use crate::postgres::Limit;
use crate::projections::media;

/// Ids given out to one member.
const IDS: Limit = Limit {
    hits: 100,
    window: Duration::from_secs(60 * 60),
};

/// Behind the id in the name of the small picture.
const SMALL_SUFFIX: &str = "thumb.jpg";

/// Where the small picture of an image lies.
#[must_use]
pub fn small_key(id: &str) -> String {
    format!("/media/{id}.{SMALL_SUFFIX}")
}

/// An id for a file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MediaId)]
pub struct MediaId {
    /// 36 characters.
    #[schema(example = "e4cbdd56-855a-11ee-bcb6-5785abdd6148")]
    media_id: String,
}

/// Get a media file id (获取媒体文件ID)
///
/// A new one on every call, at most a hundred an hour. The bytes go to `PUT /media/{media_id}`.
#[utoipa::path(
    post, path = "/community/api/v1/get_media_id", tag = SURFACE, operation_id = "community_get_media_id",
    responses((status = 200, description = "Codes: 0, 400, 401, 423, 429", body = Answer<MediaId>)),
)]
pub async fn issue(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    super::within(&app, &format!("community-media:{}", call.member.uid), IDS).await?;
    let issue = MediaCommand::Issue {
        to: Some(call.member.party()),
    };
    let done = call
        .create::<Media>(&app, Uuid::new_v4().to_string(), issue)
        .await?;
    // A repeated key answers the id of the first request.
    let made = done.changes.first();
    let media_id = made.map(|change| change.id.clone()).unwrap_or_default();
    Ok(envelope::done(&app, &done, MediaId { media_id }))
}

/// An image that is stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::StoredImage)]
pub struct StoredImage {
    /// Its name, for whatever takes images; also served at `/media/{image}`.
    #[schema(example = "e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpg")]
    image: String,
    /// The name of a small one, no side longer than 480 pixels; null where none could be made.
    #[schema(example = "e4cbdd56-855a-11ee-bcb6-5785abdd6148.thumb.jpg")]
    thumbnail: Option<String>,
}

/// The bytes of an image.
#[derive(ToSchema)]
#[schema(as = community::ImageBytes, value_type = String, format = Binary)]
#[expect(dead_code, reason = "it documents bytes")]
pub struct ImageBytes(Vec<u8>);

/// Store an image under its id
///
/// JPEG, PNG, GIF or WebP, recognized by its content; as it is, or as the part `file` of a form. Only whom the id was given to
/// may, once. The token stands in `Authorization: Bearer` or in the query.
#[utoipa::path(
    put, path = "/media/{name}", tag = SURFACE, operation_id = "community_store_media",
    params(("name" = String, Path, description = "The media id", example = "e4cbdd56-855a-11ee-bcb6-5785abdd6148")),
    request_body(content = ImageBytes, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "Codes: 0, 400, 401, 403, 404, 409, 423", body = Answer<StoredImage>),
        (status = 413, description = "Code 413", body = super::problem::Failure),
    ),
)]
pub async fn store(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let limit = app.settings().upload_max_bytes;
    let most = limit + AROUND_THE_FILE;
    // Nobody makes us hold an image without being logged in.
    let fields = Fields::new(Incoming::query_of(request.uri()));
    let member = match call::caller(&app, &fields, request.headers()).await {
        Ok(member) => member,
        Err(problem) => {
            request::drain(request.into_body(), most).await;
            return Err(problem);
        }
    };
    let _seat = app.upload_seat().ok_or_else(Problem::overloaded)?;
    let incoming = Incoming::read(&app, request, most).await?;
    let call = MemberCall {
        incoming,
        fields,
        member,
    };
    let file = file(&call.incoming, limit).await?;
    let kind = recognize(&file).ok_or_else(|| Problem::invalid("file"))?;
    let id = name
        .ok()
        .and_then(|Path(name)| uuid(&name))
        .ok_or_else(Problem::not_found)?;
    let entry = Entry {
        uri: format!("/media/{id}.{}", kind.extension),
        id,
        content_type: kind.mime,
        sha256: HEXLOWER.encode(&Sha256::digest(&file)),
    };
    entry.store(&app, &call, file).await
}

/// The bytes, in a form or as they are.
async fn file(incoming: &Incoming, limit: usize) -> Result<Bytes, Problem> {
    let file = if is_form(&incoming.headers) {
        Form::read(incoming).await.ok().map(|form| form.file)
    } else {
        Some(incoming.body.clone()).filter(|body| !body.is_empty())
    };
    let file = file.ok_or_else(|| Problem::invalid("file"))?;
    if file.len() > limit {
        return Err(Problem::body_too_large());
    }
    Ok(file)
}

/// An image on its way into the log.
struct Entry {
    id: Uuid,
    uri: String,
    content_type: &'static str,
    sha256: String,
}

impl Entry {
    /// First the bytes, then the event: an orphan file is harmless, an event without its file is not.
    async fn store(self, app: &App, call: &MemberCall, file: Bytes) -> Result<Response, Problem> {
        // Boundaries differ from one sending to the next, images do not.
        let digest = call.incoming.digest_with(self.sha256.as_bytes());
        let request = call.request_with(app, digest)?;
        let id = self.id.to_string();
        let store = MediaCommand::Store {
            uri: self.uri.clone(),
            content_type: self.content_type.to_owned(),
            size_bytes: i64::try_from(file.len()).unwrap_or(i64::MAX),
            sha256: self.sha256.clone(),
            by: Some(call.member.party()),
        };
        let work = app.clone();
        let storing = async move {
            // Whose id it is not, or no longer, gets nothing into the file store.
            let found = work.ledger().current::<Media>(&id).await?;
            let may = found.state.decide(&store);
            let repeated =
                request.receipt.is_some() && matches!(may, Err(MediaError::AlreadyStored));
            if !repeated {
                may?;
            }
            if !work.files().put_once(&self.uri, file.clone()).await? {
                return Err(Problem::conflict());
            }
            let small = self.small(&work, file).await?;
            let done = work.desk().execute::<Media>(&request, &id, store).await?;
            let image = StoredImage {
                image: self.name(),
                thumbnail: small,
            };
            Ok::<_, Problem>((done, image))
        };
        let (done, image) = app.detached(storing).await??;
        Ok(envelope::done(app, &done, image))
    }

    fn name(&self) -> String {
        self.uri.trim_start_matches("/media/").to_owned()
    }

    /// Makes and stores the small picture; answers its name. A picture that is damaged or huge has none.
    async fn small(&self, app: &App, file: Bytes) -> Result<Option<String>, Problem> {
        let small = match app.pictures().look(file).await {
            Ok(picture) => picture.preview,
            Err(error) => {
                debug!(media.id = %self.id, "Image {} has no small one: {error}", self.id);
                return Ok(None);
            }
        };
        let id = self.id.to_string();
        app.files().put(&small_key(&id), small).await?;
        Ok(Some(format!("{id}.{SMALL_SUFFIX}")))
    }
}

/// A stored image, or the small one of it
///
/// Without login. `HEAD` and `If-None-Match` work.
#[utoipa::path(
    get, path = "/media/{name}", tag = "files", operation_id = "media_file",
    params(("name" = String, Path, description = "Its name", example = "e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpg")),
    responses(
        (status = 200, description = "The bytes", content_type = "image/*", body = ImageBytes),
        (status = 304, description = "As known"),
        (status = 404, description = "Code 404", body = super::problem::Failure),
    ),
    security(()),
)]
pub async fn serve(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|_| Problem::unknown_path())?;
    let (id, suffix) = name.split_once('.').ok_or_else(Problem::unknown_path)?;
    let id = uuid(id).ok_or_else(Problem::unknown_path)?;
    let found = media::by_id(app.reads(), id).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let found = found.ok_or_else(Problem::unknown_path)?;
    let key = format!("/media/{name}");
    // Images of other surfaces have no small ones here.
    let ours = found.uri.starts_with("/media/");
    let small = ours && suffix == SMALL_SUFFIX;
    if !small && found.uri != key {
        return Err(Problem::unknown_path());
    }
    // Staff enters files whose bytes nobody here has seen.
    let tag = match (found.sha256.as_str(), small) {
        ("", _) => name.clone(),
        (sha256, true) => format!("{sha256}-small"),
        (sha256, false) => sha256.to_owned(),
    };
    let file = Known {
        key: &key,
        content_type: if small {
            "image/jpeg"
        } else {
            &found.content_type
        },
        tag: &tag,
        keep: Keep::Forever,
    };
    if let Some(answer) = files::answer(app.files(), file, &headers).await? {
        return Ok(answer);
    }
    if !small {
        warn!(media.id = %id, "The bytes of media {id} are not in the file store");
    }
    Err(Problem::unknown_path())
}

/// Only the spelling that streams have.
fn uuid(text: &str) -> Option<Uuid> {
    let uuid = text.parse::<Uuid>().ok();
    uuid.filter(|uuid| uuid.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "e4cbdd56-855a-11ee-bcb6-5785abdd6148";
        assert!(uuid(text).is_some());
        for bad in [
            text.to_uppercase(),
            text.replace('-', ""),
            format!("{{{text}}}"),
        ] {
            assert_eq!(uuid(&bad), None, "{bad}");
        }
    }
}
