//! A filter as a tree: everything in it is checked, so that compiling has nothing left to refuse.

use super::{fields::Field, number::Number, pattern::Pattern};

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Every one holds; true without any.
    All(Vec<Node>),
    /// At least one holds.
    Any(Vec<Node>),
    /// None holds.
    None(Vec<Node>),
    /// Of a field; of one that nobody has where it is `None`.
    Field(Option<&'static Field>, Test),
}

/// A condition on the value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equal(Value),
    Compare(Comparison, Value),
    In(Vec<Value>),
    Exists(bool),
    /// Is of one of these types.
    Type(Vec<Type>),
    Pattern(Pattern),
    /// Divided by the first (not zero) leaves the second.
    Modulo(i64, i64),
    Size(i64),
    /// Every one holds of the field as a whole; never without any.
    Each(Vec<Test>),
    /// Every one holds of one and the same element. `None` asks for an element that is a document, which no field has.
    Element(Option<Vec<Test>>),
    /// Not all of these hold.
    Not(Vec<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An operand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    Array(Vec<Value>),
    /// A document: no field holds one, so what is in it does not matter.
    Document,
}

/// The types of BSON that a field of ours can have, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    String,
    Array,
    Boolean,
    Date,
    /// `int`, `long` or the group `number`.
    Whole,
    /// Any other that MongoDB knows.
    Other,
}

impl Type {
    /// The type of a name as `$type` takes it.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "array" => Self::Array,
            "bool" => Self::Boolean,
            "date" => Self::Date,
            "int" | "long" | "number" => Self::Whole,
            "double"
            | "object"
            | "binData"
            | "undefined"
            | "objectId"
            | "null"
            | "regex"
            | "dbPointer"
            | "javascript"
            | "symbol"
            | "javascriptWithScope"
            | "timestamp"
            | "decimal"
            | "minKey"
            | "maxKey" => Self::Other,
            _ => return None,
        })
    }

    /// The type of a number as `$type` takes it.
    pub(super) fn numbered(number: i64) -> Option<Self> {
        Some(match number {
            2 => Self::String,
            4 => Self::Array,
            8 => Self::Boolean,
            9 => Self::Date,
            16 | 18 => Self::Whole,
            -1 | 1 | 3 | 5..=7 | 10..=15 | 17 | 19 | 127 => Self::Other,
            _ => return None,
        })
    }
}
