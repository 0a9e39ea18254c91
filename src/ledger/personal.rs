//! Personal data: clear in memory, sealed in the log, erasable.
//!
//! A personal field is a [`Personal<T>`]. It serializes to a marker that names its subject; the append replaces markers by
//! ciphertext ([`seal`]) and every read replaces ciphertext by markers ([`open`]), so decisions, folds and their tests
//! never see ciphertext. A value is bound to its event and its place within it (AES-256-GCM associated data).

use std::collections::HashMap;

use data_encoding::BASE64_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::keys::{DoesNotOpen, Secret};

const CLEAR: &str = "$personal";
const SEALED: &str = "$sealed";
const ERASED: &str = "$erased";
/// What a payload with a clear personal value contains, and no other can: quotes inside texts are escaped.
const CLEAR_MARK: &str = "\"$personal\":";
const SEALED_MARK: &str = "\"$sealed\":";

/// A value that belongs to a person, named by the person's stream (`Account:backend:1`).
#[derive(Clone, Debug)]
pub enum Personal<T> {
    /// Known.
    Clear {
        /// The stream id of whom it is about.
        subject: String,
        /// The value.
        value: T,
    },
    /// As stored, where nobody opened it (stock readers).
    Sealed {
        /// The stream id of whom it is about.
        subject: String,
        /// Nonce and ciphertext, base64.
        ciphertext: String,
    },
    /// Forgotten on request.
    Erased {
        /// The stream id of whom it was about.
        subject: String,
    },
}

impl<T> Personal<T> {
    /// A clear value about `subject`.
    pub fn new(subject: impl Into<String>, value: T) -> Self {
        Self::Clear {
            subject: subject.into(),
            value,
        }
    }

    /// Forgets the value; whose it was stays.
    pub fn erase(&mut self) {
        let (Self::Clear { subject, .. } | Self::Sealed { subject, .. } | Self::Erased { subject }) =
            self;
        let subject = std::mem::take(subject);
        *self = Self::Erased { subject };
    }

    /// Was it forgotten?
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        matches!(self, Self::Erased { .. })
    }

    /// The value, unless it is erased or was never opened.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Clear { value, .. } => Some(value),
            Self::Sealed { .. } | Self::Erased { .. } => None,
        }
    }
}

impl Personal<String> {
    /// The text, `""` once erased (contract README 2.10).
    #[must_use]
    pub fn text(&self) -> &str {
        self.get().map_or("", String::as_str)
    }
}

/// Equal by the clear value; two erased ones are equal, two sealed ones by their ciphertext.
impl<T: PartialEq> PartialEq for Personal<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Clear { value: a, .. }, Self::Clear { value: b, .. }) => a == b,
            (Self::Sealed { ciphertext: a, .. }, Self::Sealed { ciphertext: b, .. }) => a == b,
            (Self::Erased { .. }, Self::Erased { .. }) => true,
            _ => false,
        }
    }
}

impl<T: Eq> Eq for Personal<T> {}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Clear { subject, value } => {
                HashMap::from([(CLEAR, (subject, value))]).serialize(serializer)
            }
            Self::Sealed {
                subject,
                ciphertext,
            } => HashMap::from([(SEALED, (subject, ciphertext))]).serialize(serializer),
            Self::Erased { subject } => HashMap::from([(ERASED, subject)]).serialize(serializer),
        }
    }
}

#[derive(Deserialize)]
enum Marker<T> {
    #[serde(rename = "$personal")]
    Clear(String, T),
    #[serde(rename = "$sealed")]
    Sealed(String, String),
    #[serde(rename = "$erased")]
    Erased(String),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Marker::<T>::deserialize(deserializer)? {
            Marker::Clear(subject, value) => Self::Clear { subject, value },
            Marker::Sealed(subject, ciphertext) => Self::Sealed {
                subject,
                ciphertext,
            },
            Marker::Erased(subject) => Self::Erased { subject },
        })
    }
}

/// What stands under a subject: its data key, or that it was erased.
#[derive(Clone, Debug)]
pub enum SubjectKey {
    /// The data key.
    Key(Secret),
    /// Forgotten.
    Erased,
}

/// Why stored personal data could not be opened. A fault always: what cannot be opened is never shown as erased.
#[derive(Debug, thiserror::Error)]
pub enum PersonalError {
    /// The payload is no JSON, or a marker is misshapen.
    #[error("a payload with personal values is malformed: {0}")]
    Malformed(String),
    /// There is no row of keys for the subject.
    #[error("there is no key for {0}")]
    NoKey(String),
    /// The subject is erased; nothing new may be sealed for it.
    #[error("{0} is erased")]
    ErasedSubject(String),
    /// Key, place or bytes differ.
    #[error("a value of {subject} does not open")]
    DoesNotOpen {
        /// Whose.
        subject: String,
        /// The cause.
        source: DoesNotOpen,
    },
}

/// Does this payload hold clear personal values?
#[must_use]
pub fn has_clear(payload: &str) -> bool {
    payload.contains(CLEAR_MARK)
}

/// Does this payload hold sealed values?
#[must_use]
pub fn has_sealed(payload: &str) -> bool {
    payload.contains(SEALED_MARK)
}

/// The subjects a payload with clear values names, sorted, each once.
///
/// # Errors
/// [`PersonalError::Malformed`].
pub fn subjects(payload: &str) -> Result<Vec<String>, PersonalError> {
    let mut found = Vec::new();
    let mut value = parse(payload)?;
    walk(&mut value, &mut String::new(), CLEAR, &mut |_, body| {
        let (subject, _) = clear_parts(body)?;
        found.push(subject);
        Ok(None)
    })?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// Replaces every clear value by its ciphertext, bound to `context` and its place.
///
/// # Errors
/// When a subject has no key here or is erased.
pub fn seal(
    payload: &str,
    context: &[u8],
    keys: &HashMap<String, SubjectKey>,
) -> Result<String, PersonalError> {
    let mut value = parse(payload)?;
    walk(&mut value, &mut String::new(), CLEAR, &mut |place, body| {
        let (subject, clear) = clear_parts(body)?;
        match keys.get(&subject) {
            None => Err(PersonalError::NoKey(subject)),
            Some(SubjectKey::Erased) => Err(PersonalError::ErasedSubject(subject)),
            Some(SubjectKey::Key(key)) => {
                let sealed = key.seal(&bound(context, place), clear.to_string().as_bytes());
                Ok(Some(
                    json!({ SEALED: [subject, BASE64_NOPAD.encode(&sealed)] }),
                ))
            }
        }
    })?;
    Ok(value.to_string())
}

/// Replaces every ciphertext by its clear value, or by the mark of erasure.
///
/// # Errors
/// When a key is missing or a value does not open: a fault, never an erasure.
pub fn open(
    payload: &str,
    context: &[u8],
    keys: &HashMap<String, SubjectKey>,
) -> Result<String, PersonalError> {
    let mut value = parse(payload)?;
    walk(
        &mut value,
        &mut String::new(),
        SEALED,
        &mut |place, body| {
            let (subject, ciphertext) = sealed_parts(body)?;
            match keys.get(&subject) {
                None => Err(PersonalError::NoKey(subject)),
                Some(SubjectKey::Erased) => Ok(Some(json!({ ERASED: subject }))),
                Some(SubjectKey::Key(key)) => {
                    let clear =
                        key.open(&bound(context, place), &ciphertext)
                            .map_err(|source| PersonalError::DoesNotOpen {
                                subject: subject.clone(),
                                source,
                            })?;
                    let clear: Value = serde_json::from_slice(&clear)
                        .map_err(|error| PersonalError::Malformed(error.to_string()))?;
                    Ok(Some(json!({ CLEAR: [subject, clear] })))
                }
            }
        },
    )?;
    Ok(value.to_string())
}

fn parse(payload: &str) -> Result<Value, PersonalError> {
    serde_json::from_str(payload).map_err(|error| PersonalError::Malformed(error.to_string()))
}

fn bound(context: &[u8], place: &str) -> Vec<u8> {
    [context, b"\n", place.as_bytes()].concat()
}

fn clear_parts(body: &Value) -> Result<(String, &Value), PersonalError> {
    match body.as_array().map(Vec::as_slice) {
        Some([Value::String(subject), value]) => Ok((subject.clone(), value)),
        _ => Err(PersonalError::Malformed(format!("{CLEAR} is no pair"))),
    }
}

fn sealed_parts(body: &Value) -> Result<(String, Vec<u8>), PersonalError> {
    let malformed = || PersonalError::Malformed(format!("{SEALED} is no pair of texts"));
    match body.as_array().map(Vec::as_slice) {
        Some([Value::String(subject), Value::String(text)]) => {
            let bytes = BASE64_NOPAD
                .decode(text.as_bytes())
                .map_err(|_| malformed())?;
            Ok((subject.clone(), bytes))
        }
        _ => Err(malformed()),
    }
}

type Change<'a> = dyn FnMut(&str, &Value) -> Result<Option<Value>, PersonalError> + 'a;

/// Visits every `{marker: body}` object with its place (a JSON pointer) and puts the answer in its stead.
fn walk(
    value: &mut Value,
    place: &mut String,
    marker: &str,
    change: &mut Change<'_>,
) -> Result<(), PersonalError> {
    match value {
        Value::Object(map) => {
            if let Some(body) = only(map, marker) {
                if let Some(new) = change(place, body)? {
                    *value = new;
                }
                return Ok(());
            }
            for (key, child) in map {
                let length = place.len();
                place.push('/');
                place.push_str(key);
                walk(child, place, marker, change)?;
                place.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter_mut().enumerate() {
                let length = place.len();
                place.push('/');
                place.push_str(&index.to_string());
                walk(child, place, marker, change)?;
                place.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

fn only<'a>(map: &'a Map<String, Value>, marker: &str) -> Option<&'a Value> {
    if map.len() == 1 {
        map.get(marker)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(subject: &str) -> HashMap<String, SubjectKey> {
        HashMap::from([(subject.to_owned(), SubjectKey::Key(Secret::new([9; 32])))])
    }

    fn payload(name: &str) -> String {
        let name = Personal::new("Account:backend:1", name.to_owned());
        serde_json::to_string(&json!({ "AccountOpened": { "name": name, "role": 1 } })).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_to_the_same_and_shows_nothing(name in "\\PC{3,40}") {
            let clear = payload(&name);
            let sealed = seal(&clear, b"event", &keys("Account:backend:1")).unwrap();
            prop_assert!(has_clear(&clear) && !has_clear(&sealed) && has_sealed(&sealed));
            prop_assert!(!sealed.contains(&name) || "AccountOpenedbackend:1name role".contains(&name));
            let opened = open(&sealed, b"event", &keys("Account:backend:1")).unwrap();
            let (a, b): (Value, Value) =
                (serde_json::from_str(&clear).unwrap(), serde_json::from_str(&opened).unwrap());
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn a_value_does_not_open_in_another_event() {
        let sealed = seal(&payload("x"), b"one", &keys("Account:backend:1")).unwrap();
        let error = open(&sealed, b"two", &keys("Account:backend:1")).unwrap_err();
        assert!(matches!(error, PersonalError::DoesNotOpen { .. }));
    }

    #[test]
    fn a_missing_key_is_a_fault_and_an_erased_one_a_blank() {
        let sealed = seal(&payload("x"), b"e", &keys("Account:backend:1")).unwrap();
        let error = open(&sealed, b"e", &HashMap::new()).unwrap_err();
        assert!(matches!(error, PersonalError::NoKey(_)));
        let erased = HashMap::from([("Account:backend:1".to_owned(), SubjectKey::Erased)]);
        let opened: Value = serde_json::from_str(&open(&sealed, b"e", &erased).unwrap()).unwrap();
        let name: Personal<String> =
            serde_json::from_value(opened["AccountOpened"]["name"].clone()).unwrap();
        assert_eq!(name.text(), "");
        assert!(matches!(name, Personal::Erased { .. }));
    }

    #[test]
    fn a_text_that_looks_like_a_marker_is_left_alone() {
        let sly = serde_json::to_string(&json!({ "note": "{\"$personal\":[\"a\",1]}" })).unwrap();
        assert!(!has_clear(&sly));
        assert_eq!(subjects(&sly).unwrap(), Vec::<String>::new());
    }
}
