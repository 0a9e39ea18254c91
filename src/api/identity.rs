//! Who is calling: a question to the ledger, never to a read table.
//!
//! A session is good until it expires or is closed, while its account is enabled and stands at the credential version it
//! was opened under. In the usual case both states come from memory.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::app::App;
pub use crate::commands::account::staff_name_claim;
use crate::commands::member::{member_uid, new_hex_id};
use crate::commands::team::user_id;
use crate::events::account::OpenAccount;
use crate::events::party::{Party, PartyKind};
use crate::events::{Account, Session};
use crate::ledger::LoadError;

/// The cookie of a staff session.
pub const STAFF_COOKIE: &str = "backend_session";

/// In front of the uid in the id of a staff account.
const REALM: &str = "backend:";

/// A token of 32 random bytes, hex. The log knows only its hash.
#[must_use]
pub fn new_token() -> String {
    HEXLOWER.encode(&rand::random::<[u8; 32]>())
}

/// A token of a member's session: 16 random bytes, hex, as documented.
#[must_use]
pub fn new_member_token() -> String {
    new_hex_id()
}

/// The id of the session of a token.
#[must_use]
pub fn session_id(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// The account id of a staff uid.
#[must_use]
pub fn staff_account(uid: i64) -> String {
    format!("{REALM}{uid}")
}

/// The staff uid of an account id; `None` for other realms.
#[must_use]
pub fn staff_uid(account: &str) -> Option<i64> {
    account.strip_prefix(REALM)?.parse().ok()
}

/// A member of staff with a good session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Staff id.
    pub uid: i64,
    /// Name as registered.
    pub name: String,
    /// 0 operator, 1 super administrator.
    pub role: u32,
    /// Permission bits.
    pub perm: u64,
    /// The id of the session presented.
    pub session: String,
}

impl Staff {
    /// How events name who made them.
    #[must_use]
    pub fn actor(&self) -> String {
        format!("staff:{}", self.uid)
    }

    /// May it do what this bit opens? Super administrators may do everything.
    #[must_use]
    pub fn may(&self, bit: u64) -> bool {
        self.role == 1 || self.perm & bit != 0
    }
}

/// A member of the community with a good session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// 32 hex characters.
    pub uid: String,
    /// The id of the session presented.
    pub session: String,
}

impl Member {
    /// How events name who acts; its text is the actor in their metadata.
    #[must_use]
    pub fn party(&self) -> Party {
        Party::new(PartyKind::Member, &self.uid)
    }
}

/// Why nobody is known to be calling.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdentityError {
    /// No session, or one that is unknown, expired, closed, or older than the password.
    #[error("not logged in")]
    NotLoggedIn,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// It could not be found out.
    #[error("who is calling cannot be found out: {0}")]
    Fault(#[from] LoadError),
}

/// The member of staff whose session token stands in `Authorization: Bearer` or in the cookie.
///
/// # Errors
/// [`IdentityError`].
pub async fn staff(app: &App, headers: &HeaderMap) -> Result<Staff, IdentityError> {
    let token = bearer(headers).or_else(|| cookie(headers, STAFF_COOKIE));
    let session = session_id(token.ok_or(IdentityError::NotLoggedIn)?);
    let known = |id: &str, account: &OpenAccount| {
        Some(Staff {
            uid: staff_uid(id)?,
            name: account.name.text().to_owned(),
            role: account.role,
            perm: account.perm,
            session: session.clone(),
        })
    };
    holder(app, &session, known).await
}

/// The id of the team user whose session this token opened.
///
/// # Errors
/// [`IdentityError`].
pub async fn team_user(app: &App, token: &str) -> Result<String, IdentityError> {
    let known = |id: &str, _: &OpenAccount| user_id(id).map(str::to_owned);
    holder(app, &session_id(token), known).await
}

/// The member whose session this token opened.
///
/// # Errors
/// [`IdentityError`].
pub async fn member(app: &App, token: &str) -> Result<Member, IdentityError> {
    let session = session_id(token);
    let known = |id: &str, _: &OpenAccount| member_uid(id).map(str::to_owned);
    let uid = holder(app, &session, known).await?;
    Ok(Member { uid, session })
}

/// Who holds a session, if that is good and the account one of the realm that is asked for: by its id, and as it stands.
async fn holder<T>(
    app: &App,
    session: &str,
    known: impl FnOnce(&str, &OpenAccount) -> Option<T>,
) -> Result<T, IdentityError> {
    // Whoever looks at the past does so under the session and the rights of today.
    let ledger = app.ledger().present();
    let found = ledger.current::<Session>(session).await?.state;
    let (account, opened_under) = match &*found {
        Session::Unopened => return Err(IdentityError::NotLoggedIn),
        Session::Open { expires_at, .. } if app.now() >= *expires_at => {
            return Err(IdentityError::NotLoggedIn);
        }
        Session::Open {
            account,
            credential_version,
            ..
        } => (account, Some(*credential_version)),
        Session::Closed { account } => (account, None),
    };
    let found = ledger.current::<Account>(account).await?.state;
    let open = found.open().ok_or(IdentityError::NotLoggedIn)?;
    let caller = known(account, open).ok_or(IdentityError::NotLoggedIn)?;
    if !open.enabled {
        return Err(IdentityError::Disabled);
    }
    if opened_under != Some(open.credential_version) {
        return Err(IdentityError::NotLoggedIn);
    }
    Ok(caller)
}

/// The token after `Bearer`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The value of a cookie.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_either_place() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers).or(cookie(&headers, STAFF_COOKIE)), None);
        headers.append(COOKIE, "a=b; backend_session=t1; c".parse().unwrap());
        assert_eq!(cookie(&headers, STAFF_COOKIE), Some("t1"));
        assert_eq!(cookie(&headers, "session"), None);
        headers.append(AUTHORIZATION, "bearer  t2 ".parse().unwrap());
        assert_eq!(bearer(&headers), Some("t2"));
        headers.insert(AUTHORIZATION, "Basic t2".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }

    #[test]
    fn tokens_are_long_and_their_sessions_are_hashes() {
        let token = new_token();
        assert_eq!(token.len(), 64);
        assert_ne!(token, new_token());
        assert_eq!(
            session_id("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(staff_uid(&staff_account(7)), Some(7));
        assert_eq!(staff_uid("community:7"), None);
    }
}
