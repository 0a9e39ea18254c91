//! From JSON to the tree: names of fields and operators, and what each operator takes.

use super::{
    MAX_CONDITIONS,
    error::Fault,
    fields::Fields,
    json::{Json, JsonKind, Member},
    pattern::Pattern,
    shapes::{array, has_operators, limited, modulo, pattern, size, truth, types, value, values},
    tree::{Comparison, Node, Test},
    weight::Weight,
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

/// As [`has_operators`], but logical ones are for documents.
fn has_field_operators(members: &[Member]) -> bool {
    has_operators(members)
        && !members
            .iter()
            .any(|member| ["$and", "$or", "$nor"].contains(&member.name.as_str()))
}
