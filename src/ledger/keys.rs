//! The master key and what is derived from it, by label.
//!
//! Nothing is encrypted with the master key itself: `wrap` wraps the data keys of persons, `names` hashes values
//! that become part of a stream id (never rotated), `tokens` derives mini-program tokens, `answers` seals stored outcomes, `codes`
//! hashes SMS codes.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, Generate, KeyInit, Nonce, Payload};
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a nonce in front of every ciphertext.
const NONCE: usize = 12;

/// 32 secret bytes. Prints nothing.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes 32 bytes as a secret.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 32 bytes from the system's generator.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// HMAC-SHA-256 of `message` under this secret.
    #[must_use]
    pub fn mac(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// AES-256-GCM of `clear`, bound to `context`; a fresh nonce stands in front.
    #[must_use]
    pub fn seal(&self, context: &[u8], clear: &[u8]) -> Vec<u8> {
        let nonce = Nonce::<Aes256Gcm>::generate();
        let payload = Payload {
            msg: clear,
            aad: context,
        };
        let sealed = Aes256Gcm::new(&self.0.into())
            .encrypt(&nonce, payload)
            .unwrap_or_else(|_| unreachable!("AES-GCM refuses only texts beyond 64 GiB"));
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`Secret::seal`] made under the same context.
    ///
    /// # Errors
    /// [`DoesNotOpen`] when key, context or bytes differ.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE>().ok_or(DoesNotOpen)?;
        let payload = Payload { msg, aad: context };
        Aes256Gcm::new(&self.0.into())
            .decrypt(&Nonce::<Aes256Gcm>::from(*nonce), payload)
            .map_err(|_| DoesNotOpen)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// A ciphertext that does not open: another key, another place, or damaged. Never an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with this master key")]
pub struct DoesNotOpen;

/// The keys of this house, derived from the master key.
#[derive(Clone, Debug)]
pub struct Keys {
    wrap: Secret,
    names: Secret,
    tokens: Secret,
    answers: Secret,
    codes: Secret,
    check: [u8; 32],
}

impl Keys {
    /// Derives everything from the master key.
    #[must_use]
    pub fn derive(master: &Secret) -> Self {
        let derive = |label: &str| Secret(master.mac(format!("shiji/{label}").as_bytes()));
        Self {
            wrap: derive("wrap/1"),
            names: derive("names"),
            tokens: derive("tokens"),
            answers: derive("answers"),
            codes: derive("codes"),
            check: derive("check").mac(b"this is the master key of this log"),
        }
    }

    /// What the log keeps to recognize a foreign master key.
    #[must_use]
    pub fn check(&self) -> &[u8; 32] {
        &self.check
    }

    /// A value that becomes part of a stream id: keyed hash, hex, 32 characters (contract README 2.10).
    #[must_use]
    pub fn name(&self, scope: &str, value: &str) -> String {
        let mac = self.names.mac(format!("{scope}\n{value}").as_bytes());
        HEXLOWER.encode(&mac[..16])
    }

    /// A one-time code sent to whom `recipient` names: keyed hash, hex. A code is short, so a hash without a key says it.
    #[must_use]
    pub fn code(&self, recipient: &str, code: &str) -> String {
        let mac = self.codes.mac(format!("{recipient}\n{code}").as_bytes());
        HEXLOWER.encode(&mac)
    }

    /// The key mini-program tokens are derived under.
    #[must_use]
    pub fn tokens(&self) -> &Secret {
        &self.tokens
    }

    /// The key stored outcomes and answers are sealed under.
    #[must_use]
    pub fn answers(&self) -> &Secret {
        &self.answers
    }

    /// Wraps the data key of a subject. The first byte names the wrapping key.
    #[must_use]
    pub fn wrap(&self, subject: &str, key: &Secret) -> Vec<u8> {
        let mut wrapped = vec![1];
        wrapped.extend(self.wrap.seal(subject.as_bytes(), &key.0));
        wrapped
    }

    /// Unwraps the data key of a subject.
    ///
    /// # Errors
    /// [`DoesNotOpen`] when it was wrapped under another master key or for somebody else.
    pub fn unwrap(&self, subject: &str, wrapped: &[u8]) -> Result<Secret, DoesNotOpen> {
        let Some((1, sealed)) = wrapped.split_first() else {
            return Err(DoesNotOpen);
        };
        let mut clear = self.wrap.open(subject.as_bytes(), sealed)?;
        let key = clear
            .as_slice()
            .try_into()
            .map(Secret)
            .map_err(|_| DoesNotOpen);
        clear.zeroize();
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_with_its_key_and_in_its_place() {
        let key = Secret::generate();
        let sealed = key.seal(b"here", b"13800000000");
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"13800000000");
        assert_eq!(key.open(b"there", &sealed), Err(DoesNotOpen));
        assert_eq!(Secret::generate().open(b"here", &sealed), Err(DoesNotOpen));
        assert_eq!(key.open(b"here", &sealed[..5]), Err(DoesNotOpen));
    }

    #[test]
    fn a_wrapped_key_unwraps_for_its_subject_under_its_master_only() {
        let ours = Keys::derive(&Secret::new([1; 32]));
        let theirs = Keys::derive(&Secret::new([2; 32]));
        let key = Secret::generate();
        let wrapped = ours.wrap("Account:backend:1", &key);
        assert_eq!(ours.unwrap("Account:backend:1", &wrapped), Ok(key));
        assert_eq!(ours.unwrap("Account:backend:2", &wrapped), Err(DoesNotOpen));
        assert_eq!(
            theirs.unwrap("Account:backend:1", &wrapped),
            Err(DoesNotOpen)
        );
        assert_ne!(ours.check(), theirs.check());
    }

    #[test]
    fn names_are_stable_and_differ_by_scope() {
        let keys = Keys::derive(&Secret::new([7; 32]));
        assert_eq!(
            keys.name("community-phone", "86-138"),
            keys.name("community-phone", "86-138")
        );
        assert_ne!(
            keys.name("community-phone", "x"),
            keys.name("wechat-openid", "x")
        );
        assert_eq!(keys.name("a", "b").len(), 32);
        assert_ne!(keys.code("a", "123456"), keys.code("b", "123456"));
    }
}
