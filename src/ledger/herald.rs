//! Tells the other nodes that the log has grown, once it has.
//!
//! PostgreSQL lets commits that `NOTIFY` wait for each other, the way of each to the disk included: an append that notified
//! would hold up the projector's next commit, and the other way round. So the news goes out afterwards, on a connection whose
//! commits wait for no disk. While one word is on its way the next ones gather, for the newest position is all that a listener
//! needs. A word that is lost (the node died in between) costs what the poll of a listener takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::watch;
use tracing::warn;

use super::appender::AppenderGauge;

/// How long a word may take before its connection counts as dead.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it keeps silent after a failure: listeners poll meanwhile.
const PAUSE: Duration = Duration::from_millis(500);

/// The appender's end: says how far the log goes.
pub(super) struct Herald(watch::Sender<i64>);

impl Herald {
    /// Starts the task that speaks; it ends with this handle.
    pub fn start(options: &PgConnectOptions, gauge: Arc<AppenderGauge>) -> Self {
        let (news, heard) = watch::channel(0);
        let options = (options.clone())
            .application_name("shiji herald")
            .options([("synchronous_commit", "off")]);
        tokio::spawn(run(options, gauge, heard));
        Self(news)
    }

    /// The log goes up to here.
    pub fn tell(&self, position: i64) {
        self.0.send_replace(position);
    }
}

async fn run(options: PgConnectOptions, gauge: Arc<AppenderGauge>, mut news: watch::Receiver<i64>) {
    let mut voice: Option<PgConnection> = None;
    while news.changed().await.is_ok() {
        let position = *news.borrow_and_update();
        let said = tokio::time::timeout(PATIENCE, say(&options, &gauge, &mut voice, position));
        if let Err(cause) = said.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            warn!(error = %cause, "Other nodes are not told that the log has grown: {cause}");
            voice = None;
            tokio::time::sleep(PAUSE).await;
        }
    }
    if let Some(voice) = voice {
        // Parting politely is all that can fail here.
        let _ = voice.close().await;
    }
}

async fn say(
    options: &PgConnectOptions,
    gauge: &AppenderGauge,
    voice: &mut Option<PgConnection>,
    position: i64,
) -> sqlx::Result<()> {
    let connection = if let Some(connection) = voice {
        connection
    } else {
        let mut connection = options.connect().await?;
        let pid = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!""#)
            .fetch_one(&mut connection)
            .await?;
        gauge.herald_pid.store(pid, Ordering::Release);
        voice.insert(connection)
    };
    sqlx::query!(
        r#"SELECT pg_notify('shiji_events', $1) AS "told: String""#,
        position.to_string()
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}
