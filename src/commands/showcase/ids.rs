//! Ids of the case list: 26 characters, a UUID in z-base-32 (contract README 2.3).

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use uuid::Uuid;

/// Bits behind the 128 are zero, so the last character is one of `y r e c o w a h`; others are refused.
static Z_BASE_32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("ybndrfg8ejkmcpqxot1uwisza345h769");
    (specification.encoding()).unwrap_or_else(|_| unreachable!("32 different letters"))
});

/// A random id for an author, a case or a file.
#[must_use]
pub fn new_id() -> String {
    id_of(*Uuid::new_v4().as_bytes())
}

/// The id of 128 bits from elsewhere.
#[must_use]
pub fn id_of(bits: [u8; 16]) -> String {
    Z_BASE_32.encode(&bits)
}

/// Is it an id, in its one spelling?
#[must_use]
pub fn is_id(text: &str) -> bool {
    let bytes = Z_BASE_32.decode(text.as_bytes());
    bytes.is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_26_characters_in_one_spelling() {
        for _ in 0..100 {
            let id = new_id();
            assert!(id.len() == 26 && is_id(&id), "{id}");
        }
        for documented in [
            "szasc68seig9jrhqw4eaj9gu3h",
            "5trb5tu7tj8kfe7gwk7qakfpac",
            "kspnaeba8tr37jit7s5ingnnwr",
            "ofargqanbpeeinswoigjae9rpe",
            "aa9jz17gapr17psnatuf4p5toa",
        ] {
            assert!(is_id(documented), "{documented}");
        }
        let stem = "5trb5tu7tj8kfe7gwk7qakfpa";
        for last in "ybndrfg8ejkmcpqxot1uwisza345h769".chars() {
            let canonical = "yrecowah".contains(last);
            assert_eq!(is_id(&format!("{stem}{last}")), canonical, "{last}");
        }
        for bad in [
            "",
            "new",
            "5trb5tu7tj8kfe7gwk7qakfpa",
            "5trb5tu7tj8kfe7gwk7qakfpacy",
            "5TRB5TU7TJ8KFE7GWK7QAKFPAC",
            "5trb5tu7tj8kfe7gwk7qakfpa0",
            "5trb5tu7tj8kfe7gwk7qakfp/c",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
