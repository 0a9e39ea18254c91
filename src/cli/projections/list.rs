//! `shiji projections list`.

use serde_json::json;

use crate::cli::Exit;
use crate::cli::show::{self, Output};
use crate::projections;

/// Prints every projection of this build with what it feeds on.
pub fn run(output: Output) -> anyhow::Result<Exit> {
    if output.json {
        for projection in projections::all() {
            show::json(&json!({
                "name": projection.name(), "version": projection.version(), "schema": projection.schema(),
                "feeds_on": projection.feeds_on(),
            }))?;
        }
        return Ok(Exit::Fine);
    }
    let mut table = show::table(["projection", "version", "schema", "feeds on"]);
    for projection in projections::all() {
        table.add_row([
            projection.name().into(),
            show::number(projection.version().into()),
            projection.schema().into(),
            projection.feeds_on().join(", ").into(),
        ]);
    }
    show::line(&table.to_string())?;
    Ok(Exit::Fine)
}
