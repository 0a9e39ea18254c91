//! Work teams of whoever asks (查询工队, `contract/xdua.md`): `/obj`, and the same as `/xdua/obj`.
//!
//! | file | what |
//! |---|---|
//! | `teams.rs` | the query, its parameters and its answer |
//! | `problem.rs` | every reason to say no, with its number |
//!
//! The filter's language is `projections::filter`'s, its fields are `projections::teams`'.

mod problem;
mod teams;

use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use problem::Problem;

use super::App;
use super::server::Trouble;

/// The surface's name.
const SURFACE: &str = "xdua";

/// Every endpoint with its documentation.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(teams::list))
        .routes(routes!(teams::list_under_prefix))
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
    fn both_paths_are_documented_under_names_of_this_surface() {
        let document = serde_json::to_value(routes().into_openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.keys().collect::<Vec<_>>(), ["/obj", "/xdua/obj"]);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in schemas.keys() {
            assert!(name.starts_with("xdua."), "{name}");
        }
    }
}
