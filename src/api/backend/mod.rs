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

use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use envelope::Answer;
pub use problem::Problem;
pub use tasks::TaskPages;
pub use upload::base;

use super::App;
use super::server::Trouble;

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

/// Trouble around a request, in this surface's words.
#[must_use]
pub fn word(path: &str, trouble: Trouble) -> Response {
    let uploading = path == upload::PATH;
    let problem = match trouble {
        Trouble::UnknownPath => Problem::unknown_path(),
        Trouble::WrongMethod => Problem::method_not_allowed(),
        Trouble::BodyTooLarge if uploading => Problem::file_too_large(),
        Trouble::BodyTooLarge => Problem::body_too_large(),
        Trouble::Overloaded => Problem::overloaded(),
        Trouble::TimedOut | Trouble::Panicked => Problem::fault(trouble),
    };
    if uploading {
        upload::refused(problem)
    } else {
        problem.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_documented_under_names_of_this_surface() {
        let document = serde_json::to_value(routes().into_openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let methods = paths.values().map(|path| path.as_object().unwrap().len());
        assert_eq!(methods.sum::<usize>(), 11);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in schemas.keys() {
            assert!(name.starts_with("backend."), "{name}");
        }
    }
}
