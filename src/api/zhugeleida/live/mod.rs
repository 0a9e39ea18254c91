//! The chat on sockets (`contract/zhugeleida.md` 3.24).
//!
//! | file | what |
//! |---|---|
//! | `frames.rs` | what clients and we say |
//! | `rooms.rs` | who is to be told, and hearing the log for them |
//! | `socket.rs` | one socket from its upgrade to its end |
//!
//! Whoever sends a message does not know of sockets: every node hears the whole log, so every node tells its own sockets, and
//! two nodes need nothing else. A socket is not handed messages but told how far there are some; it reads them from the read
//! tables after the last one it wrote. So it writes each once and in order, and a slow one costs no memory.

mod frames;
mod rooms;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::wire::Params;
use crate::settings::{Unsigned, ZhugeleidaSettings};
use frames::FRAME_MAX;
use rooms::Rooms;
use socket::Socket;

/// What a client may make us buffer of one message, a little more than [`FRAME_MAX`] so that we can say what is wrong.
const READ_MAX: usize = 4 * FRAME_MAX;
/// What is buffered of what we write. Every frame is written out before the next: it is one frame that must fit, at most a
/// hundred messages.
const WRITE_MAX: usize = 4 << 20;

/// What sockets may and how long they may take.
#[derive(Debug, Clone)]
pub struct LiveLimits {
    /// Open sockets of this node.
    pub sockets: usize,
    /// How often a socket is asked whether it is there; dropped after two unanswered ones.
    pub ping_every: Duration,
    /// How long one frame may take to be written.
    pub write_time: Duration,
    /// How long a socket may be open without having registered.
    pub register_time: Duration,
    /// How long the other side may take to say goodbye.
    pub close_time: Duration,
    /// Whether registering without a signature is let through.
    pub unsigned: bool,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            sockets: 4096,
            ping_every: Duration::from_secs(30),
            write_time: Duration::from_secs(10),
            register_time: Duration::from_secs(60),
            close_time: Duration::from_secs(2),
            unsigned: false,
        }
    }
}

impl From<&ZhugeleidaSettings> for LiveLimits {
    fn from(settings: &ZhugeleidaSettings) -> Self {
        Self {
            sockets: settings.zhugeleida_ws_sockets,
            unsigned: settings.zhugeleida_ws_unsigned == Unsigned::Allow,
            ..Self::default()
        }
    }
}

/// The open sockets of this node.
pub struct Live {
    limits: LiveLimits,
    seats: Arc<Semaphore>,
    rooms: Arc<Rooms>,
    end: CancellationToken,
}

impl Live {
    /// Nobody is there yet.
    #[must_use]
    pub fn new(limits: LiveLimits) -> Self {
        Self {
            seats: Arc::new(Semaphore::new(limits.sockets)),
            limits,
            rooms: Arc::default(),
            end: CancellationToken::new(),
        }
    }

    /// How many sockets are open.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.limits.sockets - self.seats.available_permits()
    }

    /// Lets every socket say goodbye; none is opened any more.
    pub fn hang_up(&self) {
        self.end.cancel();
    }
}

/// Who signed, where the address says it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct SocketQuery {
    /// Unix time in milliseconds, as text; may stand in the register frame instead.
    #[param(example = "1528871213546")]
    timestamp: Option<String>,
    /// `md5_hex(timestamp + token)` with the customer's token; may stand in the register frame instead.
    #[param(example = "3eb2d45dd640c392d2cfa6f9e9b70aa9")]
    rand_str: Option<String>,
}

/// Live chat: send and receive (实时聊天-发送消息接口\获取最新消息)
///
/// A WebSocket with JSON in text frames; those of clients are at most 16 KiB.
///
/// The client begins with `{"type":"register","u_id":1,"user_id":2}` (with `timestamp` and `rand_str`, unless they stand in
/// the address), where `u_id` is the enterprise user and `user_id` the customer; then says
/// `{"u_id":1,"user_id":2,"content":"{\"msg\":\"…\",\"info_type\":1}"}`, and ends with `{"type":"closed"}`.
///
/// The server answers a message `{"code":200,"msg":"小程序消息-发送成功"}`, tells every message between the two, whoever sent it, in
/// `{"code":200,"msg":"实时推送小程序-最新聊天信息成功","data":{"ret_data":[…],"data_count":1}}`, and refuses in `{"code":…,"msg":"…"}`:
/// 301, 302, 303, 306 and 404 as everywhere. After a refused register it closes with 1008.
#[utoipa::path(
    get, path = "/zhugeleida/public/websocket/xiaochengxu", tag = SURFACE, operation_id = "zhugeleida_websocket",
    params(SocketQuery),
    responses(
        (status = 101, description = "The socket is open; pushed frames carry rows as here", body = frames::Push),
        (status = 200, description = "Code 404: no upgrade to a WebSocket", body = super::envelope::Answer<super::envelope::Nothing>),
        (status = 503, description = "Code 503: this node has as many sockets as it may", body = super::envelope::Answer<super::envelope::Nothing>),
    ),
    security((), ("zhugeleida_signature" = [])),
)]
pub async fn socket(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query = query.map(|axum::extract::Query(pairs)| pairs);
    let address = Params::from_pairs(query.unwrap_or_default());
    let upgrade: Result<_, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| Problem::illegal())?;
    let live = app.live();
    if live.end.is_cancelled() {
        return Err(Problem::overloaded());
    }
    let seat = Arc::clone(&live.seats).try_acquire_owned();
    let seat = seat.map_err(|_| {
        metrics::counter!("shiji_zhugeleida_sockets_refused_total").increment(1);
        Problem::overloaded()
    })?;
    live.rooms.hear(app.ledger(), &live.end);
    let upgrade = upgrade
        .max_message_size(READ_MAX)
        .max_frame_size(READ_MAX)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_MAX);
    Ok(upgrade.on_upgrade(move |wire| {
        let tracked = app.clone();
        tracked.tracked(async move {
            metrics::gauge!("shiji_zhugeleida_sockets").increment(1.0);
            Socket::new(app, wire, address).run().await;
            metrics::gauge!("shiji_zhugeleida_sockets").decrement(1.0);
            drop(seat);
        })
    }))
}
