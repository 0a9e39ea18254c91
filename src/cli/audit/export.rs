//! `shiji audit export`: events in a file, for those who look at them with other tools.
//!
//! Beside a file that is not complete yet stands `<file>.unfinished`, which says what is being exported and where it ends.
//! The same command goes on behind the last whole line, and comes to what it would have come to without the break.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::events::{Pages, Which};
use super::shown::{self, Shown};
use super::{concerning, person};
use crate::cli::progress::Progress;
use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::commands::person::Person;
use crate::ledger::{AppendLimits, Ledger, Metadata, Recorded, Search};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// What is read at once when looking for the end of a file.
const BLOCK: u64 = 64 * 1024;
/// The first line of a CSV file.
const HEADINGS: &str = "position,recorded_at,aggregate,id,sequence,type,version,event_id,actor,surface,request_id,\
                        causation,correlation,at,payload";

/// Which, where to and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the log holds of one person instead, opened, for them, to standard output: `Account:community:<uid>`,
    /// `Account:backend:7`, `Customer:17`, `Card:3` …
    #[arg(long, value_name = "AGGREGATE:ID", value_parser = person, conflicts_with_all = ["to", "format", "overwrite", "actor", "limit"])]
    person: Option<Person>,
    /// The file. Without it events go to standard output, and nothing can be resumed.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// One JSON object a line, or comma-separated values with a line of headings.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Begin anew where the file is there already.
    #[arg(long)]
    overwrite: bool,
    /// Only events made by this actor, as `staff:1`.
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    #[command(flatten)]
    which: Which,
    /// At most so many events this time; the same command goes on from there. 0 for all.
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    #[command(flatten)]
    shown: Shown,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values (RFC 4180).
    Csv,
}

/// What is being exported: equal for two runs that write the same file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Plan {
    ledger: uuid::Uuid,
    generation: i64,
    format: Format,
    personal: bool,
    /// The search, in words.
    search: String,
    /// Where it ends: the log as it was when the export began.
    through: i64,
}

/// Writes them. Exit code 0 says that the file is complete; a `--limit` that came first is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    output: Output,
    args: Args,
) -> anyhow::Result<Exit> {
    if let Some(person) = &args.person {
        return concerning::run(database, settings, person).await;
    }
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let exported = export(&ledger, output, args).await;
    store::part(&ledger).await;
    exported
}

async fn export(ledger: &Ledger, output: Output, args: Args) -> anyhow::Result<Exit> {
    let explain = |error: sqlx::Error| store::explain(&error);
    let head = ledger.head().await.map_err(explain)?;
    let mut wanted = args.which.search(args.actor, args.shown);
    let plan = Plan {
        ledger: head.ledger,
        generation: head.generation,
        format: args.format,
        personal: args.shown.personal,
        search: format!("{wanted:?}"),
        through: head.position,
    };
    let shown = args.shown;
    let Some(path) = args.to else {
        wanted.through = Some(plan.through);
        let mut out = io::stdout().lock();
        if args.format == Format::Csv {
            writeln!(out, "{HEADINGS}")?;
        }
        let written = write(ledger, wanted, args.limit, &mut out, (args.format, shown)).await?;
        return Ok(ended(written.complete));
    };
    let target = Target::open(&path, plan, args.overwrite)?;
    wanted.through = Some(target.plan.through);
    wanted.after = wanted.after.max(target.after);
    let mut out = BufWriter::new(&target.file);
    let written = write(ledger, wanted, args.limit, &mut out, (args.format, shown)).await?;
    out.flush()?;
    drop(out);
    target.file.sync_all()?;
    if written.complete {
        fs::remove_file(&target.unfinished)?;
    }
    let resumed_after = (target.after > 0).then_some(target.after);
    if output.json {
        show::json(&json!({
            "file": path, "events": written.events, "through": target.plan.through, "resumed_after": resumed_after,
            "complete": written.complete,
        }))?;
    } else {
        let from = resumed_after.map_or(String::new(), |after| {
            format!(", going on after position {after}")
        });
        let end = if written.complete {
            format!("complete up to position {}", target.plan.through)
        } else {
            "not complete; the same command goes on".to_owned()
        };
        show::line(&format!(
            "{} events written to {}{from}: {end}.",
            written.events,
            path.display()
        ))?;
    }
    Ok(ended(written.complete))
}

fn ended(complete: bool) -> Exit {
    if complete { Exit::Fine } else { Exit::Finding }
}

struct Written {
    events: i64,
    complete: bool,
}

async fn write(
    ledger: &Ledger,
    wanted: Search,
    limit: i64,
    out: &mut impl Write,
    (format, shown): (Format, Shown),
) -> anyhow::Result<Written> {
    let (start, through) = (wanted.after, wanted.through.unwrap_or(i64::MAX));
    let count = |position: i64| u64::try_from(position - start).unwrap_or(0);
    let mut progress = Progress::new("Exporting events", count(through));
    // One more than asked for tells whether there is more.
    let most = if limit == 0 { 0 } else { limit + 1 };
    let mut pages = Pages::new(ledger, wanted, most).await?;
    let mut events = 0;
    while let Some(page) = pages.next().await? {
        for event in &page {
            if limit > 0 && events == limit {
                return Ok(Written {
                    events,
                    complete: false,
                });
            }
            let payload = shown.payload(event)?;
            match format {
                Format::Jsonl => writeln!(out, "{}", shown::object(event, &payload))?,
                Format::Csv => writeln!(out, "{}", row(event, &payload))?,
            }
            events += 1;
            progress.set(count(event.position));
        }
    }
    Ok(Written {
        events,
        complete: true,
    })
}

/// An event as a line of CSV.
fn row(event: &Recorded, payload: &Value) -> String {
    let metadata = event.metadata().ok();
    let of = |read: fn(&Metadata) -> String| metadata.as_ref().map(read).unwrap_or_default();
    let fields = [
        event.position.to_string(),
        event.recorded_at.to_rfc3339(),
        event.stream.aggregate.to_string(),
        event.stream.id.clone(),
        event.sequence.to_string(),
        event.event_type.clone(),
        event.event_version.clone(),
        event.event_id.to_string(),
        of(|m| m.actor.clone()),
        of(|m| m.surface.clone()),
        of(|m| m.request_id.to_string()),
        of(|m| m.causation.clone().unwrap_or_default()),
        of(|m| m.correlation.clone().unwrap_or_default()),
        of(|m| m.at.to_rfc3339()),
        payload.to_string(),
    ];
    fields.map(|field| quoted(&field)).join(",")
}

/// A field of CSV. It never spans lines, so that a file that broke off can be cut at its last whole one.
fn quoted(field: &str) -> String {
    let field = field.replace('\r', "\\r").replace('\n', "\\n");
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

/// A file that is written, from its beginning or from where it broke off.
struct Target {
    file: File,
    unfinished: PathBuf,
    plan: Plan,
    /// The position of the last event that stands in it; 0 for none.
    after: i64,
}

impl Target {
    fn open(path: &Path, plan: Plan, overwrite: bool) -> anyhow::Result<Self> {
        let name = path.file_name().context("--to must name a file")?;
        let mut beside = name.to_owned();
        beside.push(".unfinished");
        let unfinished = path.with_file_name(beside);
        let place = || path.display().to_string();
        if !overwrite && unfinished.exists() {
            return Self::resume(path, unfinished, &plan);
        }
        if !overwrite && path.exists() {
            bail!(
                "{} is there and complete; name another file, or say --overwrite",
                place()
            );
        }
        // First what it is, then the file: a break in between leaves something that is resumed.
        let mut said = File::create(&unfinished).with_context(place)?;
        said.write_all(&serde_json::to_vec(&plan)?)?;
        said.sync_all()?;
        let mut file = File::create(path).with_context(place)?;
        begin(&mut file, plan.format)?;
        Ok(Self {
            file,
            unfinished,
            plan,
            after: 0,
        })
    }

    fn resume(path: &Path, unfinished: PathBuf, plan: &Plan) -> anyhow::Result<Self> {
        let said = fs::read(&unfinished)?;
        let kept: Option<Plan> = serde_json::from_slice(&said).ok();
        let same = kept.filter(|kept| {
            let through = kept.through;
            *kept
                == Plan {
                    through,
                    ..plan.clone()
                }
        });
        let Some(plan) = same else {
            bail!(
                "{} is part of another export; finish that one, name another file, or say --overwrite",
                path.display()
            );
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let after = match last_line(&mut file)? {
            Some(line) if plan.format == Format::Csv && line == HEADINGS.as_bytes() => 0,
            Some(line) => position(&line, plan.format).with_context(|| {
                format!(
                    "the last line of {} is none of ours; say --overwrite to begin anew",
                    path.display()
                )
            })?,
            None => {
                begin(&mut file, plan.format)?;
                0
            }
        };
        Ok(Self {
            file,
            unfinished,
            plan,
            after,
        })
    }
}

fn begin(file: &mut File, format: Format) -> io::Result<()> {
    match format {
        Format::Jsonl => Ok(()),
        Format::Csv => writeln!(file, "{HEADINGS}"),
    }
}

/// The position in a line that was written earlier.
fn position(line: &[u8], format: Format) -> Option<i64> {
    match format {
        Format::Jsonl => {
            let event: Value = serde_json::from_slice(line).ok()?;
            event.get("position")?.as_i64()
        }
        Format::Csv => {
            let first = line.split(|byte| *byte == b',').next()?;
            std::str::from_utf8(first).ok()?.parse().ok()
        }
    }
}

/// Cuts off what follows the last line break, answers the line before it and leaves the file at its end. It is read
/// backwards: however long the file, a few lines are in memory.
fn last_line(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut at = file.seek(SeekFrom::End(0))?;
    let mut tail: Vec<u8> = Vec::new();
    loop {
        let breaks: Vec<usize> = (tail.iter().enumerate().rev())
            .filter(|(_, byte)| **byte == b'\n')
            .map(|(n, _)| n)
            .take(2)
            .collect();
        let (line, end) = match (breaks.as_slice(), at) {
            ([end, before], _) => (Some(tail[before + 1..*end].to_vec()), at + *end as u64 + 1),
            ([end], 0) => (Some(tail[..*end].to_vec()), *end as u64 + 1),
            (_, 0) => (None, 0),
            _ => {
                let size = at.min(BLOCK);
                at -= size;
                file.seek(SeekFrom::Start(at))?;
                let mut block = vec![0; usize::try_from(size).unwrap_or(0)];
                file.read_exact(&mut block)?;
                block.extend_from_slice(&tail);
                tail = block;
                continue;
            }
        };
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        return Ok(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a file, and its last line.
    fn cut(content: &str) -> (String, Option<String>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let line = last_line(&mut file).unwrap();
        // What is written next follows what is left.
        file.write_all(b"|").unwrap();
        file.rewind().unwrap();
        let mut left = String::new();
        file.read_to_string(&mut left).unwrap();
        assert_eq!(left.pop(), Some('|'));
        (left, line.map(|line| String::from_utf8(line).unwrap()))
    }

    #[test]
    fn a_file_that_broke_off_is_cut_at_its_last_whole_line() {
        let is = |content: &str, left: &str, line: Option<&str>| {
            assert_eq!(cut(content), (left.to_owned(), line.map(str::to_owned)));
        };
        is("", "", None);
        is("half", "", None);
        is("one\n", "one\n", Some("one"));
        is("one\ntwo\nhal", "one\ntwo\n", Some("two"));
        let long = "x".repeat(200_000);
        is(
            &format!("one\n{long}\n{long}"),
            &format!("one\n{long}\n"),
            Some(&long),
        );
        is(&format!("{long}\nhal"), &format!("{long}\n"), Some(&long));
    }

    #[test]
    fn a_field_of_csv_is_quoted_where_it_must_be_and_never_spans_lines() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("{\"a\":1}"), "\"{\"\"a\"\":1}\"");
        assert_eq!(quoted("a\r\nb"), "a\\r\\nb");
    }
}
