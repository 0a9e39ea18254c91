//! Contenders take turns: ours, stock, pgbench, ours, … so that a slow minute of the machine hits them all.

use anyhow::Result;
use async_trait::async_trait;
use serde_json::{Value, json};

use crate::load::{Span, Tally};

/// Somebody who can be loaded.
#[async_trait(?Send)]
pub trait Contender {
    /// The name in the report.
    fn name(&self) -> &'static str;

    /// Runs one round and gives what it came to, checked.
    async fn round(&mut self, connections: usize, span: Span) -> Result<Tally>;
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Right answers per second.
    Throughput,
    /// Median latency in milliseconds.
    P50,
    /// 99th percentile of the latency in milliseconds.
    P99,
}

impl Metric {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Throughput, Self::P50, Self::P99];

    /// The name in ids.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::P50 => "p50",
            Self::P99 => "p99",
        }
    }

    /// The unit.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Throughput => "1/s",
            Self::P50 | Self::P99 => "ms",
        }
    }

    fn of(self, tally: &Tally) -> f64 {
        match self {
            Self::Throughput => tally.throughput(),
            Self::P50 => tally.quantile_ms(0.50),
            Self::P99 => tally.quantile_ms(0.99),
        }
    }
}

/// All rounds of one contender.
#[derive(Debug)]
pub struct Standing {
    /// Who.
    pub name: &'static str,
    /// With how many connections.
    pub connections: usize,
    /// The rounds.
    pub rounds: Vec<Tally>,
}

impl Standing {
    /// With these rounds so far.
    #[must_use]
    pub fn of(name: &'static str, connections: usize, rounds: Vec<Tally>) -> Self {
        Self {
            name,
            connections,
            rounds,
        }
    }

    /// The median over the rounds.
    #[must_use]
    pub fn median(&self, metric: Metric) -> f64 {
        median(self.rounds.iter().map(|round| metric.of(round)))
    }

    /// The median over the rounds of a latency of one kind of request, in milliseconds.
    #[must_use]
    pub fn median_of(&self, part: &str, quantile: f64) -> f64 {
        median((self.rounds.iter()).filter_map(|round| round.part_ms(part, quantile)))
    }

    /// Answers that came before the read tables were caught up, over all rounds.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.rounds.iter().map(|round| round.pending).sum()
    }

    /// Every round, for the saved report.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let rounds: Vec<Value> = self
            .rounds
            .iter()
            .map(|round| {
                let mut value = json!({
                    "throughput": round.throughput(),
                    "p50_ms": round.quantile_ms(0.50),
                    "p90_ms": round.quantile_ms(0.90),
                    "p99_ms": round.quantile_ms(0.99),
                    "p999_ms": round.quantile_ms(0.999),
                    "max_ms": round.quantile_ms(1.0),
                    "completed": round.completed,
                    "pending": round.pending,
                    "generator_cores": round.generator_cores,
                    "service_cores": round.service_cores,
                });
                for part in round.parts.keys() {
                    value[part] = json!({
                        "completed": round.parts[part].len(),
                        "p50_ms": round.part_ms(part, 0.50),
                        "p99_ms": round.part_ms(part, 0.99),
                    });
                }
                value
            })
            .collect();
        json!({"contender": self.name, "connections": self.connections, "rounds": rounds})
    }
}

/// Runs `rounds` rounds of every contender, in turns.
///
/// # Errors
///
/// When a round is not sound; figures made of wrong answers are not figures.
pub async fn contest(
    contenders: &mut [Box<dyn Contender + '_>],
    connections: usize,
    rounds: u32,
    span: Span,
) -> Result<Vec<Standing>> {
    let mut standings: Vec<Standing> = contenders
        .iter()
        .map(|contender| Standing::of(contender.name(), connections, Vec::new()))
        .collect();
    for round in 1..=rounds {
        for (contender, standing) in contenders.iter_mut().zip(&mut standings) {
            let tally = contender.round(connections, span).await?;
            eprintln!(
                "  {connections:>4} connections, round {round}: {:<8} {:>8.0}/s  p50 {:>8.3} ms  p99 {:>8.3} ms",
                standing.name,
                tally.throughput(),
                tally.quantile_ms(0.50),
                tally.quantile_ms(0.99),
            );
            standing.rounds.push(tally);
        }
    }
    Ok(standings)
}

/// The median of some figures; no number where there are none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}
