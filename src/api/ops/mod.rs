//! The operators' listener: metrics, documentation, the feed, health. It asks nobody for a login; it listens on
//! the loopback address unless told otherwise.

pub mod feed;
pub mod health;
pub mod metrics;

use std::sync::LazyLock;

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::problem::Problem;
use super::server::Trouble;
use crate::ledger::Ledger;

pub use health::{Check, Readiness, Readyz, Reason};

/// What the operators' listener stands on.
#[derive(Clone)]
pub struct Ops {
    /// The log.
    pub ledger: Ledger,
    /// The pool whose use is measured.
    pub pool: PgPool,
    /// Whether this node should be sent work.
    pub readiness: Readiness,
    /// Ends the feeds, which would go on for ever.
    pub stop: CancellationToken,
}

/// The endpoints of this listener alone, with their description.
pub fn routes() -> OpenApiRouter<Ops> {
    OpenApiRouter::new()
        .routes(routes!(metrics::metrics))
        .routes(routes!(feed::feed))
        .routes(routes!(openapi))
}

/// Everything the service answers, in one document: this one.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "ops",
    responses((status = 200, description = "OpenAPI 3.1.", content_type = "application/json"))
)]
async fn openapi() -> Json<&'static OpenApi> {
    static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(super::openapi::document);
    Json(&*DOCUMENT)
}

/// The whole listener.
pub fn router(ops: Ops) -> Router {
    let readiness = ops.readiness.clone();
    let (router, _) = routes()
        .with_state(ops)
        .merge(health::routes().with_state(readiness))
        .split_for_parts();
    let docs = SwaggerUi::new("/docs").config(Config::new(["/openapi.json"]));
    let unknown = async |uri: Uri| word(uri.path(), Trouble::UnknownPath);
    let wrong = async |uri: Uri| word(uri.path(), Trouble::WrongMethod);
    router
        .merge(docs)
        .fallback(unknown)
        .method_not_allowed_fallback(wrong)
}

/// How this listener, and everything else without an envelope of its own, words trouble.
#[must_use]
pub fn word(_path: &str, trouble: Trouble) -> Response {
    let problem = match trouble {
        Trouble::UnknownPath => {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
        }
        Trouble::WrongMethod => Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "not with this method",
        ),
        Trouble::Overloaded => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "too many requests at once; nothing happened",
        ),
        Trouble::BodyTooLarge => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "the body is too large",
        ),
        Trouble::TimedOut => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "timed_out",
            "the request took longer than allowed",
        ),
        Trouble::Panicked => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something broke",
        ),
    };
    problem.into_response()
}
