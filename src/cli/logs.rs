//! Logs: on standard error, for people or as JSON lines, never torn by a progress bar.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::Duration;

use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{EnvFilter, fmt};

use super::progress;
use crate::settings::LogFormat;

/// What the commands that only look log, unless `SHIJI_LOG` says otherwise.
const QUIET: &str = "warn";
/// Connections that die with their server are told about by whoever used them, once.
const ALWAYS: &str = "sqlx_core::pool=error";

/// How long lines gather before they are written together.
const GATHER: Duration = Duration::from_millis(10);
/// Bytes that are written at once, at most.
const PIECE: usize = 64 << 10;

/// Logs of `serve`: written by a thread of their own, so that no request waits for whoever reads them. Lines are lost when
/// that reader stands still for too long, and counted. What is held is written when the guard goes.
pub fn start(format: LogFormat, filter: &str) -> WorkerGuard {
    let lines = Gathered(BufWriter::with_capacity(PIECE, progress::Stderr));
    let (writer, guard): (NonBlocking, WorkerGuard) = NonBlockingBuilder::default().finish(lines);
    begin(format, filter, writer);
    guard
}

/// Writes the lines of a moment together. The writing thread flushes when no line is left, and would otherwise be woken, at
/// the cost of whoever logs, for the very next one.
struct Gathered<W: Write>(BufWriter<W>);

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(GATHER);
        Ok(())
    }
}

fn begin<W>(format: LogFormat, filter: &str, writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let subscriber = fmt()
        .with_env_filter(EnvFilter::new(format!("{filter},{ALWAYS}")))
        .with_writer(writer);
    match format {
        LogFormat::Human => subscriber
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_target(false)
            .init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
}

/// Logs of every other command.
pub fn start_quiet() {
    let filter = std::env::var("SHIJI_LOG").unwrap_or_else(|_| QUIET.to_owned());
    begin(LogFormat::Human, &filter, || progress::Stderr);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// Every write, as it arrives.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).expect("lines are whole");
            self.0.lock().push(text);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_lines_of_a_moment_are_written_together_and_never_torn() {
        let written = Written::default();
        let mut lines = Gathered(BufWriter::with_capacity(12, written.clone()));
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            lines.write_all(line.as_bytes()).unwrap();
        }
        lines.flush().unwrap();
        let expected = ["one\ntwo\n", "three\nfour\n"];
        assert_eq!(*written.0.lock(), expected);
    }

    #[test]
    fn what_is_held_is_written_when_the_guard_goes() {
        let written = Written::default();
        let lines = Gathered(BufWriter::with_capacity(PIECE, written.clone()));
        let (mut writer, guard) = NonBlockingBuilder::default().finish(lines);
        writer.write_all(b"first\n").unwrap();
        writer.write_all(b"last\n").unwrap();
        drop(guard);
        assert_eq!(written.0.lock().concat(), "first\nlast\n");
    }
}
