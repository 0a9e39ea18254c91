//! Which `postgres` and `initdb`: the named ones, or the best of those this machine has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::PrivateError;

/// The oldest version whose features the ledger needs.
const OLDEST: u32 = 15;

/// Folders with one sub-folder a version: Debian, Red Hat, Alpine, Homebrew on both kinds of Mac.
const FAMILIES: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr/lib", "postgresql", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
];

/// The programs of one installed version.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    folder: PathBuf,
    major: u32,
}

impl Programs {
    /// The programs in `named`, or the ones found that match `wanted`, the version of an existing data folder;
    /// without one the newest.
    pub(super) fn find(named: Option<&Path>, wanted: Option<&str>) -> Result<Self, PrivateError> {
        let found = match named {
            Some(folder) => vec![
                Self::probe(folder).ok_or_else(|| PrivateError::NotPrograms(folder.to_owned()))?,
            ],
            None => candidates()
                .iter()
                .filter_map(|folder| Self::probe(folder))
                .collect(),
        };
        if found.is_empty() {
            return Err(PrivateError::NoPrograms);
        }
        let Some(wanted) = wanted else {
            let newest = found
                .into_iter()
                .filter(|programs| programs.major >= OLDEST)
                .max_by_key(|it| it.major);
            return newest.ok_or(PrivateError::NoPrograms);
        };
        let mut majors: Vec<u32> = found.iter().map(|programs| programs.major).collect();
        majors.sort_unstable();
        majors.dedup();
        found
            .into_iter()
            .find(|programs| programs.major.to_string() == wanted)
            .ok_or_else(|| {
                let found = majors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                PrivateError::OtherVersion {
                    wanted: wanted.to_owned(),
                    found,
                }
            })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// A folder counts when it has both programs and `postgres` can say its version.
    fn probe(folder: &Path) -> Option<Self> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let answer = Command::new(folder.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = major(&String::from_utf8(answer.stdout).ok()?)?;
        Some(Self {
            folder: folder.to_owned(),
            major,
        })
    }
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` is 15.
fn major(answer: &str) -> Option<u32> {
    let version = answer.split_once("(PostgreSQL) ")?.1;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Folders that may hold the programs; `PATH` first, so that what the operator put there wins among equals.
fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    for (parent, prefix, bin) in FAMILIES {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path().join(bin)),
        );
    }
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(
            String::from_utf8_lossy(&answer.stdout).trim(),
        ));
    }
    folders.retain(|folder| folder.is_absolute());
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_released_and_from_test_versions() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn a_folder_without_programs_is_named_in_the_refusal() {
        let refusal = Programs::find(Some(Path::new("/nowhere")), None)
            .unwrap_err()
            .to_string();
        assert_eq!(
            refusal,
            "SHIJI_PG_BIN names /nowhere, which has no working `postgres` and `initdb`"
        );
    }
}
