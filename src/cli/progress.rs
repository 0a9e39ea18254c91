//! Progress for people: a bar on a terminal, plain lines now and then without one. Always on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All bars of this process: log lines step aside for them.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
/// The pause between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Standard error, for log lines: bars are cleared while a line is written and drawn again below it.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().lock().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// How far a piece of work is.
pub struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    plain: fn(&str),
    total: u64,
    told: Instant,
}

impl Progress {
    /// Begins one; `what` reads well in front of numbers, as `Checking events`.
    pub fn new(what: &'static str, total: u64) -> Self {
        Self {
            what,
            bar: io::stderr().is_terminal().then(|| bar(what, total)),
            plain: |line| eprintln!("{line}"),
            total,
            told: Instant::now(),
        }
    }

    /// The same for a service, whose plain lines belong into the log.
    pub fn logged(what: &'static str, total: u64) -> Self {
        let mut progress = Self::new(what, total);
        progress.plain = |line| tracing::info!("{line}");
        progress
    }

    /// Something else is done now, which cannot be counted beforehand.
    pub fn now(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => (self.plain)(what),
        }
    }

    /// So much of it is done.
    pub fn set(&mut self, done: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.told.elapsed() >= PLAIN_EVERY => {
                self.told = Instant::now();
                (self.plain)(&format!("{}: {done} of {}", self.what, self.total));
            }
            None => {}
        }
    }
}

fn bar(what: &'static str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{msg} [{bar:30}] {human_pos} of {human_len}, {per_sec}, {eta} left",
    );
    let bar = ProgressBar::new(total).with_message(what);
    let bar = BARS.add(match style {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    });
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
