//! What an operand is to a field of a kind: the values that can equal it, the bound it sets. Others match nothing.

use chrono::{DateTime, Utc};

use super::{
    fields::Kind,
    number::{Floor, Number},
    tree::{Comparison, Value},
};

/// Values that a field of one kind may equal.
pub(super) enum Operands {
    None,
    Texts(Vec<String>),
    Integers(Vec<i64>),
    Booleans(Vec<bool>),
    Times(Vec<DateTime<Utc>>),
}

/// Those of the values that a scalar field of a kind may equal.
pub(super) fn among(kind: Kind, values: &[Value]) -> Operands {
    fn some<T>(
        values: &[Value],
        read: impl Fn(&Value) -> Option<T>,
        wrap: impl FnOnce(Vec<T>) -> Operands,
    ) -> Operands {
        let found: Vec<T> = values.iter().filter_map(read).collect();
        if found.is_empty() {
            Operands::None
        } else {
            wrap(found)
        }
    }
    match kind {
        Kind::Text => some(values, text, Operands::Texts),
        Kind::Integer | Kind::IntegerText => some(
            values,
            |value| match number(kind, value)? {
                Number::Whole(whole) => Some(whole),
                Number::Other(_) => None,
            },
            Operands::Integers,
        ),
        Kind::Boolean => some(
            values,
            |value| match value {
                Value::Boolean(boolean) => Some(*boolean),
                _ => None,
            },
            Operands::Booleans,
        ),
        Kind::Time => some(values, time, Operands::Times),
        Kind::TextArray => Operands::None,
    }
}

/// The strings among the values, and the arrays that are of strings alone.
pub(super) fn elements_and_arrays(values: &[Value]) -> (Vec<String>, Vec<Vec<String>>) {
    let arrays = values.iter().filter_map(|value| match value {
        Value::Array(elements) => elements.iter().map(text).collect(),
        _ => None,
    });
    (values.iter().filter_map(text).collect(), arrays.collect())
}

/// What a comparison with a whole number comes to.
pub(super) enum Whole {
    Never,
    Always,
    Compared(Comparison, i64),
}

/// A comparison of a whole number with an operand, as one with a whole number.
pub(super) fn bound(kind: Kind, comparison: Comparison, value: &Value) -> Whole {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let Some(number) = number(kind, value) else {
        return Whole::Never;
    };
    match (number.floor(), comparison) {
        (Floor::Exactly(whole), _) => Whole::Compared(comparison, whole),
        (Floor::Above(whole), Greater | GreaterOrEqual) => Whole::Compared(Greater, whole),
        (Floor::Above(whole), Less | LessOrEqual) => Whole::Compared(LessOrEqual, whole),
        (Floor::BeyondAll, Less | LessOrEqual) | (Floor::BelowAll, Greater | GreaterOrEqual) => {
            Whole::Always
        }
        (Floor::BeyondAll, Greater | GreaterOrEqual) | (Floor::BelowAll, Less | LessOrEqual) => {
            Whole::Never
        }
    }
}

/// A point in time, written as RFC 3339 has it.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Text(text) => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.with_timezone(&Utc)),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(kind: Kind, value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) if kind == Kind::IntegerText => Number::parse(text),
        Value::Boolean(boolean) if kind == Kind::IntegerText => {
            Some(Number::Whole(i64::from(*boolean)))
        }
        _ => None,
    }
}
