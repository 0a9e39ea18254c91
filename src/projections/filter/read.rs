//! From JSON to the tree: names of fields and operators, and what each operator takes.

use super::{
    MAX_CONDITIONS, MAX_VALUES,
    error::Fault,
    fields::Fields,
    json::{Json, JsonKind, Member},
    pattern::{Pattern, Weight},
    tree::{Comparison, Node, Test, Type, Value},
};

/// Reads a query.
pub(super) fn query(members: Vec<Member>, fields: &'static Fields) -> Result<Node, Fault> {
    Reader {
        fields,
        conditions: 0,
        patterns: Weight::default(),
    }
    .query(members)
}

/// Reads a pattern that stands alone.
pub(super) fn bare(text: &str, fields: &'static Fields) -> Result<Node, Fault> {
    let pattern = Pattern::read(text, "")?;
    Ok(Node::Field(
        fields.find(fields.bare),
        Test::Pattern(pattern),
    ))
}

struct Reader {
    fields: &'static Fields,
    conditions: usize,
    patterns: Weight,
}

impl Reader {
    /// An object whose names are fields and logical operators.
    fn query(&mut self, members: Vec<Member>) -> Result<Node, Fault> {
        let mut nodes = Vec::with_capacity(members.len());
        for member in members {
            nodes.push(match member.name.as_str() {
                "$and" => Node::All(self.clauses(member)?),
                "$or" => Node::Any(self.clauses(member)?),
                "$nor" => Node::None(self.clauses(member)?),
                name if name.starts_with('$') => return Err(Fault::operator(name)),
                name => {
                    let field = self.fields.find(name);
                    let tests = self.field(member.value)?;
                    Node::All(
                        tests
                            .into_iter()
                            .map(|test| Node::Field(field, test))
                            .collect(),
                    )
                }
            });
        }
        Ok(Node::All(nodes))
    }

    fn clauses(&mut self, member: Member) -> Result<Vec<Node>, Fault> {
        let at = member.value.at;
        let clauses = array(member.value)?;
        if clauses.is_empty() {
            return Err(Fault::at(at, "an array that is not empty is expected"));
        }
        clauses
            .into_iter()
            .map(|clause| {
                let at = clause.at;
                match clause.kind {
                    JsonKind::Object(members) => {
                        if members.is_empty() {
                            self.count(at)?;
                        }
                        self.query(members)
                    }
                    _ => Err(Fault::at(at, "an object is expected")),
                }
            })
            .collect()
    }

    /// What is asked of a field: operators, or a value that it equals.
    fn field(&mut self, asked: Json) -> Result<Vec<Test>, Fault> {
        match asked.kind {
            JsonKind::Object(members) if has_operators(&members) => self.operators(members),
            _ => {
                self.count(asked.at)?;
                Ok(vec![Test::Equal(value(asked))])
            }
        }
    }

    fn operators(&mut self, mut members: Vec<Member>) -> Result<Vec<Test>, Fault> {
        let options = members
            .iter()
            .position(|member| member.name == "$options")
            .map(|index| members.remove(index));
        if let Some(options) = &options
            && !members.iter().any(|member| member.name == "$regex")
        {
            return Err(Fault::at(options.at, "$options without $regex"));
        }
        members
            .into_iter()
            .map(|member| self.operator(member, options.as_ref()))
            .collect()
    }

    fn operator(&mut self, member: Member, options: Option<&Member>) -> Result<Test, Fault> {
        let Member {
            at,
            name,
            value: operand,
        } = member;
        match name.as_str() {
            "$not" => return self.not(operand),
            "$elemMatch" => return self.element(operand),
            _ => self.count(at)?,
        }
        Ok(match name.as_str() {
            "$eq" => Test::Equal(value(operand)),
            "$ne" => Test::Not(vec![Test::Equal(value(operand))]),
            "$gt" => Test::Compare(Comparison::Greater, value(operand)),
            "$gte" => Test::Compare(Comparison::GreaterOrEqual, value(operand)),
            "$lt" => Test::Compare(Comparison::Less, value(operand)),
            "$lte" => Test::Compare(Comparison::LessOrEqual, value(operand)),
            "$in" => Test::In(values(operand)?),
            "$nin" => Test::Not(vec![Test::In(values(operand)?)]),
            "$exists" => Test::Exists(truth(&operand)),
            "$type" => Test::Type(types(operand)?),
            "$regex" => Test::Pattern(self.pattern(operand, options)?),
            "$mod" => modulo(operand)?,
            "$size" => size(&operand)?,
            "$all" => self.all(operand)?,
            _ => return Err(Fault::operator(&name)),
        })
    }

    fn not(&mut self, operand: Json) -> Result<Test, Fault> {
        match operand.kind {
            JsonKind::Object(members) if !members.is_empty() => {
                Ok(Test::Not(self.operators(members)?))
            }
            _ => Err(Fault::at(operand.at, "operators are expected")),
        }
    }

    fn element(&mut self, operand: Json) -> Result<Test, Fault> {
        self.count(operand.at)?;
        match operand.kind {
            JsonKind::Object(members) if has_field_operators(&members) => {
                Ok(Test::Element(Some(self.operators(members)?)))
            }
            // Of documents, which no element is; it still has to be a query.
            JsonKind::Object(members) => self.query(members).map(|_| Test::Element(None)),
            _ => Err(Fault::at(operand.at, "an object is expected")),
        }
    }

    fn all(&mut self, operand: Json) -> Result<Test, Fault> {
        let asked = limited(operand)?;
        let tests = asked.into_iter().map(|one| match one.kind {
            JsonKind::Object(mut members) if has_operators(&members) => {
                match (members.pop(), members.is_empty()) {
                    (Some(only), true) if only.name == "$elemMatch" => self.element(only.value),
                    _ => Err(Fault::at(one.at, "an operator inside a list of values")),
                }
            }
            _ => Ok(Test::Equal(value(one))),
        });
        Ok(Test::Each(tests.collect::<Result<_, _>>()?))
    }

    fn pattern(&mut self, operand: Json, options: Option<&Member>) -> Result<Pattern, Fault> {
        let at = operand.at;
        let pattern = pattern(operand, options)?;
        self.patterns = self.patterns.plus(pattern.weight());
        if self.patterns.is_too_much() {
            return Err(Fault::at(at, "its patterns cost too much"));
        }
        Ok(pattern)
    }

    fn count(&mut self, at: usize) -> Result<(), Fault> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(Fault::at(at, "it has too many conditions"));
        }
        Ok(())
    }
}

fn has_operators(members: &[Member]) -> bool {
    members.iter().any(|member| member.name.starts_with('$'))
}

/// As [`has_operators`], but logical ones are for documents.
fn has_field_operators(members: &[Member]) -> bool {
    has_operators(members)
        && !members
            .iter()
            .any(|member| ["$and", "$or", "$nor"].contains(&member.name.as_str()))
}

fn value(json: Json) -> Value {
    match json.kind {
        JsonKind::Null => Value::Null,
        JsonKind::Boolean(boolean) => Value::Boolean(boolean),
        JsonKind::Number(number) => Value::Number(number),
        JsonKind::Text(text) => Value::Text(text),
        JsonKind::Array(values) => Value::Array(values.into_iter().map(value).collect()),
        JsonKind::Object(_) => Value::Document,
    }
}

fn array(json: Json) -> Result<Vec<Json>, Fault> {
    match json.kind {
        JsonKind::Array(values) => Ok(values),
        _ => Err(Fault::at(json.at, "an array is expected")),
    }
}

fn limited(json: Json) -> Result<Vec<Json>, Fault> {
    let at = json.at;
    let values = array(json)?;
    if values.len() > MAX_VALUES {
        return Err(Fault::at(at, "it has too many values"));
    }
    Ok(values)
}

fn values(operand: Json) -> Result<Vec<Value>, Fault> {
    limited(operand)?
        .into_iter()
        .map(|json| match &json.kind {
            JsonKind::Object(members) if has_operators(members) => {
                Err(Fault::at(json.at, "an operator inside a list of values"))
            }
            _ => Ok(value(json)),
        })
        .collect()
}

/// What MongoDB takes for true: all but false, zero and null.
fn truth(operand: &Json) -> bool {
    match &operand.kind {
        JsonKind::Null => false,
        JsonKind::Boolean(boolean) => *boolean,
        JsonKind::Number(number) => *number != super::number::Number::Whole(0),
        JsonKind::Text(_) | JsonKind::Array(_) | JsonKind::Object(_) => true,
    }
}

fn types(operand: Json) -> Result<Vec<Type>, Fault> {
    let one = |json: &Json| {
        match &json.kind {
            JsonKind::Text(name) => Type::named(name),
            JsonKind::Number(super::number::Number::Whole(number)) => Type::numbered(*number),
            _ => None,
        }
        .ok_or_else(|| Fault::at(json.at, "a type that is none"))
    };
    match operand.kind {
        JsonKind::Array(ref types) if types.is_empty() => {
            Err(Fault::at(operand.at, "a type is expected"))
        }
        JsonKind::Array(_) => limited(operand)?.iter().map(one).collect(),
        _ => Ok(vec![one(&operand)?]),
    }
}

fn pattern(operand: Json, options: Option<&Member>) -> Result<Pattern, Fault> {
    let flags = match options.map(|member| (&member.value.kind, member.value.at)) {
        None => "",
        Some((JsonKind::Text(flags), _)) if flags.chars().all(|c| "imsx".contains(c)) => flags,
        Some((_, at)) => return Err(Fault::at(at, "options other than i, m, s and x")),
    };
    match operand.kind {
        JsonKind::Text(text) => Pattern::read(&text, flags).map_err(|fault| match fault {
            // Escapes blur where in the string it is.
            Fault::Invalid { reason, .. } => Fault::at(operand.at, reason),
            other @ Fault::Unsupported { .. } => other,
        }),
        _ => Err(Fault::at(operand.at, "a pattern is expected")),
    }
}

fn modulo(operand: Json) -> Result<Test, Fault> {
    let at = operand.at;
    let numbers: Vec<Option<i64>> = array(operand)?.iter().map(whole).collect();
    match numbers.as_slice() {
        [Some(divisor), Some(remainder)] if *divisor != 0 => Ok(Test::Modulo(*divisor, *remainder)),
        _ => Err(Fault::at(
            at,
            "a divisor that is not 0 and a remainder are expected",
        )),
    }
}

fn size(operand: &Json) -> Result<Test, Fault> {
    match &operand.kind {
        JsonKind::Number(super::number::Number::Whole(size)) if *size >= 0 => Ok(Test::Size(*size)),
        _ => Err(Fault::at(operand.at, "a size is expected")),
    }
}

fn whole(json: &Json) -> Option<i64> {
    match json.kind {
        JsonKind::Number(number) => number.truncate(),
        _ => None,
    }
}
