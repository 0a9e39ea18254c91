//! Where stored files lie: a folder, written durably, or a bucket (`bucket.rs`). Keys are made by us, never from what a client
//! said.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};

use crate::settings::FileSettings;

/// Stores files under keys. Cheap to clone.
#[derive(Clone)]
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    /// Whether files are only read.
    shut: bool,
}

/// Why a file could not be stored, read or removed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the file store failed: {0}")]
pub struct FileError(Arc<dyn std::error::Error + Send + Sync>);

impl FileError {
    pub(super) fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

/// The bytes of a stored file, as they come.
pub struct Opened {
    /// How many.
    pub size: u64,
    /// They.
    pub bytes: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, FileError>> + Send>>,
}

/// The store is only read from here.
#[derive(Debug, thiserror::Error)]
#[error("files are only read here")]
struct OnlyRead;

/// A bucket is named, and the program was built without what it takes.
#[cfg(not(feature = "s3"))]
#[derive(Debug, thiserror::Error)]
#[error("this program was built without the feature `s3`")]
struct NoBuckets;

impl FileStore {
    /// Files where the operator said, else in this folder.
    ///
    /// # Errors
    /// When the folder cannot be made or entered, or the bucket cannot be used as it was said.
    pub fn configured(settings: &FileSettings, folder: &Path) -> Result<Self, FileError> {
        match &settings.s3_bucket {
            None => Self::local(folder),
            #[cfg(feature = "s3")]
            Some(bucket) => super::bucket::open(bucket, settings),
            #[cfg(not(feature = "s3"))]
            Some(_) => Err(FileError::new(NoBuckets)),
        }
    }

    #[cfg(feature = "s3")]
    pub(super) fn over(store: impl ObjectStore) -> Self {
        Self {
            store: Arc::new(store),
            shut: false,
        }
    }

    /// Files in a folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made or entered.
    pub fn local(folder: &Path) -> Result<Self, FileError> {
        std::fs::create_dir_all(folder).map_err(FileError::new)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(FileError::new)?;
        Ok(Self {
            store: Arc::new(store.with_fsync(true)),
            shut: false,
        })
    }

    /// The same files, for somebody who must not change them: nothing is stored or removed any more.
    #[must_use]
    pub fn only_read(self) -> Self {
        Self { shut: true, ..self }
    }

    fn open_for_writing(&self) -> Result<(), FileError> {
        if self.shut {
            return Err(FileError::new(OnlyRead));
        }
        Ok(())
    }

    /// Stores a file; it is durable when this returns.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), FileError> {
        self.open_for_writing()?;
        let stored = self.store.put(&path(key)?, bytes.into()).await;
        stored.map(|_| ()).map_err(FileError::new)
    }

    /// Stores a file under a key that has none yet; it is durable when this returns. Answers whether these bytes lie there
    /// now: whoever was faster with others keeps its place, and repeating is as good.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn put_once(&self, key: &str, bytes: Bytes) -> Result<bool, FileError> {
        self.open_for_writing()?;
        let key = path(key)?;
        let stored = self
            .store
            .put_opts(&key, bytes.clone().into(), PutMode::Create.into())
            .await;
        match stored {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => {
                let there = self.store.get(&key).await.map_err(FileError::new)?;
                Ok(there.bytes().await.map_err(FileError::new)? == bytes)
            }
            Err(error) => Err(FileError::new(error)),
        }
    }

    /// Opens a file; `None` when there is none.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn open(&self, key: &str) -> Result<Option<Opened>, FileError> {
        match self.store.get(&path(key)?).await {
            Ok(found) => Ok(Some(Opened {
                size: found.meta.size,
                bytes: Box::pin(found.into_stream().map_err(FileError::new)),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(FileError::new(error)),
        }
    }

    /// Whether there is a file.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn has(&self, key: &str) -> Result<bool, FileError> {
        match self.store.head(&path(key)?).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(FileError::new(error)),
        }
    }

    /// The keys of all files in a folder and below.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn keys(&self, folder: &str) -> Result<Vec<String>, FileError> {
        let found = self.store.list(Some(&path(folder)?));
        let keys = found.map_ok(|file| format!("/{}", file.location));
        keys.try_collect().await.map_err(FileError::new)
    }

    /// Removes a file; that there is none is as good.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn delete(&self, key: &str) -> Result<(), FileError> {
        self.open_for_writing()?;
        match self.store.delete(&path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(FileError::new(error)),
        }
    }
}

/// `..` and empty parts are refused; a slash in front is the root.
fn path(key: &str) -> Result<object_store::path::Path, FileError> {
    object_store::path::Path::parse(key).map_err(FileError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_stored_can_be_read_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::local(&folder.path().join("files")).unwrap();
        let key = "/upload/20240102/a.png";
        assert!(store.open(key).await.unwrap().is_none());
        assert!(!store.has(key).await.unwrap());
        assert_eq!(store.keys("/upload").await.unwrap(), [""; 0]);
        store.put(key, Bytes::from_static(b"png")).await.unwrap();
        let opened = store.open(key).await.unwrap().unwrap();
        assert_eq!(opened.size, 3);
        assert!(store.has(key).await.unwrap());
        assert_eq!(store.keys("/upload").await.unwrap(), [key]);
        assert_eq!(store.keys("/up").await.unwrap(), [""; 0]);
        let bytes: Vec<Bytes> = opened.bytes.try_collect().await.unwrap();
        assert_eq!(bytes.concat(), b"png");
        store.delete(key).await.unwrap();
        store.delete(key).await.unwrap();
        assert!(store.open(key).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn who_only_reads_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::local(folder.path()).unwrap();
        let (key, bytes) = ("/media/a.png", Bytes::from_static(b"one"));
        store.put(key, bytes.clone()).await.unwrap();
        let reader = store.only_read();
        assert!(reader.put("/media/b.png", bytes.clone()).await.is_err());
        assert!(reader.put_once("/media/b.png", bytes).await.is_err());
        assert!(reader.delete(key).await.is_err());
        assert_eq!(reader.keys("/media").await.unwrap(), [key]);
    }

    #[tokio::test]
    async fn the_first_keeps_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::local(folder.path()).unwrap();
        let (one, two) = (Bytes::from_static(b"one"), Bytes::from_static(b"two"));
        assert!(store.put_once("/media/a.png", one.clone()).await.unwrap());
        assert!(store.put_once("/media/a.png", one).await.unwrap());
        assert!(!store.put_once("/media/a.png", two).await.unwrap());
        let opened = store.open("/media/a.png").await.unwrap().unwrap();
        let bytes: Vec<Bytes> = opened.bytes.try_collect().await.unwrap();
        assert_eq!(bytes.concat(), b"one");
    }

    #[tokio::test]
    async fn nothing_outside_the_folder_has_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::local(&folder.path().join("files")).unwrap();
        for key in ["../secret", "/upload/../../secret", "/upload//x"] {
            assert!(store.open(key).await.is_err(), "{key}");
        }
    }
}
