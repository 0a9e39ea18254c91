//! The private PostgreSQL: started, watched and stopped by shiji when no `DATABASE_URL` is given.
//!
//! - `place`: which folder and which user; the lock that keeps two services off one data folder.
//! - `programs`: which `postgres` and `initdb`.
//! - `cluster`: making the data directory, its settings, reading `postmaster.pid`, ending what a killed service left.
//! - `supervisor`: the thread that starts the server, brings it back when it dies, and stops it.
//!
//! The server listens on a Unix socket only and is durable. It survives `kill -9` of either side: the supervisor
//! starts it again, and a watchdog process stops it when the service is gone.

mod cluster;
mod place;
mod programs;
mod supervisor;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use self::{
    cluster::Cluster,
    place::{Lock, Place, Runner},
    programs::Programs,
    supervisor::Supervisor,
};
use crate::settings::StoreSettings;

/// The superuser of a private server; it owns everything in it.
const OWNER: &str = "postgres";
/// Only part of the socket's name, since nothing listens on TCP.
const PORT: u16 = 5432;

/// What a private server is started with.
#[derive(Debug, Clone)]
pub struct PrivateOptions {
    /// The data folder; the server's files go to `postgres/` inside it.
    pub data_dir: PathBuf,
    /// Where its programs are, when not to be looked for.
    pub pg_bin: Option<PathBuf>,
    /// Who runs it when we are root.
    pub user: String,
    /// Whether what is committed survives a power cut. `false` is for tests and scratch servers only.
    pub durable: bool,
}

impl From<&StoreSettings> for PrivateOptions {
    fn from(store: &StoreSettings) -> Self {
        Self {
            data_dir: store.data_dir.clone(),
            pg_bin: store.pg_bin.clone(),
            user: store.pg_user.clone(),
            durable: true,
        }
    }
}

/// A running private server. Dropping it stops it, which blocks for the time of a shutdown checkpoint.
#[derive(Debug)]
pub struct PrivateServer {
    supervisor: Supervisor,
    cluster: Cluster,
    _lock: Lock,
}

impl PrivateServer {
    /// Starts the server of a data folder, making the folder and the server's files when they are missing, and
    /// returns when it takes connections. Blocks; takes a second or two the first time.
    ///
    /// # Errors
    /// One sentence for the operator: another service uses the folder, no suitable programs, no user to run as, or
    /// PostgreSQL's own last words.
    pub fn start(options: &PrivateOptions) -> Result<Self, PrivateError> {
        let data_dir = place::open(&options.data_dir)?;
        let lock = Lock::take(&data_dir)?;
        let runner = Runner::find(&options.user, &data_dir)?;
        let place = Place::choose(&data_dir, &runner)?;
        let programs = Programs::find(options.pg_bin.as_deref(), place.version()?.as_deref())?;
        let cluster = Cluster {
            place,
            programs,
            runner,
            durable: options.durable,
        };
        cluster.prepare()?;
        cluster.end_leftover()?;
        let supervisor = Supervisor::start(cluster.clone())?;
        Ok(Self {
            supervisor,
            cluster,
            _lock: lock,
        })
    }

    /// How its owner connects, to the database of this name.
    #[must_use]
    pub fn options(&self, database: &str) -> PgConnectOptions {
        socket_options(&self.cluster.place.socket_dir, PORT, database)
    }

    /// Process id of the postmaster, while there is one.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.supervisor.pid()
    }

    /// Whether it takes connections; `false` while it is being brought back.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.supervisor.is_ready()
    }

    /// The folder that holds its files: the data folder, or one under `/var/lib/shiji`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.cluster.place.folder
    }

    /// Stops it and returns when it is down: a second call does nothing.
    pub fn stop(&self) {
        self.supervisor.stop();
        let place = &self.cluster.place;
        if !place.socket_dir.starts_with(&place.folder) {
            // Empty now; if not, it is used again by the next start.
            let _ = fs::remove_dir(&place.socket_dir);
        }
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How to reach the private server that another shiji process runs on this data folder, if one does.
#[must_use]
pub fn running(data_dir: &Path, database: &str) -> Option<PgConnectOptions> {
    let data_dir = data_dir.canonicalize().ok()?;
    let place = Place::recorded(&data_dir);
    let pidfile = cluster::PidFile::read(&place.cluster)?;
    pidfile
        .ready
        .then(|| socket_options(&pidfile.socket_dir, pidfile.port, database))
}

fn socket_options(dir: &Path, port: u16, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(dir)
        .port(port)
        .username(OWNER)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
}

/// Why there is no private server. Each is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The data folder has a service already.
    #[error("another shiji ({owner}) is using the data folder {}; stop it first, or give this one its own with SHIJI_DATA_DIR", .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What is known about the other process.
        owner: String,
    },
    /// No PostgreSQL programs were found.
    #[error(
        "no PostgreSQL server programs (initdb, postgres) of version 15 or later were found; `make run` installs them, SHIJI_PG_BIN names their folder, and DATABASE_URL names a server that runs already"
    )]
    NoPrograms,
    /// The named folder has none.
    #[error("SHIJI_PG_BIN names {}, which has no working `postgres` and `initdb`", .0.display())]
    NotPrograms(PathBuf),
    /// The folder was made by another major version.
    #[error(
        "the data folder was made by PostgreSQL {wanted}, and only {found} is installed; install PostgreSQL {wanted}, or name its programs with SHIJI_PG_BIN"
    )]
    OtherVersion {
        /// The version in `PG_VERSION`.
        wanted: String,
        /// The versions that are there.
        found: String,
    },
    /// We are root, and there is nobody to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root and there is no user `{0}` to run it as; create that user, or name another with SHIJI_PG_USER"
    )]
    NoUser(String),
    /// The server's user cannot get at files that are there.
    #[error("the user `{user}`, who runs PostgreSQL, cannot enter {}; let it through (chmod o+x on the folders above), or move the folder", .folder.display())]
    Unreachable {
        /// Who.
        user: String,
        /// Where.
        folder: PathBuf,
    },
    /// A program ended badly.
    #[error("{program} failed: {reason}")]
    Program {
        /// Which.
        program: String,
        /// Its last words.
        reason: String,
    },
    /// What a killed service left behind does not end.
    #[error(
        "the PostgreSQL that an earlier shiji left behind (process {pid}) does not stop; end it by hand"
    )]
    Leftover {
        /// Its process id.
        pid: i32,
    },
    /// The file system says no.
    #[error("{}: {source}", .path.display())]
    File {
        /// What was touched.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
}

/// Puts the path to a file error.
fn at(path: &Path) -> impl FnOnce(io::Error) -> PrivateError {
    let path = path.to_owned();
    move |source| PrivateError::File { path, source }
}
