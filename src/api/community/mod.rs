//! The community and ticket app (`contract/community.md`): functions under `/community/api/v1`.
//!
//! | file | what |
//! |---|---|
//! | `call.rs`, `fields.rs` | a request as the functions want it: who calls, and parameters by the rules of this surface |
//! | `envelope.rs`, `problem.rs` | what is answered, and every refusal's code |
//! | `describe.rs` | what all functions have in common in the documentation |
//! | `articles/`, `comments/`, `messages/` | articles; what is said about them, about games and tickets; private messages |
//! | `session.rs`, `members.rs`, `follows.rs` | logging in, profiles, who follows whom |
//! | `media.rs` | images |
//! | `catalogue/`, `shop/` | what staff shows: banners, cloths, games, masters, merchants; projects, tickets, carts and orders |
//! | `time.rs` | the time of the server |
//!
//! A function is a handler of some ten lines: read the fields, run a command or ask a query, answer. Functions that only ask
//! are documented with `method(get, post)`, one type for the parameters of both.

mod articles;
mod call;
mod catalogue;
mod comments;
mod describe;
mod envelope;
pub mod fields;
mod follows;
mod media;
mod members;
mod messages;
mod problem;
mod session;
mod shop;
mod time;

use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use articles::lists::WholeArticles;
pub use fields::is_image;
pub use media::small_key;
pub use problem::Problem;

use super::App;
use super::server::Trouble;
use crate::postgres::Limit;

/// How events name this door.
const SURFACE: &str = "community";

/// Every function with its documentation.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    let mut router = OpenApiRouter::new()
        .merge(articles::routes())
        .merge(comments::routes())
        .merge(messages::routes())
        .merge(catalogue::routes())
        .merge(shop::routes())
        .routes(routes!(time::current))
        .routes(routes!(session::send_code))
        .routes(routes!(session::sign_up))
        .routes(routes!(session::log_in))
        .routes(routes!(session::log_out))
        .routes(routes!(session::update_password))
        .routes(routes!(members::mine))
        .routes(routes!(members::update))
        .routes(routes!(members::other))
        .routes(routes!(follows::follow))
        .routes(routes!(follows::unfollow))
        .routes(routes!(follows::followers))
        .routes(routes!(follows::following))
        .routes(routes!(media::issue))
        .routes(routes!(media::store, media::serve));
    describe::functions(router.get_openapi_mut());
    router
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

/// Counts a hit; above the limit the caller is told to wait.
async fn within(app: &App, key: &str, limit: Limit) -> Result<(), Problem> {
    match app.rate_limits().hit(key, limit, app.now()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Problem::too_often()),
        Err(error) => Err(Problem::query(app, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_documented_under_names_of_this_surface() {
        let document = serde_json::to_value(routes().into_openapi()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in schemas.keys() {
            assert!(name.starts_with("community."), "{name}");
        }
    }
}
