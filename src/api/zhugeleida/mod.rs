//! The mini-program (诸葛雷达 小程序, `contract/zhugeleida.md`): `/zhugeleida`.
//!
//! | file | what |
//! |---|---|
//! | `login.rs`, `test_login.rs`, `binding.rs` | who is a customer, and whose |
//! | `profile.rs` | what customers let us know of them |
//! | `cards.rs`, `card_log.rs` | business cards, and what visitors do with them |
//! | `posters.rs` | posters of cards, and the pictures of them |
//! | `statics.rs` | the picture of whoever has none |
//! | `products.rs`, `website.rs` | what a company has on its shelf, and its website |
//! | `cases.rs`, `tags.rs`, `diaries.rs` | a company's case library |
//! | `chat/`, `live/` | the chat with enterprise users, over HTTP and on sockets |
//! | `companies.rs` | whose things are, and recording what the caller does with them |
//! | `call.rs`, `signature.rs` | a request as these endpoints want it, and who signed it |
//! | `params.rs` | parameters that many endpoints document |
//! | `toggle.rs` | a praise that was sent twice by accident |
//! | `envelope.rs`, `problem.rs` | what is answered, and every refusal's code |

mod binding;
mod call;
mod card_log;
mod cards;
mod cases;
mod chat;
mod companies;
mod diaries;
mod envelope;
mod live;
mod login;
mod params;
mod posters;
mod problem;
mod products;
mod profile;
mod signature;
mod statics;
mod tags;
mod test_login;
mod time;
mod toggle;
mod website;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use live::{Live, LiveLimits};
pub use problem::Problem;
pub use signature::{card_token, customer_token, rand_str};

use super::App;
use super::server::Trouble;

/// How events name this door.
const SURFACE: &str = "zhugeleida";

/// Every endpoint with its documentation.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(login::login))
        .routes(routes!(binding::bind))
        .routes(routes!(profile::send_user_info))
        .routes(routes!(profile::send_form_id))
        .routes(routes!(cards::mingpian))
        .routes(routes!(cards::all))
        .routes(routes!(card_log::calling))
        .routes(routes!(card_log::save_wechat))
        .routes(routes!(card_log::praise))
        .routes(routes!(card_log::forward))
        .routes(routes!(card_log::up_sign))
        .routes(routes!(posters::create_poster))
        .routes(routes!(posters::save_poster))
        .routes(routes!(posters::picture))
        .routes(routes!(statics::default_avatar))
        .routes(routes!(test_login::login))
        .routes(routes!(test_login::send_form_id))
        .routes(routes!(test_login::send_user_info))
        .routes(routes!(products::single))
        .routes(routes!(products::list))
        .routes(routes!(products::forward))
        .routes(routes!(website::website))
        .routes(routes!(cases::list))
        .routes(routes!(cases::collect))
        .routes(routes!(cases::browsed))
        .routes(routes!(cases::collected))
        .routes(routes!(tags::list))
        .routes(routes!(tags::history))
        .routes(routes!(tags::hot))
        .routes(routes!(diaries::list))
        .routes(routes!(diaries::list_alias))
        .routes(routes!(diaries::review))
        .routes(routes!(diaries::reviews))
        .routes(routes!(diaries::praise))
        .routes(routes!(chat::reading::history))
        .routes(routes!(chat::reading::news))
        .routes(routes!(chat::reading::unread))
        .routes(routes!(chat::sending::send))
        .routes(routes!(chat::sending::hand_over_phone))
        .routes(routes!(chat::sending::consult))
        .routes(routes!(live::socket))
}

/// Trouble around a request, in this surface's words.
#[must_use]
pub fn word(trouble: Trouble) -> Response {
    match trouble {
        Trouble::UnknownPath => Problem::unknown_path(),
        Trouble::WrongMethod => Problem::wrong_method(),
        Trouble::BodyTooLarge => Problem::body_too_large(),
        Trouble::Overloaded => Problem::overloaded(),
        Trouble::TimedOut | Trouble::Panicked => Problem::fault(trouble),
    }
    .into_response()
}

/// Under no other path: a slash at the end of this surface's paths may be there or not, so what was not found is looked
/// for once more the other way.
pub async fn slash_or_not(router: Router, mut request: Request) -> Response {
    if let Some(other) = otherwise(request.uri()) {
        *request.uri_mut() = other;
    }
    router
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {})
}

fn otherwise(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !path.starts_with("/zhugeleida/") {
        return None;
    }
    let other = match path.strip_suffix('/') {
        // The number at the end of these means nothing, and some clients leave it out.
        without if chat::NUMBERED.contains(&without.unwrap_or(path)) => {
            format!("{}/0", without.unwrap_or(path))
        }
        Some(without) => without.to_owned(),
        None => format!("{path}/"),
    };
    let query = uri.query().map(|query| format!("?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some((other + &query.unwrap_or_default()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_comes_or_goes_and_nothing_else_changes() {
        let other = |uri: &str| otherwise(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(
            other("/zhugeleida/a/?x=1/").as_deref(),
            Some("/zhugeleida/a?x=1/")
        );
        assert_eq!(other("/zhugeleida/a").as_deref(), Some("/zhugeleida/a/"));
        assert_eq!(other("/backend/a/"), None);
        for bare in ["", "/"] {
            let sent = format!("/zhugeleida/qiyeweixin/chat/send_msg{bare}?x=1");
            let meant = "/zhugeleida/qiyeweixin/chat/send_msg/0?x=1";
            assert_eq!(other(&sent).as_deref(), Some(meant));
        }
    }

    #[test]
    fn every_schema_is_named_after_this_surface() {
        let document = serde_json::to_value(routes().into_openapi()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in schemas.keys() {
            assert!(name.starts_with("zhugeleida."), "{name}");
        }
    }
}
