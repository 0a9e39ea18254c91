//! Who signed a request (`contract/zhugeleida.md` 2.2).
//!
//! A caller's token is derived, not stored: from the server's key, who they are, and how often their token was rotated. The
//! signature is MD5, because that is what the clients in the field send; it proves that they know the token.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::Problem;
use crate::api::App;
use crate::api::wire::{Invalid, Params};
use crate::events::Customer;
use crate::events::customer::Registered;
use crate::ledger::Keys;

/// What signatures consist of, and what therefore says nothing about what is asked.
pub const PARAMETERS: [&str; 2] = ["timestamp", "rand_str"];

/// The token of a customer.
#[must_use]
pub fn customer_token(keys: &Keys, user_id: i64, token_version: u64) -> String {
    token(keys, &format!("customer:{user_id}:{token_version}"))
}

/// The token of an enterprise user.
#[must_use]
pub fn card_token(keys: &Keys, uid: i64, token_version: u64) -> String {
    token(keys, &format!("card:{uid}:{token_version}"))
}

fn token(keys: &Keys, whose: &str) -> String {
    let mac = keys.tokens().mac(whose.as_bytes());
    HEXLOWER.encode(&mac[..16])
}

/// What a signature must be: MD5 over the characters of the timestamp and the token.
#[must_use]
pub fn rand_str(timestamp: &str, token: &str) -> String {
    let mut hasher = Md5::new();
    hasher.update(timestamp);
    hasher.update(token);
    HEXLOWER.encode(&hasher.finalize())
}

/// A signature as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// In the characters that were sent: they are what is signed.
    timestamp: String,
    rand_str: String,
    signed_at: Option<DateTime<Utc>>,
}

impl Signature {
    /// Is any part of one there?
    pub fn is_there(params: &Params) -> Result<bool, Invalid> {
        let timestamp = params.as_sent("timestamp")?.optional();
        let rand_str = params.as_sent("rand_str")?.optional();
        Ok(timestamp.is_some() || rand_str.is_some())
    }

    /// The signature among the parameters.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let timestamp = params.as_sent("timestamp")?.optional();
        let timestamp = timestamp.ok_or_else(Problem::illegal)?;
        let digits = timestamp.trim();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::wrong_type());
        }
        let rand_str = params.as_sent("rand_str")?.optional();
        Ok(Self {
            signed_at: moment(digits),
            rand_str: rand_str.ok_or_else(Problem::illegal)?,
            timestamp,
        })
    }

    /// Does it fit a token, and is it neither too old nor from the future?
    pub fn holds(&self, app: &App, token: &str) -> bool {
        let expected = rand_str(&self.timestamp, token);
        let sent = self.rand_str.trim().to_ascii_lowercase();
        let fits = bool::from(expected.as_bytes().ct_eq(sent.as_bytes()));
        let window = app.settings().signature_window;
        fits && is_fresh(self.signed_at, app.now(), window)
    }
}

/// Ten digits are seconds, more are milliseconds.
fn moment(digits: &str) -> Option<DateTime<Utc>> {
    let number = digits.parse().ok()?;
    match digits.len() {
        10 => DateTime::from_timestamp(number, 0),
        _ => DateTime::from_timestamp_millis(number),
    }
}

fn is_fresh(signed_at: Option<DateTime<Utc>>, now: DateTime<Utc>, window: Duration) -> bool {
    if window.is_zero() {
        return true;
    }
    let window = TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX);
    signed_at.is_some_and(|at| (now - at).abs() <= window)
}

/// The customer whose `user_id` and signature are among the parameters, and who is enabled.
pub async fn customer(app: &App, params: &Params) -> Result<(i64, Registered), Problem> {
    let user_id = params.quoted_int("user_id")?.optional();
    let signature = Signature::read(params)?;
    let user_id = user_id.ok_or_else(Problem::illegal)?;
    let id = user_id.to_string();
    let found = app.ledger().present().current::<Customer>(&id).await?;
    let found = found.state;
    // Somebody unknown has a token, too, so that finding out takes as long.
    let known = found.registered();
    let version = known.map_or(0, |customer| customer.token_version);
    let token = customer_token(app.ledger().keys(), user_id, version);
    let holds = signature.holds(app, &token);
    match known {
        Some(customer) if holds && customer.enabled => Ok((user_id, customer.clone())),
        Some(_) if holds => Err(Problem::disabled()),
        Some(_) | None => Err(Problem::illegal()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Secret;

    #[test]
    fn the_documented_vector_fits() {
        let token = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            rand_str("1528871213546", token),
            "3eb2d45dd640c392d2cfa6f9e9b70aa9"
        );
    }

    #[test]
    fn everybody_has_a_token_of_their_own_until_it_is_rotated() {
        let keys = Keys::derive(&Secret::new([7; 32]));
        let tokens = [
            customer_token(&keys, 1, 0),
            customer_token(&keys, 1, 1),
            customer_token(&keys, 2, 0),
            card_token(&keys, 1, 0),
        ];
        for (index, token) in tokens.iter().enumerate() {
            assert_eq!(token.len(), 32);
            assert!(!tokens[..index].contains(token));
        }
        assert_eq!(tokens[0], customer_token(&keys, 1, 0));
    }

    #[test]
    fn a_signature_is_good_for_its_window_on_both_sides() {
        let now = DateTime::from_timestamp_millis(1_528_871_213_546).unwrap();
        let day = Duration::from_secs(86_400);
        let fresh = |digits: &str, window| is_fresh(moment(digits), now, window);
        assert!(fresh("1528871213546", day) && fresh("1528871213", day));
        assert!(fresh("1528784813546", day) && !fresh("1528784813545", day));
        assert!(fresh("1528957613546", day) && !fresh("1528957613547", day));
        assert!(!fresh("1528784812", day));
        assert!(!fresh("99999999999999999999999999", day));
        assert!(fresh("1", Duration::ZERO) && fresh("99999999999999999999", Duration::ZERO));
    }
}
