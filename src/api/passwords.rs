//! Argon2id, as many at a time as there are cores, so that logins cannot take the machine.

use std::sync::{Arc, OnceLock};

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    seats: Arc<Semaphore>,
}

/// Why a password could not be hashed or verified. Never: that it was wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PasswordFault {
    /// The work was cut off.
    #[error("hashing a password broke off")]
    BrokeOff,
    /// The hasher said no, or the stored hash is none.
    #[error("a password cannot be hashed or verified: {0}")]
    Hash(String),
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            seats: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Passwords {
    /// The PHC text of a new hash.
    ///
    /// # Errors
    /// [`PasswordFault`].
    pub async fn hash(&self, password: &str) -> Result<String, PasswordFault> {
        let password = Zeroizing::new(password.to_owned());
        self.seated(move || hash(&password)).await?
    }

    /// Is it the password of this hash? Without a hash the same time is spent and the answer is no, so that the
    /// clock does not tell which names exist.
    ///
    /// # Errors
    /// [`PasswordFault`].
    pub async fn verify(
        &self,
        password: &str,
        stored: Option<String>,
    ) -> Result<bool, PasswordFault> {
        let password = Zeroizing::new(password.to_owned());
        self.seated(move || match stored {
            Some(stored) => verify(&password, &stored),
            None => verify(&password, dummy()?).map(|_| false),
        })
        .await?
    }

    async fn seated<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordFault> {
        let seat = Arc::clone(&self.seats).acquire_owned().await;
        let seat = seat.map_err(|_| PasswordFault::BrokeOff)?;
        tokio::task::spawn_blocking(move || {
            // Held by the work itself: whoever asked may be gone before it is done.
            let _seat = seat;
            work()
        })
        .await
        .map_err(|_| PasswordFault::BrokeOff)
    }
}

fn hash(password: &str) -> Result<String, PasswordFault> {
    match Argon2::default().hash_password(password.as_bytes()) {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => Err(PasswordFault::Hash(error.to_string())),
    }
}

fn verify(password: &str, stored: &str) -> Result<bool, PasswordFault> {
    match Argon2::default().verify_password(password.as_bytes(), stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordFault::Hash(error.to_string())),
    }
}

/// A hash of nobody's password.
fn dummy() -> Result<&'static str, PasswordFault> {
    static DUMMY: OnceLock<String> = OnceLock::new();
    if let Some(made) = DUMMY.get() {
        return Ok(made);
    }
    let made = hash("nobody's")?;
    Ok(DUMMY.get_or_init(|| made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            passwords
                .verify("correct horse", Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("Correct horse", Some(hash)).await.unwrap());
        assert!(!passwords.verify("nobody's", None).await.unwrap());
        assert!(
            passwords
                .verify("x", Some("not a hash".to_owned()))
                .await
                .is_err()
        );
    }
}
