//! What one round of load came to.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;

use super::{Answer, Case};

/// Longest latency that is told apart from longer ones.
const LONGEST: Duration = Duration::from_secs(120);

/// Counts, latencies and the ids that were acknowledged.
#[derive(Debug)]
pub struct Tally {
    /// Right answers inside the measured time.
    pub completed: u64,
    /// The measured time.
    pub measured: Duration,
    /// Latencies of the completed, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Ids of everything acknowledged, also during warm-up and after the measured time.
    pub created: Vec<i64>,
    /// Right answers that came before the read tables showed them (`X-Pending`).
    pub pending: u64,
    /// When there was nothing left to ask for, if that was before the end.
    pub ended: Option<Instant>,
    /// Cores that the load generator kept busy, when known.
    pub generator_cores: Option<f64>,
    /// Cores that the service kept busy (without its database), when known.
    pub service_cores: Option<f64>,
    /// Wrong or missing answers.
    pub failures: u64,
    /// The first of them, in words.
    pub first_failure: Option<String>,
}

impl Tally {
    /// An empty tally.
    ///
    /// # Panics
    ///
    /// Never: the bounds of the histogram are constants.
    #[must_use]
    pub fn new(measured: Duration) -> Self {
        let longest = u64::try_from(LONGEST.as_nanos()).unwrap_or(u64::MAX);
        Self {
            completed: 0,
            measured,
            latency: Histogram::new_with_bounds(1_000, longest, 3).expect("constant bounds"),
            created: Vec::new(),
            pending: 0,
            ended: None,
            generator_cores: None,
            service_cores: None,
            failures: 0,
            first_failure: None,
        }
    }

    /// Counts an answer: right or wrong, and inside the measured time when it has a latency.
    pub fn count(
        &mut self,
        nth: u64,
        answer: &Result<Answer<'_>>,
        case: &dyn Case,
        latency: Option<Duration>,
    ) {
        let judged = match answer {
            Ok(answer) => case.judge(nth, answer),
            Err(broken) => Err(format!("{broken:#}")),
        };
        match judged {
            Ok(id) => {
                self.created.extend(id);
                if let Some(latency) = latency {
                    self.complete(latency);
                }
            }
            Err(reason) => self.fail(reason),
        }
        if answer
            .as_ref()
            .is_ok_and(|answer| answer.header("x-pending").is_some())
        {
            self.pending += 1;
        }
    }

    /// Counts one right answer of the measured time.
    pub fn complete(&mut self, latency: Duration) {
        self.completed += 1;
        self.latency
            .saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Counts a wrong answer.
    pub fn fail(&mut self, reason: String) {
        self.failures += 1;
        self.first_failure.get_or_insert(reason);
    }

    /// Right answers per second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn throughput(&self) -> f64 {
        self.completed as f64 / self.measured.as_secs_f64()
    }

    /// A latency quantile in milliseconds.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "two minutes of nanoseconds fit in 2^52"
    )]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e6
    }

    /// Refuses a round with a wrong answer in it, or without any.
    ///
    /// # Errors
    ///
    /// A sentence with the first wrong answer.
    pub fn sound(&self) -> Result<()> {
        ensure!(
            self.failures == 0,
            "{} wrong answers, the first: {}",
            self.failures,
            self.first_failure.as_deref().unwrap_or("unknown"),
        );
        ensure!(self.completed > 0, "no answer in the measured time");
        Ok(())
    }
}
