//! What can have happened to the SMS codes of a phone, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use chrono::serde::ts_milliseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Wrong tries that void a code.
const TRIES: u8 = 5;
/// Codes whose moments are remembered: as many as one day may see.
const REMEMBERED: usize = 10;

/// Facts about the codes of a phone. Its stream is `PhoneCode:{keyed hash of the phone}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PhoneCodeEvent {
    /// A code was made, and any earlier one is void.
    SmsCodeIssued {
        /// Keyed hash of the code, hex.
        code_hash: String,
        /// When it was made, milliseconds since the epoch.
        #[serde(with = "ts_milliseconds")]
        issued_at: DateTime<Utc>,
        /// From when on it is void, milliseconds since the epoch.
        #[serde(with = "ts_milliseconds")]
        expires_at: DateTime<Utc>,
    },
    /// Somebody tried another code.
    SmsCodeRejected {},
    /// Somebody knew it: it is used up.
    SmsCodeConsumed {},
}

stored_events!(PhoneCodeEvent {
    SmsCodeIssued: 1,
    SmsCodeRejected: 1,
    SmsCodeConsumed: 1,
});

/// The codes of a phone as their own rules need to see them.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneCode {
    /// The one code that may still be good.
    pub live: Option<LiveCode>,
    /// When the last codes were made, the latest last.
    pub issued_at: Vec<DateTime<Utc>>,
}

/// A code that is not used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCode {
    /// Keyed hash of the code, hex.
    pub code_hash: String,
    /// From when on it is void.
    pub expires_at: DateTime<Utc>,
    /// How many wrong tries it survives.
    pub tries_left: u8,
}

impl State for PhoneCode {
    const TYPE: &'static str = "PhoneCode";
    type Event = PhoneCodeEvent;

    fn apply(&mut self, event: &PhoneCodeEvent) {
        match event {
            PhoneCodeEvent::SmsCodeIssued {
                code_hash,
                issued_at,
                expires_at,
            } => {
                if self.issued_at.len() == REMEMBERED {
                    self.issued_at.remove(0);
                }
                self.issued_at.push(*issued_at);
                self.live = Some(LiveCode {
                    code_hash: code_hash.clone(),
                    expires_at: *expires_at,
                    tries_left: TRIES,
                });
            }
            PhoneCodeEvent::SmsCodeRejected {} => {
                self.live = self.live.take().and_then(|code| {
                    let tries_left = code.tries_left.saturating_sub(1);
                    (tries_left > 0).then_some(LiveCode { tries_left, ..code })
                });
            }
            PhoneCodeEvent::SmsCodeConsumed {} => self.live = None,
        }
    }
}
