//! Everything the service answers, in one OpenAPI 3.1 document, generated from the types of requests and answers.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Tag};

use super::identity::STAFF_COOKIE;
use super::ops;

/// What belongs together, and where it listens.
const TAGS: [(&str, &str); 8] = [
    (
        "backend",
        "The task back office (后台), on the public listener.",
    ),
    (
        "community",
        "The community and ticket app (社区), on the public listener. Functions with a token take it as `token` among their \
         parameters or as `Authorization: Bearer`.",
    ),
    (
        "xdua",
        "Work teams of the caller (查询工队), on the public listener.",
    ),
    (
        "weidu",
        "Customer cases for everybody (客户案例), on the public listener.",
    ),
    (
        "zhugeleida",
        "The mini-program (诸葛雷达 小程序), on the public listener.",
    ),
    (
        "admin",
        "Commands and audits by staff, on the public listener.",
    ),
    ("health", "On both listeners."),
    (
        "ops",
        "For operators, on the listener of `SHIJI_OPS_LISTEN` only.",
    ),
];

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("shiji")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(env!("CARGO_PKG_DESCRIPTION")));
    let mut document = OpenApiBuilder::new()
        .info(info)
        .tags(Some(TAGS.map(|(name, words)| tag(name, words))))
        .build();
    document.merge(super::surfaces().into_openapi());
    document.merge(ops::health::routes().into_openapi());
    document.merge(ops::routes().into_openapi());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "backend_session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(STAFF_COOKIE))),
    );
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    components.add_security_scheme(
        "community_token",
        SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("token"))),
    );
    components.add_security_scheme(
        "xdua_token",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("Authorization"))),
    );
    components.add_security_scheme(
        "zhugeleida_signature",
        SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description(
            "rand_str",
            "md5_hex(timestamp + token), beside `user_id` and `timestamp`",
        ))),
    );
    document
}

/// The document as it stands in `docs/openapi.json`.
///
/// # Errors
/// Never: the document is made of texts.
pub fn json() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|json| json + "\n")
}

fn tag(name: &str, words: &str) -> Tag {
    TagBuilder::new()
        .name(name)
        .description(Some(words))
        .build()
}
