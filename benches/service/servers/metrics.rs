//! What a service tells of itself at `/metrics`.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::load::ask;

/// From when an event was recorded until the read tables showed it; a batch counts once, with the event that waited longest.
const DELAY: &str = "shiji_projection_delay_seconds_bucket";

/// Everything it counted so far.
#[derive(Debug)]
pub struct Metrics(String);

impl Metrics {
    /// Asks for it.
    ///
    /// # Errors
    ///
    /// When the service does not answer.
    pub async fn read(ops: SocketAddr) -> Result<Self> {
        let request = b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n";
        ask(ops, request, |answer| {
            let text = String::from_utf8_lossy(answer.body).into_owned();
            match answer.status {
                200 => Ok(Self(text)),
                status => Err(format!("/metrics: HTTP {status}")),
            }
        })
        .await
    }

    /// Is a metric told, and like this under all its labels?
    pub fn all(&self, name: &str, like: impl Fn(f64) -> bool) -> bool {
        let mut values = self.lines(name).map(|(_, value)| value).peekable();
        values.peek().is_some() && values.all(|value| value.parse().is_ok_and(&like))
    }

    /// Lines of a metric: its labels, its value.
    fn lines(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            rest.strip_prefix(' ').map_or_else(
                || rest.strip_prefix('{')?.split_once("} "),
                |value| Some(("", value)),
            )
        })
    }

    /// How long the read tables took.
    ///
    /// # Errors
    ///
    /// When it is not told.
    pub fn delays(&self) -> Result<Delays> {
        let buckets: Option<Vec<(f64, u64)>> = self
            .lines(DELAY)
            .map(|(labels, count)| {
                let (_, bound) = labels.split_once("le=\"")?;
                let (bound, _) = bound.split_once('"')?;
                // The last one is spelled +Inf, which reads as a number.
                Some((bound.parse().ok()?, count.parse().ok()?))
            })
            .collect();
        let buckets = buckets.filter(|buckets| !buckets.is_empty());
        Ok(Delays(buckets.with_context(|| {
            format!("/metrics tells nothing of {DELAY}")
        })?))
    }
}

/// How many batches were shown within so many seconds, for growing times.
#[derive(Debug)]
pub struct Delays(Vec<(f64, u64)>);

impl Delays {
    /// The quantile of those since an earlier look, in milliseconds: the upper bound of the bucket it lies in. Nothing
    /// where there were none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn quantile_ms_since(&self, earlier: &Self, quantile: f64) -> Option<f64> {
        let grown: Vec<(f64, u64)> = (self.0.iter().zip(&earlier.0))
            .map(|((bound, now), (_, then))| (*bound, now.saturating_sub(*then)))
            .collect();
        let (_, all) = *grown.last().filter(|(_, all)| *all > 0)?;
        grown
            .into_iter()
            .find(|(_, within)| *within as f64 >= quantile * all as f64)
            .map(|(bound, _)| bound * 1e3)
    }
}
