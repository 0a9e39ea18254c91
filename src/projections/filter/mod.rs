//! MongoDB queries from outside, compiled to SQL over the declared fields of a read table.
//!
//! A text becomes a typed tree ([`Filter`]) and the tree becomes a condition with bound values; what is wrong with a text is
//! said while it is read, so compiling cannot fail. A table is served by declaring its fields:
//!
//! ```
//! use shiji::projections::filter::{self, Field, Fields, Order};
//! use sqlx::{Postgres, QueryBuilder};
//!
//! static FIELDS: Fields = Fields {
//!     fields: &[
//!         Field::text("id", "teams.id").or(&["_id"]),
//!         Field::text("code", "teams.code").or(&["key"]),
//!         Field::integer_text("rolec", "teams.rolec"),
//!     ],
//!     bare: "code",
//!     order: "code:ASC",
//!     tie: "id",
//! };
//!
//! let mut sql = QueryBuilder::<Postgres>::new("SELECT id FROM teams WHERE creator_id = ");
//! sql.push_bind("Dt5mvrtU").push(" AND ");
//! filter::parse(r#"{"key": {"$regex": "^c"}, "rolec": {"$gt": "0"}}"#, &FIELDS)?.push_where(&mut sql);
//! Order::parse("rolec:desc", &FIELDS)?.push_order_by(&mut sql);
//! assert_eq!(
//!     sql.sql(),
//!     "SELECT id FROM teams WHERE creator_id = $1 AND (((teams.code)::text COLLATE \"C\" ~ $2) AND ((teams.rolec) > $3)) \
//!      ORDER BY (teams.rolec) DESC, (teams.id)::text COLLATE \"C\" ASC"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The SQL is put together at run time because its shape is the caller's. Only words of this source and of the declaration
//! get into its text, which the types see to (`sql::Out`); everything of the caller's is bound.
//!
//! From text to SQL: `decode` (raw, Base64, bare pattern) → `json` (positions, single quotes, depth) → `read` (operators) →
//! `tree` → `sql`. Patterns go through `pattern`, which reads them as a linear-time engine does and writes them anew for
//! PostgreSQL. [`Order`] and [`Page`] are the other two things a list is asked for. `docs/filter.md` has the language itself
//! and where it differs from MongoDB's.

mod backstop;
mod decode;
mod error;
mod fields;
mod json;
mod number;
mod operand;
mod order;
mod page;
mod pattern;
mod read;
mod sql;
mod tame;
mod tree;

pub use backstop::{TIMEOUT, is_too_costly, set_backstop};
pub use error::{FilterError, OrderError, PageError};
pub use fields::{Field, Fields, Kind};
pub use order::Order;
pub use page::{Page, PageRules};

use sqlx::{Postgres, QueryBuilder};

/// The longest text, in bytes, after decoding.
pub const MAX_TEXT_BYTES: usize = 8 * 1024;
/// How deep objects and arrays may stand in each other.
pub const MAX_DEPTH: usize = 8;
/// How many conditions (operators on fields, implied equalities, empty clauses) a filter may have.
pub const MAX_CONDITIONS: usize = 64;
/// The longest string or name, in characters.
pub const MAX_STRING_CHARS: usize = 1024;
/// The longest pattern, in characters.
pub const MAX_PATTERN_CHARS: usize = 256;
/// How many values `$in`, `$nin` and `$all` take.
pub const MAX_VALUES: usize = 200;

/// A query that was understood: a condition on the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    root: tree::Node,
}

/// Reads a filter: a JSON object, raw or in Base64, or a bare pattern over the field that the declaration names for it. The
/// empty text matches everything.
///
/// # Errors
/// [`FilterError`], with the place of the fault or the operator that is not supported.
pub fn parse(text: &str, fields: &'static Fields) -> Result<Filter, FilterError> {
    let root = match decode::decode(text)? {
        decode::Decoded::Everything => tree::Node::All(Vec::new()),
        decode::Decoded::Pattern(text) => {
            read::bare(&text, fields).map_err(|fault| fault.within(&text))?
        }
        decode::Decoded::Json(text) => json::parse(&text)
            .and_then(|object| read::query(object, fields))
            .map_err(|fault| fault.within(&text))?,
    };
    Ok(Filter { root })
}

impl Filter {
    /// Appends the condition, in parentheses or one word, ready to follow `WHERE` or `AND`. It is true or false for every
    /// row, never null.
    pub fn push_where(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        sql::Out::new(sql).node(&self.root);
    }
}
