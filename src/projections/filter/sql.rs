//! From the tree to SQL.
//!
//! Every piece is true or false, never null, so that `NOT` means what `$not` means: a nullable column is asked whether it is
//! null first.

use sqlx::{Encode, Postgres, QueryBuilder, Type as SqlType};

use super::{
    fields::{Field, Kind},
    operand::{self, Operands, Whole},
    tree::{Comparison, Node, Test, Type, Value},
};

/// An element of an array of strings, inside the subquery that takes the array apart.
static ELEMENT: Field = Field::text("", "element.value");

/// Where the SQL goes. Its text takes words of this program only; values are bound.
pub(super) struct Out<'q, 'args>(&'q mut QueryBuilder<'args, Postgres>);

impl<'q, 'args> Out<'q, 'args> {
    pub(super) fn new(builder: &'q mut QueryBuilder<'args, Postgres>) -> Self {
        Self(builder)
    }

    pub(super) fn word(&mut self, word: &'static str) {
        self.0.push(word);
    }

    fn bind<T>(&mut self, value: T)
    where
        T: Encode<'args, Postgres> + SqlType<Postgres> + 'args,
    {
        self.0.push_bind(value);
    }

    pub(super) fn sort_key(&mut self, field: &Field) {
        match field.kind {
            Kind::Text => self.text(field),
            _ => self.expression(field),
        }
    }

    pub(super) fn node(&mut self, node: &Node) {
        match node {
            Node::All(nodes) => self.joined(nodes, " AND ", "TRUE", Self::node),
            Node::Any(nodes) => self.joined(nodes, " OR ", "FALSE", Self::node),
            Node::None(nodes) => {
                self.word("(NOT ");
                self.joined(nodes, " OR ", "FALSE", Self::node);
                self.word(")");
            }
            Node::Field(Some(field), test) => self.test(field, test),
            Node::Field(None, test) => self.truth(holds_of_missing(test)),
        }
    }

    fn test(&mut self, field: &'static Field, test: &Test) {
        match test {
            Test::Not(tests) => {
                self.word("(NOT ");
                self.tests(field, tests);
                self.word(")");
            }
            Test::Each(tests) if tests.is_empty() => self.truth(false),
            Test::Each(tests) => self.tests(field, tests),
            Test::Exists(true) => self.null(field, false),
            Test::Exists(false)
            | Test::Equal(Value::Null)
            | Test::Compare(Comparison::LessOrEqual | Comparison::GreaterOrEqual, Value::Null) => {
                self.null(field, true);
            }
            Test::In(values) if values.contains(&Value::Null) => {
                self.word("(");
                self.null(field, true);
                self.word(" OR ");
                self.of_value(field, test);
                self.word(")");
            }
            Test::Type(types) => self.of_type(field, types),
            Test::Equal(_)
            | Test::Compare(..)
            | Test::In(_)
            | Test::Pattern(_)
            | Test::Modulo(..)
            | Test::Size(_)
            | Test::Element(_) => self.of_value(field, test),
        }
    }

    fn tests(&mut self, field: &'static Field, tests: &[Test]) {
        self.joined(tests, " AND ", "TRUE", |out, test| out.test(field, test));
    }

    /// A test that a missing value never passes.
    fn of_value(&mut self, field: &'static Field, test: &Test) {
        self.word("(");
        if field.nullable {
            self.null(field, false);
            self.word(" AND ");
        }
        match field.kind {
            Kind::TextArray => self.of_array(field, test),
            _ => self.of_scalar(field, test),
        }
        self.word(")");
    }

    fn of_scalar(&mut self, field: &'static Field, test: &Test) {
        match test {
            Test::Equal(value) => self.one_of(field, std::slice::from_ref(value)),
            Test::In(values) => self.one_of(field, values),
            Test::Compare(comparison, value) => self.compared(field, *comparison, value),
            Test::Pattern(pattern) if matches!(field.kind, Kind::Text | Kind::IntegerText) => {
                self.text(field);
                self.word(" ~ ");
                self.bind(pattern.for_postgres().to_owned());
            }
            Test::Modulo(divisor, remainder)
                if matches!(field.kind, Kind::Integer | Kind::IntegerText) =>
            {
                self.expression(field);
                self.word(" % ");
                self.bind(*divisor);
                self.word(" = ");
                self.bind(*remainder);
            }
            _ => self.truth(false),
        }
    }

    fn one_of(&mut self, field: &Field, values: &[Value]) {
        match operand::among(field.kind, values) {
            Operands::None => return self.truth(false),
            Operands::Texts(mut texts) if texts.len() == 1 => {
                self.expression(field);
                self.word(" = ");
                return self.bind(texts.remove(0));
            }
            Operands::Integers(integers) if integers.len() == 1 => {
                self.expression(field);
                self.word(" = ");
                return self.bind(integers[0]);
            }
            Operands::Texts(texts) => {
                self.expression(field);
                self.word(" = ANY(");
                self.bind(texts);
            }
            Operands::Integers(integers) => {
                self.expression(field);
                self.word(" = ANY(");
                self.bind(integers);
            }
            Operands::Booleans(booleans) => {
                self.expression(field);
                self.word(" = ANY(");
                self.bind(booleans);
            }
            Operands::Times(times) => {
                self.expression(field);
                self.word(" = ANY(");
                self.bind(times);
            }
        }
        self.word(")");
    }

    fn compared(&mut self, field: &Field, comparison: Comparison, value: &Value) {
        let sign = sign(comparison);
        match field.kind {
            Kind::Integer | Kind::IntegerText => {
                match operand::bound(field.kind, comparison, value) {
                    Whole::Never => self.truth(false),
                    Whole::Always => self.truth(true),
                    Whole::Compared(comparison, whole) => {
                        self.expression(field);
                        self.word(self::sign(comparison));
                        self.bind(whole);
                    }
                }
            }
            Kind::Text => match value {
                Value::Text(text) => {
                    self.text(field);
                    self.word(sign);
                    self.bind(text.clone());
                }
                _ => self.truth(false),
            },
            Kind::Boolean => match value {
                Value::Boolean(boolean) => {
                    self.expression(field);
                    self.word(sign);
                    self.bind(*boolean);
                }
                _ => self.truth(false),
            },
            Kind::Time => match operand::time(value) {
                Some(time) => {
                    self.expression(field);
                    self.word(sign);
                    self.bind(time);
                }
                None => self.truth(false),
            },
            Kind::TextArray => self.truth(false),
        }
    }

    fn of_array(&mut self, field: &'static Field, test: &Test) {
        match test {
            Test::Equal(value) => self.array_among(field, std::slice::from_ref(value)),
            Test::In(values) => self.array_among(field, values),
            Test::Size(size) => {
                self.word("cardinality(");
                self.expression(field);
                self.word(") = ");
                self.bind(*size);
            }
            Test::Compare(..) | Test::Pattern(_) => {
                self.some_element(field, std::slice::from_ref(test));
            }
            Test::Element(Some(tests)) => self.some_element(field, tests),
            _ => self.truth(false),
        }
    }

    /// Has one of these elements, or is one of these arrays.
    fn array_among(&mut self, field: &Field, values: &[Value]) {
        let (elements, arrays) = operand::elements_and_arrays(values);
        self.word("(");
        self.expression(field);
        self.word(" && ");
        self.bind(elements);
        for array in arrays {
            self.word(" OR ");
            self.expression(field);
            self.word(" = ");
            self.bind(array);
        }
        self.word(")");
    }

    fn some_element(&mut self, field: &Field, tests: &[Test]) {
        self.word("EXISTS (SELECT FROM unnest(");
        self.expression(field);
        self.word(") AS element(value) WHERE ");
        self.tests(&ELEMENT, tests);
        self.word(")");
    }

    fn of_type(&mut self, field: &'static Field, types: &[Type]) {
        let own = match field.kind {
            Kind::Text | Kind::IntegerText => Type::String,
            Kind::Integer => Type::Whole,
            Kind::Boolean => Type::Boolean,
            Kind::Time => Type::Date,
            Kind::TextArray => Type::Array,
        };
        if types.contains(&own) {
            self.null(field, false);
        } else if own == Type::Array && types.contains(&Type::String) {
            self.some_element(field, &[]);
        } else {
            self.truth(false);
        }
    }

    fn null(&mut self, field: &Field, is_null: bool) {
        if field.nullable {
            self.word("(");
            self.expression(field);
            self.word(if is_null {
                " IS NULL)"
            } else {
                " IS NOT NULL)"
            });
        } else {
            self.truth(!is_null);
        }
    }

    fn expression(&mut self, field: &Field) {
        self.word("(");
        self.word(field.sql);
        self.word(")");
    }

    /// As bytes of UTF-8, whatever the database's own order and letters.
    fn text(&mut self, field: &Field) {
        self.expression(field);
        self.word("::text COLLATE \"C\"");
    }

    fn truth(&mut self, truth: bool) {
        self.word(if truth { "TRUE" } else { "FALSE" });
    }

    fn joined<T>(
        &mut self,
        items: &[T],
        between: &'static str,
        without: &'static str,
        mut write: impl FnMut(&mut Self, &T),
    ) {
        match items {
            [] => self.word(without),
            [only] => write(self, only),
            [first, others @ ..] => {
                self.word("(");
                write(self, first);
                for item in others {
                    self.word(between);
                    write(self, item);
                }
                self.word(")");
            }
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => " < ",
        Comparison::LessOrEqual => " <= ",
        Comparison::Greater => " > ",
        Comparison::GreaterOrEqual => " >= ",
    }
}

fn holds_of_missing(test: &Test) -> bool {
    match test {
        Test::Equal(value)
        | Test::Compare(Comparison::LessOrEqual | Comparison::GreaterOrEqual, value) => {
            *value == Value::Null
        }
        Test::In(values) => values.contains(&Value::Null),
        Test::Exists(exists) => !exists,
        Test::Each(tests) => !tests.is_empty() && tests.iter().all(holds_of_missing),
        Test::Not(tests) => !tests.iter().all(holds_of_missing),
        Test::Compare(..)
        | Test::Type(_)
        | Test::Pattern(_)
        | Test::Modulo(..)
        | Test::Size(_)
        | Test::Element(_) => false,
    }
}
