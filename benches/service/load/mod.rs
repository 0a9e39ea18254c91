//! The load generator: connections that send a [`Case`] and judge every answer.
//!
//! It runs on one thread of its own process and speaks raw HTTP/1.1, because it shares the cores with what it measures.

mod closed;
mod http;
mod open;
mod spread;
mod tally;

pub use closed::closed_loop;
pub use http::{Answer, Connection, count, number_after, numbers_after, text_after};
pub use open::open_loop;
pub use spread::{ask, spread, success};
pub use tally::Tally;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;

/// One kind of request and what a right answer to it looks like.
#[async_trait(?Send)]
pub trait Case {
    /// The bytes of the `nth` request; nothing when there is nothing left to ask for, which ends the round early.
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>>;

    /// Judges the answer to the `nth` request; what makes tasks gives the new id back.
    ///
    /// # Errors
    ///
    /// A sentence saying what is wrong with the answer.
    fn judge(&self, nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String>;

    /// Of a case that mixes kinds of requests: the kind of the `nth`, whose latencies are tallied apart as well.
    fn part(&self, _nth: u64) -> Option<&'static str> {
        None
    }

    /// How many requests, one after the other on one connection, count as one: a power of two.
    fn steps(&self) -> u64 {
        1
    }

    /// Lays out what a round needs.
    ///
    /// # Errors
    ///
    /// When the service does not let it.
    async fn prepare(&self, _address: SocketAddr, _span: Span) -> Result<()> {
        Ok(())
    }

    /// Looks after a round whether the service shows what it acknowledged.
    ///
    /// # Errors
    ///
    /// When it shows something else.
    async fn check(&self, _address: SocketAddr) -> Result<()> {
        Ok(())
    }
}

/// Which connection sends the `nth` request of a closed loop.
#[must_use]
pub const fn lane(nth: u64) -> u64 {
    nth >> 32
}

/// For how long to load.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Load that is checked but not measured.
    pub warmup: Duration,
    /// The measured time.
    pub measured: Duration,
}

impl Span {
    /// How long so many rounds of it take.
    #[must_use]
    pub fn all(self, rounds: u32) -> Duration {
        (self.warmup + self.measured) * rounds
    }
}
