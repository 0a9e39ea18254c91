//! The operators' listener: metrics, documentation, the feed, health. It asks nobody for a login; it listens on
//! the loopback address unless told otherwise.

pub mod feed;
pub mod health;
pub mod metrics;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
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

/// The endpoints with their description.
pub fn endpoints(ops: Ops) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(metrics::metrics))
        .routes(routes!(feed::feed))
        .with_state(ops.clone())
        .merge(health::router(ops.readiness))
}

/// The whole listener; `document` describes everything the service answers.
pub fn router(ops: Ops, document: OpenApi) -> Router {
    let (router, _) = endpoints(ops).split_for_parts();
    let docs = SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .config(Config::new(["/openapi.json"]).try_it_out_enabled(true));
    router
        .merge(docs)
        .fallback(async || {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
        })
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method_not_allowed", "not with this method")
        })
}

/// How this listener, and everything else without an envelope of its own, words trouble.
#[must_use]
pub fn word(_path: &str, trouble: Trouble) -> Response {
    let problem = match trouble {
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
