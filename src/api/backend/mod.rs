//! The task back office (`contract/backend.md`): `/backend/api/v1`, and the stored files it hands out.
//!
//! | file | what |
//! |---|---|
//! | `session.rs` | testing the login, logging in and out |
//! | `tasks.rs` | tasks |
//! | `upload.rs`, `files.rs` | taking images, serving them |
//! | `call.rs` | a request as these endpoints want it |
//! | `envelope.rs`, `problem.rs` | what is answered, and every refusal's code |

mod call;
mod envelope;
mod files;
mod problem;
mod session;
mod tasks;
mod upload;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use envelope::Answer;
pub use problem::Problem;

use super::App;

/// How events name this door.
const SURFACE: &str = "backend";

/// Every endpoint with its documentation.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session::hola))
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(
            tasks::create,
            tasks::detail,
            tasks::edit,
            tasks::delete
        ))
        .routes(routes!(tasks::change_status))
        .routes(routes!(tasks::list))
        .routes(routes!(upload::upload))
        .routes(routes!(files::serve))
}

/// The surface: its endpoints, and its own answer where the method is wrong.
pub fn router() -> Router<App> {
    let (router, _) = routes().split_for_parts();
    router
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        // Handlers read bodies up to their own limits.
        .layer(DefaultBodyLimit::disable())
}
