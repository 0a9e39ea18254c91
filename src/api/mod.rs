//! HTTP: parse, dispatch one command or one query, answer.
//!
//! | file | what |
//! |---|---|
//! | `app.rs` | what every door shares |
//! | `identity.rs`, `passwords.rs` | who is calling |
//! | `wire.rs`, `request.rs`, `answer.rs` | lenient parameters; from a request to desk and queries; what stands around an answer |
//! | `backend/` | the task back office, `/backend/api/v1`, and stored files |
//! | `admin/` | the staff endpoint, `/admin/commands` |
//! | `ops/` | the operators' listener, and health on both |
//! | `openapi.rs` | everything above in one document |
//! | `server/`, `problem.rs` | the loop under both listeners; words for who has no envelope |

pub mod answer;
pub mod app;
pub mod backend;
pub mod identity;
pub mod ops;
pub mod passwords;
pub mod problem;
pub mod request;
pub mod server;
pub mod wire;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};

pub use app::{App, AppParts, AppSettings};

/// The public listener's routes.
pub fn router(app: App) -> Router {
    let framed = from_fn_with_state(app.clone(), answer::frame);
    Router::new()
        .merge(backend::router())
        .fallback(|| async { failure(Failure::UnknownPath) })
        .layer(framed)
        .with_state(app)
}

/// What can go wrong before a surface's own code runs, or around it.
#[derive(Debug)]
pub enum Failure {
    /// No such path.
    UnknownPath,
    /// A known path, another method.
    WrongMethod,
    /// The body is too large.
    TooLarge,
    /// Too much at once; nothing happened.
    Overloaded,
    /// A fault.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

/// Answers in a surface's envelope. Where no surface is concerned, the back office's is spoken.
#[must_use]
pub fn failure(failure: Failure) -> Response {
    match failure {
        Failure::UnknownPath => backend::Problem::unknown_path(),
        Failure::WrongMethod => backend::Problem::method_not_allowed(),
        Failure::TooLarge => backend::Problem::body_too_large(),
        Failure::Overloaded => backend::Problem::overloaded(),
        Failure::Broken(cause) => backend::Problem::broken(cause),
    }
    .into_response()
}
