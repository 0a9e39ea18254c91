//! From a request to what desk and queries need: body, idempotency key, positions.

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, HeaderName, Method, Uri};
use futures::StreamExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::app::App;
use super::wire::{Params, Unreadable};
use crate::commands::{self, ReceiptKey};
use crate::ledger::{Mark, Metadata};

/// Names a command, so that it is done once.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Queries at or after it show what a command did.
pub const X_POSITION: HeaderName = HeaderName::from_static("x-position");

const KEY_MAX: usize = 128;

/// When a request came in and what it is called; set by [`super::answer::frame`].
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// In every event of the request, every log line about it, and `X-Request-Id`.
    pub id: Uuid,
    /// Past it nothing new is begun.
    pub deadline: Instant,
}

impl Arrival {
    /// A request that comes in now.
    #[must_use]
    pub fn now(app: &App) -> Self {
        Self {
            id: Uuid::now_v7(),
            deadline: Instant::now() + app.settings().request_timeout,
        }
    }
}

/// A request with its body read.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// When it came in.
    pub arrival: Arrival,
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than the limit.
    #[error("the body is too large")]
    TooLarge,
    /// It broke off.
    #[error("the body broke off")]
    BrokeOff,
}

/// An `Idempotency-Key` that is not 1…128 visible ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key is 1 to 128 visible ASCII characters")]
pub struct BadKey;

/// An `X-Position` that is not `<generation>-<position>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("X-Position is <generation>-<position>")]
pub struct BadPosition;

impl Incoming {
    /// Reads the body, up to `limit` bytes.
    ///
    /// # Errors
    /// [`BodyError`].
    pub async fn read(app: &App, request: Request, limit: usize) -> Result<Self, BodyError> {
        let (parts, body) = request.into_parts();
        let arrival = parts.extensions.get::<Arrival>().copied();
        Ok(Self {
            arrival: arrival.unwrap_or_else(|| Arrival::now(app)),
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body: read(body, limit).await?,
        })
    }

    /// The parameters in the query string.
    #[must_use]
    pub fn query(&self) -> Params {
        Self::query_of(&self.uri)
    }

    /// The same before anything is read.
    #[must_use]
    pub fn query_of(uri: &Uri) -> Params {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
        Params::from_pairs(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// The parameters in a JSON body, whatever its `Content-Type`.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn json(&self) -> Result<Params, Unreadable> {
        Params::from_json(&self.body)
    }

    /// SHA-256 of method, path, query and body: what a repeated idempotency key must repeat.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest_with(&self.body)
    }

    /// As [`Incoming::digest`], with what matters of a body that is never sent twice alike (multipart boundaries).
    #[must_use]
    pub fn digest_with(&self, content: &[u8]) -> [u8; 32] {
        hash([
            self.method.as_str().as_bytes(),
            self.uri.path().as_bytes(),
            self.uri.query().unwrap_or_default().as_bytes(),
            content,
        ])
    }

    /// What the desk needs to know of a request by a known actor: `endpoint` is its documented path, `digest` from
    /// [`Incoming::digest`].
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn desk(
        &self,
        app: &App,
        surface: &str,
        actor: &str,
        endpoint: &str,
        digest: [u8; 32],
    ) -> Result<commands::Request, BadKey> {
        let mut request = self.anonymous(app, surface);
        actor.clone_into(&mut request.metadata.actor);
        request.receipt = self.idempotency_key()?.map(|key| ReceiptKey {
            key: hash([
                actor.as_bytes(),
                self.method.as_str().as_bytes(),
                endpoint.as_bytes(),
                key,
            ]),
            digest,
        });
        Ok(request)
    }

    /// The same for nobody: idempotency keys are ignored (contract README 2.10).
    #[must_use]
    pub fn anonymous(&self, app: &App, surface: &str) -> commands::Request {
        commands::Request {
            metadata: Metadata {
                actor: "anonymous".to_owned(),
                surface: surface.to_owned(),
                request_id: self.arrival.id,
                causation: None,
                correlation: None,
                at: app.now(),
            },
            receipt: None,
            if_match: None,
            deadline: self.arrival.deadline,
        }
    }

    /// The position a query must be answered at or after.
    ///
    /// # Errors
    /// [`BadPosition`].
    pub fn position(&self) -> Result<Option<Mark>, BadPosition> {
        let Some(value) = self.headers.get(X_POSITION) else {
            return Ok(None);
        };
        let text = value.to_str().map_err(|_| BadPosition)?.trim();
        text.parse().map(Some).map_err(|_| BadPosition)
    }

    fn idempotency_key(&self) -> Result<Option<&[u8]>, BadKey> {
        let Some(value) = self.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        let key = value.as_bytes().trim_ascii();
        let visible = key.iter().all(u8::is_ascii_graphic);
        if visible && (1..=KEY_MAX).contains(&key.len()) {
            Ok(Some(key))
        } else {
            Err(BadKey)
        }
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    match Limited::new(&mut body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_length(&*error) => {
            drain(body, limit).await;
            Err(BodyError::TooLarge)
        }
        Err(_) => Err(BodyError::BrokeOff),
    }
}

/// Ours, or that of a layer below.
fn is_length(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_length)
}

/// Reads and forgets what a client is still sending, within reason, so that it gets round to reading the answer.
pub async fn drain(body: Body, most: usize) {
    let mut left = most;
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        left = match left.checked_sub(chunk.len()) {
            Some(left) => left,
            None => return,
        };
    }
}

/// SHA-256 of the parts, each with its length in front.
fn hash<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(headers: &[(&'static str, &str)]) -> Incoming {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Incoming {
            arrival: Arrival {
                id: Uuid::nil(),
                deadline: Instant::now(),
            },
            method: Method::POST,
            uri: "/x?ids=1%2C2&ids=3".parse().unwrap(),
            headers: headers.collect(),
            body: Bytes::from_static(b"{\"a\":1}"),
        }
    }

    #[test]
    fn keys_are_visible_ascii_of_some_length() {
        let key = |value: &str| {
            incoming(&[("idempotency-key", value)])
                .idempotency_key()
                .map(|key| key.map(<[u8]>::to_vec))
        };
        assert_eq!(incoming(&[]).idempotency_key(), Ok(None));
        assert_eq!(key("a-b"), Ok(Some(b"a-b".to_vec())));
        assert!(key(&"k".repeat(128)).is_ok());
        for bad in ["", "a b", &"k".repeat(129)] {
            assert_eq!(key(bad), Err(BadKey), "{bad}");
        }
    }

    #[test]
    fn positions_carry_their_generation() {
        let position = |value: &str| incoming(&[("x-position", value)]).position();
        assert_eq!(incoming(&[]).position(), Ok(None));
        let mark = Mark {
            generation: 1,
            position: 42,
        };
        assert_eq!(position("1-42"), Ok(Some(mark)));
        assert_eq!(position("42"), Err(BadPosition));
    }

    #[test]
    fn a_digest_tells_requests_apart() {
        let one = incoming(&[]);
        let mut other = one.clone();
        assert_eq!(one.digest(), other.digest());
        other.uri = "/x?ids=1".parse().unwrap();
        assert_ne!(one.digest(), other.digest());
        assert_ne!(one.digest_with(b"a"), one.digest_with(b"b"));
        assert_eq!(one.query().texts("ids").unwrap().or(vec![]), ["1,2", "3"]);
    }
}
