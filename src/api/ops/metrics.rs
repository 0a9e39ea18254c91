//! `/metrics`: everything counted in this process, as Prometheus reads it. Nothing is labelled by id.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::Ops;

/// How often the exporter may tidy up what nobody scraped.
const UPKEEP: Duration = Duration::from_secs(5);
/// Buckets of everything that ends in `_seconds`.
const SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// How long read tables take to show an event. Finer where it is promised to be: `docs/performance.md`.
const DELAY: &str = "shiji_projection_delay_seconds";
/// Its buckets.
const DELAYS: [f64; 22] = [
    0.001, 0.002, 0.003, 0.004, 0.005, 0.007_5, 0.01, 0.012_5, 0.015, 0.017_5, 0.02, 0.025, 0.03,
    0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// Buckets of everything that is counted: jobs, events, streams of a batch.
const COUNTS: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0,
];

/// The recorder of this process. The first call installs it; until then, what is counted is lost.
///
/// # Panics
/// When another recorder was installed before.
pub fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(Matcher::Full(DELAY.to_owned()), &DELAYS)
            })
            .and_then(|builder| builder.set_buckets(&COUNTS))
            .expect("the buckets are not empty")
            .install_recorder()
            .expect("there is one recorder in a process");
        describe();
        handle
    })
}

/// Keeps the recorder tidy until `stop`.
pub async fn upkeep(stop: CancellationToken) {
    let recorder = recorder();
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            _ = ticks.tick() => recorder.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

fn describe() {
    describe_counter!("shiji_http_requests_total", "Requests answered.");
    describe_histogram!(
        "shiji_http_request_seconds",
        Unit::Seconds,
        "Time until an answer began."
    );
    describe_counter!(
        "shiji_http_overloaded_total",
        "Requests refused because of too many at once."
    );
    describe_gauge!("shiji_http_connections", "Open connections.");
    describe_counter!(
        "shiji_http_connections_refused_total",
        "Connections above the limit."
    );
    describe_histogram!(
        "shiji_command_seconds",
        Unit::Seconds,
        "Time of a command, from parsed to visible."
    );
    describe_counter!(
        "shiji_command_conflicts_total",
        "Commands that lost the race again and again."
    );
    describe_counter!(
        "shiji_appended_events_total",
        "Events appended by this node."
    );
    describe_histogram!("shiji_append_batch_jobs", "Jobs in one append.");
    describe_histogram!("shiji_append_seconds", Unit::Seconds, "Time of one append.");
    describe_histogram!(
        DELAY,
        Unit::Seconds,
        "From when the first event of a batch was recorded until the read tables showed it."
    );
    describe_histogram!("shiji_load_batch_streams", "Streams in one load.");
    describe_counter!("shiji_state_cache_hits_total", "States found in memory.");
    describe_gauge!("shiji_state_cache_entries", "States in memory.");
    describe_gauge!("shiji_append_queue_jobs", "Jobs waiting for the appender.");
    describe_gauge!("shiji_log_position", "How far this node has heard the log.");
    describe_gauge!(
        "shiji_log_age_seconds",
        Unit::Seconds,
        "How long ago this node heard the log."
    );
    describe_gauge!(
        "shiji_pool_connections",
        "Connections of the query pool, by state."
    );
}

/// What is not counted as it happens is looked up when somebody asks.
fn look(ops: &Ops) {
    let (states, jobs) = ops.ledger.gauges();
    gauge!("shiji_state_cache_entries").set(approximately(states));
    gauge!("shiji_append_queue_jobs").set(approximately(jobs));
    let heard = usize::try_from(ops.ledger.tail_position()).unwrap_or(0);
    gauge!("shiji_log_position").set(approximately(heard));
    gauge!("shiji_log_age_seconds").set(ops.ledger.tail_age().as_secs_f64());
    let size = ops.pool.size() as usize;
    let idle = ops.pool.num_idle().min(size);
    gauge!("shiji_pool_connections", "state" => "idle").set(approximately(idle));
    gauge!("shiji_pool_connections", "state" => "used").set(approximately(size - idle));
}

/// Numbers this small are exact.
#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn approximately(number: usize) -> f64 {
    number as f64
}

/// Everything counted in this process.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "ops",
    responses((status = 200, description = "Prometheus text format.", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(ops): State<Ops>) -> Response {
    look(&ops);
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, recorder().render()).into_response()
}
