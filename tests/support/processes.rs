//! Other processes: this test program started again to play a part, and looking at what runs.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// This test program, running one of its ignored tests as a process of its own. Killed when dropped.
pub struct Part {
    child: Child,
    /// What it printed after `PART: `, once.
    pub says: String,
}

impl Part {
    /// Starts the part called `test` (its full path) from `program`, with `variables` set and as user `uid` if given,
    /// and waits for the line that it prints when it is ready.
    pub fn start(
        program: &Path,
        test: &str,
        variables: &[(&str, &Path)],
        uid: Option<u32>,
    ) -> Self {
        use std::os::unix::process::CommandExt;

        let mut command = Command::new(program);
        command.args([
            test,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ]);
        command
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .current_dir("/");
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let says = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("PART: ").map(|(_, says)| says.to_owned()))
            .unwrap_or_else(|| panic!("{test} ended without a word"));
        Self { child, says }
    }

    /// The line a part prints when it is ready.
    pub fn say(what: &str) {
        println!("PART: {what}");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program that runs now.
pub fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// `kill -9` to any process.
pub fn kill_hard(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

/// Whether a process is there and more than a zombie.
pub fn is_alive(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    match status {
        Ok(status) => !status.rsplit(") ").next().unwrap().starts_with('Z'),
        Err(_) => !Path::new("/proc/self").exists() && kill(Pid::from_raw(pid), None).is_ok(),
    }
}

/// Ids of the processes whose command line has all these words in it (Linux).
pub fn with_words(words: &[&str]) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            words.iter().all(|word| line.contains(word))
        })
        .collect()
}

/// Waits until something holds, looking again and again; panics with `what` after half a minute.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(
            Instant::now() < until,
            "half a minute passed, and still not: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
