//! The thread that starts the server, brings it back when it dies, and stops it.
//!
//! When the *service* dies, even by `kill -9`, a watchdog stops the server: a tiny shell that reads from a pipe whose
//! other end only the service holds, so that the kernel closes it however the service ends. We use that instead of
//! `PR_SET_PDEATHSIG` because the latter is cleared by the change of user, follows a thread rather than the process,
//! exists on Linux only, and needs unsafe code between fork and exec.

use std::{
    path::Path,
    process::{Child, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use parking_lot::{Condvar, Mutex};

use super::{
    PrivateError,
    cluster::{Cluster, PidFile},
};

/// How often a starting server is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The pause before a dead server is started again: doubled each time it dies before it was ready.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How long a first start may fail because backends of a killed postmaster are still going away.
const ORPHANS: Duration = Duration::from_secs(30);
/// How long a shutdown checkpoint may take before the server is told to leave at once, which is safe and only makes
/// the next start longer.
const STOP_PATIENCE: Duration = Duration::from_secs(60);
const QUIT_PATIENCE: Duration = Duration::from_secs(10);

/// `$1` is the postmaster, `$2` its data directory: nothing is signalled whose id was used again since. A server so
/// young that it has no pid file yet gets some seconds to write it.
const WATCHDOG: &str = r#"
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -0 "$1" 2>/dev/null || exit 0
  if read -r now < "$2/postmaster.pid" && [ "$now" = "$1" ]; then kill -INT "$1"; exit 0; fi
  sleep 1
done
"#;

#[derive(Debug)]
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pid: Option<Pid>,
    ready: bool,
    stopping: bool,
    /// The thread is over.
    over: bool,
    /// Why the first start failed, if it did.
    failed: Option<PrivateError>,
}

impl Supervisor {
    /// Starts the server and waits until it takes connections.
    pub(super) fn start(cluster: Cluster) -> Result<Self, PrivateError> {
        let shared = Arc::new(Shared::default());
        let work = Work {
            cluster,
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::Builder::new()
            .name("shiji-postgres".to_owned())
            .spawn(move || work.run())
            .map_err(|error| PrivateError::Program {
                program: "the thread".to_owned(),
                reason: error.to_string(),
            })?;
        let supervisor = Self {
            shared,
            thread: Mutex::new(Some(thread)),
        };
        let mut state = supervisor.shared.state.lock();
        while !state.ready && !state.over {
            supervisor.shared.changed.wait(&mut state);
        }
        if let Some(reason) = state.failed.take() {
            return Err(reason);
        }
        drop(state);
        Ok(supervisor)
    }

    pub(super) fn pid(&self) -> Option<i32> {
        self.shared.state.lock().pid.map(Pid::as_raw)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.shared.state.lock().ready
    }

    pub(super) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        for (signal, patience) in [
            (Signal::SIGINT, STOP_PATIENCE),
            (Signal::SIGQUIT, QUIT_PATIENCE),
        ] {
            let mut state = self.shared.state.lock();
            state.stopping = true;
            if let Some(pid) = state.pid {
                // Gone already is as good.
                let _ = kill(pid, signal);
            }
            self.shared.changed.notify_all();
            let until = Instant::now() + patience;
            while !state.over
                && !self
                    .shared
                    .changed
                    .wait_until(&mut state, until)
                    .timed_out()
            {}
            if state.over {
                drop(state);
                // It only panics where it has been reported.
                let _ = thread.join();
                return;
            }
        }
        tracing::error!("The private PostgreSQL does not stop; the next start will end it");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the thread owns.
struct Work {
    cluster: Cluster,
    shared: Arc<Shared>,
}

impl Work {
    fn run(self) {
        let reason = self.keep_running();
        let mut state = self.shared.state.lock();
        state.ready = false;
        state.over = true;
        state.failed = reason;
        self.shared.changed.notify_all();
    }

    /// Runs servers one after the other until told to stop; gives the reason if the very first never got ready.
    fn keep_running(&self) -> Option<PrivateError> {
        let begun = Instant::now();
        let mut first = true;
        let mut pause = PAUSE_MIN;
        loop {
            let position = self.cluster.log_position();
            let outcome = self.run_one();
            if self.shared.state.lock().stopping {
                return None;
            }
            let reason = match outcome {
                Ok(true) => {
                    (first, pause) = (false, PAUSE_MIN);
                    self.cluster.last_words_since(position)
                }
                Ok(false) => self.cluster.last_words_since(position),
                Err(error) if first => return Some(error),
                Err(error) => error.to_string(),
            };
            let orphans = reason.contains("shared memory block") && begun.elapsed() < ORPHANS;
            if first && !orphans {
                return Some(PrivateError::Program {
                    program: "postgres".to_owned(),
                    reason,
                });
            }
            tracing::warn!(
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "The private PostgreSQL went away and is started again: {reason}"
            );
            if self.pause(pause) {
                return None;
            }
            pause = PAUSE_MAX.min(pause * 2);
            if let Err(error) = self.cluster.end_leftover() {
                tracing::error!("{error}");
            }
        }
    }

    /// Sleeps, unless told to stop: then `true`.
    fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        let mut state = self.shared.state.lock();
        while !state.stopping
            && !self
                .shared
                .changed
                .wait_until(&mut state, until)
                .timed_out()
        {}
        state.stopping
    }

    /// One server, from its start to its end; says whether it got ready.
    fn run_one(&self) -> Result<bool, PrivateError> {
        let mut server = self.begin()?;
        let pid = Pid::from_raw(i32::try_from(server.id()).unwrap_or(i32::MAX));
        let watchdog = self.watch(pid);
        let ready = self.until_ready(&mut server, pid);
        let ended = server.wait();
        let mut state = self.shared.state.lock();
        state.pid = None;
        state.ready = false;
        drop(state);
        if let Ok(mut watchdog) = watchdog {
            // The end of its input wakes it; its server is gone, so it leaves.
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
        ended.map(|_| ready).map_err(|error| PrivateError::Program {
            program: "postgres".to_owned(),
            reason: error.to_string(),
        })
    }

    /// Spawns under the lock, so that a stop either prevents it or sees the process.
    fn begin(&self) -> Result<Child, PrivateError> {
        let mut state = self.shared.state.lock();
        if state.stopping {
            return Err(PrivateError::Program {
                program: "postgres".to_owned(),
                reason: "stopped".to_owned(),
            });
        }
        let server = self.cluster.spawn()?;
        state.pid = i32::try_from(server.id()).ok().map(Pid::from_raw);
        Ok(server)
    }

    fn watch(&self, pid: Pid) -> std::io::Result<Child> {
        let watchdog = self
            .cluster
            .runner
            .command(Path::new("/bin/sh"))
            .args(["-c", WATCHDOG, "shiji-postgres-watchdog"])
            .arg(pid.to_string())
            .arg(&self.cluster.place.cluster)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Err(error) = &watchdog {
            tracing::warn!(
                "Nobody will stop PostgreSQL if this process is killed (the next start will): /bin/sh: {error}"
            );
        }
        watchdog
    }

    /// Waits until the server takes connections, for as long as it lives: recovery after a crash may take minutes.
    fn until_ready(&self, server: &mut Child, pid: Pid) -> bool {
        let begun = Instant::now();
        let mut told = false;
        while matches!(server.try_wait(), Ok(None)) {
            let seen = PidFile::read(&self.cluster.place.cluster);
            if seen.is_some_and(|seen| seen.pid == pid && seen.ready) {
                self.shared.state.lock().ready = true;
                self.shared.changed.notify_all();
                return true;
            }
            if !told && begun.elapsed() > Duration::from_secs(5) {
                told = true;
                tracing::info!(
                    "The private PostgreSQL is still starting; after a crash it reads its log first"
                );
            }
            std::thread::sleep(LOOK);
        }
        false
    }
}
