//! The statements of our queries, for `pgbench`: the very ones, as they were checked when the service was built.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The statement of the service that contains all of `parts` and none of `not`, with the names of variables for `$1`, `$2`, ….
///
/// # Errors
///
/// When there is none, or more than one: then this benchmark does not know which.
pub fn statement(parts: &[&str], not: &[&str], variables: &[&str]) -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).context("the statements of the service")? {
        let stored: Value = serde_json::from_slice(&std::fs::read(entry?.path())?)?;
        let text = stored["query"].as_str().unwrap_or_default();
        if parts.iter().all(|part| text.contains(part)) && !not.iter().any(|no| text.contains(no)) {
            found.push(text.to_owned());
        }
    }
    ensure!(
        found.len() == 1,
        "{} statements of the service have all of {parts:?}; say which",
        found.len()
    );
    let mut statement = found.remove(0);
    for (place, name) in variables.iter().enumerate().rev() {
        statement = statement.replace(&format!("${}", place + 1), &format!(" :{name} "));
    }
    ensure!(!statement.contains('$'), "unnamed variables in {statement}");
    Ok(format!("{};\n", statement.trim_end()))
}
