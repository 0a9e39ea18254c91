//! Making, trying and using up SMS codes (`contract/community.md` 3.74).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{Book, Decide, Stop};
use crate::events::{PhoneCode, PhoneCodeEvent};

/// How long a code is good.
pub const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);
/// Between two codes.
const APART: TimeDelta = TimeDelta::seconds(60);
/// Codes within [`DAY`].
const A_DAY: usize = 10;
const DAY: TimeDelta = TimeDelta::hours(24);

/// What can be asked of the codes of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneCodeCommand {
    /// Make one; an earlier one is void.
    Issue {
        /// Keyed hash of the code, hex.
        code_hash: String,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Try one: the right one is used up, a wrong one counts.
    Try {
        /// Keyed hash of what was tried, hex.
        code_hash: String,
        /// The time.
        now: DateTime<Utc>,
    },
}

/// Why the codes of a phone say no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum PhoneCodeError {
    /// One was made a moment ago, or as many as a day may see.
    #[error("codes are made a minute apart and ten a day")]
    TooOften,
    /// There is none to try.
    #[error("there is no code that is still good")]
    NoCode,
}

impl PhoneCode {
    /// Would this open it now?
    #[must_use]
    pub fn accepts(&self, code_hash: &str, now: DateTime<Utc>) -> bool {
        let live = self.live.as_ref().filter(|code| now < code.expires_at);
        live.is_some_and(|code| {
            let (right, tried) = (code.code_hash.as_bytes(), code_hash.as_bytes());
            right.ct_eq(tried).into()
        })
    }
}

impl Decide for PhoneCode {
    type Command = PhoneCodeCommand;
    type Refusal = PhoneCodeError;

    fn decide(&self, command: &PhoneCodeCommand) -> Result<Vec<PhoneCodeEvent>, PhoneCodeError> {
        match command {
            PhoneCodeCommand::Issue { code_hash, now } => {
                let last = self.issued_at.last();
                let of_today = self.issued_at.iter().filter(|at| **at > *now - DAY);
                if last.is_some_and(|at| *now < *at + APART) || of_today.count() >= A_DAY {
                    return Err(PhoneCodeError::TooOften);
                }
                Ok(vec![PhoneCodeEvent::SmsCodeIssued {
                    code_hash: code_hash.clone(),
                    issued_at: *now,
                    expires_at: *now + GOOD_FOR,
                }])
            }
            PhoneCodeCommand::Try { code_hash, now } => match &self.live {
                _ if self.accepts(code_hash, *now) => Ok(vec![PhoneCodeEvent::SmsCodeConsumed {}]),
                Some(code) if *now < code.expires_at => {
                    Ok(vec![PhoneCodeEvent::SmsCodeRejected {}])
                }
                Some(_) | None => Err(PhoneCodeError::NoCode),
            },
        }
    }
}

/// A code that somebody sent along.
#[derive(Debug, Clone)]
pub struct CodeTried {
    /// The id of the phone's stream of codes.
    pub phone_code: String,
    /// Keyed hash of the code, hex.
    pub code_hash: String,
    /// When the request came.
    pub now: DateTime<Utc>,
}

impl CodeTried {
    /// Uses the code up within a job, or counts the wrong try; answers whether it was right. An operation records that
    /// whatever else becomes of it, so what it answers afterwards is an outcome and not a refusal.
    ///
    /// # Errors
    /// A fault.
    pub async fn in_book<E>(&self, book: &mut Book) -> Result<bool, Stop<E>> {
        let codes = book.state::<PhoneCode>(&self.phone_code).await?;
        let attempt = PhoneCodeCommand::Try {
            code_hash: self.code_hash.clone(),
            now: self.now,
        };
        match book.decide::<PhoneCode>(&self.phone_code, &attempt).await {
            Ok(()) => Ok(codes.accepts(&self.code_hash, self.now)),
            Err(Stop::Refused(PhoneCodeError::NoCode | PhoneCodeError::TooOften)) => Ok(false),
            Err(Stop::Fault(fault)) => Err(Stop::Fault(fault)),
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn issue(seconds: i64) -> PhoneCodeCommand {
        PhoneCodeCommand::Issue {
            code_hash: "right".to_owned(),
            now: at(seconds),
        }
    }

    fn attempt(code_hash: &str, seconds: i64) -> PhoneCodeCommand {
        PhoneCodeCommand::Try {
            code_hash: code_hash.to_owned(),
            now: at(seconds),
        }
    }

    fn issued(seconds: i64) -> PhoneCodeEvent {
        PhoneCodeEvent::SmsCodeIssued {
            code_hash: "right".to_owned(),
            issued_at: at(seconds),
            expires_at: at(seconds + 300),
        }
    }

    fn rejected() -> PhoneCodeEvent {
        PhoneCodeEvent::SmsCodeRejected {}
    }

    fn consumed() -> PhoneCodeEvent {
        PhoneCodeEvent::SmsCodeConsumed {}
    }

    fn rules() -> TestFramework<PhoneCode> {
        TestFramework::with(())
    }

    #[test]
    fn codes_are_made_a_minute_apart() {
        rules()
            .given_no_previous_events()
            .when(issue(0))
            .then_expect_events(vec![issued(0)]);
        rules()
            .given(vec![issued(0)])
            .when(issue(59))
            .then_expect_error(PhoneCodeError::TooOften);
        rules()
            .given(vec![issued(0), consumed()])
            .when(issue(60))
            .then_expect_events(vec![issued(60)]);
    }

    #[test]
    fn ten_codes_are_made_in_any_24_hours() {
        let ten: Vec<_> = (0..10).map(|n| issued(n * 60)).collect();
        rules()
            .given(ten.clone())
            .when(issue(24 * 3600 - 1))
            .then_expect_error(PhoneCodeError::TooOften);
        rules()
            .given(ten.clone())
            .when(issue(24 * 3600))
            .then_expect_events(vec![issued(24 * 3600)]);
        let eleven = [ten, vec![issued(24 * 3600)]].concat();
        rules()
            .given(eleven)
            .when(issue(24 * 3600 + 59))
            .then_expect_error(PhoneCodeError::TooOften);
    }

    #[test]
    fn a_code_opens_once_and_for_five_minutes() {
        rules()
            .given(vec![issued(0)])
            .when(attempt("right", 299))
            .then_expect_events(vec![consumed()]);
        for (before, tried) in [
            (vec![], attempt("right", 1)),
            (vec![issued(0)], attempt("right", 300)),
            (vec![issued(0)], attempt("wrong", 300)),
            (vec![issued(0), consumed()], attempt("right", 1)),
        ] {
            rules()
                .given(before)
                .when(tried)
                .then_expect_error(PhoneCodeError::NoCode);
        }
    }

    #[test]
    fn five_wrong_tries_void_a_code() {
        let after = |wrong| [vec![issued(0)], vec![rejected(); wrong]].concat();
        rules()
            .given(after(4))
            .when(attempt("right", 1))
            .then_expect_events(vec![consumed()]);
        rules()
            .given(after(4))
            .when(attempt("wrong", 1))
            .then_expect_events(vec![rejected()]);
        rules()
            .given(after(5))
            .when(attempt("right", 1))
            .then_expect_error(PhoneCodeError::NoCode);
    }

    #[test]
    fn a_new_code_voids_the_last_and_forgets_its_wrong_tries() {
        let other = PhoneCodeEvent::SmsCodeIssued {
            code_hash: "other".to_owned(),
            issued_at: at(60),
            expires_at: at(360),
        };
        let before = vec![
            issued(0),
            rejected(),
            rejected(),
            rejected(),
            rejected(),
            other,
        ];
        rules()
            .given(before.clone())
            .when(attempt("right", 61))
            .then_expect_events(vec![rejected()]);
        rules()
            .given([before, vec![rejected()]].concat())
            .when(attempt("other", 61))
            .then_expect_events(vec![consumed()]);
    }
}
