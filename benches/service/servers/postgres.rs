//! A PostgreSQL server for the stock service and for `pgbench`, with the settings of our private server.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};

use super::Process;

/// The settings that differ from PostgreSQL's own, those of our private server. Only the connections are more: `pgbench`
/// needs one for each client, services do not. And pages stay as they are in the log, which is the fastest where nothing has
/// grown.
const SETTINGS: [&str; 12] = [
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "min_wal_size=256MB",
    "checkpoint_completion_target=0.9",
    "autovacuum=on",
    "wal_compression=off",
    "max_connections=400",
    "jit=off",
];

/// A running server on a Unix socket of its own.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    socket: PathBuf,
    bin: PathBuf,
}

impl Postgres {
    /// Makes a data folder under `folder` and starts a server on it.
    ///
    /// # Errors
    ///
    /// When the binaries are missing or the server does not come up.
    pub fn start(bin: &Path, folder: &Path) -> Result<Self> {
        let data = folder.join("postgres");
        let socket = folder.join("socket");
        let owner = owner()?;
        for path in [&data, &socket] {
            std::fs::create_dir(path)?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
            if let Some((uid, gid)) = owner {
                chown(path, Some(uid), Some(gid))?;
            }
        }
        let mut initdb = as_owner(&bin.join("initdb"), owner);
        initdb
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ])
            // The files of its log as small as ours: every commit waits while a new one is made.
            .args(["--wal-segsize=4", "--data-checksums", "--pgdata"])
            .arg(&data)
            .current_dir(&data);
        let made = initdb.output().context("cannot run initdb")?;
        ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );

        let mut server = as_owner(&bin.join("postgres"), owner);
        server
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&socket)
            .current_dir(&data);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        let process = Process::start(
            "PostgreSQL",
            &mut server,
            &folder.join("postgres.log"),
            Signal::SIGINT,
        )?;
        let mut started = Self {
            process,
            socket,
            bin: bin.to_owned(),
        };
        started.wait_until_ready()?;
        Ok(started)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            self.process.alive()?;
            let asked = Command::new(self.bin.join("pg_isready"))
                .arg("-q")
                .arg("-h")
                .arg(&self.socket)
                .status()?;
            if asked.success() {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "PostgreSQL did not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The folder of its socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A connection URL for one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&user=postgres",
            self.socket.display()
        )
    }
}

/// Finds the folder with the server binaries: the one given, else the newest that the usual places have.
///
/// # Errors
///
/// When there is none.
pub fn binaries(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(bin) = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    else {
        bail!("no PostgreSQL server binaries found; install them or give --postgres-bin");
    };
    Ok(bin)
}

/// Who runs the server: PostgreSQL refuses root.
fn owner() -> Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user =
        User::from_name("postgres")?.context("there is no user `postgres` to run PostgreSQL as")?;
    Ok(Some((user.uid.as_raw(), user.gid.as_raw())))
}

fn as_owner(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command.env_remove("PGHOST").env_remove("PGPORT");
    command
}
