//! What commands to things of the catalogue have in common (`community.md` section 5): bounds, making, withdrawing.

use serde::{Deserialize, Deserializer};

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::Call;
use super::target::Target;
use crate::api::community::is_image;
use crate::commands::listed::{Create, ListedError};
use crate::commands::{Decide, Operation};
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

/// Blanks at the ends do not count.
pub(super) fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

/// The same for what may be absent.
pub(super) fn trimmed_some(text: Option<&String>) -> Option<String> {
    text.map(|text| trimmed(text))
}

/// The same for what may be absent or cleared.
pub(super) fn trimmed_given(text: Option<&Option<String>>) -> Option<Option<String>> {
    text.map(|text| trimmed_some(text.as_ref()))
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

/// One command on what it is sent to.
pub(super) async fn execute<A: Decide>(
    call: Call,
    target: impl Target,
    command: A::Command,
) -> Result<Success, Failure>
where
    Failure: From<A::Refusal>,
{
    let id = target.id();
    let desk = call.app.desk();
    let done = desk.execute::<A>(&call.request, &id, command).await?;
    Ok(of(&call, &target, &done))
}

/// An operation on what it is sent to.
pub(super) async fn operate<O>(
    call: Call,
    target: impl Target,
    operation: &O,
) -> Result<Success, Failure>
where
    O: Operation<Outcome = ()>,
    Failure: From<O::Refusal>,
{
    let done = call.app.desk().run(&call.request, operation).await?;
    Ok(of(&call, &target, &done))
}

fn of<T: Target, O>(call: &Call, target: &T, done: &crate::commands::Done<O>) -> Success {
    Success::of::<T, _>(&call.app, &target.id(), done)
}

/// Writes a command without fields.
macro_rules! plain {
    ($(#[$doc:meta])* $name:ident to $target:ty: $aggregate:ty, $command:expr) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {}

        impl super::table::Fields for $name {
            const NAME: &'static str = stringify!($name);
        }

        impl super::table::StaffCommand for $name {
            type Target = $target;

            async fn run(
                self,
                call: super::table::Call,
                target: $target,
            ) -> Result<super::answer::Success, super::answer::Failure> {
                super::listing::execute::<$aggregate>(call, target, $command).await
            }
        }
    };
}

pub(super) use plain;
