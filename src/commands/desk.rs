//! The desk: load, decide, append, retry a lost race, wait for the read tables.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::debug;

use super::book::{Book, Change};
use super::turns::{Turn, Turns};
use super::{Decide, Operation, Refusal, Stop};
use crate::ledger::{
    AppendError, Expected, Freshness, IdError, Ledger, LoadError, Metadata, Receipt, StreamId,
    Verdict,
};

/// Attempts at a command before a lost race is the caller's conflict: the first and five more (contract README 2.6).
const ATTEMPTS: u32 = 6;

/// Who asks, through which door, under which conditions.
#[derive(Debug, Clone)]
pub struct Request {
    /// Goes into every event.
    pub metadata: Metadata,
    /// Under an `Idempotency-Key`.
    pub receipt: Option<ReceiptKey>,
    /// `If-Match`: this stream must stand at this version.
    pub if_match: Option<(StreamId, i64)>,
    /// Past it nothing new is sent.
    pub deadline: Instant,
}

/// Names a receipt: who asked what before.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptKey {
    /// Hash of (actor, endpoint, key).
    pub key: [u8; 32],
    /// Hash of the request's content.
    pub digest: [u8; 32],
}

/// What a command came to.
#[derive(Debug, Clone)]
pub struct Done<T> {
    /// What the operation answers.
    pub outcome: T,
    /// Queries at or after it show the effect.
    pub position: i64,
    /// The streams it looked at, and what they were given.
    pub changes: Vec<Change>,
    /// Read tables that do not show it yet.
    pub pending: Vec<&'static str>,
    /// The first answer of a repeated key.
    pub repeated: bool,
}

/// Why a command came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskError<E: Refusal> {
    /// A rule said no.
    #[error(transparent)]
    Refused(E),
    /// The race was lost more often than the desk tries.
    #[error("another writer was faster, again and again")]
    Conflict,
    /// `If-Match` names another version.
    #[error("the stream stands at version {found}, not {expected}")]
    VersionDiffers {
        /// What the caller expected.
        expected: i64,
        /// Where it stands.
        found: i64,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Too much at once; nothing happened. Try again.
    #[error("overloaded; nothing happened")]
    Overloaded,
    /// The log is shown as it was, where nothing happens any more.
    #[error("no commands: the log is shown as it was at a position")]
    Past,
    /// A fault.
    #[error(transparent)]
    Fault(Fault),
}

/// What can break under a command.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// Loading failed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Appending failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// No id was to be had.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A stored outcome does not read.
    #[error("a stored outcome does not read: {0}")]
    Outcome(Arc<serde_json::Error>),
    /// What was read of several streams cannot have been at one time: somebody wrote in between. The desk decides again.
    #[error("the streams were read while somebody wrote them")]
    Torn,
}

/// What stands in a receipt.
#[derive(Serialize, Deserialize)]
#[serde(bound = "T: Serialize + DeserializeOwned, E: Serialize + DeserializeOwned")]
struct Kept<T, E> {
    outcome: Result<T, E>,
    changes: Vec<Change>,
}

/// One command on one stream.
struct Single<A: Decide> {
    id: String,
    command: A::Command,
    create: bool,
}

impl<A: Decide> Operation for Single<A> {
    type Outcome = ();
    type Refusal = A::Refusal;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<A::Refusal>> {
        if self.create {
            book.create::<A>(&self.id);
        }
        book.decide::<A>(&self.id, &self.command).await
    }
}

/// Runs commands. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    ledger: Ledger,
    /// How long an answer waits for the read tables.
    patience: Duration,
    turns: Turns,
}

type Outcome<O> = Result<Done<<O as Operation>::Outcome>, DeskError<<O as Operation>::Refusal>>;

impl Desk {
    /// A desk over a ledger; answers wait `patience` for the read tables.
    #[must_use]
    pub fn new(ledger: Ledger, patience: Duration) -> Self {
        Self {
            ledger,
            patience,
            turns: Turns::default(),
        }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether commands are taken at all. Every one is refused where the log is shown as it was; who does something in the
    /// world before sending one asks here first.
    ///
    /// # Errors
    /// [`DeskError::Past`].
    pub fn accepts<E: Refusal>(&self) -> Result<(), DeskError<E>> {
        match self.ledger.past() {
            None => Ok(()),
            Some(_) => Err(DeskError::Past),
        }
    }

    /// One command on one stream.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn execute<A: Decide>(
        &self,
        request: &Request,
        id: &str,
        command: A::Command,
    ) -> Result<Done<()>, DeskError<A::Refusal>> {
        let id = id.to_owned();
        self.run(
            request,
            &Single::<A> {
                id,
                command,
                create: false,
            },
        )
        .await
    }

    /// One command on a stream whose id was just made.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn create<A: Decide>(
        &self,
        request: &Request,
        id: &str,
        command: A::Command,
    ) -> Result<Done<()>, DeskError<A::Refusal>> {
        let id = id.to_owned();
        self.run(
            request,
            &Single::<A> {
                id,
                command,
                create: true,
            },
        )
        .await
    }

    /// An operation over any number of streams: all of it or nothing. Lost races are decided again, in turn with others who
    /// lost one.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn run<O: Operation>(&self, request: &Request, operation: &O) -> Outcome<O> {
        self.accepts::<O::Refusal>()?;
        if let Some(receipt) = &request.receipt
            && let Some(Verdict::Repeated {
                digest,
                outcome,
                position,
            }) = self.ledger.receipt(&receipt.key).await.map_err(fault)?
        {
            return self.repeat::<O>(receipt, &digest, &outcome, position).await;
        }
        let mut freshness = Freshness::Cached;
        let mut turn = None;
        for attempt in 1..=ATTEMPTS {
            if Instant::now() >= request.deadline {
                return Err(DeskError::Overloaded);
            }
            let mut book = Book::new(self.ledger.clone(), freshness);
            match self
                .attempt(request, operation, &mut book, &mut turn)
                .await?
            {
                Attempt::Final(outcome) => return outcome,
                Attempt::Again => {
                    debug!(attempt, "A decision is taken again");
                    book.forget();
                    freshness = Freshness::Reread;
                }
                Attempt::InTurn => {
                    debug!(attempt, "A decision is taken again, in turn");
                    turn = self.turns.take(book.written(), request.deadline).await;
                    if turn.is_none() {
                        return Err(DeskError::Overloaded);
                    }
                }
            }
        }
        metrics::counter!("shiji_command_conflicts_total").increment(1);
        Err(DeskError::Conflict)
    }

    /// What the first request under a receipt key came to; `None` when there was none, or it was refused.
    ///
    /// # Errors
    /// [`DeskError::KeyReused`], or a fault.
    pub async fn kept<O: Operation>(
        &self,
        receipt: &ReceiptKey,
    ) -> Result<Option<Done<O::Outcome>>, DeskError<O::Refusal>> {
        self.accepts::<O::Refusal>()?;
        let Some(Verdict::Repeated {
            digest,
            outcome,
            position,
        }) = self.ledger.receipt(&receipt.key).await.map_err(fault)?
        else {
            return Ok(None);
        };
        match self.repeat::<O>(receipt, &digest, &outcome, position).await {
            Ok(done) => Ok(Some(done)),
            Err(DeskError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn attempt<O: Operation>(
        &self,
        request: &Request,
        operation: &O,
        book: &mut Book,
        turn: &mut Option<Turn>,
    ) -> Result<Attempt<O>, DeskError<O::Refusal>> {
        let outcome = match operation.attempt(book).await {
            Ok(outcome) => Ok(outcome),
            Err(Stop::Refused(refusal)) => Err(refusal),
            Err(Stop::Fault(Fault::Torn)) => return Ok(Attempt::Again),
            Err(Stop::Fault(fault)) => return Err(DeskError::Fault(fault)),
        };
        if let Some((stream, expected)) = &request.if_match {
            let Some(found) = book.version_of(stream) else {
                return Err(DeskError::VersionDiffers {
                    expected: *expected,
                    found: 0,
                });
            };
            if found != *expected {
                if book.read_from_memory() {
                    return Ok(Attempt::Again);
                }
                return Err(DeskError::VersionDiffers {
                    expected: *expected,
                    found,
                });
            }
        }
        let writes = outcome.is_ok() && book.writes();
        if !writes {
            // Nobody need wait for a look.
            *turn = None;
        } else if turn.is_none() && self.turns.crowded(|| book.written()) {
            return Ok(Attempt::InTurn);
        }
        // An answer without events is given only after the streams were read again.
        if !writes && book.read_from_memory() {
            return Ok(Attempt::Again);
        }
        let changes = if outcome.is_ok() {
            book.changes()
        } else {
            Vec::new()
        };
        if !writes && request.receipt.is_none() {
            return Ok(Attempt::Final(match outcome {
                Ok(outcome) => self.unchanged(outcome, changes).await,
                Err(refusal) => Err(DeskError::Refused(refusal)),
            }));
        }
        let kept = Kept { outcome, changes };
        let receipt = request
            .receipt
            .map(|receipt| receipt_of(&receipt, &kept))
            .transpose()?;
        let Kept { outcome, changes } = kept;
        let mut job = book.job(request.metadata.clone(), receipt, request.deadline);
        if outcome.is_err() {
            // A refusal records nothing but its receipt, under guards on all it looked at.
            let dropped = std::mem::take(&mut job.streams);
            job.guards.extend(
                dropped
                    .into_iter()
                    .filter_map(|write| match write.expected {
                        Expected::Exact(version) => Some((write.stream, version)),
                        Expected::Any => None,
                    }),
            );
        }
        match self.ledger.append(job).await {
            Ok(Verdict::Appended(appended)) => Ok(Attempt::Final(match outcome {
                Ok(outcome) => {
                    book.remember();
                    *turn = None;
                    let pending = self.wait(appended.position, &book.written()).await;
                    Ok(Done {
                        outcome,
                        position: appended.position,
                        changes,
                        pending,
                        repeated: false,
                    })
                }
                Err(refusal) => Err(DeskError::Refused(refusal)),
            })),
            Ok(Verdict::Repeated {
                digest,
                outcome,
                position,
            }) => {
                let Some(receipt) = &request.receipt else {
                    return Ok(Attempt::Again);
                };
                Ok(Attempt::Final(
                    self.repeat::<O>(receipt, &digest, &outcome, position).await,
                ))
            }
            // What was only presumed is no sign of a crowd.
            Err(AppendError::Stale) if writes && turn.is_none() && !book.presumes() => {
                Ok(Attempt::InTurn)
            }
            Err(AppendError::Stale) => Ok(Attempt::Again),
            Err(error) => Err(fault(error)),
        }
    }

    /// A success that changed nothing: the state is as asked, and the read tables must show that, too.
    async fn unchanged<T, E: Refusal>(
        &self,
        outcome: T,
        changes: Vec<Change>,
    ) -> Result<Done<T>, DeskError<E>> {
        let head =
            self.ledger.head().await.map_err(|error| {
                DeskError::Fault(Fault::Load(LoadError::Database(Arc::new(error))))
            })?;
        let streams: Vec<StreamId> = changes
            .iter()
            .map(|c| StreamId::dynamic(c.aggregate.clone(), c.id.clone()))
            .collect();
        let pending = self.wait(head.position, &streams).await;
        Ok(Done {
            outcome,
            position: head.position,
            changes,
            pending,
            repeated: false,
        })
    }

    async fn repeat<O: Operation>(
        &self,
        receipt: &ReceiptKey,
        digest: &[u8; 32],
        outcome: &[u8],
        position: i64,
    ) -> Outcome<O> {
        if *digest != receipt.digest {
            return Err(DeskError::KeyReused);
        }
        let kept: Kept<O::Outcome, O::Refusal> = serde_json::from_slice(outcome)
            .map_err(|error| DeskError::Fault(Fault::Outcome(Arc::new(error))))?;
        let outcome = kept.outcome.map_err(DeskError::Refused)?;
        let streams: Vec<StreamId> = kept
            .changes
            .iter()
            .map(|c| StreamId::dynamic(c.aggregate.clone(), c.id.clone()))
            .collect();
        let pending = self.wait(position, &streams).await;
        Ok(Done {
            outcome,
            position,
            changes: kept.changes,
            pending,
            repeated: true,
        })
    }

    async fn wait(&self, position: i64, streams: &[StreamId]) -> Vec<&'static str> {
        self.ledger
            .watermark()
            .wait(position, streams, self.patience)
            .await
    }
}

enum Attempt<O: Operation> {
    Final(Outcome<O>),
    /// What was read is not what is there.
    Again,
    /// Others write the same streams all the time.
    InTurn,
}

fn receipt_of<T: Serialize + DeserializeOwned, E: Refusal>(
    receipt: &ReceiptKey,
    kept: &Kept<T, E>,
) -> Result<Receipt, DeskError<E>> {
    let outcome = serde_json::to_vec(kept)
        .map_err(|error| DeskError::Fault(Fault::Outcome(Arc::new(error))))?;
    Ok(Receipt {
        key: receipt.key,
        digest: receipt.digest,
        outcome,
    })
}

fn fault<E: Refusal>(error: AppendError) -> DeskError<E> {
    match error {
        AppendError::Overloaded => DeskError::Overloaded,
        AppendError::Stale => DeskError::Conflict,
        AppendError::Past => DeskError::Past,
        other => DeskError::Fault(Fault::Append(other)),
    }
}
