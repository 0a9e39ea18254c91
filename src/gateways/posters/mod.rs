//! Posters of business cards, drawn by the service itself: words in fonts of its own, the card's picture and QR code. Drawing
//! takes a core for a moment, so it is done in threads of its own, few at a time, and what was drawn is kept.
//!
//! | file | what |
//! |---|---|
//! | `drawing.rs` | what stands where |
//! | `letters.rs` | fonts, and where lines break |

mod drawing;
mod letters;
#[cfg(test)]
mod tests;

use std::fmt::{Debug, Display};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::files::{FileError, FileStore};
use letters::Letters;

/// Raised whenever the same poster would be drawn otherwise: then the kept ones are of no use any more.
const LOOK: u8 = 1;
/// Posters drawn at once.
const AT_ONCE: usize = 2;

/// What a poster shows. Empty is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Poster {
    /// Whose card it is.
    pub uid: i64,
    /// Their name.
    pub username: String,
    /// Their job title.
    pub position: String,
    /// Where they work.
    pub company: String,
    /// Their phone number.
    pub phone: String,
    /// What they say of themselves.
    pub sign: String,
    /// Where the QR code leads.
    pub link: String,
    /// Their picture; without one, or with one that cannot be read, their name stands there.
    pub avatar: Option<Bytes>,
    /// A QR code made elsewhere.
    pub qr_code: Option<Bytes>,
}

impl Poster {
    /// What tells it from posters that look otherwise.
    #[must_use]
    pub fn tag(&self) -> String {
        let texts = [
            &self.username,
            &self.position,
            &self.company,
            &self.phone,
            &self.sign,
            &self.link,
        ];
        let texts = texts.map(|text| Some(text.as_bytes()));
        let pictures = [self.avatar.as_deref(), self.qr_code.as_deref()];
        let mut hash = Sha256::new();
        hash.update([LOOK]);
        for part in texts.into_iter().chain(pictures) {
            // Each with its length, so that nothing moves from one to the next.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        data_encoding::HEXLOWER.encode(&hash.finalize())
    }

    /// Where it lies in the file store.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}.png", folder(self.uid), self.tag())
    }
}

/// Where the posters of a card lie.
fn folder(uid: i64) -> String {
    format!("/posters/{uid}")
}

/// Why there is no poster.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PosterError {
    /// It could not be drawn.
    #[error("a poster could not be drawn: {0}")]
    Drawing(String),
    /// It could not be kept.
    #[error(transparent)]
    Files(#[from] FileError),
}

impl PosterError {
    fn new(cause: &(impl Display + ?Sized)) -> Self {
        Self::Drawing(cause.to_string())
    }
}

/// Draws posters. Cheap to clone.
#[derive(Clone)]
pub struct Posters {
    inner: Arc<Inner>,
}

struct Inner {
    seats: Arc<Semaphore>,
    font_dir: Option<PathBuf>,
    /// Read when the first poster is drawn.
    letters: OnceLock<Letters>,
}

impl Debug for Posters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Posters").finish_non_exhaustive()
    }
}

impl Posters {
    /// With the fonts of a folder beside our own.
    #[must_use]
    pub fn new(font_dir: Option<PathBuf>) -> Self {
        Self {
            inner: Arc::new(Inner {
                seats: Arc::new(Semaphore::new(AT_ONCE)),
                font_dir,
                letters: OnceLock::new(),
            }),
        }
    }

    /// Sees to it that the poster lies under its key, and that no older one of this card does.
    ///
    /// # Errors
    /// [`PosterError`].
    pub async fn keep(&self, files: &FileStore, poster: Poster) -> Result<(), PosterError> {
        let key = poster.key();
        if files.has(&key).await? {
            return Ok(());
        }
        let uid = poster.uid;
        let Some(png) = self.drawn(files, poster).await? else {
            return Ok(());
        };
        files.put(&key, png).await?;
        // What somebody was called before is nobody's business.
        forget(files, uid, Some(&key)).await?;
        Ok(())
    }

    /// The poster as a PNG; `None` when somebody drew it while it waited for a seat.
    async fn drawn(&self, files: &FileStore, poster: Poster) -> Result<Option<Bytes>, PosterError> {
        let seats = Arc::clone(&self.inner.seats);
        let seat = seats.acquire_owned().await;
        let seat = seat.map_err(|error| PosterError::new(&error))?;
        if files.has(&poster.key()).await? {
            return Ok(None);
        }
        let inner = Arc::clone(&self.inner);
        let drawing = tokio::task::spawn_blocking(move || {
            // Kept by the thread: a caller that goes away does not end it.
            let _seat = seat;
            inner.draw(&poster)
        });
        let drawn = drawing.await.map_err(|error| PosterError::new(&error))?;
        drawn.map(Some)
    }
}

impl Inner {
    fn draw(&self, poster: &Poster) -> Result<Bytes, PosterError> {
        let read = || Letters::read(self.font_dir.as_deref());
        let letters = self.letters.get_or_init(read);
        drawing::png(poster, letters).map(Bytes::from)
    }
}

/// Removes the posters of a card, all or all but one: they show what their owner may want forgotten. Answers how many.
///
/// # Errors
/// [`PosterError`].
pub async fn forget(files: &FileStore, uid: i64, but: Option<&str>) -> Result<u64, PosterError> {
    let mut removed = 0;
    for key in files.keys(&folder(uid)).await? {
        if but != Some(key.as_str()) {
            files.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
