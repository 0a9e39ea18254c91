//! The key everything secret is derived from: given, or made once and kept in the data folder.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use super::StoreSettings;

/// Where a made key is kept, in the data folder.
const FILE: &str = "master.key";

/// The 32 bytes everything secret is derived from. Prints nothing, and is wiped when the last copy goes.
#[derive(Clone)]
pub struct MasterKey(Arc<SecretBox<[u8; 32]>>);

impl MasterKey {
    /// Wraps 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(SecretBox::new(Box::new(bytes))))
    }

    /// The bytes, for key derivation only.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl FromStr for MasterKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().as_bytes();
        let decoded = match text.len() {
            64 => HEXLOWER_PERMISSIVE.decode(text),
            43 => BASE64_NOPAD.decode(text),
            _ => BASE64.decode(text),
        };
        let bytes = decoded.map(Zeroizing::new).ok();
        bytes
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
            .map(Self::new)
            .ok_or("it must be 32 bytes as base64 or hex, for example the output of `openssl rand -base64 32`")
    }
}

impl StoreSettings {
    /// The given key; without one, and with the private PostgreSQL, the one kept in the data folder, which is made at
    /// the first call. Whether it is the key that the ledger was written with, the ledger's check value says.
    ///
    /// # Errors
    /// When it must be given and is not, or the file cannot be read, understood or made.
    pub fn obtain_master_key(&self) -> Result<MasterKey, MasterKeyError> {
        if let Some(key) = &self.master_key {
            return Ok(key.clone());
        }
        if self.database_url.is_some() {
            return Err(MasterKeyError::Missing);
        }
        let path = self.data_dir.join(FILE);
        let at = |source| MasterKeyError::File {
            path: path.clone(),
            source,
        };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&self.data_dir)
                    .and_then(|()| make(&self.data_dir, &path))
                    .map_err(at)?;
                fs::read_to_string(&path)
            }
            read => read,
        };
        let text = text.map(Zeroizing::new).map_err(at)?;
        text.parse().map_err(|reason| MasterKeyError::Unreadable {
            path: path.clone(),
            reason,
        })
    }
}

/// Makes the file whole or not at all, and never over one that is there.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    let text = Zeroizing::new(BASE64.encode(&*bytes));
    let unfinished = path.with_extension(format!("key-{}", uuid::Uuid::new_v4()));
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        // Another process was faster; its key counts.
        Err(_) | Ok(()) => {}
    }
    File::open(folder)?.sync_all()
}

/// Why there is no master key. Each is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// With `DATABASE_URL` several nodes may share a database, and a key made here would be good for one only.
    #[error(
        "SHIJI_MASTER_KEY is missing: with DATABASE_URL it must be given, 32 bytes as base64 or hex, the same for every node"
    )]
    Missing,
    /// The kept key is damaged.
    #[error("the master key in {} cannot be used: {reason}; restore the file, for without it sealed data stays sealed", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file system says no.
    #[error("the master key in {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_master_key_may_be_hex_or_base64() {
        let bytes = std::array::from_fn(|i| u8::try_from(i * 7).unwrap());
        for text in [
            HEXLOWER_PERMISSIVE.encode(&bytes),
            BASE64.encode(&bytes),
            BASE64_NOPAD.encode(&bytes),
        ] {
            assert_eq!(text.parse::<MasterKey>().unwrap().expose(), &bytes);
        }
    }

    fn store(data_dir: &Path) -> StoreSettings {
        StoreSettings {
            data_dir: data_dir.to_owned(),
            database_url: None,
            master_key: None,
            pg_bin: None,
            pg_user: "postgres".to_owned(),
        }
    }

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder.path().join("data"));
        let made = store.obtain_master_key().unwrap();
        assert_eq!(store.obtain_master_key().unwrap().expose(), made.expose());
        let file = store.data_dir.join(FILE);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::read_dir(&store.data_dir).unwrap().count(),
            1,
            "nothing else is left there"
        );
    }

    #[test]
    fn a_given_key_wins_and_a_damaged_one_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        fs::write(folder.path().join(FILE), "half a k").unwrap();
        let refusal = store.obtain_master_key().unwrap_err().to_string();
        assert!(
            refusal.contains("cannot be used: it must be 32 bytes"),
            "{refusal}"
        );
        store.master_key = Some(MasterKey::new([7; 32]));
        assert_eq!(store.obtain_master_key().unwrap().expose(), &[7; 32]);
    }

    #[test]
    fn with_a_database_of_ones_own_the_key_must_be_given() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        store.database_url = Some("postgres://db/x".into());
        let refusal = store.obtain_master_key().unwrap_err().to_string();
        assert!(
            refusal.starts_with("SHIJI_MASTER_KEY is missing"),
            "{refusal}"
        );
    }
}
