//! What can be wrong with what a caller asks.

use super::MAX_STRING_CHARS;

/// Why a filter was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// It does not parse, is no object, is too deep, too long or costs too much, or an operand has the wrong shape.
    #[error("The filter is not a valid query: {reason}, at character {position}.")]
    Invalid {
        /// The text after decoding, cut where it is longer than a string may be.
        text: String,
        /// Where in it, in characters from zero.
        position: usize,
        /// What is wrong there.
        reason: String,
    },
    /// An operator that this language does not have.
    #[error("The filter operator {operator} is not supported.")]
    Unsupported {
        /// Its name, with the dollar sign.
        operator: String,
    },
}

/// Why an order was not understood: not `field:ASC` or `field:DESC`, or a field that is not there or has no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The order {order:?} is not valid.")]
pub struct OrderError {
    /// What was asked for.
    pub order: String,
}

/// Why a page was not understood: a parameter is no integer, or negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The parameter {field} is not valid.")]
pub struct PageError {
    /// Which one: `page`, `offset` or `limit`.
    pub field: &'static str,
}

/// A fault on the way in, before it is known which text it belongs to.
#[derive(Debug)]
pub(super) enum Fault {
    Invalid { position: usize, reason: String },
    Unsupported { operator: String },
}

impl Fault {
    pub(super) fn at(position: usize, reason: impl Into<String>) -> Self {
        Self::Invalid {
            position,
            reason: reason.into(),
        }
    }

    pub(super) fn operator(name: &str) -> Self {
        Self::Unsupported {
            operator: name.to_owned(),
        }
    }

    pub(super) fn within(self, text: &str) -> FilterError {
        match self {
            Self::Invalid { position, reason } => FilterError::Invalid {
                text: text.chars().take(MAX_STRING_CHARS).collect(),
                position,
                reason,
            },
            Self::Unsupported { operator } => FilterError::Unsupported { operator },
        }
    }
}
