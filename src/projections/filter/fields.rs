//! The declaration of a table: which fields a caller may name, and what they are in SQL.

/// The fields of one read table.
#[derive(Debug)]
pub struct Fields {
    /// All that can be named; anything else is a missing field.
    pub fields: &'static [Field],
    /// The field that a bare pattern is for.
    pub bare: &'static str,
    /// The order when none is asked for, in the same language.
    pub order: &'static str,
    /// The field that ends every order, ascending, so that no two rows are equal.
    pub tie: &'static str,
}

/// A field that a caller may name.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) sql: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Strings, compared byte by byte.
    Text,
    /// Whole numbers; only numbers compare with them.
    Integer,
    /// Whole numbers that are strings on the wire: numbers, numeric strings and booleans compare with them, patterns see
    /// the digits, and their type is `string`.
    IntegerText,
    /// Booleans.
    Boolean,
    /// Points in time (`timestamptz`); RFC 3339 strings compare with them.
    Time,
    /// Arrays of strings (`text[]`) without nulls in them.
    TextArray,
}

impl Fields {
    /// The field of a name or alias.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Field> {
        self.fields
            .iter()
            .find(|field| field.name == name || field.aliases.contains(&name))
    }
}

impl Field {
    /// A string: its name on the wire, and its column or expression of type `text` or `varchar`.
    #[must_use]
    pub const fn text(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::Text)
    }

    /// A whole number: an expression of an integer type.
    #[must_use]
    pub const fn integer(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::Integer)
    }

    /// A whole number that is a string on the wire: an expression of an integer type.
    #[must_use]
    pub const fn integer_text(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::IntegerText)
    }

    /// A boolean.
    #[must_use]
    pub const fn boolean(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::Boolean)
    }

    /// A point in time.
    #[must_use]
    pub const fn time(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::Time)
    }

    /// An array of strings.
    #[must_use]
    pub const fn text_array(name: &'static str, sql: &'static str) -> Self {
        Self::new(name, sql, Kind::TextArray)
    }

    /// Other names for it.
    #[must_use]
    pub const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// It may be null, which is a missing field to the caller.
    #[must_use]
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self {
            name,
            aliases: &[],
            sql,
            kind,
            nullable: false,
        }
    }
}
