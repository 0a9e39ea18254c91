//! What one round of load came to.

use std::collections::BTreeMap;
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
    /// The same for each kind of request, where the case mixes some.
    pub parts: BTreeMap<&'static str, Histogram<u64>>,
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
    #[must_use]
    pub fn new(measured: Duration) -> Self {
        Self {
            completed: 0,
            measured,
            latency: latencies(),
            parts: BTreeMap::new(),
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
                    if let Some(part) = case.part(nth) {
                        let part = self.parts.entry(part).or_insert_with(latencies);
                        part.saturating_record(nanoseconds(latency));
                    }
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
        self.latency.saturating_record(nanoseconds(latency));
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
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        milliseconds(&self.latency, quantile)
    }

    /// The same of one kind of request; nothing where none was answered.
    #[must_use]
    pub fn part_ms(&self, part: &str, quantile: f64) -> Option<f64> {
        Some(milliseconds(self.parts.get(part)?, quantile))
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

fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, nanoseconds(LONGEST), 3).expect("constant bounds")
}

fn nanoseconds(latency: Duration) -> u64 {
    u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "two minutes of nanoseconds fit in 2^52"
)]
fn milliseconds(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    latencies.value_at_quantile(quantile) as f64 / 1e6
}
