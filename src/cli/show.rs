//! Answers: tables for people, JSON for scripts. One switch, `--json`, on every command that answers something.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

/// How an answer is written.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Output {
    /// Write JSON, one object a line.
    #[arg(long, global = true)]
    pub json: bool,
}

/// Writes one value as a line of JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Writes a line of text.
pub fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// A table with these headings.
pub fn table<'a>(headings: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings);
    table
}

/// A number, at the right of its column.
pub fn number(number: i64) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}
