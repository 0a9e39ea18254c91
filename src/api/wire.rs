//! Reading parameters leniently, as contract README 2.1 says; every surface maps [`Invalid`] to its own words.
//!
//! Integers may be numeric strings, bools any of their spellings, null counts as absent, a list may be one value or
//! joined by commas. Types and bounds are two steps, because some surfaces answer them with different codes.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

/// A parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {flaw}")]
pub struct Invalid {
    /// Its documented name.
    pub field: &'static str,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What can be wrong with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is required and not there.
    #[error("is missing")]
    Missing,
    /// It is there and of another type.
    #[error("has the wrong type")]
    WrongType,
    /// The type is right and the content is not.
    #[error("is out of bounds")]
    OutOfBounds,
}

/// A body that is no JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct Unreadable;

/// The parameters of a request. Unknown ones are ignored.
#[derive(Debug, Clone, Default)]
pub struct Params(Map<String, Value>);

impl Params {
    /// From a JSON body. An empty body and `null` hold no parameters.
    ///
    /// # Errors
    /// [`Unreadable`] when it is anything but an object.
    pub fn from_json(body: &[u8]) -> Result<Self, Unreadable> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body).map_err(|_| Unreadable)? {
            Value::Object(map) => Ok(Self(map)),
            Value::Null => Ok(Self::default()),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Unreadable)
            }
        }
    }

    /// From decoded pairs of a query string or a form. A repeated name is a list.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut map = Map::new();
        for (name, value) in pairs {
            let name = name.strip_suffix("[]").map(str::to_owned).unwrap_or(name);
            let value = Value::String(value);
            match map.get_mut(&name) {
                None => {
                    map.insert(name, value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Self(map)
    }

    /// These parameters, and those of `other` that are not among them.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            let entry = self.0.entry(name).or_insert(Value::Null);
            if entry.is_null() {
                *entry = value;
            }
        }
        self
    }

    /// These parameters, where `other` is another spelling of `name`. With both there, `name` counts.
    #[must_use]
    pub fn spelled(mut self, other: &str, name: &str) -> Self {
        if let Some(value) = self.0.remove(other) {
            let entry = self.0.entry(name).or_insert(Value::Null);
            if entry.is_null() {
                *entry = value;
            }
        }
        self
    }

    /// What is asked, but for some parameters that only say who asks: the same bytes for the same parameters.
    #[must_use]
    pub fn canonical(&self, without: &[&str]) -> Vec<u8> {
        let mut asked: Vec<(&String, &Value)> = self.0.iter().collect();
        asked.retain(|(name, value)| !without.contains(&name.as_str()) && !value.is_null());
        asked.sort_by_key(|(name, _)| *name);
        let mut bytes = Vec::new();
        for (name, value) in asked {
            bytes.extend(Value::from(name.as_str()).to_string().into_bytes());
            bytes.extend(value.to_string().into_bytes());
        }
        bytes
    }

    /// A text or a number in the very characters that were sent.
    ///
    /// # Errors
    /// As [`Params::text`].
    pub fn as_sent(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.read(field, |value| match value {
            Value::Number(number) => Ok(number.to_string()),
            other => text(other),
        })
    }

    /// An integer that may stand in a pair of quotes, as `uid='7'`.
    ///
    /// # Errors
    /// As [`Params::int`].
    pub fn quoted_int(&self, field: &'static str) -> Result<Field<i64>, Invalid> {
        self.read(field, |value| match value {
            Value::String(text) => int(&Value::from(unquoted(text))),
            other => int(other),
        })
    }

    /// A text, trimmed, that may stand in a pair of quotes, as `code='…'`.
    ///
    /// # Errors
    /// As [`Params::text`].
    pub fn quoted_text(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.read(field, |value| {
            text(value).map(|text| unquoted(&text).to_owned())
        })
    }

    /// A parameter of any type, for who reads it otherwise.
    #[must_use]
    pub fn any(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// Is it there, and null? Where null clears, that is not the same as absent.
    #[must_use]
    pub fn is_null(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(Value::is_null)
    }

    /// A text, trimmed.
    ///
    /// # Errors
    /// [`Flaw::WrongType`]; [`Flaw::OutOfBounds`] when it holds U+0000.
    pub fn text(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        let Field { field, value } = self.verbatim(field)?;
        let value = value.map(|text| match text.trim() {
            trimmed if trimmed.len() == text.len() => text,
            trimmed => trimmed.to_owned(),
        });
        Ok(Field { field, value })
    }

    /// A text exactly as sent, for passwords.
    ///
    /// # Errors
    /// As [`Params::text`].
    pub fn verbatim(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.read(field, text)
    }

    /// An integer.
    ///
    /// # Errors
    /// [`Flaw::WrongType`]; [`Flaw::OutOfBounds`] beyond 64 bits.
    pub fn int(&self, field: &'static str) -> Result<Field<i64>, Invalid> {
        self.read(field, int)
    }

    /// A bool.
    ///
    /// # Errors
    /// [`Flaw::WrongType`].
    pub fn bool(&self, field: &'static str) -> Result<Field<bool>, Invalid> {
        self.read(field, bool)
    }

    /// A list of integers.
    ///
    /// # Errors
    /// As [`Params::int`], for any of them.
    pub fn ints(&self, field: &'static str) -> Result<Field<Vec<i64>>, Invalid> {
        self.read(field, |value| list(value, int))
    }

    /// A list of texts, each trimmed.
    ///
    /// # Errors
    /// As [`Params::text`], for any of them.
    pub fn texts(&self, field: &'static str) -> Result<Field<Vec<String>>, Invalid> {
        self.read(field, |value| {
            list(value, |item| text(item).map(|text| text.trim().to_owned()))
        })
    }

    fn read<T>(
        &self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, Flaw>,
    ) -> Result<Field<T>, Invalid> {
        let value = match self.0.get(field) {
            None | Some(Value::Null) => None,
            Some(value) => Some(read(value).map_err(|flaw| Invalid { field, flaw })?),
        };
        Ok(Field { field, value })
    }
}

/// A parameter of the right type, perhaps absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<T> {
    field: &'static str,
    value: Option<T>,
}

impl<T> Field<T> {
    /// It must be there.
    ///
    /// # Errors
    /// [`Flaw::Missing`].
    pub fn required(self) -> Result<T, Invalid> {
        let flaw = Flaw::Missing;
        let field = self.field;
        self.value.ok_or(Invalid { field, flaw })
    }

    /// It may be absent.
    pub fn optional(self) -> Option<T> {
        self.value
    }

    /// Absent, it is `default`.
    pub fn or(self, default: T) -> T {
        self.value.unwrap_or(default)
    }

    /// Its content, if it is there, must pass.
    ///
    /// # Errors
    /// [`Flaw::OutOfBounds`].
    pub fn check(self, passes: impl FnOnce(&T) -> bool) -> Result<Self, Invalid> {
        let field = self.field;
        self.map(|value| passes(&value).then_some(value))
            .map_err(|flaw| Invalid { field, flaw })
    }

    /// Its content, if it is there, means something else; `None` is out of bounds.
    ///
    /// # Errors
    /// [`Flaw::OutOfBounds`].
    pub fn parse<U>(self, parse: impl FnOnce(T) -> Option<U>) -> Result<Field<U>, Invalid> {
        let field = self.field;
        self.map(parse).map_err(|flaw| Invalid { field, flaw })
    }

    fn map<U>(self, map: impl FnOnce(T) -> Option<U>) -> Result<Field<U>, Flaw> {
        let value = match self.value {
            None => None,
            Some(value) => Some(map(value).ok_or(Flaw::OutOfBounds)?),
        };
        let field = self.field;
        Ok(Field { field, value })
    }
}

impl Field<String> {
    /// Its length in code points.
    ///
    /// # Errors
    /// [`Flaw::OutOfBounds`].
    pub fn chars(self, range: RangeInclusive<usize>) -> Result<Self, Invalid> {
        self.check(|text| range.contains(&text.chars().count()))
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// [`Flaw::OutOfBounds`].
    pub fn bytes(self, range: RangeInclusive<usize>) -> Result<Self, Invalid> {
        self.check(|text| range.contains(&text.len()))
    }
}

impl Field<i64> {
    /// Its bounds.
    ///
    /// # Errors
    /// [`Flaw::OutOfBounds`].
    pub fn within(self, range: RangeInclusive<i64>) -> Result<Self, Invalid> {
        self.check(|number| range.contains(number))
    }
}

fn text(value: &Value) -> Result<String, Flaw> {
    match value {
        Value::String(text) if text.contains('\0') => Err(Flaw::OutOfBounds),
        Value::String(text) => Ok(text.clone()),
        _ => Err(Flaw::WrongType),
    }
}

fn int(value: &Value) -> Result<i64, Flaw> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) => Ok(number),
            None if number.is_u64() => Err(Flaw::OutOfBounds),
            None => Err(Flaw::WrongType),
        },
        Value::String(text) => {
            let text = text.trim();
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Flaw::WrongType);
            }
            text.parse().map_err(|_| Flaw::OutOfBounds)
        }
        _ => Err(Flaw::WrongType),
    }
}

/// Without the blanks around it and one pair of quotes, single or double.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"')).map_or(text, str::trim)
}

fn bool(value: &Value) -> Result<bool, Flaw> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(Flaw::WrongType),
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Flaw::WrongType),
        },
        _ => Err(Flaw::WrongType),
    }
}

/// Nulls inside a list count as absent, as everywhere; so does nothing between two commas.
fn list<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Flaw>) -> Result<Vec<T>, Flaw> {
    match value {
        Value::Array(values) => values
            .iter()
            .filter(|value| !value.is_null())
            .map(read)
            .collect(),
        Value::String(joined) => joined
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .map(|part| read(&Value::String(part.to_owned())))
            .collect(),
        one => Ok(vec![read(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn params(value: &Value) -> Params {
        Params::from_json(value.to_string().as_bytes()).unwrap()
    }

    #[rstest]
    #[case(json!(7), Ok(7))]
    #[case(json!("7"), Ok(7))]
    #[case(json!(" -7 "), Ok(-7))]
    #[case(json!("+7"), Ok(7))]
    #[case(json!(7.5), Err(Flaw::WrongType))]
    #[case(json!(""), Err(Flaw::WrongType))]
    #[case(json!("7a"), Err(Flaw::WrongType))]
    #[case(json!("--7"), Err(Flaw::WrongType))]
    #[case(json!(true), Err(Flaw::WrongType))]
    #[case(json!([7]), Err(Flaw::WrongType))]
    #[case(json!(u64::MAX), Err(Flaw::OutOfBounds))]
    #[case(json!("9223372036854775808"), Err(Flaw::OutOfBounds))]
    fn integers_may_be_numeric_strings(#[case] sent: Value, #[case] read: Result<i64, Flaw>) {
        let field = params(&json!({ "n": sent })).int("n");
        assert_eq!(
            field.map(Field::optional).map_err(|e| e.flaw),
            read.map(Some)
        );
    }

    #[rstest]
    #[case(json!(true), Some(true))]
    #[case(json!("TRUE"), Some(true))]
    #[case(json!("1"), Some(true))]
    #[case(json!(1), Some(true))]
    #[case(json!("False"), Some(false))]
    #[case(json!(0), Some(false))]
    #[case(json!(2), None)]
    #[case(json!("yes"), None)]
    fn bools_have_many_spellings(#[case] sent: Value, #[case] read: Option<bool>) {
        let field = params(&json!({ "b": sent })).bool("b");
        assert_eq!(field.ok().and_then(Field::optional), read);
    }

    #[rstest]
    #[case(json!([1, "2", null]), Ok(vec![1, 2]))]
    #[case(json!(5), Ok(vec![5]))]
    #[case(json!("1, 2,3,"), Ok(vec![1, 2, 3]))]
    #[case(json!([]), Ok(vec![]))]
    #[case(json!(""), Ok(vec![]))]
    #[case(json!([1, "x"]), Err(Flaw::WrongType))]
    #[case(json!({"a": 1}), Err(Flaw::WrongType))]
    fn a_list_may_be_one_value_or_joined(
        #[case] sent: Value,
        #[case] read: Result<Vec<i64>, Flaw>,
    ) {
        let field = params(&json!({ "ids": sent })).ints("ids");
        assert_eq!(
            field.map(|f| f.optional().unwrap()).map_err(|e| e.flaw),
            read
        );
    }

    #[test]
    fn null_and_absence_are_one_and_unknown_names_are_nobodys_business() {
        let given = params(&json!({ "a": null, "other": {} }));
        assert_eq!(given.int("a").unwrap().optional(), None);
        assert!(given.is_null("a") && !given.is_null("b") && !given.is_null("other"));
        let flaw = given.text("b").unwrap().required().unwrap_err();
        assert_eq!((flaw.field, flaw.flaw), ("b", Flaw::Missing));
    }

    #[test]
    fn texts_are_trimmed_counted_in_code_points_and_hold_no_nul() {
        let given = params(&json!({ "t": "  任务 ", "nul": "a\u{0}b", "n": 3 }));
        assert_eq!(
            given.text("t").unwrap().chars(2..=2).unwrap().required(),
            Ok("任务".to_owned())
        );
        assert_eq!(
            given.verbatim("t").unwrap().required(),
            Ok("  任务 ".to_owned())
        );
        assert_eq!(given.text("nul").unwrap_err().flaw, Flaw::OutOfBounds);
        assert_eq!(given.text("n").unwrap_err().flaw, Flaw::WrongType);
        let long = given.text("t").unwrap().bytes(1..=5).unwrap_err();
        assert_eq!(long.flaw, Flaw::OutOfBounds);
    }

    #[test]
    fn a_body_is_an_object_or_nothing() {
        assert!(Params::from_json(b" \n").is_ok());
        assert!(Params::from_json(b"null").is_ok());
        for unreadable in ["[]", "7", "\"x\"", "{", "{\"a\":\u{1}}"] {
            assert!(Params::from_json(unreadable.as_bytes()).is_err());
        }
        assert!(Params::from_json(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn repeated_pairs_are_a_list_and_a_body_goes_before_a_query() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let query = || Params::from_pairs([pair("ids", "1"), pair("ids", "2"), pair("ids[]", "3")]);
        assert_eq!(query().ints("ids").unwrap().or(vec![]), [1, 2, 3]);
        let body = params(&json!({ "ids": null }));
        assert_eq!(body.or(query()).ints("ids").unwrap().or(vec![]), [1, 2, 3]);
        let body = params(&json!({ "ids": [] }));
        assert!(body.or(query()).ints("ids").unwrap().or(vec![]).is_empty());
    }

    #[test]
    fn one_pair_of_quotes_is_stripped() {
        let given = params(
            &json!({ "a": "'7'", "b": "\"8\"", "c": " 'x' ", "d": "'", "e": "''y''", "f": 9 }),
        );
        assert_eq!(given.quoted_int("a").unwrap().required(), Ok(7));
        assert_eq!(given.quoted_int("b").unwrap().required(), Ok(8));
        assert_eq!(given.quoted_int("f").unwrap().required(), Ok(9));
        let text = |field| given.quoted_text(field).unwrap().required().unwrap();
        assert_eq!(
            (text("c").as_str(), text("d").as_str(), text("e").as_str()),
            ("x", "'", "'y'")
        );
        assert_eq!(given.quoted_int("c").unwrap_err().flaw, Flaw::WrongType);
        assert_eq!(given.as_sent("f").unwrap().required(), Ok("9".to_owned()));
        assert_eq!(
            given.as_sent("c").unwrap().required(),
            Ok(" 'x' ".to_owned())
        );
    }

    #[test]
    fn another_spelling_is_the_same_parameter() {
        let id = |value: Value| {
            params(&value)
                .spelled("u_id", "uid")
                .int("uid")
                .unwrap()
                .optional()
        };
        assert_eq!(id(json!({ "u_id": 7 })), Some(7));
        assert_eq!(id(json!({ "u_id": 7, "uid": null })), Some(7));
        assert_eq!(id(json!({ "u_id": 7, "uid": 8 })), Some(8));
        assert_eq!(id(json!({})), None);
    }

    #[test]
    fn what_is_asked_is_told_apart_from_who_asks() {
        let asked = |value: Value| params(&value).canonical(&["rand_str"]);
        assert_eq!(
            asked(json!({ "a": 1, "b": "2", "rand_str": "x" })),
            asked(json!({ "rand_str": "y", "b": "2", "a": 1, "c": null }))
        );
        assert_ne!(asked(json!({ "a": 1 })), asked(json!({ "a": 2 })));
        assert_ne!(asked(json!({ "a": "b" })), asked(json!({ "ab": "" })));
    }
}
