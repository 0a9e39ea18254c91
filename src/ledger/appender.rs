//! The one appender of a node: gathers jobs into batches and carries each in one call of `ledger_append`. The answer comes in two
//! parts: what became of the jobs, and the end, when that is on the disk. In between the projector is told what comes ([`Underway`]).
//!
//! A batch never names a stream twice (written by one job, written or guarded by another) nor a receipt twice. Its
//! connection is its own. A batch whose connection died is sent again, marked, before anything else; one that
//! failed for its data is sent again job by job, so that only the guilty job answers for it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::append::{AppendError, Appended, Events, Expected, NEVER, Verdict};
use super::envelope::{Recorded, StreamId};
use super::herald::Herald;
use super::personal::PersonalError;
use super::tail::{Durable, LocalBatch, Tail, Underway};

/// How long a caller whose job was sent waits for the answer beyond its deadline.
const GRACE: Duration = Duration::from_secs(2);
/// How long jobs wait for a database that is away before they are refused: long enough for a restart, short enough that
/// callers hear of a fault and not of their own patience.
const AWAY: Duration = Duration::from_secs(3);
/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often others may go first while a batch gathers; it leaves as soon as nobody comes.
const COURTESY: usize = 40;

/// Limits of the appender, from the settings.
#[derive(Clone, Copy, Debug)]
pub struct AppendLimits {
    /// Jobs that may wait; more are refused at once.
    pub queue: usize,
    /// Jobs in one batch.
    pub batch_jobs: usize,
    /// Events in one batch (a single larger job still goes alone).
    pub batch_events: usize,
    /// Bytes of payload in one batch (a single larger job still goes alone).
    pub batch_bytes: usize,
    /// How long the log may take over a batch before its connection counts as dead and the batch is sent again.
    pub answer: Duration,
}

impl Default for AppendLimits {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch_jobs: 512,
            batch_events: 2048,
            batch_bytes: 4 << 20,
            answer: Duration::from_secs(5),
        }
    }
}

/// A job made ready by its caller: serialized, sealed, checked.
pub(super) struct Prepared {
    pub streams: Vec<(StreamId, Expected)>,
    pub events: Vec<PreparedEvent>,
    pub metadata: String,
    pub receipt: Option<PreparedReceipt>,
    pub subjects: Vec<String>,
    pub deadline: Instant,
}

pub(super) struct PreparedEvent {
    /// Index into the job's streams.
    pub stream: usize,
    pub event_id: Uuid,
    pub event_type: String,
    pub event_version: String,
    /// As stored.
    pub sealed: String,
    /// As read: the stored bytes, opened. `None` when nothing was sealed.
    pub opened: Option<String>,
    pub subjects: Vec<String>,
}

pub(super) struct PreparedReceipt {
    pub key: [u8; 32],
    pub digest: [u8; 32],
    pub outcome: Vec<u8>,
}

impl Prepared {
    fn bytes(&self) -> usize {
        self.events
            .iter()
            .map(|e| e.sealed.len() + self.metadata.len())
            .sum()
    }

    /// Does it write a stream?
    fn writes(&self, index: usize) -> bool {
        self.events.iter().any(|event| event.stream == index)
    }
}

/// Position, sequence, recorded at.
type Place = (i64, i64, DateTime<Utc>);

pub(super) type Answer = Result<Verdict, AppendError>;

struct Waiting {
    job: Prepared,
    reply: oneshot::Sender<Answer>,
    ticket: Arc<Ticket>,
}

impl Waiting {
    /// May it be sent? Not when its caller took it back, nor past its deadline; once sent, always.
    fn may_go(&self) -> bool {
        let late = self.job.deadline <= Instant::now();
        !(late && self.ticket.withdraw()) && self.ticket.send()
    }
}

/// Whether a job was sent or taken back: one of the two, decided once.
#[derive(Debug, Default)]
struct Ticket(AtomicU8);

impl Ticket {
    const WAITING: u8 = 0;
    const SENT: u8 = 1;
    const WITHDRAWN: u8 = 2;

    fn send(&self) -> bool {
        self.decide(Self::SENT)
    }

    fn withdraw(&self) -> bool {
        self.decide(Self::WITHDRAWN)
    }

    /// True when it is now as asked, or was before.
    fn decide(&self, to: u8) -> bool {
        let order = Ordering::AcqRel;
        match self
            .0
            .compare_exchange(Self::WAITING, to, order, Ordering::Acquire)
        {
            Ok(_) => true,
            Err(found) => found == to,
        }
    }
}

/// The door to the appender's task.
#[derive(Clone)]
pub(super) struct Appender {
    queue: mpsc::Sender<Waiting>,
}

/// What the appender shows of itself.
#[derive(Debug, Default)]
pub(super) struct AppenderGauge {
    /// The backend that tells other nodes: what it says needs no second hearing.
    pub herald_pid: AtomicI32,
    pub waiting: AtomicUsize,
    /// No other node hears this log: nobody needs to be notified.
    pub alone: AtomicBool,
}

impl Appender {
    pub fn start(
        options: PgConnectOptions,
        limits: AppendLimits,
        local: mpsc::UnboundedSender<LocalBatch>,
        herald: Herald,
        gauge: Arc<AppenderGauge>,
        tail: Arc<Tail>,
    ) -> Self {
        let (queue, jobs) = mpsc::channel(limits.queue);
        let task = Task {
            options,
            limits,
            jobs,
            waiting: VecDeque::new(),
            connection: None,
            local,
            herald,
            gauge,
            tail,
        };
        tokio::spawn(task.run());
        Self { queue }
    }

    /// Is the task gone? Then nothing can be written until the service is started again.
    pub fn is_gone(&self) -> bool {
        self.queue.is_closed()
    }

    /// Hands over a job and awaits the verdict. The job goes on when the caller leaves.
    pub async fn send(&self, job: Prepared) -> Answer {
        let deadline = job.deadline;
        let ticket = Arc::new(Ticket::default());
        let (reply, mut answer) = oneshot::channel();
        let waiting = Waiting {
            job,
            reply,
            ticket: Arc::clone(&ticket),
        };
        self.queue
            .try_send(waiting)
            .map_err(|_| AppendError::Overloaded)?;
        if let Ok(Ok(answer)) = tokio::time::timeout_at(deadline, &mut answer).await {
            return answer;
        }
        if ticket.withdraw() {
            return Err(AppendError::Overloaded);
        }
        match tokio::time::timeout_at(deadline + GRACE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(AppendError::Unknown),
        }
    }
}

struct Task {
    options: PgConnectOptions,
    limits: AppendLimits,
    jobs: mpsc::Receiver<Waiting>,
    waiting: VecDeque<Waiting>,
    connection: Option<PgConnection>,
    local: mpsc::UnboundedSender<LocalBatch>,
    herald: Herald,
    gauge: Arc<AppenderGauge>,
    tail: Arc<Tail>,
}

/// What a call of the append function came to.
struct Outcome {
    rows: Rows,
    /// The events of all accepted jobs.
    recorded: Arc<[Recorded]>,
    /// By job: which of them are its own; none, if it was not accepted.
    parts: Vec<Range<usize>>,
    /// Who folds them already wants to hear that they are on the disk.
    durable: watch::Sender<bool>,
}

impl Task {
    async fn run(mut self) {
        loop {
            if self.waiting.is_empty() {
                match self.jobs.recv().await {
                    Some(job) => self.waiting.push_back(job),
                    None => break,
                }
            }
            self.gather().await;
            self.refuse_late();
            let batch = self.take_batch();
            self.gauge
                .waiting
                .store(self.waiting.len(), Ordering::Relaxed);
            if !batch.is_empty() {
                metrics::histogram!("shiji_append_batch_jobs").record(count(batch.len()));
                self.carry(batch, false).await;
            }
        }
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
    }

    /// Takes over what has been handed in, and lets commands that are about to hand something in do so first: they are
    /// woken in crowds, and whoever of a crowd comes first would else go alone and let the others wait for the disk.
    async fn gather(&mut self) {
        self.take_over();
        for _ in 0..COURTESY {
            let before = self.waiting.len();
            tokio::task::yield_now().await;
            self.take_over();
            if self.waiting.len() == before {
                break;
            }
        }
    }

    fn take_over(&mut self) {
        while self.waiting.len() < self.limits.queue {
            match self.jobs.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(_) => break,
            }
        }
    }

    /// A job whose deadline passed before it was sent is refused: nothing happened.
    fn refuse_late(&mut self) {
        let now = Instant::now();
        if self.waiting.iter().any(|w| w.job.deadline <= now) {
            let waiting = std::mem::take(&mut self.waiting);
            self.waiting = refuse_due(waiting, now, &AppendError::Overloaded);
        }
    }

    /// Takes what fits into one batch, in order; a job that names what the batch names waits for the next.
    fn take_batch(&mut self) -> Vec<Waiting> {
        let mut claims = Claims::default();
        let mut batch: Vec<Waiting> = Vec::new();
        let (mut events, mut bytes) = (0, 0);
        let mut later = VecDeque::new();
        while let Some(waiting) = self.waiting.pop_front() {
            let (more_events, more_bytes) = (waiting.job.events.len(), waiting.job.bytes());
            let full = batch.len() >= self.limits.batch_jobs
                || (!batch.is_empty()
                    && (events + more_events > self.limits.batch_events
                        || bytes + more_bytes > self.limits.batch_bytes));
            if full {
                later.push_back(waiting);
                break;
            }
            if claims.take(&waiting.job) {
                events += more_events;
                bytes += more_bytes;
                batch.push(waiting);
            } else {
                later.push_back(waiting);
            }
        }
        while let Some(waiting) = later.pop_back() {
            self.waiting.push_front(waiting);
        }
        batch
    }

    /// Carries a batch to its end: every job of it gets its answer here. `resend` marks it from the start.
    async fn carry(&mut self, mut batch: Vec<Waiting>, mut resend: bool) {
        let mut delay = Duration::from_millis(20);
        let mut patience = self.limits.answer;
        let began = Instant::now();
        loop {
            let sent = std::time::Instant::now();
            match self.call(&mut batch, resend, patience).await {
                Ok(outcome) => {
                    metrics::histogram!("shiji_append_seconds")
                        .record(sent.elapsed().as_secs_f64());
                    self.answer(batch, outcome, sent).await;
                    return;
                }
                Err(Failure::Data(message)) => {
                    self.carry_one_by_one(batch, message, resend).await;
                    return;
                }
                Err(Failure::Refused(error)) => {
                    error!(error = %error, "The log refused a batch: {error}");
                    let error = Arc::new(error);
                    for waiting in batch {
                        // Nothing happened now; what the lost connection did is not known.
                        let _ = waiting.reply.send(Err(if resend {
                            AppendError::Unknown
                        } else {
                            AppendError::Unavailable(error.clone())
                        }));
                    }
                    return;
                }
                Err(Failure::NotSent(error)) => {
                    debug!(error = %error, "No connection to append on: {error}");
                    if !resend {
                        let now = if began.elapsed() < AWAY {
                            Instant::now()
                        } else {
                            far()
                        };
                        let error = AppendError::Unavailable(Arc::new(error));
                        batch = refuse_due(batch, now, &error);
                    }
                    if batch.is_empty() {
                        return;
                    }
                }
                Err(Failure::Lost(error)) => {
                    warn!(error = %error, "The connection was lost under a batch; sending it again, marked: {error}");
                    resend = true;
                }
                Err(Failure::Silent) => {
                    warn!(
                        "The log was silent for {patience:?} under a batch; sending it again, marked"
                    );
                    resend = true;
                    // It may only be slow: what takes its time gets it, and few sessions are left to wait in line.
                    patience = patience.saturating_mul(2);
                }
            }
            if self.jobs.is_closed() && batch.iter().all(|w| w.reply.is_closed()) {
                return;
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(Duration::from_millis(500));
        }
    }

    /// Sends each job of a failed batch alone, so that only the guilty one answers a fault. Marked, if the batch was:
    /// some of it may be in the log.
    async fn carry_one_by_one(&mut self, mut batch: Vec<Waiting>, message: String, resend: bool) {
        if batch.len() == 1 {
            for waiting in batch {
                let _ = waiting.reply.send(Err(AppendError::Data(message.clone())));
            }
            return;
        }
        for waiting in batch.drain(..) {
            Box::pin(self.carry(vec![waiting], resend)).await;
        }
    }

    async fn connect(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.connection.is_none() {
            let connection = tokio::time::timeout(CONNECT_TIMEOUT, open(&self.options))
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)??;
            info!("The appender is connected");
            self.connection = Some(connection);
        }
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// One call for the jobs of the batch that may still go; the others leave it.
    async fn call(
        &mut self,
        batch: &mut Vec<Waiting>,
        resend: bool,
        patience: Duration,
    ) -> Result<Outcome, Failure> {
        let tail = Arc::clone(&self.tail);
        let connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => {
                self.connection = None;
                return Err(Failure::NotSent(error));
            }
        };
        batch.retain(Waiting::may_go);
        if batch.is_empty() {
            return Err(Failure::NotSent(sqlx::Error::PoolTimedOut));
        }
        let columns = Columns::of(batch, resend);
        let carried = carry_through(batch, columns.append(connection), &tail);
        match tokio::time::timeout(patience, carried).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Err(_) => {
                self.connection = None;
                Err(Failure::Silent)
            }
            Ok(Err(error)) => {
                let failure = Failure::of(error);
                if !matches!(failure, Failure::Data(_)) {
                    // A session that refused may be what is wrong (read-only, an outdated plan, other settings).
                    self.connection = None;
                }
                Err(failure)
            }
        }
    }

    async fn answer(&mut self, batch: Vec<Waiting>, outcome: Outcome, sent: std::time::Instant) {
        let Outcome {
            rows,
            recorded,
            parts,
            durable,
        } = outcome;
        let mut accepted = Vec::with_capacity(batch.len());
        for (index, (waiting, part)) in batch.into_iter().zip(parts).enumerate() {
            let last = rows.last[index];
            let answer = match rows.verdicts[index] {
                0 => {
                    accepted.push((waiting.reply, last, part));
                    continue;
                }
                1 => Err(AppendError::Stale),
                2 => repeated(&rows, index, last),
                3 => self.found_again(waiting.job, last).await,
                4 => Err(AppendError::ErasedSubject),
                5 => Err(AppendError::Personal(Arc::new(PersonalError::NoKey(
                    waiting.job.subjects.join(", "),
                )))),
                other => Err(AppendError::Data(format!(
                    "the log answered verdict {other}"
                ))),
            };
            let _ = waiting.reply.send(answer);
        }
        metrics::counter!("shiji_appended_events_total").increment(recorded.len() as u64);
        if let Some(newest) = recorded.last() {
            if !self.gauge.alone.load(Ordering::Relaxed) {
                self.herald.tell(newest.position);
            }
            let _ = self.local.send(LocalBatch {
                events: Arc::clone(&recorded),
                sent,
                durable,
            });
        }
        // Only now: who hears that it is done may ask this node about it.
        for (reply, position, part) in accepted {
            let events = Events::part(&recorded, part);
            let _ = reply.send(Ok(Verdict::Appended(Appended { position, events })));
        }
    }

    /// Position, sequence and time of events in the log.
    async fn places(&mut self, ids: &[Uuid]) -> Result<HashMap<Uuid, Place>, sqlx::Error> {
        let connection = self.connect().await?;
        let rows = sqlx::query!(
            "SELECT event_id, position, sequence, recorded_at FROM events WHERE event_id = ANY($1)",
            ids,
        )
        .fetch_all(connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.event_id, (row.position, row.sequence, row.recorded_at)))
            .collect())
    }

    /// A resent job that was in the log all along: its events as they stand there.
    async fn found_again(&mut self, job: Prepared, last: i64) -> Answer {
        let ids: Vec<Uuid> = job.events.iter().map(|event| event.event_id).collect();
        // It is accepted; a connection that dies once more must not turn that into a riddle.
        let mut places = Err(sqlx::Error::PoolClosed);
        for _ in 0..3 {
            places = tokio::time::timeout(self.limits.answer, self.places(&ids))
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut));
            if places.is_ok() {
                break;
            }
            self.connection = None;
        }
        let Ok(places) = places else {
            return Err(AppendError::Unknown);
        };
        let events: Option<Vec<Recorded>> = (job.events.iter())
            .map(|event| Some(recorded(&job, event, *places.get(&event.event_id)?)))
            .collect();
        events.map_or(Err(AppendError::Unknown), |events| {
            let position = last;
            let length = job.events.len();
            let events = Events::part(&events.into(), 0..length);
            Ok(Verdict::Appended(Appended { position, events }))
        })
    }
}

/// A connection to append on.
async fn open(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = options.connect().await?;
    sqlx::query!("SELECT set_config('synchronous_commit', 'on', false)")
        .fetch_one(&mut connection)
        .await?;
    Ok(connection)
}

/// Hears the answer to the end: when it has arrived, what it says is on the disk, and only then it counts. The projector
/// begins with the first part.
async fn carry_through(
    batch: &[Waiting],
    mut answer: BoxStream<'_, Result<Rows, sqlx::Error>>,
    tail: &Tail,
) -> Result<Outcome, sqlx::Error> {
    let rows = answer.try_next().await?.ok_or(sqlx::Error::RowNotFound)?;
    let (recorded, parts) = record_all(batch, &rows);
    let (durable, hears) = Durable::pair();
    if !recorded.is_empty() {
        tail.goes(Underway {
            events: Arc::clone(&recorded),
            durable: hears,
        });
    }
    while answer.try_next().await?.is_some() {}
    Ok(Outcome {
        rows,
        recorded,
        parts,
        durable,
    })
}

/// A moment past every deadline.
fn far() -> Instant {
    Instant::now() + Duration::from_secs(365 * 24 * 3600)
}

/// Answers those whose deadline has come by `now`, and keeps the others in order.
fn refuse_due<C>(jobs: C, now: Instant, error: &AppendError) -> C
where
    C: IntoIterator<Item = Waiting> + FromIterator<Waiting>,
{
    jobs.into_iter()
        .filter_map(|waiting| {
            if waiting.job.deadline > now {
                return Some(waiting);
            }
            let _ = waiting.reply.send(Err(error.clone()));
            None
        })
        .collect()
}

fn repeated(rows: &Rows, index: usize, position: i64) -> Answer {
    let digest = rows.digests[index]
        .as_deref()
        .and_then(|d| d.try_into().ok());
    match (digest, &rows.outcomes[index]) {
        (Some(digest), Some(outcome)) => Ok(Verdict::Repeated {
            digest,
            outcome: outcome.clone(),
            position,
        }),
        _ => Err(AppendError::Data("a receipt is damaged".to_owned())),
    }
}

/// The events of all accepted jobs of a batch, and by job which are its own.
fn record_all(batch: &[Waiting], rows: &Rows) -> (Arc<[Recorded]>, Vec<Range<usize>>) {
    let mut recorded = Vec::with_capacity(batch.iter().map(|w| w.job.events.len()).sum());
    let mut versions = rows.versions.as_slice();
    let parts = (batch.iter().enumerate())
        .map(|(index, waiting)| {
            let (own, rest) = versions.split_at(waiting.job.streams.len());
            versions = rest;
            let from = recorded.len();
            if rows.verdicts[index] == 0 {
                record(&mut recorded, &waiting.job, own, rows.last[index], rows.at);
            }
            from..recorded.len()
        })
        .collect();
    (recorded.into(), parts)
}

/// Adds an accepted job's events to those of its batch.
fn record(
    batch: &mut Vec<Recorded>,
    job: &Prepared,
    versions: &[i64],
    last: i64,
    at: DateTime<Utc>,
) {
    let mut next = versions.to_vec();
    let first = last - i64::try_from(job.events.len()).unwrap_or(0) + 1;
    for (event, position) in job.events.iter().zip(first..) {
        next[event.stream] += 1;
        batch.push(recorded(job, event, (position, next[event.stream], at)));
    }
}

fn recorded(
    job: &Prepared,
    event: &PreparedEvent,
    (position, sequence, recorded_at): Place,
) -> Recorded {
    Recorded {
        position,
        event_id: event.event_id,
        stream: job.streams[event.stream].0.clone(),
        sequence,
        event_type: event.event_type.clone(),
        event_version: event.event_version.clone(),
        payload: event.opened.as_ref().unwrap_or(&event.sealed).clone(),
        metadata: job.metadata.clone(),
        recorded_at,
    }
}

/// What the jobs of a batch hold: written streams, guarded streams, receipts.
#[derive(Default)]
struct Claims {
    written: HashSet<StreamId>,
    guarded: HashSet<StreamId>,
    receipts: HashSet<[u8; 32]>,
}

impl Claims {
    /// Enters a job unless it collides with one already in.
    fn take(&mut self, job: &Prepared) -> bool {
        let receipt_taken = job
            .receipt
            .as_ref()
            .is_some_and(|r| self.receipts.contains(&r.key));
        let collides = job.streams.iter().enumerate().any(|(index, (stream, _))| {
            self.written.contains(stream) || (job.writes(index) && self.guarded.contains(stream))
        });
        if receipt_taken || collides {
            return false;
        }
        for (index, (stream, _)) in job.streams.iter().enumerate() {
            let claimed = if job.writes(index) {
                &mut self.written
            } else {
                &mut self.guarded
            };
            claimed.insert(stream.clone());
        }
        self.receipts.extend(job.receipt.as_ref().map(|r| r.key));
        true
    }
}

/// How a call of the append function went wrong.
enum Failure {
    /// It never left: nothing happened.
    NotSent(sqlx::Error),
    /// The connection died: it may have happened.
    Lost(sqlx::Error),
    /// Nothing was heard for too long: it may have happened, or still happen.
    Silent,
    /// A job's data cannot be stored: nothing of the batch happened.
    Data(String),
    /// The server refused for another reason: nothing of the batch happened.
    Refused(sqlx::Error),
}

impl Failure {
    fn of(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Encode(cause) => Self::Data(cause.to_string()),
                other => Self::Lost(other),
            };
        };
        let code = database.code().unwrap_or_default();
        match code.get(..3) {
            // Data exceptions, integrity, and limits of the program: a key too long for an index, JSON too deep.
            Some(class)
                if ["22", "23", "54"]
                    .iter()
                    .any(|data| class.starts_with(data)) =>
            {
                Self::Data(database.to_string())
            }
            // Connection faults, shutdown, crash: what was sent may stand.
            Some(class) if class.starts_with("08") || class == "57P" => Self::Lost(error),
            _ => Self::Refused(error),
        }
    }
}

/// The answer of `ledger_append`.
struct Rows {
    verdicts: Vec<i32>,
    last: Vec<i64>,
    versions: Vec<i64>,
    digests: Vec<Option<Vec<u8>>>,
    outcomes: Vec<Option<Vec<u8>>>,
    at: DateTime<Utc>,
}

/// A batch as the arrays `ledger_append` takes.
#[derive(Default)]
struct Columns<'a> {
    jobs: i32,
    first_events: Option<Vec<Option<Uuid>>>,
    stream_job: Vec<i32>,
    stream_type: Vec<&'a str>,
    stream_id: Vec<&'a str>,
    stream_expected: Vec<i64>,
    event_job: Vec<i32>,
    event_stream: Vec<i32>,
    event_id: Vec<Uuid>,
    aggregate_type: Vec<&'a str>,
    aggregate_id: Vec<&'a str>,
    event_type: Vec<&'a str>,
    event_version: Vec<&'a str>,
    payload: Vec<&'a str>,
    metadata: Vec<&'a str>,
    subjects: Vec<Option<String>>,
    receipt_job: Vec<i32>,
    receipt_key: Vec<&'a [u8]>,
    receipt_digest: Vec<&'a [u8]>,
    receipt_outcome: Vec<&'a [u8]>,
    subject_job: Vec<i32>,
    subject: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a [Waiting], resend: bool) -> Self {
        let mut columns = Self::default();
        if resend {
            let first = |w: &Waiting| w.job.events.first().map(|event| event.event_id);
            columns.first_events = Some(batch.iter().map(first).collect());
        }
        for waiting in batch {
            columns.add(&waiting.job);
        }
        columns
    }

    fn add(&mut self, job: &'a Prepared) {
        self.jobs += 1;
        let number = self.jobs;
        let first_stream = index(self.stream_job.len()) + 1;
        for (stream, expected) in &job.streams {
            self.stream_job.push(number);
            self.stream_type.push(&stream.aggregate);
            self.stream_id.push(&stream.id);
            self.stream_expected.push(match expected {
                // Still asked for its receipt before it is refused.
                Expected::Exact(..0) => NEVER,
                Expected::Exact(version) => *version,
                Expected::Any => -1,
            });
        }
        for event in &job.events {
            let stream = &job.streams[event.stream].0;
            self.event_job.push(number);
            self.event_stream.push(first_stream + index(event.stream));
            self.event_id.push(event.event_id);
            self.aggregate_type.push(&stream.aggregate);
            self.aggregate_id.push(&stream.id);
            self.event_type.push(&event.event_type);
            self.event_version.push(&event.event_version);
            self.payload.push(&event.sealed);
            self.metadata.push(&job.metadata);
            self.subjects.push(match event.subjects.as_slice() {
                [] => None,
                subjects => Some(subjects.join("\n")),
            });
        }
        if let Some(receipt) = &job.receipt {
            self.receipt_job.push(number);
            self.receipt_key.push(&receipt.key);
            self.receipt_digest.push(&receipt.digest);
            self.receipt_outcome.push(&receipt.outcome);
        }
        for subject in &job.subjects {
            self.subject_job.push(number);
            self.subject.push(subject);
        }
    }

    /// One call, autocommit. Its one row comes before the commit, the end of the answer after it.
    fn append<'q>(
        &'q self,
        connection: &'q mut PgConnection,
    ) -> BoxStream<'q, Result<Rows, sqlx::Error>> {
        let rows = sqlx::query!(
            r#"SELECT verdicts AS "verdicts!", last_positions AS "last!", stream_versions AS "versions!",
                      receipt_digests AS "digests!: Vec<Option<Vec<u8>>>",
                      receipt_outcomes AS "outcomes!: Vec<Option<Vec<u8>>>", at AS "at!"
               FROM ledger_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                                  $18, $19, $20, $21, $22, $23)
               UNION ALL
               SELECT NULL, NULL, NULL, NULL, NULL, NULL FROM ledger_send()"#,
            self.jobs,
            self.first_events.as_deref() as Option<&[Option<Uuid>]>,
            &self.stream_job,
            &self.stream_type as &[&str],
            &self.stream_id as &[&str],
            &self.stream_expected,
            &self.event_job,
            &self.event_stream,
            &self.event_id,
            &self.aggregate_type as &[&str],
            &self.aggregate_id as &[&str],
            &self.event_type as &[&str],
            &self.event_version as &[&str],
            &self.payload as &[&str],
            &self.metadata as &[&str],
            &self.subjects as &[Option<String>],
            &self.receipt_job,
            &self.receipt_key as &[&[u8]],
            &self.receipt_digest as &[&[u8]],
            &self.receipt_outcome as &[&[u8]],
            &self.subject_job,
            &self.subject as &[&str],
            // The herald tells other nodes, afterwards.
            false,
        )
        .fetch(connection);
        rows.map_ok(|row| Rows {
            verdicts: row.verdicts,
            last: row.last,
            versions: row.versions,
            digests: row.digests,
            outcomes: row.outcomes,
            at: row.at,
        })
        .boxed()
    }
}

fn index(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn count(length: usize) -> f64 {
    f64::from(index(length))
}
