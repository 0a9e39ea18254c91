//! What every client of this surface takes for granted to be there (`contract/zhugeleida.md` 2.1).

use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::ToSchema;

const AVATAR: &[u8] = include_bytes!("../../../assets/setAvator.jpg");

/// A picture of 300 by 300 pixels.
#[derive(ToSchema)]
#[schema(as = zhugeleida::AvatarPicture, value_type = String, format = Binary)]
#[expect(dead_code, reason = "it documents the bytes")]
pub struct AvatarPicture(Vec<u8>);

/// The picture of whoever has none
///
/// Cards and customers without a picture of their own show this path.
#[utoipa::path(
    get, path = "/statics/imgs/setAvator.jpg", tag = "files", operation_id = "default_avatar",
    responses((status = 200, description = "The bytes", content_type = "image/jpeg", body = AvatarPicture)),
    security(()),
)]
pub async fn default_avatar() -> ([(HeaderName, &'static str); 2], &'static [u8]) {
    let headers = [
        (CONTENT_TYPE, "image/jpeg"),
        (CACHE_CONTROL, "public, max-age=86400"),
    ];
    (headers, AVATAR)
}
