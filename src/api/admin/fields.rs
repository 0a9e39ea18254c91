//! Reading a command strictly, and saying what is wrong with its fields.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::answer::Failure;

/// `{"<Command>": {…}}`: one object with exactly one key, whose value is an object.
#[derive(Debug)]
pub(super) struct OneCommand {
    pub name: String,
    pub fields: Box<RawValue>,
}

impl OneCommand {
    pub fn read(body: &[u8]) -> Result<Self, Failure> {
        let read: Self = serde_json::from_slice(body).map_err(|_| Failure::Malformed)?;
        if read.fields.get().starts_with('{') {
            Ok(read)
        } else {
            Err(Failure::Malformed)
        }
    }
}

impl<'de> Deserialize<'de> for OneCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = OneCommand;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with exactly one command")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OneCommand, A::Error> {
                let first = map.next_entry()?;
                let (name, fields) = first.ok_or_else(|| A::Error::custom("no command"))?;
                match map.next_key::<String>()? {
                    Some(_) => Err(A::Error::custom("more than one command")),
                    None => Ok(OneCommand { name, fields }),
                }
            }
        }
        deserializer.deserialize_map(One)
    }
}

/// What is wrong with which field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flaws(BTreeMap<String, Vec<String>>);

impl Flaws {
    pub fn say(&mut self, field: &str, reason: impl Into<String>) {
        self.0
            .entry(field.to_owned())
            .or_default()
            .push(reason.into());
    }

    /// Its length in code points.
    pub fn chars(&mut self, field: &str, text: &str, range: RangeInclusive<usize>) {
        self.length(field, text, text.chars().count(), &range, "characters");
    }

    /// Its length in bytes.
    pub fn bytes(&mut self, field: &str, text: &str, range: RangeInclusive<usize>) {
        self.length(field, text, text.len(), &range, "bytes");
    }

    fn length(
        &mut self,
        field: &str,
        text: &str,
        length: usize,
        range: &RangeInclusive<usize>,
        unit: &str,
    ) {
        if !range.contains(&length) {
            let (least, most) = (range.start(), range.end());
            self.say(
                field,
                format!("must be {least} to {most} {unit}, not {length}"),
            );
        }
        if text.contains('\0') {
            self.say(field, "must not contain U+0000");
        }
    }

    pub fn none(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Failure::Invalid(self))
        }
    }

    pub fn into_json(self) -> Value {
        json!(self.0)
    }
}

/// A field that is there, perhaps null, which clears: what is absent never comes here.
pub(super) fn clearable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads the fields of a command: no unknown ones, exact types.
pub(super) fn read<C: DeserializeOwned>(fields: &RawValue) -> Result<C, Failure> {
    let mut json = serde_json::Deserializer::from_str(fields.get());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let mut flaws = Flaws::default();
        let (field, reason) = reason(path, error.inner());
        flaws.say(&field, reason);
        Failure::Invalid(flaws)
    })
}

/// The field an error is about, and the error without its place in the text. Where serde complains about the field's
/// name, the path ends one level above it.
fn reason(path: String, error: &serde_json::Error) -> (String, String) {
    let words = error.to_string();
    let reason = words
        .rsplit_once(" at line ")
        .map_or(words.as_str(), |(reason, _)| reason);
    for (start, short) in [
        ("unknown field `", "is unknown"),
        ("missing field `", "is missing"),
        ("duplicate field `", "stands there twice"),
    ] {
        if let Some((name, _)) = reason
            .strip_prefix(start)
            .and_then(|rest| rest.split_once('`'))
        {
            let above = path.trim_end_matches(name).trim_end_matches('.');
            let field = if above.is_empty() {
                name.to_owned()
            } else {
                format!("{above}.{name}")
            };
            return (field, short.to_owned());
        }
    }
    (path, reason.to_owned())
}

/// Blanks at the ends do not count.
pub(super) fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

/// The same for what may be absent.
pub(super) fn trimmed_some(text: Option<&String>) -> Option<String> {
    text.map(|text| trimmed(text))
}

/// The same for what may be absent or cleared.
pub(super) fn trimmed_given(text: Option<&Option<String>>) -> Option<Option<String>> {
    text.map(|text| trimmed_some(text.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Sample {
        name: String,
        role: Option<u32>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        x: i8,
    }

    fn flaw(fields: &str) -> Value {
        let raw = RawValue::from_string(fields.to_owned()).unwrap();
        match read::<Sample>(&raw) {
            Err(Failure::Invalid(flaws)) => flaws.into_json(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_flaw_names_its_field() {
        assert_eq!(
            flaw(r#"{"name":1}"#),
            json!({"name":["invalid type: integer `1`, expected a string"]})
        );
        assert_eq!(
            flaw(r#"{"name":"a","role":"1"}"#),
            json!({"role":["invalid type: string \"1\", expected u32"]})
        );
        assert_eq!(
            flaw(r#"{"name":"a","role":-1}"#),
            json!({"role":["invalid value: integer `-1`, expected u32"]})
        );
        assert_eq!(flaw("{}"), json!({"name":["is missing"]}));
        assert_eq!(
            flaw(r#"{"name":"a","nmae":1}"#),
            json!({"nmae":["is unknown"]})
        );
        assert_eq!(
            flaw(r#"{"name":"a","name":"b"}"#),
            json!({"name":["stands there twice"]})
        );
        assert_eq!(
            flaw(r#"{"name":"a","inner":{"x":1,"y":2}}"#),
            json!({"inner.y":["is unknown"]})
        );
        assert_eq!(
            flaw(r#"{"name":"a","inner":{"x":128}}"#),
            json!({"inner.x":["invalid value: integer `128`, expected i8"]})
        );
    }

    #[test]
    fn a_body_is_exactly_one_command() {
        let one = OneCommand::read(br#" {"StartTask": {"a":1}} "#).unwrap();
        assert_eq!(
            (one.name.as_str(), one.fields.get()),
            ("StartTask", r#"{"a":1}"#)
        );
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            "7",
            "{",
            r#"{"A":{},"B":{}}"#,
            r#"{"A":{},"A":{}}"#,
            r#"{"A":null}"#,
            r#"{"A":[]}"#,
            r#"{"A":"x"}"#,
            r#"{"A":{}} x"#,
        ] {
            assert!(OneCommand::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn lengths_say_what_they_should_be() {
        let mut flaws = Flaws::default();
        flaws.chars("name", "任务", 1..=2);
        flaws.bytes("result", "", 0..=1);
        assert_eq!(flaws, Flaws::default());
        flaws.chars("name", "", 1..=64);
        flaws.bytes("result", "a\0", 0..=1);
        assert_eq!(
            flaws.into_json(),
            json!({
                "name": ["must be 1 to 64 characters, not 0"],
                "result": ["must be 0 to 1 bytes, not 2", "must not contain U+0000"]
            })
        );
    }
}
