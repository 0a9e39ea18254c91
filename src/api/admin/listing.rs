//! What commands to things of the catalogue have in common (`community.md` section 5): bounds, making, withdrawing.

use serde::{Deserialize, Deserializer};

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::Call;
use super::target::Target;
use crate::api::community::is_image;
use crate::commands::Operation;
use crate::commands::listed::{Create, ListedError};
use crate::events::listed::Listing;

/// The largest price, in fen.
const MOST_FEN: i64 = 1_000_000_000;

/// Reads a field that `null` clears: one that stands there was given.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Bounds that many fields share. Absent fields are in bounds.
pub(super) trait Bounds {
    /// A text of so many characters.
    fn text(&mut self, field: &str, text: Option<&String>, most: usize);
    /// A text of so many characters, at least one.
    fn name(&mut self, field: &str, text: Option<&String>, most: usize);
    /// The name of a picture.
    fn image(&mut self, field: &str, name: Option<&String>);
    /// A price in fen.
    fn price(&mut self, field: &str, fen: Option<i64>);
}

impl Bounds for Flaws {
    fn text(&mut self, field: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.chars(field, text.trim(), 0..=most);
        }
    }

    fn name(&mut self, field: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.chars(field, text.trim(), 1..=most);
        }
    }

    fn image(&mut self, field: &str, name: Option<&String>) {
        if name.is_some_and(|name| !is_image(name)) {
            self.say(
                field,
                "must be 1 to 200 of A-Z, a-z, 0-9, ., _, / and -, without ..",
            );
        }
    }

    fn price(&mut self, field: &str, fen: Option<i64>) {
        if fen.is_some_and(|fen| !(0..=MOST_FEN).contains(&fen)) {
            self.say(field, "must be 0 to 1000000000");
        }
    }
}

/// Makes something that belongs to nobody.
pub(super) async fn make<T: Target, D: Listing>(
    call: Call,
    id: String,
    details: D,
) -> Result<Success, Failure> {
    let create = Create { id, details };
    create_by::<T, _>(call, &create).await
}

/// Makes something by an operation that answers its id.
pub(super) async fn create_by<T: Target, O>(call: Call, create: &O) -> Result<Success, Failure>
where
    O: Operation<Outcome = String, Refusal = ListedError>,
{
    let done = call.app.desk().run(&call.request, create).await?;
    // A repeated key answers what the first request made.
    Ok(Success::of::<T, _>(&call.app, &done.outcome, &done))
}
