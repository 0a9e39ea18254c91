//! Accounts of members of the community, realm `community`.

use data_encoding::HEXLOWER;

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

#[cfg(test)]
mod tests {
    use super::*;

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
