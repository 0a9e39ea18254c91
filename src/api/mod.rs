//! HTTP: parse, dispatch one command or one query, answer.
//!
//! | file | what |
//! |---|---|
//! | `app.rs` | what every door shares |
//! | `identity.rs`, `login.rs`, `passwords.rs` | who is calling |
//! | `wire.rs`, `request.rs`, `answer.rs` | lenient parameters; from a request to desk and queries; what stands around an answer |
//! | `files.rs`, `form.rs` | stored files as they are answered; forms that bring them |
//! | `backend/` | the task back office, `/backend/api/v1`, and stored files |
//! | `community/` | the community and ticket app, `/community/api/v1` |
//! | `xdua/` | work teams of the caller, `/obj` |
//! | `weidu/` | customer cases, `/weidu/api/v1`, and their files |
//! | `zhugeleida/` | the mini-program, `/zhugeleida` |
//! | `admin/` | the staff endpoint, `/admin/commands`, and audits over HTTP |
//! | `ops/` | the operators' listener, and health on both |
//! | `openapi.rs` | everything above in one document |
//! | `server/`, `problem.rs` | the loop under both listeners; words for who has no envelope |

pub mod admin;
pub mod answer;
pub mod app;
pub mod backend;
pub mod community;
pub mod files;
pub mod form;
pub mod identity;
pub mod login;
pub mod openapi;
pub mod ops;
pub mod passwords;
pub mod problem;
pub mod request;
pub mod server;
pub mod weidu;
pub mod wire;
pub mod xdua;
pub mod zhugeleida;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

pub use app::{App, AppParts, AppSettings};

use ops::{Readiness, health};
use server::Trouble;

/// Every surface, a line each, with its description.
#[must_use]
pub fn surfaces() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(backend::routes())
        .merge(community::routes())
        .merge(xdua::routes())
        .merge(weidu::routes())
        .merge(zhugeleida::routes())
        .merge(admin::routes())
}

/// The public listener: the surfaces, the staff endpoint, stored files, health.
pub fn router(app: App, readiness: Readiness) -> Router {
    let unknown = async |uri: Uri| word(uri.path(), Trouble::UnknownPath);
    let wrong = async |uri: Uri| word(uri.path(), Trouble::WrongMethod);
    let (router, _) = surfaces()
        .with_state(app.clone())
        .merge(health::routes().with_state(readiness))
        .split_for_parts();
    let router = router.method_not_allowed_fallback(wrong);
    let known = router.clone().fallback(unknown);
    router
        .fallback(async move |request| zhugeleida::slash_or_not(known, request).await)
        // Handlers read bodies up to their own limits.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app, answer::frame))
}

/// Words trouble as the surface under this path does.
#[must_use]
pub fn word(path: &str, trouble: Trouble) -> Response {
    match path.split('/').nth(1) {
        Some("obj" | "xdua") => xdua::word(trouble),
        Some("zhugeleida" | "statics") => zhugeleida::word(trouble),
        Some("backend" | "upload") => backend::word(path, trouble),
        Some("community" | "media") => community::word(trouble),
        Some("admin") => admin::word(trouble),
        Some("weidu") => weidu::word(trouble),
        _ if weidu::is_file(path) => weidu::word(trouble),
        _ => ops::word(path, trouble),
    }
}
