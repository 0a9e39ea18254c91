//! The order of a list: `field:ASC` or `field:DESC`, several separated by commas.

use sqlx::{Postgres, QueryBuilder};

use super::{
    error::OrderError,
    fields::{Field, Fields, Kind},
    sql,
};

/// By how many fields a list may be ordered.
const MAX_TERMS: usize = 16;

/// A total order of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    terms: Vec<(&'static Field, Direction)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

impl Order {
    /// Reads an order; the empty text is the declaration's own. Equal rows always end up by the declaration's tie.
    ///
    /// # Errors
    /// [`OrderError`] for another form, too many fields, or a field that is not there or has no order.
    pub fn parse(text: &str, fields: &'static Fields) -> Result<Self, OrderError> {
        let asked = if text.trim().is_empty() {
            fields.order
        } else {
            text
        };
        let mut terms = asked
            .split(',')
            .take(MAX_TERMS + 1)
            .map(|part| term(part, fields))
            .collect::<Option<Vec<_>>>()
            .filter(|terms| terms.len() <= MAX_TERMS)
            .ok_or_else(|| OrderError {
                order: text.to_owned(),
            })?;
        terms.extend(
            fields
                .find(fields.tie)
                .map(|tie| (tie, Direction::Ascending)),
        );
        Ok(Self { terms })
    }

    /// Appends ` ORDER BY …`. Missing values come first when ascending, as in MongoDB.
    pub fn push_order_by(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let mut out = sql::Out::new(sql);
        for (index, (field, direction)) in self.terms.iter().enumerate() {
            out.word(if index == 0 { " ORDER BY " } else { ", " });
            out.sort_key(field);
            out.word(match (direction, field.nullable) {
                (Direction::Ascending, false) => " ASC",
                (Direction::Ascending, true) => " ASC NULLS FIRST",
                (Direction::Descending, false) => " DESC",
                (Direction::Descending, true) => " DESC NULLS LAST",
            });
        }
    }
}

fn term(part: &str, fields: &'static Fields) -> Option<(&'static Field, Direction)> {
    let (name, direction) = part.trim().split_once(':')?;
    let direction = match direction.trim() {
        word if word.eq_ignore_ascii_case("asc") => Direction::Ascending,
        word if word.eq_ignore_ascii_case("desc") => Direction::Descending,
        _ => return None,
    };
    let field = fields.find(name.trim())?;
    (field.kind != Kind::TextArray).then_some((field, direction))
}
