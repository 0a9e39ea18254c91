//! The shapes that operators take: values and lists of them, types, patterns, pairs of numbers.

use super::{
    MAX_VALUES,
    error::Fault,
    json::{Json, JsonKind, Member},
    number::Number,
    pattern::Pattern,
    tree::{Test, Type, Value},
};

/// Whether an object is one of operators, not a document.
pub(super) fn has_operators(members: &[Member]) -> bool {
    members.iter().any(|member| member.name.starts_with('$'))
}

pub(super) fn value(json: Json) -> Value {
    match json.kind {
        JsonKind::Null => Value::Null,
        JsonKind::Boolean(boolean) => Value::Boolean(boolean),
        JsonKind::Number(number) => Value::Number(number),
        JsonKind::Text(text) => Value::Text(text),
        JsonKind::Array(values) => Value::Array(values.into_iter().map(value).collect()),
        JsonKind::Object(_) => Value::Document,
    }
}

pub(super) fn array(json: Json) -> Result<Vec<Json>, Fault> {
    match json.kind {
        JsonKind::Array(values) => Ok(values),
        _ => Err(Fault::at(json.at, "an array is expected")),
    }
}

pub(super) fn limited(json: Json) -> Result<Vec<Json>, Fault> {
    let at = json.at;
    let values = array(json)?;
    if values.len() > MAX_VALUES {
        return Err(Fault::at(at, "it has too many values"));
    }
    Ok(values)
}

pub(super) fn values(operand: Json) -> Result<Vec<Value>, Fault> {
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
pub(super) fn truth(operand: &Json) -> bool {
    match &operand.kind {
        JsonKind::Null => false,
        JsonKind::Boolean(boolean) => *boolean,
        JsonKind::Number(number) => *number != Number::Whole(0),
        JsonKind::Text(_) | JsonKind::Array(_) | JsonKind::Object(_) => true,
    }
}

pub(super) fn types(operand: Json) -> Result<Vec<Type>, Fault> {
    let one = |json: &Json| {
        match &json.kind {
            JsonKind::Text(name) => Type::named(name),
            JsonKind::Number(Number::Whole(number)) => Type::numbered(*number),
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

pub(super) fn pattern(operand: Json, options: Option<&Member>) -> Result<Pattern, Fault> {
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

pub(super) fn modulo(operand: Json) -> Result<Test, Fault> {
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

pub(super) fn size(operand: &Json) -> Result<Test, Fault> {
    match &operand.kind {
        JsonKind::Number(Number::Whole(size)) if *size >= 0 => Ok(Test::Size(*size)),
        _ => Err(Fault::at(operand.at, "a size is expected")),
    }
}

fn whole(json: &Json) -> Option<i64> {
    match json.kind {
        JsonKind::Number(number) => number.truncate(),
        _ => None,
    }
}
