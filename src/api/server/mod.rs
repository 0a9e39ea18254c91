//! The server loop under both listeners: accepts connections, keeps the limits, drains at the end.
//!
//! axum's own `serve` knows no limit of connections and lets a client take for ever over its headers, so the loop is
//! hyper's. `watch.rs` stands around every request; here are the connections.

mod connection;
mod watch;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::settings::Limits;

/// Pending connections the system keeps while we accept others.
const BACKLOG: u32 = 1024;
/// Connections above the limit that are told so at once; further ones are just closed.
const TURNED_AWAY: usize = 64;
/// How long to wait after the system refused to accept (mostly: no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What goes wrong around a request, outside of any endpoint. Each surface has words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is nothing under this path.
    #[error("there is nothing under this path")]
    UnknownPath,
    /// There is, but not with this method.
    #[error("not with this method")]
    WrongMethod,
    /// More requests at once than allowed; nothing happened.
    #[error("too many requests at once")]
    Overloaded,
    /// The body is above every limit of this listener.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The request took longer than allowed; what it began may still happen.
    #[error("the request took longer than allowed")]
    TimedOut,
    /// A bug: the handler panicked.
    #[error("the handler panicked")]
    Panicked,
}

/// Words [`Trouble`] as the surface under this path would.
pub type Wording = fn(path: &str, trouble: Trouble) -> Response;

/// What a listener allows.
#[derive(Debug, Clone, Copy)]
pub struct DoorLimits {
    /// Open connections.
    pub connections: usize,
    /// Requests being worked on at once.
    pub requests: usize,
    /// Time for the headers of a request; also how long an idle connection is kept.
    pub header_time: Duration,
    /// Time for one request until its answer begins.
    pub request_time: Duration,
    /// The largest body of any route; routes may allow less.
    pub body_bytes: usize,
    /// Time for open requests after the end was asked for.
    pub drain: Duration,
}

impl DoorLimits {
    /// The limits of the public listener; `upload` is the largest file some route takes.
    #[must_use]
    pub fn public(limits: &Limits, upload: usize) -> Self {
        // A multipart body is a little longer than the file in it.
        let form = upload.saturating_add(64 * 1024);
        Self {
            connections: limits.max_connections,
            requests: limits.max_requests,
            header_time: limits.header_timeout_ms,
            request_time: limits.request_timeout_ms,
            body_bytes: limits.body_max_bytes.max(form),
            drain: limits.drain_timeout_ms,
        }
    }

    /// The limits of the operators' listener: few callers, nothing to upload.
    #[must_use]
    pub fn ops(limits: &Limits) -> Self {
        Self {
            connections: 256,
            requests: 64,
            body_bytes: limits.body_max_bytes,
            ..Self::public(limits, 0)
        }
    }
}

/// Why a listener does not open.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "{address} is taken: another program listens there; stop it or set {setting} to another address"
    )]
    Taken {
        /// Where.
        address: SocketAddr,
        /// The setting that says so.
        setting: &'static str,
    },
    /// The system says no.
    #[error("nobody can listen on {address} ({setting}): {source}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// The setting that says so.
        setting: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// A listener that is open but does not answer yet.
pub struct Door {
    name: &'static str,
    listener: TcpListener,
    limits: DoorLimits,
}

impl Door {
    /// Opens a listener. `name` is for logs and metrics, `setting` for the sentence when it fails.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn open(
        name: &'static str,
        setting: &'static str,
        address: SocketAddr,
        limits: DoorLimits,
    ) -> Result<Self, BindError> {
        let listener = listen(address).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken { address, setting },
            _ => BindError::Refused {
                address,
                setting,
                source,
            },
        })?;
        Ok(Self {
            name,
            listener,
            limits,
        })
    }

    /// Where it listens; the port the system chose when 0 was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop`; then accepts nobody, lets open requests finish as long as the drain limit, and returns
    /// whether all did.
    pub async fn serve(self, router: Router, wording: Wording, stop: CancellationToken) -> bool {
        let Self {
            name,
            listener,
            limits,
        } = self;
        let router = watch::around(router, name, limits, wording);
        let seats = Arc::new(Semaphore::new(limits.connections));
        let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if is_the_clients(&error) => continue,
                Err(error) => {
                    warn!(listener = name, error = %error, "No connection can be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let _ = socket.set_nodelay(true);
            if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
                let work = connection::serve(socket, peer, router.clone(), limits, &graceful);
                metrics::gauge!("shiji_http_connections", "listener" => name).increment(1.0);
                tokio::spawn(async move {
                    work.await;
                    metrics::gauge!("shiji_http_connections", "listener" => name).decrement(1.0);
                    drop(seat);
                });
            } else {
                metrics::counter!("shiji_http_connections_refused_total", "listener" => name)
                    .increment(1);
                if let Ok(place) = Arc::clone(&turned_away).try_acquire_owned() {
                    tokio::spawn(async move {
                        connection::turn_away(socket, wording).await;
                        drop(place);
                    });
                }
            }
        }
        drop(listener);
        let open = limits.connections - seats.available_permits();
        info!(
            listener = name,
            connections = open,
            "The {name} listener is closed, {open} connections finish"
        );
        let drained = tokio::time::timeout(limits.drain, graceful.shutdown()).await;
        if drained.is_err() {
            warn!(
                listener = name,
                "Connections of the {name} listener were cut: they took longer than allowed"
            );
        }
        drained.is_ok()
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        tokio::net::TcpSocket::new_v4()?
    } else {
        tokio::net::TcpSocket::new_v6()?
    };
    // So that a restart does not wait for old connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
