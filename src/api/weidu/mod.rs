//! Customer cases for everybody (客户案例, `contract/weidu.md`): `/weidu/api/v1`, and the files of cases under the paths that
//! the list shows.
//!
//! | file | what |
//! |---|---|
//! | `cases.rs` | the list, its parameters and its answer |
//! | `files.rs` | serving files and previews |
//! | `problem.rs` | every reason to say no, with its code |
//!
//! Files are taken by `api::admin`, which checks who brings them.

mod cases;
mod files;
mod problem;

use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::response::{IntoResponse, Response};
use axum::routing::options;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use cases::CasePages;
pub use problem::Problem;

use super::App;
use super::server::Trouble;

/// The surface's name.
const SURFACE: &str = "weidu";

/// Every endpoint with its documentation.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    let allowed = async || (StatusCode::NO_CONTENT, [(ALLOW, "GET, HEAD, OPTIONS")]);
    OpenApiRouter::new()
        .routes(routes!(cases::list))
        .routes(routes!(files::serve))
        // Of all documents only this one says that OPTIONS is no wrong method.
        .route(cases::PATH, options(allowed))
}

/// Is it where files of cases are served?
#[must_use]
pub fn is_file(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    parts.next().is_some_and(files::is_day) && parts.next() == Some("task")
}

/// Trouble around a request, in this surface's words.
#[must_use]
pub fn word(trouble: Trouble) -> Response {
    match trouble {
        Trouble::UnknownPath => Problem::unknown_path(),
        Trouble::WrongMethod => Problem::method_not_allowed(),
        Trouble::BodyTooLarge => Problem::body_too_large(),
        Trouble::Overloaded => Problem::overloaded(),
        Trouble::TimedOut | Trouble::Panicked => Problem::fault(trouble),
    }
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_documented_under_names_of_this_surface() {
        let document = serde_json::to_value(routes().into_openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.keys().collect::<Vec<_>>(), [cases::PATH, files::PATH]);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in schemas.keys() {
            assert!(name.starts_with("weidu."), "{name}");
        }
    }

    #[test]
    fn files_of_cases_are_told_from_other_paths() {
        assert!(is_file("/20210203/task/x"));
        for other in ["/2021020/task/x", "/upload/20210203/x", "/20210203", "/"] {
            assert!(!is_file(other), "{other}");
        }
    }
}
