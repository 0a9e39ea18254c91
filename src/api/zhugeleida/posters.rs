//! Posters of cards, and the pictures of them (`contract/zhugeleida.md` 3.17, 3.18).

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use super::call::{Call, Recording};
use super::card_log::{CardQuery, record};
use super::cards::{or_default, shown, usable};
use super::envelope::{self, Answer, Nothing};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::backend;
use crate::api::files::{self, Keep, Known};
use crate::commands::card::CardVisit;
use crate::events::Card;
use crate::gateways::{FileError, Poster};
use crate::projections::cards::CardDetail;

const MINGPIAN: &str = "/zhugeleida/xiaochengxu/mingpian";
const SAVE_POSTER: &str = "/zhugeleida/xiaochengxu/mingpian/save_poster";
/// Where the pictures of posters are.
const FOLDER: &str = "/statics/zhugeleida/imgs/xiaochengxu/user_poster";
/// What their names end in.
const SUFFIX: &str = "_poster.png";
/// Where staff's pictures lie; others are never read for a poster.
const UPLOADS: &str = "/upload/";
/// Largest picture that is laid into a poster, in bytes.
const PICTURE_BYTES_MAX: u64 = 20 << 20;
/// How often a poster is looked for: between drawing and reading, an edit of the card may have taken it away.
const LOOKS: usize = 2;

/// What a poster shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::PosterData)]
pub struct PosterData {
    /// Enterprise user id.
    user_id: i64,
    /// User avatar.
    user_avatar: String,
    /// User name.
    username: String,
    /// Job title.
    position: String,
    /// Phone shown on the card.
    mingpian_phone: String,
    /// Company name.
    company: String,
    /// Empty when none is stored.
    qr_code_url: String,
}

/// Where a poster is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::PosterLink)]
pub struct PosterLink {
    /// Enterprise user id, a text here.
    #[schema(example = "1")]
    user_id: String,
    /// Where it is.
    #[schema(example = "statics/zhugeleida/imgs/xiaochengxu/user_poster/1_poster.png")]
    poster_url: String,
}

/// The bytes of a picture.
#[derive(ToSchema)]
#[schema(as = zhugeleida::PosterPicture, value_type = String, format = Binary)]
#[expect(dead_code, reason = "it documents the answer, which is streamed")]
pub struct PosterPicture(Vec<u8>);

/// Data for the card poster (名片里-生成海报)
#[utoipa::path(
    get, path = "/zhugeleida/xiaochengxu/mingpian/create_poster", tag = SURFACE,
    operation_id = "zhugeleida_create_poster",
    params(CardQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<Vec<PosterData>>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn create_poster(State(app): State<App>, call: Call) -> Result<Response, Problem> {
    call.customer(&app).await?;
    let uid = call.uid()?;
    usable(&app, uid).await?;
    let stamp = Stamp::as_of(&app, &call.incoming).await?;
    let card = shown(&app, uid).await?;
    let data = PosterData {
        user_id: card.uid,
        user_avatar: or_default(card.avatar),
        username: card.username,
        position: card.position,
        mingpian_phone: card.mingpian_phone,
        company: card.company,
        qr_code_url: card.qr_code_url,
    };
    Ok((stamp, envelope::data("请求成功", [data])).into_response())
}

/// Poster link (名片里-返回海报链接地址)
///
/// That of the stored poster; while none is stored, that of the one the service draws.
#[utoipa::path(
    get, path = SAVE_POSTER, tag = SURFACE, operation_id = "zhugeleida_save_poster",
    params(CardQuery),
    responses((status = 200, description = "Codes: 200, 301, 302, 306, 404", body = Answer<PosterLink>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn save_poster(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (_, done) = record(&app, &call, CardVisit::SavePoster, SAVE_POSTER).await?;
    let card = shown(&app, call.uid()?).await?;
    let data = PosterLink {
        user_id: card.uid.to_string(),
        poster_url: stored_elsewhere(&card).map_or_else(|| drawn_at(card.uid), str::to_owned),
    };
    Ok((Stamp::of(&app, &done), envelope::data("请求成功", data)).into_response())
}

/// A card's poster
///
/// Drawn by the service from what the card shows now. Without login: `save_poster` gives the link, and pictures are not signed.
/// Where another poster is stored on the card, that one wins. `HEAD` and `If-None-Match` work.
#[utoipa::path(
    get, path = "/statics/zhugeleida/imgs/xiaochengxu/user_poster/{file}", tag = "files", operation_id = "card_poster",
    params(("file" = String, Path, description = "The card's uid and `_poster.png`", example = "1_poster.png")),
    responses(
        (status = 200, description = "The bytes", content_type = "image/png", body = PosterPicture),
        (status = 302, description = "Another poster is stored on the card"),
        (status = 304, description = "As known"),
        (status = 404, description = "Code 404", body = Answer<Nothing>),
    ),
    security(()),
)]
pub async fn picture(
    State(app): State<App>,
    Path(file): Path<String>,
    call: Call,
) -> Result<Response, Problem> {
    let uid = uid(&file).ok_or_else(Problem::unknown_path)?;
    if !is_open(&app, uid).await? {
        return Err(Problem::unknown_path());
    }
    let base = backend::base(&app, &call.incoming);
    for _ in 0..LOOKS {
        let card = shown(&app, uid).await?;
        if let Some(stored) = stored_elsewhere(&card) {
            return Ok((StatusCode::FOUND, [(LOCATION, location(stored))]).into_response());
        }
        let poster = poster(&app, card, &base).await;
        if let Some(answer) = answer(&app, poster, &call.incoming.headers).await? {
            return Ok(answer);
        }
    }
    Err(Problem::overloaded())
}

/// A card that the ledger knows and nobody disabled.
async fn is_open(app: &App, uid: i64) -> Result<bool, Problem> {
    let found = app.ledger().current::<Card>(&uid.to_string()).await?;
    Ok(found.state.created().is_some_and(|card| card.enabled))
}

/// Draws it if nobody did, in a task of its own: when this caller goes away, the next one finds it.
async fn answer(
    app: &App,
    poster: Poster,
    headers: &HeaderMap,
) -> Result<Option<Response>, Problem> {
    let (key, tag) = (poster.key(), poster.tag());
    // What was is served while it lies there; drawing it again would put it into the place of what is.
    if app.past().is_none() {
        let (posters, files) = (app.posters().clone(), app.files().clone());
        let keeping = async move { posters.keep(&files, poster).await };
        app.detached(keeping).await??;
    }
    let known = Known {
        key: &key,
        content_type: "image/png",
        tag: &tag,
        keep: Keep::WhileFresh,
    };
    Ok(files::answer(app.files(), known, headers).await?)
}

/// What a card's poster shows. Its QR code leads to the card's own address, as one who scans it comes.
async fn poster(app: &App, card: CardDetail, base: &str) -> Poster {
    let own = Some(&card.mingpian_avatar).filter(|own| !own.is_empty());
    let avatar = stored(app, own.unwrap_or(&card.avatar), base).await;
    let qr_code = stored(app, &card.qr_code_url, base).await;
    let uid = card.uid;
    Poster {
        uid,
        username: card.username,
        position: card.position,
        company: card.company,
        phone: card.mingpian_phone,
        sign: card.sign,
        link: format!("{base}{MINGPIAN}?uid={uid}&source=1"),
        avatar,
        qr_code,
    }
}

/// The bytes of a picture that staff uploaded here. Others are not fetched: an address on a card must not make the service call
/// whoever it names.
async fn stored(app: &App, url: &str, base: &str) -> Option<Bytes> {
    let key = key_of(url, base)?;
    let read = read(app, &key).await;
    // The poster does without; the next one looks again.
    read.unwrap_or_else(|error| {
        warn!(error = %error, "The picture {key} for a poster could not be read: {error}");
        None
    })
}

async fn read(app: &App, key: &str) -> Result<Option<Bytes>, FileError> {
    let Some(opened) = app.files().open(key).await? else {
        return Ok(None);
    };
    if opened.size > PICTURE_BYTES_MAX {
        return Ok(None);
    }
    let bytes = opened.bytes.try_collect::<BytesMut>().await?;
    Ok(Some(bytes.freeze()))
}

/// The key of an uploaded picture, however a card names it: as a path, or with this service in front.
fn key_of(url: &str, base: &str) -> Option<String> {
    let path = match url.strip_prefix(base) {
        Some(path) if !base.is_empty() => path,
        _ => url,
    };
    let key = format!("/{}", path.trim_start_matches('/'));
    let name = key.strip_prefix(UPLOADS)?;
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    name.split('/').all(plain).then_some(key)
}

/// The poster stored on a card, unless it is the very link that is drawn.
fn stored_elsewhere(card: &CardDetail) -> Option<&str> {
    let stored = card.poster_url.as_str();
    let drawn = stored.trim_start_matches('/') == drawn_at(card.uid);
    (!stored.is_empty() && !drawn).then_some(stored)
}

/// Paths on cards have no slash in front.
fn location(stored: &str) -> String {
    let absolute = stored.starts_with("http://") || stored.starts_with("https://");
    if absolute {
        stored.to_owned()
    } else {
        format!("/{}", stored.trim_start_matches('/'))
    }
}

/// The link of the poster that is drawn, as cards name paths.
fn drawn_at(uid: i64) -> String {
    format!("{}/{uid}{SUFFIX}", FOLDER.trim_start_matches('/'))
}

/// Whose poster a file is; one spelling each.
fn uid(file: &str) -> Option<i64> {
    let text = file.strip_suffix(SUFFIX)?;
    let uid = text.parse::<i64>().ok()?;
    (uid > 0 && uid.to_string() == text).then_some(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poster_has_one_name() {
        assert_eq!(uid("1_poster.png"), Some(1));
        for name in [
            "01_poster.png",
            "-1_poster.png",
            "0_poster.png",
            "_poster.png",
            "1.png",
            "x",
        ] {
            assert_eq!(uid(name), None, "{name}");
        }
    }

    #[test]
    fn only_uploads_are_read_however_they_are_named() {
        let key = |url| key_of(url, "https://s.cn");
        let known = Some("/upload/20240102/a.jpg".to_owned());
        for url in [
            "upload/20240102/a.jpg",
            "/upload/20240102/a.jpg",
            "https://s.cn/upload/20240102/a.jpg",
        ] {
            assert_eq!(key(url), known, "{url}");
        }
        for url in [
            "",
            "statics/imgs/setAvator.jpg",
            "https://other.cn/upload/20240102/a.jpg",
            "/upload/../posters/1/x.png",
            "/upload//a.jpg",
            "/media/x.jpg",
        ] {
            assert_eq!(key(url), None, "{url}");
        }
        assert_eq!(key_of("https://s.cn/upload/a.jpg", ""), None);
    }

    #[test]
    fn a_stored_poster_is_found_where_it_is() {
        assert_eq!(location("statics/a.png"), "/statics/a.png");
        assert_eq!(location("//evil.cn/a.png"), "/evil.cn/a.png");
        assert_eq!(location("https://cdn.cn/a.png"), "https://cdn.cn/a.png");
    }
}
