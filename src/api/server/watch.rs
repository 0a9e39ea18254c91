//! What stands around every request: the limits of requests, time and body, a net under panics, one line in the log,
//! the counts.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use futures::FutureExt;
use http_body_util::Limited;
use metrics::{Counter, Histogram};
use parking_lot::RwLock;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::{DoorLimits, Trouble, Wording};
use crate::api::answer::X_REQUEST_ID;
use crate::api::request::drain;

/// Asked by machines, every few seconds: not worth a line in the log, and answered also when there is too much to do.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

struct Watch {
    listener: &'static str,
    limits: DoorLimits,
    wording: Wording,
    requests: Semaphore,
    /// The counts that have been needed so far, by route.
    counts: RwLock<HashMap<String, Vec<Count>>>,
}

/// Where the answers of one route with one method and status are counted. Asked for once: to look a metric up by its
/// labels takes longer than to answer some requests.
struct Count {
    method: &'static str,
    status: StatusCode,
    requests: Counter,
    seconds: Histogram,
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
        counts: RwLock::default(),
    };
    router.layer(middleware::from_fn_with_state(Arc::new(watch), guard))
}

async fn guard(State(watch): State<Arc<Watch>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let path = uri.path();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = match watch.run(request, next).await {
        Ok(answer) => answer,
        Err(trouble) => {
            watch.report(trouble, &method, path);
            let mut answer = (watch.wording)(path, trouble);
            let no_store = HeaderValue::from_static("no-store");
            answer.headers_mut().insert(CACHE_CONTROL, no_store);
            answer
        }
    };
    // Never the path itself: it has ids in it.
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let took = began.elapsed();
    watch.count(known(&method), route, answer.status(), took);
    watch.log(&method, path, route, &answer, took);
    answer
}

impl Count {
    fn new(listener: &'static str, method: &'static str, route: &str, status: StatusCode) -> Self {
        let labels = [
            ("listener", listener.to_owned()),
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_u16().to_string()),
        ];
        Self {
            method,
            status,
            requests: metrics::counter!("shiji_http_requests_total", &labels),
            seconds: metrics::histogram!("shiji_http_request_seconds", &labels),
        }
    }
}

impl Watch {
    async fn run(&self, request: Request, next: Next) -> Result<Response, Trouble> {
        let place = self.requests.try_acquire();
        // A node that is busy is alive, and says so.
        if place.is_err() && !PROBES.contains(&request.uri().path()) {
            return Err(Trouble::Overloaded);
        }
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

    fn count(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let add = |count: &Count| {
            count.requests.increment(1);
            count.seconds.record(took.as_secs_f64());
        };
        let is_it = |count: &&Count| count.method == method && count.status == status;
        let counts = self.counts.read();
        if let Some(count) = counts.get(route).and_then(|of| of.iter().find(is_it)) {
            return add(count);
        }
        drop(counts);
        let count = Count::new(self.listener, method, route, status);
        add(&count);
        // Another request may have been faster; both then count into the same.
        let mut counts = self.counts.write();
        counts.entry(route.to_owned()).or_default().push(count);
    }

    fn log(&self, method: &Method, path: &str, route: &str, answer: &Response, took: Duration) {
        let listener = self.listener;
        let status = answer.status().as_u16();
        let request = answer.headers().get(&X_REQUEST_ID);
        let request = request.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
        if PROBES.contains(&route) {
            debug!(target: "shiji::http",
                { http.listener = listener, http.status = status, http.route = route, duration_ms },
                "{method} {path} {status}");
        } else {
            info!(target: "shiji::http",
                { request.id = request, http.listener = listener, http.status = status, http.route = route, duration_ms },
                "{method} {path} {status}");
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

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::api::ops::metrics::recorder;

    #[tokio::test]
    async fn every_answer_is_counted_once_under_its_route_method_and_status() {
        recorder();
        let limits = DoorLimits {
            connections: 1,
            requests: 1,
            header_time: Duration::from_secs(5),
            request_time: Duration::from_secs(5),
            body_bytes: 1,
            drain: Duration::from_secs(5),
        };
        let wording: Wording = |_, _| Response::default();
        let shown = get(|| async {}).delete(|| async { StatusCode::CONFLICT });
        let router = Router::new().route("/things/{id}", shown);
        let router = around(router, "counted", limits, wording);
        for (method, path) in [
            ("GET", "/things/1"),
            ("GET", "/things/2"),
            ("DELETE", "/things/1"),
            ("GET", "/things/3"),
            ("BREW", "/things/1"),
            ("GET", "/nothing"),
        ] {
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap();
        }
        let text = recorder().render();
        let lines = text.lines().filter(|line| {
            line.starts_with("shiji_http_requests_total{") && line.contains(r#"listener="counted""#)
        });
        let mut counts: Vec<&str> = lines.collect();
        counts.sort_unstable();
        let line = |method: &str, route: &str, status: u16, count: u64| {
            format!(
                r#"shiji_http_requests_total{{listener="counted",method="{method}",route="{route}",status="{status}"}} {count}"#
            )
        };
        let expected = [
            line("DELETE", "/things/{id}", 409, 1),
            line("GET", "/things/{id}", 200, 3),
            line("GET", "none", 404, 1),
            line("OTHER", "/things/{id}", 405, 1),
        ];
        assert_eq!(counts, expected);
        let timed = r#"shiji_http_request_seconds_count{listener="counted",method="GET",route="/things/{id}",status="200"} 3"#;
        assert!(text.contains(timed), "{text}");
    }
}
