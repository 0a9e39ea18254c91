//! The SQL of tests on arrays of strings.

use super::{
    fields::Field,
    operand,
    sql::Out,
    tree::{Test, Value},
};

/// An element of an array of strings, inside the subquery that takes the array apart.
static ELEMENT: Field = Field::text("", "element.value");

impl Out<'_, '_> {
    pub(super) fn of_array(&mut self, field: &'static Field, test: &Test) {
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

    pub(super) fn some_element(&mut self, field: &Field, tests: &[Test]) {
        self.word("EXISTS (SELECT FROM unnest(");
        self.expression(field);
        self.word(") AS element(value) WHERE ");
        self.tests(&ELEMENT, tests);
        self.word(")");
    }
}
