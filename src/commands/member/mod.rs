//! Accounts of members of the community, realm `community`: their ids and phones. Opening them and logging in by SMS code:
//! `operations.rs`.

mod operations;

use data_encoding::HEXLOWER;

pub use operations::{LogInByCode, MemberError, OpenMember, ResetPassword, SignUp, TryCode};

use crate::ledger::Keys;

/// In front of the uid in the id of a member's account.
const REALM: &str = "community:";
/// Characters of a uid, and of the ids of masters and merchants.
const ID_LENGTH: usize = 32;

/// The account id of a member.
#[must_use]
pub fn member_account(uid: &str) -> String {
    format!("{REALM}{uid}")
}

/// The uid of an account id; `None` for other realms and for what is no uid.
#[must_use]
pub fn member_uid(account: &str) -> Option<&str> {
    account.strip_prefix(REALM).filter(|id| is_hex_id(id))
}

/// Is it an id that is ever given to a member, a master or a merchant: 32 lower-case hex characters?
#[must_use]
pub fn is_hex_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == ID_LENGTH && text.bytes().all(hex)
}

/// A random id for a member, a master or a merchant.
#[must_use]
pub fn new_hex_id() -> String {
    HEXLOWER.encode(&rand::random::<[u8; ID_LENGTH / 2]>())
}

/// The scope of phones: one account each.
const PHONE_SCOPE: &str = "community-phone";
/// Sets the ids of a phone's codes apart from its claim.
const CODE_SCOPE: &str = "phone-code";

/// The phone of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    country: String,
    number: String,
}

impl Phone {
    /// A phone under a dialling code of 1…4 digits, a `+` in front dropped; `None` when it is none. Numbers have 5…15 digits,
    /// under 86 eleven that begin with 1.
    #[must_use]
    pub fn new(country: &str, number: &str) -> Option<Self> {
        let known = Self::is_country(country);
        let country = country.strip_prefix('+').unwrap_or(country);
        let sound = match country {
            "86" => number.len() == 11 && number.starts_with('1'),
            _ => (5..=15).contains(&number.len()),
        };
        (known && sound && is_digits(number)).then(|| Self {
            country: country.to_owned(),
            number: number.to_owned(),
        })
    }

    /// Is it a dialling code?
    #[must_use]
    pub fn is_country(text: &str) -> bool {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (1..=4).contains(&digits.len()) && is_digits(digits)
    }

    /// The dialling code.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The id of the claim on it.
    #[must_use]
    pub fn claim(&self, keys: &Keys) -> String {
        format!("{PHONE_SCOPE}:{}", keys.name(PHONE_SCOPE, &self.clear()))
    }

    /// The id of the stream of its codes.
    #[must_use]
    pub fn codes(&self, keys: &Keys) -> String {
        keys.name(CODE_SCOPE, &self.clear())
    }

    fn clear(&self) -> String {
        format!("{}-{}", self.country, self.number)
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_told_apart_by_their_digits() {
        let phone = |country, number| Phone::new(country, number);
        assert_eq!(phone("+86", "13800000000"), phone("86", "13800000000"));
        assert!(phone("1", "5551234").is_some() && phone("852", "51234567").is_some());
        for (country, number) in [
            ("86", "23800000000"),
            ("86", "1380000000"),
            ("", "13800000000"),
            ("++1", "5551234"),
            ("12345", "5551234"),
            ("1", "1234"),
            ("1", "1234567890123456"),
            ("1", "555-1234"),
            ("١", "5551234"),
        ] {
            assert_eq!(phone(country, number), None, "{country} {number}");
        }
    }

    #[test]
    fn a_phone_names_its_streams_without_saying_what_it_is() {
        let keys = Keys::derive(&crate::ledger::Secret::new([7; 32]));
        let phone = Phone::new("86", "13800000000").unwrap();
        let (claim, codes) = (phone.claim(&keys), phone.codes(&keys));
        assert!(claim.starts_with("community-phone:") && !claim.contains("138"));
        assert!(!claim.ends_with(&codes));
    }

    #[test]
    fn ids_are_32_lower_case_hex_characters() {
        let uid = new_hex_id();
        assert_ne!(uid, new_hex_id());
        assert_eq!(member_uid(&member_account(&uid)), Some(uid.as_str()));
        for bad in [
            format!("backend:{uid}"),
            uid.clone(),
            format!("community:{uid}0"),
            format!("community:{}", "A".repeat(32)),
        ] {
            assert_eq!(member_uid(&bad), None, "{bad}");
        }
    }
}
