//! What stands around every request: the limits of requests, time and body, a net under panics, one line in the log,
//! the counts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::Response;
use futures::FutureExt;
use http_body_util::Limited;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::{DoorLimits, Trouble, Wording};
use crate::api::request::drain;

struct Watch {
    listener: &'static str,
    limits: DoorLimits,
    wording: Wording,
    requests: Semaphore,
}

pub(super) fn around(
    router: Router,
    listener: &'static str,
    limits: DoorLimits,
    wording: Wording,
) -> Router {
    let watch = Watch {
        listener,
        limits,
        wording,
        requests: Semaphore::new(limits.requests),
    };
    router.layer(middleware::from_fn_with_state(Arc::new(watch), guard))
}

async fn guard(State(watch): State<Arc<Watch>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = match watch.run(request, next).await {
        Ok(answer) => answer,
        Err(trouble) => {
            watch.report(trouble, &method, &path);
            let mut answer = (watch.wording)(&path, trouble);
            let no_store = HeaderValue::from_static("no-store");
            answer.headers_mut().insert(CACHE_CONTROL, no_store);
            answer
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let status = answer.status().as_u16();
    // Never the path itself: it has ids in it.
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let labels = [
        ("listener", watch.listener.to_owned()),
        ("method", known(&method).to_owned()),
        ("route", route.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::counter!("shiji_http_requests_total", &labels).increment(1);
    metrics::histogram!("shiji_http_request_seconds", &labels).record(seconds);
    info!(
        target: "shiji::http",
        { http.listener = watch.listener, http.status = status, http.route = route, duration_ms = seconds * 1000.0 },
        "{method} {path} {status}"
    );
    answer
}

impl Watch {
    async fn run(&self, request: Request, next: Next) -> Result<Response, Trouble> {
        let _place = self
            .requests
            .try_acquire()
            .map_err(|_| Trouble::Overloaded)?;
        let most = self.limits.body_bytes;
        if request.body().size_hint().lower() > most as u64 {
            // Who is still sending does not read; cut off, it would never learn why.
            let rest = drain(request.into_body(), most);
            let _ = tokio::time::timeout(self.limits.request_time, rest).await;
            return Err(Trouble::BodyTooLarge);
        }
        let request = request.map(|body| Body::new(Limited::new(body, most)));
        let work = AssertUnwindSafe(next.run(request)).catch_unwind();
        match tokio::time::timeout(self.limits.request_time, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(Trouble::Panicked),
            Err(_) => Err(Trouble::TimedOut),
        }
    }

    fn report(&self, trouble: Trouble, method: &Method, path: &str) {
        let listener = self.listener;
        match trouble {
            Trouble::Overloaded => {
                metrics::counter!("shiji_http_overloaded_total", "listener" => listener)
                    .increment(1);
            }
            Trouble::BodyTooLarge | Trouble::UnknownPath | Trouble::WrongMethod => {}
            Trouble::TimedOut => warn!(
                http.listener = listener,
                "{method} {path} took longer than allowed"
            ),
            Trouble::Panicked => error!(http.listener = listener, "{method} {path} panicked"),
        }
    }
}

/// Methods anybody may invent; only the usual ones become labels.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
