//! From the parameter to the text it means: raw JSON, Base64 of JSON, or a bare pattern.

use data_encoding::BASE64_NOPAD;

use super::{
    MAX_TEXT_BYTES,
    error::{Fault, FilterError},
};

pub(super) enum Decoded {
    /// Nothing was asked for.
    Everything,
    /// Starts with a brace.
    Json(String),
    /// A regular expression.
    Pattern(String),
}

pub(super) fn decode(text: &str) -> Result<Decoded, FilterError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(Decoded::Everything);
    }
    let decoded = if trimmed.starts_with('{') {
        Decoded::Json(trimmed.to_owned())
    } else if let Some(json) = base64(text.trim_start()).or_else(|| base64(trimmed)) {
        Decoded::Json(json)
    } else {
        Decoded::Pattern(trimmed.to_owned())
    };
    match &decoded {
        Decoded::Json(text) | Decoded::Pattern(text) if text.len() > MAX_TEXT_BYTES => {
            Err(Fault::at(0, "it is too long").within(text))
        }
        _ => Ok(decoded),
    }
}

/// JSON in Base64 of either alphabet, padded or not. A blank was a plus before URL decoding; one at the very end may be
/// either, so the caller tries both.
fn base64(text: &str) -> Option<String> {
    let unpadded = text.strip_suffix('=').unwrap_or(text);
    let unpadded = unpadded.strip_suffix('=').unwrap_or(unpadded);
    let standard: String = unpadded
        .chars()
        .map(|c| match c {
            ' ' | '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let bytes = BASE64_NOPAD.decode(standard.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim();
    text.starts_with('{').then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Decoded, decode};

    fn json(text: &str) -> Option<String> {
        match decode(text).unwrap() {
            Decoded::Json(json) => Some(json),
            Decoded::Everything | Decoded::Pattern(_) => None,
        }
    }

    #[test]
    fn base64_is_read_in_every_dress() {
        let plain = r#"{"name":"儿研所??>>~~"}"#;
        let bytes = plain.as_bytes();
        let standard = data_encoding::BASE64.encode(bytes);
        assert!(standard.contains('+') || standard.contains('/'));
        for dress in [
            standard.clone(),
            standard.replace('+', " "),
            standard.trim_end_matches('=').to_owned(),
            data_encoding::BASE64URL.encode(bytes),
            data_encoding::BASE64URL_NOPAD.encode(bytes),
            format!("  {standard}\n"),
            format!("\t{plain} "),
        ] {
            assert_eq!(json(&dress).as_deref(), Some(plain), "{dress:?}");
        }
    }

    #[test]
    fn a_plus_at_the_very_end_survives_becoming_a_blank() {
        // Three bytes a group: the last group must encode to something that ends in a plus.
        let plain = r#"{"a":"b"}  >"#;
        let encoded = data_encoding::BASE64.encode(plain.as_bytes());
        assert!(encoded.ends_with('+'), "{encoded}");
        assert_eq!(json(&encoded.replace('+', " ")).as_deref(), Some(plain));
    }

    #[test]
    fn base64_of_something_else_is_a_pattern() {
        // The document's own Base64 sample says "hello".
        for text in ["aGVsbG8=", "children", "^c.*s$", "W10="] {
            assert!(
                matches!(decode(text).unwrap(), Decoded::Pattern(p) if p == text),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_is_everything() {
        assert!(matches!(decode(" \n").unwrap(), Decoded::Everything));
    }

    #[test]
    fn length_counts_after_decoding() {
        let json = format!(r#"{{"a":"{}"}}"#, "b".repeat(9000));
        assert!(decode(&json).is_err());
        assert!(decode(&data_encoding::BASE64.encode(json.as_bytes())).is_err());
        let json = format!("{{{}}}", " ".repeat(8000));
        assert!(decode(&data_encoding::BASE64.encode(json.as_bytes())).is_ok());
    }
}
