//! The ground: private servers, connections and migrations, against real PostgreSQL.

mod connections;
mod killing;
mod migrations;
mod private_server;

use std::path::Path;

use shiji::postgres::private::PrivateOptions;

use crate::support::server;

/// A data folder in a temporary one, removed at the end of the test together with what stood in for it.
struct Folder {
    outer: tempfile::TempDir,
}

impl Folder {
    /// A folder that everybody may enter.
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        set_mode(outer.path(), 0o755);
        Self { outer }
    }

    fn path(&self) -> std::path::PathBuf {
        self.outer.path().join("data")
    }

    fn options(&self) -> PrivateOptions {
        server::scratch(self.path())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        server::remove(&self.path());
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
