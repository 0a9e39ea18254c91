//! The load generator: connections that send a [`Case`] and judge every answer.
//!
//! It runs on one thread of its own process and speaks raw HTTP/1.1, because it shares the cores with what it measures.

mod closed;
mod http;
mod open;
mod tally;

pub use closed::closed_loop;
pub use http::{Answer, Connection, number_after};
pub use open::open_loop;
pub use tally::Tally;

use std::borrow::Cow;
use std::time::Duration;

/// One kind of request and what a right answer to it looks like.
pub trait Case {
    /// The bytes of the `nth` request.
    fn request(&self, nth: u64) -> Cow<'_, [u8]>;

    /// Judges an answer; a creation gives the new id back.
    ///
    /// # Errors
    ///
    /// A sentence saying what is wrong with the answer.
    fn judge(&self, answer: &Answer<'_>) -> Result<Option<i64>, String>;
}

/// For how long to load.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Load that is checked but not measured.
    pub warmup: Duration,
    /// The measured time.
    pub measured: Duration,
}
