//! What every door of the house shares.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::backend::TaskPages;
use super::community::WholeArticles;
use super::passwords::Passwords;
use super::weidu::CasePages;
use super::zhugeleida::{Live, LiveLimits};
use crate::commands::Desk;
use crate::gateways::{FileStore, PaymentGateway, Pictures, Posters, SmsGateway, Wechat};
use crate::ledger::{Ledger, Mark};
use crate::postgres::{RateLimits, WechatSessions, planning_once};
use crate::projections::articles::Feeds;
use crate::projections::together::{Gate, Together};
use crate::settings::{Settings, Switch};

/// Rows one sweep deletes of each kind.
const SWEEP_SLICE: i64 = 10_000;

/// Uploads held in memory at once.
const UPLOADS_AT_ONCE: usize = 32;

/// Answers at once that follow the log for staff.
const FOLLOWERS_AT_ONCE: usize = 32;

/// SQLSTATE of a statement that would write where nothing may be written.
const READ_ONLY: &str = "25006";

/// What an [`App`] is made of.
pub struct AppParts {
    /// Runs commands; knows the ledger.
    pub desk: Desk,
    /// Connections for queries, with the projections' schemas in their search path.
    pub reads: PgPool,
    /// Stored files.
    pub files: FileStore,
    /// Takes the money for orders.
    pub payments: Arc<dyn PaymentGateway>,
    /// Sends SMS codes.
    pub sms: Arc<dyn SmsGateway>,
    /// Who vouches for the mini-program's customers.
    pub wechat: Arc<dyn Wechat>,
    /// What the operator said.
    pub settings: AppSettings,
}

/// The settings requests depend on.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// Prefix of full links; absent: the request's host.
    pub public_base_url: Option<String>,
    /// How long a staff session lasts.
    pub backend_session_ttl: Duration,
    /// How long a session of a member of the community lasts.
    pub community_session_ttl: Duration,
    /// Every SMS code, where tests must know it.
    pub sms_fixed_code: Option<String>,
    /// Largest image, in bytes.
    pub upload_max_bytes: usize,
    /// Largest JSON or form body, in bytes.
    pub body_max_bytes: usize,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// How long a query waits for the position it was sent.
    pub query_patience: Duration,
    /// Fonts for characters that the posters' own lack.
    pub font_dir: Option<PathBuf>,
    /// How old a signature of the mini-program may be; zero: as old as it likes.
    pub signature_window: Duration,
    /// How long the very same toggle request counts as sent again; zero: not at all.
    pub toggle_repeat: Duration,
    /// Whether the test version of the mini-program's login is there.
    pub zhugeleida_test_login: bool,
    /// What sockets of the mini-program may.
    pub live: LiveLimits,
}

impl From<&Settings> for AppSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            public_base_url: settings.public_base_url.clone(),
            backend_session_ttl: settings.backend_session_ttl_secs,
            community_session_ttl: settings.community_session_ttl_secs,
            sms_fixed_code: settings.sms_fixed_code.clone(),
            upload_max_bytes: settings.upload_max_bytes,
            body_max_bytes: settings.limits.body_max_bytes,
            request_timeout: settings.limits.request_timeout_ms,
            query_patience: settings.limits.projection_wait_ms,
            font_dir: settings.font_dir.clone(),
            signature_window: settings.zhugeleida.signature_window_secs,
            toggle_repeat: settings.zhugeleida.toggle_repeat_ms,
            zhugeleida_test_login: match settings.zhugeleida.zhugeleida_test_login {
                Some(switch) => switch == Switch::On,
                None => settings.wechat.wechat_app_id.is_none(),
            },
            live: (&settings.zhugeleida).into(),
        }
    }
}

/// What every door of the house shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    parts: AppParts,
    crowds: Crowds,
    /// Connections of those who bring arrays along.
    crowded: PgPool,
    passwords: Passwords,
    pictures: Pictures,
    posters: Posters,
    rate_limits: RateLimits,
    wechat_sessions: WechatSessions,
    live: Live,
    work: TaskTracker,
    uploads: Arc<Semaphore>,
    followers: Arc<Semaphore>,
    ending: CancellationToken,
}

/// Lists that many look at at once.
pub struct Crowds {
    /// The articles of the community.
    pub articles: Together<WholeArticles>,
    /// The cases of the case list.
    pub cases: Together<CasePages>,
    /// The feed of the community.
    pub feeds: Together<Feeds>,
    /// The tasks of the back office.
    pub tasks: Together<TaskPages>,
}

/// Work that ended without an answer: it panicked, or the runtime is going.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the work broke off: {0}")]
pub struct BrokeOff(String);

impl App {
    /// Puts it together.
    #[must_use]
    pub fn new(parts: AppParts) -> Self {
        let crowded = planning_once(&parts.reads);
        let gate = Gate::default();
        let rate_limits = RateLimits::new(parts.reads.clone());
        let wechat_sessions = WechatSessions::new(parts.reads.clone());
        let posters = Posters::new(parts.settings.font_dir.clone());
        // Where the log is shown as it was there is nothing to upload to, to follow or to talk about.
        let past = parts.desk.ledger().past().is_some();
        let mut live = parts.settings.live.clone();
        let (uploads, followers) = if past {
            live.sockets = 0;
            (0, 0)
        } else {
            (UPLOADS_AT_ONCE, FOLLOWERS_AT_ONCE)
        };
        let live = Live::new(live);
        Self {
            inner: Arc::new(Inner {
                crowds: Crowds {
                    articles: Together::new(gate.clone(), crowded.clone()),
                    cases: Together::new(gate.clone(), parts.reads.clone()),
                    feeds: Together::new(gate.clone(), crowded.clone()),
                    tasks: Together::new(gate, crowded.clone()),
                },
                crowded,
                parts,
                live,
                passwords: Passwords::default(),
                pictures: Pictures::default(),
                posters,
                rate_limits,
                wechat_sessions,
                work: TaskTracker::new(),
                uploads: Arc::new(Semaphore::new(uploads)),
                followers: Arc::new(Semaphore::new(followers)),
                ending: CancellationToken::new(),
            }),
        }
    }

    /// Runs commands.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.inner.parts.desk
    }

    /// The event store; on a node that answers as of a position, as it was then.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        self.desk().ledger()
    }

    /// The position that this node answers as of; `None` on one that follows the log.
    #[must_use]
    pub fn past(&self) -> Option<Mark> {
        let ledger = self.ledger();
        ledger.past().map(|position| ledger.mark(position))
    }

    /// Whether a query failed because no connection was free: an overload, unless the database is away altogether. Also
    /// whether something would have been counted where nothing is written any more.
    #[must_use]
    pub fn is_crowded(&self, error: &sqlx::Error) -> bool {
        match error {
            sqlx::Error::PoolTimedOut => self.ledger().unready().is_none(),
            sqlx::Error::Database(error) => {
                self.past().is_some() && error.code().as_deref() == Some(READ_ONLY)
            }
            _ => false,
        }
    }

    /// Connections for queries.
    #[must_use]
    pub fn reads(&self) -> &PgPool {
        &self.inner.parts.reads
    }

    /// Lists that many look at at once.
    #[must_use]
    pub fn crowds(&self) -> &Crowds {
        &self.inner.crowds
    }

    /// Stored files.
    #[must_use]
    pub fn files(&self) -> &FileStore {
        &self.inner.parts.files
    }

    /// Takes the money for orders.
    #[must_use]
    pub fn payments(&self) -> &Arc<dyn PaymentGateway> {
        &self.inner.parts.payments
    }

    /// Sends SMS codes.
    #[must_use]
    pub fn sms(&self) -> &dyn SmsGateway {
        &*self.inner.parts.sms
    }

    /// The settings requests depend on.
    #[must_use]
    pub fn settings(&self) -> &AppSettings {
        &self.inner.parts.settings
    }

    /// Hashes and verifies passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// Looks into pictures.
    #[must_use]
    pub fn pictures(&self) -> &Pictures {
        &self.inner.pictures
    }

    /// Draws posters of cards.
    #[must_use]
    pub fn posters(&self) -> &Posters {
        &self.inner.posters
    }

    /// Limits that hold across nodes.
    #[must_use]
    pub fn rate_limits(&self) -> &RateLimits {
        &self.inner.rate_limits
    }

    /// Who vouches for the mini-program's customers.
    #[must_use]
    pub fn wechat(&self) -> &dyn Wechat {
        &*self.inner.parts.wechat
    }

    /// The sealed session keys of WeChat logins.
    #[must_use]
    pub fn wechat_sessions(&self) -> &WechatSessions {
        &self.inner.wechat_sessions
    }

    /// The open sockets of the mini-program.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.inner.live
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.ledger().clock().now()
    }

    /// A seat for an upload, which is held in memory; `None` when all are taken.
    #[must_use]
    pub fn upload_seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.uploads).try_acquire_owned().ok()
    }

    /// A seat for an answer that follows the log; `None` when all are taken.
    #[must_use]
    pub fn follower_seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.followers).try_acquire_owned().ok()
    }

    /// Cancelled when answers that would go on for ever must end.
    #[must_use]
    pub fn ending(&self) -> &CancellationToken {
        &self.inner.ending
    }

    /// Ends what would go on for ever: sockets, and answers that follow the log.
    pub fn hang_up(&self) {
        self.inner.live.hang_up();
        self.inner.ending.cancel();
    }

    /// Does work that must not be cut in half when the client hangs up: it goes on in a task of its own.
    ///
    /// # Errors
    /// [`BrokeOff`] when it panicked.
    pub async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, BrokeOff> {
        let task = self.inner.work.spawn(work.in_current_span());
        task.await.map_err(|error| BrokeOff(error.to_string()))
    }

    /// Work that [`App::finish`] waits for, in whatever task it runs.
    pub fn tracked<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        self.inner.work.track_future(work)
    }

    /// Waits until all detached work is done and every socket is closed: after the listeners stopped, before the ledger
    /// goes.
    pub async fn finish(&self) {
        self.hang_up();
        self.inner.work.close();
        self.inner.work.wait().await;
    }

    /// Lets go of the connections for queries, when nobody asks any more.
    pub async fn close(&self) {
        self.inner.crowded.close().await;
        self.reads().close().await;
    }

    /// Deletes what is of no use any more: old receipts, old counts of rate limits. Answers how many rows. For a
    /// timer; any number of nodes may do it.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn sweep(&self) -> sqlx::Result<u64> {
        let receipts = self.ledger().sweep_receipts(SWEEP_SLICE).await?;
        let limits = self.rate_limits().sweep(SWEEP_SLICE, self.now()).await?;
        Ok(receipts + limits)
    }
}
