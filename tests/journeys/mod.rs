//! The few paths that must never break: the real program as a process of its own, over real ports and real servers.
//!
//! | file | what is done to it |
//! |---|---|
//! | `day.rs` | a day's work, as `backend.md` shows it |
//! | `killing.rs` | `kill -9` of the service under load, again and again |
//! | `away.rs` | PostgreSQL killed, and away for a while |
//! | `nodes.rs` | two nodes on one database: the leader killed, frozen and thawed |
//! | `builds.rs` | two builds on one database, with different versions of a projection: forth and back |
//! | `refusals.rs` | what does not start, and says why |
//! | `forgetting.rs` | people who want to be forgotten, and a search of everything for what is left of them |
//! | `ending.rs` | SIGTERM in the middle of a request |
//! | `past.rs` | a node as of a position, beside the one that serves |
//! | `tampering.rs` | rows changed by hand |
//! | `auditing.rs` | questions to the log, exports, the proof |

mod auditing;
mod away;
mod builds;
mod client;
mod day;
mod ending;
mod forgetting;
mod killing;
mod node;
mod nodes;
mod past;
mod refusals;
mod tampering;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::server;

/// A data folder that goes away with this value, together with what stood in for it.
pub struct Folder {
    outer: tempfile::TempDir,
}

impl Folder {
    pub fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        // The user who runs PostgreSQL must get in.
        std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { outer }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.outer.path().join("data")
    }

    /// A place beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        server::remove(&self.data());
    }
}

/// The program, deaf to the settings of whoever runs the tests, except where PostgreSQL is.
pub fn shiji(data: &Path) -> Command {
    deaf(Path::new(env!("CARGO_BIN_EXE_shiji")), data)
}

/// A program that is told where its data is, and nothing else.
pub fn deaf(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("SHIJI_") && !name.starts_with("SHIJI_PG_") {
            command.env_remove(&*name);
        }
    }
    command
        .env_remove("DATABASE_URL")
        .env("SHIJI_DATA_DIR", data)
        .current_dir("/");
    command
}

/// Runs a command to its end.
pub fn answer(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// What an ended command wrote.
pub fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
