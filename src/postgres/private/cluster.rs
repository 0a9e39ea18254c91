//! PostgreSQL's data directory: making it, its settings, what `postmaster.pid` says, and the end of a server that a
//! killed service left behind.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use uuid::Uuid;

use super::{
    OWNER, PORT, PrivateError, at,
    place::{Place, Runner},
    programs::Programs,
};

/// Written once into `postgresql.conf`, where the operator may change it. Sized for a small machine.
const TUNING: &str = "
# What follows was written by shiji when it made this folder, and is yours to change.
shared_buffers = 256MB
max_connections = 200
max_wal_size = 2GB
min_wal_size = 256MB
checkpoint_completion_target = 0.9
jit = off
autovacuum = on
";

/// What follows a checkpoint in the server's own log: each page whole when it is first changed, which on a large store is nearly
/// every page of an index. The server's older way of making them smaller takes longer than to write them.
const LZ4: &str = "wal_compression=lz4";

/// Megabytes in a file of the server's own log. Every commit waits while a new one is filled with zeros and written: 36 ms for the
/// usual 16, 3 ms for one of these.
const SEGMENT_MB: u32 = 4;

/// Given at every start, so that no file can take them back.
const DURABLE: &[&str] = &["fsync=on", "full_page_writes=on", "synchronous_commit=on"];
/// For servers whose data nobody will miss.
const SCRATCH: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=128MB",
    "max_connections=400",
];

/// How a data directory is called that is not whole yet.
const UNFINISHED: &str = "postgres.new-";

/// A log above this size is put aside at the next start.
const LOG_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A data directory with everything needed to start it.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub place: Place,
    pub programs: Programs,
    pub runner: Runner,
    pub durable: bool,
}

impl Cluster {
    /// Makes the data directory when there is none. A half-made one, left by a kill, is made again: it gets its name
    /// only when it is whole.
    pub(super) fn prepare(&self) -> Result<(), PrivateError> {
        if self.place.cluster.join("PG_VERSION").exists() {
            return Ok(());
        }
        let entries = fs::read_dir(&self.place.folder).map_err(at(&self.place.folder))?;
        for entry in entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED))
        {
            // An initdb that outlived its service may still be filling it; the next start tries again.
            let _ = fs::remove_dir_all(entry.path());
        }
        let unfinished = self
            .place
            .folder
            .join(format!("{UNFINISHED}{}", Uuid::new_v4().simple()));
        fs::create_dir(&unfinished).map_err(at(&unfinished))?;
        self.runner.take_over(&unfinished)?;
        // Not every system knows C.UTF-8; text columns say COLLATE "C" themselves.
        self.initdb(&unfinished, "C.UTF-8")
            .or_else(|_| self.initdb(&unfinished, "C"))?;
        let conf = unfinished.join("postgresql.conf");
        OpenOptions::new()
            .append(true)
            .open(&conf)
            .and_then(|mut file| {
                file.write_all(TUNING.as_bytes())?;
                if self.knows(&unfinished, LZ4) {
                    writeln!(file, "{LZ4}")?;
                }
                file.sync_all()
            })
            .map_err(at(&conf))?;
        fs::rename(&unfinished, &self.place.cluster).map_err(at(&self.place.cluster))
    }

    /// Does this build of the server know a setting?
    fn knows(&self, cluster: &Path, setting: &str) -> bool {
        let name = setting.split('=').next().unwrap_or_default();
        let mut command = self.runner.command(&self.programs.path("postgres"));
        command
            .arg("-D")
            .arg(cluster)
            .args(["-C", name, "-c", setting]);
        command
            .output()
            .is_ok_and(|outcome| outcome.status.success())
    }

    fn initdb(&self, folder: &Path, locale: &str) -> Result<(), PrivateError> {
        let mut command = self.runner.command(&self.programs.path("initdb"));
        command
            .arg("--pgdata")
            .arg(folder)
            .arg(format!("--username={OWNER}"))
            .args([
                "--auth-local=trust",
                "--auth-host=reject",
                "--encoding=UTF8",
                "--data-checksums",
            ])
            .arg(format!("--locale={locale}"))
            .arg(format!("--wal-segsize={SEGMENT_MB}"))
            .arg("--no-instructions");
        if !self.durable {
            command.arg("--no-sync");
        }
        let failed = |reason| PrivateError::Program {
            program: "initdb".to_owned(),
            reason,
        };
        let outcome = command
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if outcome.status.success() {
            return Ok(());
        }
        Err(failed(last_words(&String::from_utf8_lossy(
            &outcome.stderr,
        ))))
    }

    /// Starts the postmaster; it is ready when [`PidFile`] says so.
    pub(super) fn spawn(&self) -> Result<Child, PrivateError> {
        let log = self.log()?;
        let also = log.try_clone().map_err(at(&self.log_path()))?;
        let mut command = self.runner.command(&self.programs.path("postgres"));
        command.arg("-D").arg(&self.place.cluster);
        let mut set = |setting: &str| {
            command.args(["-c", setting]);
        };
        set("listen_addresses=");
        // A list, in which quotes keep commas and spaces together.
        let socket_dir = self
            .place
            .socket_dir
            .display()
            .to_string()
            .replace('"', "\"\"");
        set(&format!("unix_socket_directories=\"{socket_dir}\""));
        set("unix_socket_permissions=0700");
        set(&format!("port={PORT}"));
        set("logging_collector=off");
        set("log_destination=stderr");
        set("log_line_prefix=%m [%p] %a ");
        for setting in if self.durable { DURABLE } else { SCRATCH } {
            set(setting);
        }
        command
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(also))
            .spawn()
            .map_err(|error| PrivateError::Program {
                program: "postgres".to_owned(),
                reason: error.to_string(),
            })
    }

    fn log_path(&self) -> PathBuf {
        self.place.folder.join("postgres.log")
    }

    fn log(&self) -> Result<fs::File, PrivateError> {
        let path = self.log_path();
        if fs::metadata(&path).is_ok_and(|found| found.len() > LOG_MAX_BYTES) {
            fs::rename(&path, path.with_extension("log.old")).map_err(at(&path))?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(at(&path))
    }

    /// What the server wrote into its log last, since `position`.
    pub(super) fn last_words_since(&self, position: u64) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        let from = usize::try_from(position).unwrap_or(0).min(text.len());
        last_words(&String::from_utf8_lossy(&text[from..]))
    }

    pub(super) fn log_position(&self) -> u64 {
        fs::metadata(self.log_path()).map_or(0, |found| found.len())
    }

    /// Ends the server that a killed service left behind, and removes its lock files. We hold the folder's lock, so it
    /// can be nobody else's.
    pub(super) fn end_leftover(&self) -> Result<(), PrivateError> {
        if let Some(pid) = PidFile::pid(&self.place.cluster) {
            self.end(pid)?;
        }
        self.end_orphans();
        let lock = self.place.socket_dir.join(format!(".s.PGSQL.{PORT}.lock"));
        match fs::remove_file(&lock) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&lock)(error)),
            Err(_) | Ok(()) => Ok(()),
        }
    }

    fn end(&self, pid: Pid) -> Result<(), PrivateError> {
        if !self.is_postmaster(pid) {
            // PostgreSQL takes any process with this id for its own kind and would refuse to start: somebody who was
            // given the id again, or the dead server itself where nobody collects dead processes (some containers).
            if kill(pid, None).is_ok() {
                let path = self.place.cluster.join("postmaster.pid");
                fs::remove_file(&path).map_err(at(&path))?;
            }
            return Ok(());
        }
        tracing::warn!(
            pid = pid.as_raw(),
            "An earlier shiji left its PostgreSQL running; stopping it first"
        );
        for (signal, patience) in [(Signal::SIGINT, 60), (Signal::SIGQUIT, 15)] {
            // It may have ended in between, which is what we want.
            let _ = kill(pid, signal);
            let until = Instant::now() + Duration::from_secs(patience);
            while Instant::now() < until {
                if !self.is_postmaster(pid) {
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Err(PrivateError::Leftover { pid: pid.as_raw() })
    }

    /// Ends backends that outlived their postmaster: one that is busy does not notice, and while it is there no new
    /// server may start. Elsewhere than on Linux the start is tried again until they are gone.
    fn end_orphans(&self) {
        for signal in [Signal::SIGQUIT, Signal::SIGKILL] {
            let until = Instant::now() + Duration::from_secs(5);
            let mut orphans = self.backends();
            for orphan in &orphans {
                // It may have noticed in between.
                let _ = kill(*orphan, signal);
            }
            while !orphans.is_empty() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(20));
                orphans = self.backends();
            }
            if orphans.is_empty() {
                return;
            }
        }
    }

    /// The processes of PostgreSQL that work in this data directory.
    fn backends(&self) -> Vec<Pid> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter(|process| {
                fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| self.is_cluster(&cwd))
            })
            .filter(|process| {
                fs::read_to_string(process.path().join("comm"))
                    .is_ok_and(|name| name == "postgres\n")
            })
            .filter_map(|process| {
                process
                    .file_name()
                    .to_str()?
                    .parse()
                    .ok()
                    .map(Pid::from_raw)
            })
            .collect()
    }

    /// The kernel names folders without the links that led there.
    fn is_cluster(&self, folder: &Path) -> bool {
        self.place
            .cluster
            .canonicalize()
            .is_ok_and(|cluster| cluster == folder)
    }

    /// Whether this process is the postmaster of this data directory, in which it works; ids are used again.
    fn is_postmaster(&self, pid: Pid) -> bool {
        if Path::new("/proc/self/cwd").exists() {
            let cwd = fs::read_link(format!("/proc/{pid}/cwd"));
            return cwd.is_ok_and(|cwd| self.is_cluster(&cwd));
        }
        let answer = self
            .runner
            .command(Path::new("ps"))
            .args(["-o", "comm=", "-p", &pid.to_string()])
            .output();
        answer.is_ok_and(|answer| String::from_utf8_lossy(&answer.stdout).contains("postgres"))
    }
}

/// What `postmaster.pid` says.
#[derive(Debug)]
pub(super) struct PidFile {
    pub pid: Pid,
    pub port: u16,
    pub socket_dir: PathBuf,
    pub ready: bool,
}

impl PidFile {
    /// Lines: process id, data directory, start time, port, socket folder, address, shared memory, status. The last
    /// ones are missing while the server starts.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().collect();
        Some(Self {
            pid: lines
                .first()?
                .trim()
                .parse()
                .ok()
                .filter(|pid| *pid > 1)
                .map(Pid::from_raw)?,
            port: lines.get(3)?.trim().parse().ok()?,
            socket_dir: PathBuf::from(lines.get(4)?.trim()),
            ready: lines.get(7).is_some_and(|status| status.trim() == "ready"),
        })
    }

    /// Its process id, also while the other lines are missing.
    fn pid(cluster: &Path) -> Option<Pid> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        text.lines()
            .next()?
            .trim()
            .parse()
            .ok()
            .filter(|pid| *pid > 1)
            .map(Pid::from_raw)
    }
}

/// What a log says went wrong, without times and process ids; without such a line, its last one.
fn last_words(log: &str) -> String {
    const MARKS: [&str; 6] = [
        "FATAL: ",
        "PANIC: ",
        "HINT: ",
        "error: ",
        "unrecognized configuration",
        "invalid value for",
    ];
    let telling = |line: &'_ str| {
        MARKS
            .iter()
            .find_map(|mark| line.find(mark))
            .map(|from| line[from..].to_owned())
    };
    let mut words: Vec<String> = log.lines().filter_map(telling).collect();
    if words.is_empty() {
        words.extend(log.lines().next_back().map(ToOwned::to_owned));
    }
    let words = words.split_off(words.len().saturating_sub(3)).join("; ");
    if words.is_empty() {
        "it said nothing".to_owned()
    } else {
        words
    }
}
