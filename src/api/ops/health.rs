//! `/healthz` (the process is up) and `/readyz` (it should be sent work), on both listeners.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ledger::Ledger;
use crate::projections::projector::ProjectorObserver;

/// How long the database may take to say that it is there.
const DATABASE_PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer about readiness is good for, so that asking often costs nothing.
const GOOD_FOR: Duration = Duration::from_millis(500);

const NO_STORE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reason {
    /// What is concerned: `database`, `ledger`, `projections` …
    pub part: &'static str,
    /// One sentence.
    pub reason: String,
}

/// Looks at one part of the service; empty when all is well.
pub type Check = Arc<dyn Fn() -> Vec<Reason> + Send + Sync>;

/// Whether this node should be sent work.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    /// What it takes to be ready.
    checks: Vec<Check>,
    /// What is said and changes nothing.
    notes: Vec<Check>,
    last: Mutex<Option<(Instant, Readyz)>>,
}

/// The answer of `/healthz`.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Healthz {
    /// Always `true`: whoever cannot answer does not.
    alive: bool,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Readyz {
    /// Whether this node should be sent work.
    pub ready: bool,
    /// What is wrong; empty when ready.
    pub reasons: Vec<Reason>,
    /// What somebody should look at, though most of the work goes on: streams that were set aside.
    pub notes: Vec<Reason>,
}

impl Readiness {
    /// Asks the database and the ledger, and whatever `checks` look at.
    #[must_use]
    pub fn new(ledger: Ledger, checks: Vec<Check>) -> Self {
        Self::noting(ledger, checks, Vec::new())
    }

    /// The same; what `notes` look at is said and changes nothing.
    #[must_use]
    pub fn noting(ledger: Ledger, checks: Vec<Check>, notes: Vec<Check>) -> Self {
        Self(Arc::new(Inner {
            ledger,
            checks,
            notes,
            last: Mutex::default(),
        }))
    }

    /// The readiness of a node whose read tables a projector moves: not ready while they lag beyond the limit or the
    /// log has an event this build does not know. Streams set aside are said: one of them must not stop all the others.
    #[must_use]
    pub fn of_node(ledger: Ledger, projector: ProjectorObserver) -> Self {
        let watched = projector.clone();
        let behind = move || -> Vec<Reason> {
            let reason = watched.status().unready();
            reason.map(of_projections).into_iter().collect()
        };
        let parked = move || -> Vec<Reason> {
            let status = projector.status();
            let aside = status.projections.iter().filter(|p| p.parked_streams > 0);
            aside
                .map(|p| {
                    of_projections(format!(
                        "{} has set {} streams aside",
                        p.name, p.parked_streams
                    ))
                })
                .collect()
        };
        Self::noting(ledger, vec![Arc::new(behind)], vec![Arc::new(parked)])
    }

    /// The readiness of a node that answers as of a position: not ready once `gone` says why the tables are not there any
    /// more. Streams that are not in them are said.
    #[must_use]
    pub fn of_past(
        ledger: Ledger,
        gone: impl Fn() -> Option<String> + Send + Sync + 'static,
        parked_streams: usize,
    ) -> Self {
        let missing = move || -> Vec<Reason> { gone().map(of_projections).into_iter().collect() };
        let parked = move || -> Vec<Reason> {
            let aside = || of_projections(format!("{parked_streams} streams could not be folded"));
            (parked_streams > 0).then(aside).into_iter().collect()
        };
        Self::noting(ledger, vec![Arc::new(missing)], vec![Arc::new(parked)])
    }

    /// How it is now, or was a moment ago.
    pub async fn look(&self) -> Readyz {
        let mut last = self.0.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            return answer.clone();
        }
        let reasons = self.0.reasons().await;
        let answer = Readyz {
            ready: reasons.is_empty(),
            reasons,
            notes: self.0.notes.iter().flat_map(|look| look()).collect(),
        };
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

impl Inner {
    async fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        match tokio::time::timeout(DATABASE_PATIENCE, self.ledger.head()).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) => reasons.push(Reason {
                part: "database",
                reason: "the database is away".to_owned(),
            }),
            Err(_) => reasons.push(Reason {
                part: "database",
                reason: "the database does not answer".to_owned(),
            }),
        }
        reasons.extend(self.ledger.unready().map(|reason| Reason {
            part: "ledger",
            reason,
        }));
        reasons.extend(self.checks.iter().flat_map(|check| check()));
        reasons
    }
}

fn of_projections(reason: String) -> Reason {
    Reason {
        part: "projections",
        reason,
    }
}

/// `/healthz` and `/readyz`.
pub fn routes() -> OpenApiRouter<Readiness> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
}

/// Is the process up?
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "The process is up.", body = Healthz))
)]
async fn healthz() -> ([(HeaderName, &'static str); 1], Json<Healthz>) {
    (NO_STORE, Json(Healthz { alive: true }))
}

/// Should this node be sent work?
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "It should.", body = Readyz),
        (status = 503, description = "It should not; the reasons say why.", body = Readyz)
    )
)]
async fn readyz(
    State(readiness): State<Readiness>,
) -> (StatusCode, [(HeaderName, &'static str); 1], Json<Readyz>) {
    let answer = readiness.look().await;
    let status = if answer.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, NO_STORE, Json(answer))
}
