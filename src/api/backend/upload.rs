//! Taking images (`contract/backend.md` 2.10).

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};
use chrono::FixedOffset;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::warn;
use utoipa::ToSchema;
use uuid::Uuid;

use super::call;
use super::envelope::{self, Answer};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::form::{AROUND_THE_FILE, Form, is_form};
use crate::api::identity::{self, Staff};
use crate::api::request::{self, BodyError, Incoming};
use crate::commands::media::{MediaError, StoreUpload};
use crate::commands::{self, DeskError, Done};
use crate::gateways::pictures::recognize;

/// Its path.
pub const PATH: &str = "/backend/api/v1/upload";

/// UTC+8, in seconds.
const EAST_8: i32 = 8 * 60 * 60;

/// What is sent to upload an image.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::UploadRequest)]
#[expect(dead_code, reason = "it documents the form, which is read by hand")]
pub struct UploadRequest {
    /// One image: JPEG, PNG, GIF or WebP, recognized by its content.
    #[schema(format = Binary, value_type = String)]
    file: Vec<u8>,
}

/// Where an image is served.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::UploadAnswer)]
pub struct UploadAnswer {
    #[serde(flatten)]
    answer: Answer,
    /// Path of the stored file; empty on failure.
    #[schema(example = "/upload/20240102/6f9619ff-8b86-4011-b42d-00c04fc964ff.jpg")]
    uri: String,
    /// The same with the public address in front; empty on failure.
    full_uri: String,
}

/// Upload an image (上传图片)
///
/// A repeated `Idempotency-Key` with the same image answers the first one's `uri`.
#[utoipa::path(
    post, path = PATH, tag = SURFACE, operation_id = "backend_upload",
    request_body(content = UploadRequest, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Codes: 0, 400, 401, 403, 409, 415", body = UploadAnswer),
        (status = 413, description = "Code 413", body = UploadAnswer),
    ),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn upload(State(app): State<App>, request: Request) -> Response {
    take(app, request).await.unwrap_or_else(refused)
}

/// Failures have the links, too, empty.
pub fn refused(problem: Problem) -> Response {
    let answer = UploadAnswer {
        answer: problem.answer(),
        uri: String::new(),
        full_uri: String::new(),
    };
    problem.shaped(&answer)
}

async fn take(app: App, request: Request) -> Result<Response, Problem> {
    let limit = app.settings().upload_max_bytes;
    // Nobody makes us hold an image without being logged in.
    let staff = match gate(&app, request.headers()).await {
        Ok(staff) => staff,
        Err(problem) => {
            request::drain(request.into_body(), limit + AROUND_THE_FILE).await;
            return Err(problem);
        }
    };
    let _seat = app.upload_seat().ok_or_else(Problem::overloaded)?;
    let incoming = match Incoming::read(&app, request, limit + AROUND_THE_FILE).await {
        Err(BodyError::TooLarge) => return Err(Problem::file_too_large()),
        other => other?,
    };
    let form = Form::read(&incoming).await;
    let Form { file, .. } = form.map_err(|_| Problem::invalid("file"))?;
    if file.len() > limit {
        return Err(Problem::file_too_large());
    }
    let kind = recognize(&file).ok_or_else(Problem::not_an_image)?;
    let sha256 = HEXLOWER.encode(&Sha256::digest(&file));
    let id = Uuid::new_v4().to_string();
    let date = app
        .now()
        .with_timezone(
            &FixedOffset::east_opt(EAST_8).unwrap_or_else(|| unreachable!("a day has 24 hours")),
        )
        .format("%Y%m%d");
    let entry = StoreUpload {
        uri: format!("/upload/{date}/{id}.{}", kind.extension),
        id,
        content_type: kind.mime,
        size_bytes: i64::try_from(file.len()).unwrap_or(i64::MAX),
        sha256,
    };
    // Boundaries differ from one sending to the next, images do not.
    let digest = incoming.digest_with(entry.sha256.as_bytes());
    let request = call::desk_with(&app, &incoming, &staff, digest)?;
    let work = app.clone();
    let done = app
        .detached(async move { store(&work, &request, &entry, file).await })
        .await??;
    let uri = done.outcome.clone();
    let answer = UploadAnswer {
        answer: Answer::success(""),
        full_uri: format!("{}{uri}", base(&app, &incoming)),
        uri,
    };
    Ok((Stamp::of(&app, &done), envelope::with(answer)).into_response())
}

/// Is it a form, and by whom?
async fn gate(app: &App, headers: &HeaderMap) -> Result<Staff, Problem> {
    if !is_form(headers) {
        return Err(Problem::invalid("file"));
    }
    Ok(identity::staff(app, headers).await?)
}

/// First the bytes, then the events: an orphan file is harmless, an event without its file is not.
async fn store(
    app: &App,
    request: &commands::Request,
    entry: &StoreUpload,
    file: Bytes,
) -> Result<Done<String>, Problem> {
    app.files().put(&entry.uri, file).await?;
    let outcome = app.desk().run(request, entry).await;
    if is_orphan(&outcome, entry)
        && let Err(error) = app.files().delete(&entry.uri).await
    {
        warn!(error = %error, "A file that nothing refers to stays in the store: {error}");
    }
    Ok(outcome?)
}

/// Does certainly nothing refer to the file?
fn is_orphan(outcome: &Result<Done<String>, DeskError<MediaError>>, entry: &StoreUpload) -> bool {
    match outcome {
        Ok(done) => done.outcome != entry.uri,
        // After a fault the events may be in the log all the same.
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

/// What stands in front of a full link: as set, else as the request names us.
pub fn base(app: &App, incoming: &Incoming) -> String {
    if let Some(base) = &app.settings().public_base_url {
        return base.clone();
    }
    let host = incoming.headers.get(HOST).and_then(|v| v.to_str().ok());
    let host = host.and_then(|text| text.parse::<Authority>().ok());
    match host.as_ref().or(incoming.uri.authority()) {
        Some(host) if call::over_tls(&incoming.headers) => format!("https://{host}"),
        Some(host) => format!("http://{host}"),
        None => String::new(),
    }
}
