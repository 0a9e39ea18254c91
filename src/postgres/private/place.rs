//! Which folder, which user, and the lock on the folder.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{Read, Seek, Write},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::{
    fcntl::{Flock, FlockArg},
    unistd::{Uid, User, geteuid},
};
use sha2::{Digest, Sha256};

use super::{PORT, PrivateError, at};

/// Where the files go when the server's user cannot enter the data folder.
const SYSTEM_FOLDER: &str = "/var/lib/shiji";
/// In the data folder: names the folder under [`SYSTEM_FOLDER`], so that the choice is made once.
const POINTER: &str = "postgres.path";
/// The longest socket path that works everywhere (Linux takes 107 bytes, macOS 103).
const SOCKET_PATH_MAX: usize = 103;

/// Makes the data folder and gives its full path.
pub(super) fn open(data_dir: &Path) -> Result<PathBuf, PrivateError> {
    fs::create_dir_all(data_dir).map_err(at(data_dir))?;
    data_dir.canonicalize().map_err(at(data_dir))
}

/// The lock on a data folder, held for the life of the process and let go by the kernel however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: Flock<File>,
}

impl Lock {
    pub(super) fn take(data_dir: &Path) -> Result<Self, PrivateError> {
        let path = data_dir.join("service.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(at(&path))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                let note = format!("process {}\n", std::process::id());
                file.set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| file.write_all(note.as_bytes()))
                    .map_err(at(&path))?;
                Ok(Self { _file: file })
            }
            Err((mut file, _)) => {
                let mut note = String::new();
                let owner = match file.read_to_string(&mut note) {
                    Ok(_) if !note.trim().is_empty() => note.trim().to_owned(),
                    _ => "process unknown".to_owned(),
                };
                Err(PrivateError::InUse {
                    folder: data_dir.to_owned(),
                    owner,
                })
            }
        }
    }
}

/// Who runs the server's programs: another user when we are root, ourselves otherwise.
#[derive(Debug, Clone)]
pub(super) struct Runner {
    other: Option<Account>,
}

#[derive(Debug, Clone)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Runner {
    /// As root: the owner of the data directory if there is one, for PostgreSQL insists on that, else the named user.
    pub(super) fn find(name: &str, data_dir: &Path) -> Result<Self, PrivateError> {
        if !geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let files = fs::metadata(Place::recorded(data_dir).cluster)
            .ok()
            .filter(|files| files.uid() != 0);
        let account = match (files, User::from_name(name)) {
            (Some(files), _) => Account {
                name: account_name(files.uid()),
                uid: files.uid(),
                gid: files.gid(),
            },
            (None, Ok(Some(user))) if !user.uid.is_root() => Account {
                name: user.name,
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            },
            (None, _) => return Err(PrivateError::NoUser(name.to_owned())),
        };
        Ok(Self {
            other: Some(account),
        })
    }

    fn name(&self) -> String {
        self.other.as_ref().map_or_else(
            || account_name(geteuid().as_raw()),
            |account| account.name.clone(),
        )
    }

    /// A command that this user runs, away from our terminal: no input, own process group (so that Ctrl-C reaches the
    /// service alone, which then stops the server in order), and none of the `PG…` variables that would bend it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if let Some(user) = &self.other {
            // std drops the supplementary groups of root along with its ids.
            command
                .uid(user.uid)
                .gid(user.gid)
                .env("HOME", "/")
                .env("USER", &user.name);
        }
        command
    }

    /// Makes a folder that only this user can open.
    fn own_folder(&self, path: &Path) -> Result<(), PrivateError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(at(path)(error));
            }
            Err(_) | Ok(()) => {}
        }
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(at(path))?;
        self.take_over(path)
    }

    /// Gives a folder or file to this user.
    pub(super) fn take_over(&self, path: &Path) -> Result<(), PrivateError> {
        match &self.other {
            Some(user) => {
                std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).map_err(at(path))
            }
            None => Ok(()),
        }
    }

    fn can_enter(&self, folder: &Path) -> bool {
        self.other.is_none()
            || self
                .command(Path::new("/bin/sh"))
                .args(["-c", "cd \"$1\"", "sh"])
                .arg(folder)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
    }
}

/// The folders of a private server.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The data folder, or what stands in for it.
    pub folder: PathBuf,
    /// PostgreSQL's data directory.
    pub cluster: PathBuf,
    /// Where the socket is.
    pub socket_dir: PathBuf,
}

impl Place {
    fn at(folder: &Path) -> Self {
        let beside = folder.join("run");
        let socket_dir =
            if beside.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() > SOCKET_PATH_MAX {
                PathBuf::from(format!("/tmp/shiji-{}", short_hash(folder)))
            } else {
                beside
            };
        Self {
            cluster: folder.join("postgres"),
            folder: folder.to_owned(),
            socket_dir,
        }
    }

    /// The place chosen at the first start.
    pub(super) fn recorded(data_dir: &Path) -> Self {
        match fs::read_to_string(data_dir.join(POINTER)) {
            Ok(path) => Self::at(Path::new(path.trim_end())),
            Err(_) => Self::at(data_dir),
        }
    }

    /// Finds the place, or chooses it at the first start; makes its folders.
    pub(super) fn choose(data_dir: &Path, runner: &Runner) -> Result<Self, PrivateError> {
        let mut place = Self::recorded(data_dir);
        if !runner.can_enter(&place.folder) {
            // Files that exist are never left behind for an empty folder elsewhere.
            if place.cluster.exists() || place.folder != data_dir {
                let user = runner.name();
                return Err(PrivateError::Unreachable {
                    user,
                    folder: place.folder,
                });
            }
            place = Self::instead_of(data_dir, runner)?;
        }
        runner.own_folder(&place.socket_dir)?;
        place.check_socket_dir(runner)?;
        Ok(place)
    }

    fn instead_of(data_dir: &Path, runner: &Runner) -> Result<Self, PrivateError> {
        let folder = Path::new(SYSTEM_FOLDER).join(short_hash(data_dir));
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        if !runner.can_enter(&folder) {
            let user = runner.name();
            return Err(PrivateError::Unreachable { user, folder });
        }
        let pointer = data_dir.join(POINTER);
        fs::write(&pointer, folder.as_os_str().as_encoded_bytes()).map_err(at(&pointer))?;
        tracing::warn!(
            "The user who runs PostgreSQL cannot enter {}: the database is kept in {} instead ({POINTER} remembers it)",
            data_dir.display(),
            folder.display()
        );
        Ok(Self::at(&folder))
    }

    /// A folder in /tmp could have been put there by somebody else, who would then be the server.
    fn check_socket_dir(&self, runner: &Runner) -> Result<(), PrivateError> {
        let wanted = runner
            .other
            .as_ref()
            .map_or_else(|| geteuid().as_raw(), |user| user.uid);
        let found = fs::symlink_metadata(&self.socket_dir).map_err(at(&self.socket_dir))?;
        if found.is_dir() && found.uid() == wanted {
            return Ok(());
        }
        Err(at(&self.socket_dir)(std::io::Error::other(
            "this folder for the socket belongs to somebody else",
        )))
    }

    /// The major version that made the files, if there are any.
    pub(super) fn version(&self) -> Result<Option<String>, PrivateError> {
        let path = self.cluster.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(version) => Ok(Some(version.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }
}

fn account_name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}

fn short_hash(path: &Path) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..8])
}
