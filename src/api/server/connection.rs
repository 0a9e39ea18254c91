//! One connection: HTTP/1.1 or HTTP/2 as the client begins it, with time limits on a client that says nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tower::ServiceExt;
use tracing::trace;

use super::{DoorLimits, Trouble, Wording};

/// Requests one HTTP/2 connection may have open.
const HTTP2_STREAMS: u32 = 200;
/// How often a quiet HTTP/2 connection is asked whether it lives, and how long it may take to answer.
const HTTP2_PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// How long a connection above the limit may take to hear that it is.
const TURNING_AWAY: Duration = Duration::from_secs(1);

/// Serves one connection to its end.
pub(super) fn serve(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: DoorLimits,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    let asked = Arc::new(AtomicBool::new(false));
    let service = {
        let asked = Arc::clone(&asked);
        service_fn(move |request: hyper::Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            let router = router.clone();
            async move {
                let mut request = request.map(axum::body::Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                router.oneshot(request).await
            }
        })
    };
    let connection = builder(limits)
        .serve_connection_with_upgrades(TokioIo::new(socket), service)
        .into_owned();
    let connection = graceful.watch(connection);
    async move {
        tokio::pin!(connection);
        // Which protocol it will be is not known until its first bytes; nothing else limits the time for these.
        let first = tokio::time::sleep(limits.header_time);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = first => {
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                connection.await
            }
        };
        if let Err(error) = ended {
            trace!(error = %error, "A connection broke");
        }
    }
}

fn builder(limits: DoorLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .keep_alive_interval(HTTP2_PING.0)
        .keep_alive_timeout(HTTP2_PING.1);
    builder
}

/// Tells a connection above the limit to come again later.
pub(super) async fn turn_away(socket: TcpStream, wording: Wording) {
    let service = service_fn(move |request: hyper::Request<Incoming>| async move {
        let mut answer = wording(request.uri().path(), Trouble::Overloaded);
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(CONNECTION, close);
        Ok::<_, Infallible>(answer)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), service);
    let _ = tokio::time::timeout(TURNING_AWAY, connection).await;
}
