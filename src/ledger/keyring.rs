//! The data keys of persons: fetched, made, remembered, forgotten.

use std::collections::HashMap;

use quick_cache::sync::Cache;
use sqlx::PgPool;

use super::keys::{Keys, Secret};
use super::personal::{PersonalError, SubjectKey};

/// How many unwrapped keys are remembered.
const REMEMBERED: usize = 50_000;

/// Unwraps and remembers data keys.
pub(super) struct KeyRing {
    keys: Keys,
    known: Cache<String, (Vec<u8>, Secret)>,
}

/// Why keys are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A key does not unwrap.
    #[error(transparent)]
    Personal(#[from] PersonalError),
}

impl KeyRing {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys,
            known: Cache::new(REMEMBERED),
        }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Drops what is remembered of an erased subject.
    pub(super) fn forget(&self, subject: &str) {
        self.known.remove(subject);
    }

    /// Reads what a row said of a subject: a wrapped key or an erasure.
    pub(super) fn read(
        &self,
        subject: &str,
        wrapped: Option<&[u8]>,
        erased: bool,
    ) -> Result<SubjectKey, PersonalError> {
        match wrapped {
            _ if erased => {
                // Whoever fetched the row before the erasure may have remembered the key after it was heard of.
                self.known.remove(subject);
                Ok(SubjectKey::Erased)
            }
            None => Err(PersonalError::NoKey(subject.to_owned())),
            Some(wrapped) => {
                if let Some((bytes, key)) = self.known.get(subject)
                    && bytes == wrapped
                {
                    return Ok(SubjectKey::Key(key));
                }
                let key = self.keys.unwrap(subject, wrapped).map_err(|source| {
                    PersonalError::DoesNotOpen {
                        subject: subject.to_owned(),
                        source,
                    }
                })?;
                self.known
                    .insert(subject.to_owned(), (wrapped.to_vec(), key.clone()));
                Ok(SubjectKey::Key(key))
            }
        }
    }

    /// Keys to seal with: remembered, else fetched, else made. The append checks that none is erased by then.
    pub(super) async fn for_sealing(
        &self,
        pool: &PgPool,
        subjects: &[String],
    ) -> Result<HashMap<String, SubjectKey>, KeyError> {
        let mut found = HashMap::new();
        let mut wanted = Vec::new();
        for subject in subjects {
            match self.known.get(subject) {
                Some((_, key)) => {
                    found.insert(subject.clone(), SubjectKey::Key(key));
                }
                None => wanted.push(subject.clone()),
            }
        }
        if wanted.is_empty() {
            return Ok(found);
        }
        let fresh: Vec<Vec<u8>> = wanted
            .iter()
            .map(|subject| self.keys.wrap(subject, &Secret::generate()))
            .collect();
        sqlx::query!(
            "INSERT INTO subject_keys (subject, wrapped_key)
             SELECT unnest($1::text[]), unnest($2::bytea[])
             ON CONFLICT (subject) DO NOTHING",
            &wanted,
            &fresh,
        )
        .execute(pool)
        .await?;
        let rows = sqlx::query!(
            "SELECT subject, wrapped_key, erased_position FROM subject_keys WHERE subject = ANY($1)",
            &wanted,
        )
        .fetch_all(pool)
        .await?;
        for row in rows {
            let key = self.read(
                &row.subject,
                row.wrapped_key.as_deref(),
                row.erased_position.is_some(),
            )?;
            found.insert(row.subject, key);
        }
        Ok(found)
    }
}
