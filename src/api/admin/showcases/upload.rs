//! Uploading files of cases: measured, given a preview, stored under the path that the list shows.

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tracing::warn;
use utoipa::ToSchema;

use super::super::answer::{Envelope, Failure, Refused, Success};
use super::super::fields::Flaws;
use super::super::target::Target;
use super::super::{SURFACE, digested};
use super::ShowcaseId;
use crate::api::app::App;
use crate::api::form::{AROUND_THE_FILE, Form, is_form};
use crate::api::identity::{self, Staff};
use crate::api::request::{self, Incoming};
use crate::commands::showcase::{
    AddShowcaseFile, FileName, NewFile, Preview, ShowcaseError, day, new_id,
};
use crate::commands::{self, DeskError, Done};
use crate::events::Showcase;
use crate::events::showcase::ShowcaseFile;
use crate::gateways::{Picture, PictureError};

/// Its path.
const PATH: &str = "/admin/showcases/{task_id}/files";
/// What the file store takes as a name, in bytes: file systems end at 255, and it writes to a longer name first.
const NAME_BYTES_MAX: usize = 240;

/// What is sent to upload a file.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ShowcaseUpload)]
#[expect(dead_code, reason = "it documents the form, which is read by hand")]
pub(in crate::api::admin) struct UploadRequest {
    /// One picture: JPEG, PNG, GIF or WebP, recognized by its content.
    #[schema(format = Binary, value_type = String)]
    file: Vec<u8>,
    /// 1 to 200 characters with an extension, no `/`; by default the name that the file is sent under.
    name: Option<String>,
    /// The id of who supplied it, without the realm; by default the case's author.
    user_id: Option<String>,
}

/// Upload a picture of a case.
///
/// It is measured, gets a preview of at most 480 pixels and is served, as it was sent, under its `path`. The answer shows
/// `data.file_id`, `data.path` and `data.preview_path`. Needs role 1 or permission bit 64.
#[utoipa::path(
    post, path = PATH, tag = "admin", operation_id = "upload_showcase_file",
    security(("backend_session" = []), ("bearer" = [])),
    params(
        ("task_id" = String, Path, description = "The case."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 128 visible ASCII characters; the same key gives the first answer again for 24 hours."),
        ("If-Match" = Option<String>, Header, description = "`\"<version>\"`: refused with 409 when the case stands at another version.")
    ),
    request_body(content = UploadRequest, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Done (`code` 0), or a refusal with its code: 303 when it is no such picture, 409 when the case has 100 files.", body = Envelope),
        (status = 413, description = "The file is too large.", body = Refused),
        (status = 500, description = "Something broke (`code` 500).", body = Refused),
        (status = 503, description = "Too much at once; nothing happened.", body = Refused)
    )
)]
pub(in crate::api::admin) async fn upload(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let Path(id) = path.map_err(|_| Failure::UnknownAggregate)?;
    let limit = app.settings().upload_max_bytes;
    // Nobody makes us hold a file without being allowed to bring it.
    let (staff, author) = match gate(&app, request.headers(), &id).await {
        Ok(allowed) => allowed,
        Err(failure) => {
            request::drain(request.into_body(), limit + AROUND_THE_FILE).await;
            return Err(failure);
        }
    };
    let _seat = app.upload_seat().ok_or(Failure::Overloaded)?;
    let incoming = Incoming::read(&app, request, limit + AROUND_THE_FILE).await?;
    let form = Form::read(&incoming).await;
    let form = form.map_err(|_| flaw("file", "must be one file in a form"))?;
    if form.file.len() > limit {
        return Err(Failure::BodyTooLarge);
    }
    let name = name(&form)?;
    let picture = app.pictures().look(form.file.clone()).await?;
    let sha256 = HEXLOWER.encode(&Sha256::digest(&form.file));
    let user_id = form.text("user_id").map(str::trim);
    let user_id = user_id.filter(|id| !id.is_empty()).map(str::to_owned);
    // Boundaries differ from one sending to the next, files and their names do not.
    let said = [&sha256, name.as_str(), user_id.as_deref().unwrap_or("")].join("\n");
    let digest = incoming.digest_with(&digested(&incoming.headers, said.as_bytes()));
    let mut request = incoming
        .desk(&app, SURFACE, &staff.actor(), PATH, digest)
        .map_err(|_| Failure::Malformed)?;
    let condition = super::super::version(&incoming.headers)?;
    request.if_match = condition.map(|version| (ShowcaseId(id.clone()).stream(), version));
    let add = AddShowcaseFile {
        file: NewFile {
            file_id: new_id(),
            // Its path is made of this, also when the case has another author by then.
            user_id: Some(user_id.unwrap_or(author)),
            name,
            mime_type: picture.mime.to_owned(),
            size_bytes: form.file.len() as u64,
            width_pixels: picture.width,
            height_pixels: picture.height,
            path: None,
            preview: Preview::Beside,
            day: day(app.now()),
            sha256: Some(sha256),
        },
        id,
    };
    let work = app.clone();
    let success = app
        .detached(async move { store(&work, &request, &add, form.file, picture).await })
        .await??;
    Ok(success.answer())
}

/// Is it a form, by whom, and to which case? Answers the case's author, too.
async fn gate(app: &App, headers: &HeaderMap, id: &str) -> Result<(Staff, String), Failure> {
    if !is_form(headers) {
        return Err(Failure::Malformed);
    }
    let staff = identity::staff(app, headers).await?;
    let case = ShowcaseId::parse(id).ok_or(Failure::NotFound)?;
    let bit = case.opened_by(app).await?.ok_or(Failure::NotFound)?;
    if !staff.may(bit) {
        return Err(Failure::Forbidden);
    }
    let found = app.ledger().current::<Showcase>(id).await?;
    let case = found.state.published().ok_or(Failure::NotFound)?;
    Ok((staff, case.user_id.clone()))
}

/// As given, else as the file is called where it comes from; some send that with its folders.
fn name(form: &Form) -> Result<FileName, Failure> {
    let given = form.text("name").map(str::trim).filter(|n| !n.is_empty());
    let sent = form.file_name.as_deref().unwrap_or_default();
    let sent = sent.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let name = FileName::parse(given.unwrap_or(sent));
    let name = name.map_err(|bad| flaw("name", &bad.to_string()))?;
    Ok(name.fitting(NAME_BYTES_MAX))
}

fn flaw(field: &str, reason: &str) -> Failure {
    let mut flaws = Flaws::default();
    flaws.say(field, reason);
    Failure::Invalid(flaws)
}

/// First the bytes, then the event: an orphan file is harmless, an event without its file is not.
async fn store(
    app: &App,
    request: &commands::Request,
    add: &AddShowcaseFile,
    file: Bytes,
    picture: Picture,
) -> Result<Success, Failure> {
    let ShowcaseFile {
        path, preview_path, ..
    } = add.file.of(&add.id, "");
    let preview_path = preview_path.unwrap_or_default();
    app.files().put(&path, file).await?;
    let outcome = match app.files().put(&preview_path, picture.preview).await {
        Ok(()) => Ok(app.desk().run(request, add).await),
        Err(error) => Err(error),
    };
    if outcome.as_ref().map_or(true, |o| is_orphan(o, add)) {
        for key in [&path, &preview_path] {
            if let Err(error) = app.files().delete(key).await {
                warn!(error = %error, "A file that nothing refers to stays in the store: {error}");
            }
        }
    }
    let done = outcome??;
    let success = Success::of::<ShowcaseId, _>(app, &add.id, &done);
    let file = done.outcome;
    Ok(success
        .with("file_id", file.file_id)
        .with("path", file.path)
        .with("preview_path", file.preview_path.unwrap_or_default()))
}

/// Does certainly nothing refer to the file?
fn is_orphan(
    outcome: &Result<Done<ShowcaseFile>, DeskError<ShowcaseError>>,
    add: &AddShowcaseFile,
) -> bool {
    match outcome {
        Ok(done) => done.outcome.file_id != add.file.file_id,
        // After a fault the event may be in the log all the same.
        Err(DeskError::Fault(_)) => false,
        Err(
            DeskError::Refused(_)
            | DeskError::Conflict
            | DeskError::VersionDiffers { .. }
            | DeskError::KeyReused
            | DeskError::Overloaded
            | DeskError::Past,
        ) => true,
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Unknown | PictureError::Unreadable | PictureError::TooLarge => {
                flaw("file", &error.to_string())
            }
            PictureError::BrokeOff(_) => Self::broken(error),
        }
    }
}
