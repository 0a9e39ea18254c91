//! One running node.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::client::Client;
use super::{Folder, shiji, words};
use crate::support::processes::eventually;

/// The first account of every node here.
pub const NAME: &str = "admin";
pub const PASSWORD: &str = "correct horse";

/// How long a node may take to say where it listens: on a busy machine, making a data directory is slow.
const START: Duration = Duration::from_secs(90);

/// A running `shiji serve`, killed when dropped.
pub struct Node {
    child: Child,
    log: PathBuf,
    pub public: SocketAddr,
    pub ops: SocketAddr,
}

impl Node {
    /// Starts a node on a private PostgreSQL in the folder, and waits until it is ready.
    pub async fn start(folder: &Folder) -> Self {
        Self::start_with(folder, "node", |_| {}).await
    }

    /// Starts a node with more said; `name` tells the logs of several nodes apart.
    pub async fn start_with(folder: &Folder, name: &str, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = shiji(&folder.data());
        command.arg("serve");
        more(&mut command);
        Self::start_program(folder, name, command).await
    }

    /// Starts a program that serves when it is run so, and waits until it is ready.
    pub async fn start_program(folder: &Folder, name: &str, command: Command) -> Self {
        let node = Self::run(folder, name, command).await;
        eventually("the node is ready", async || node.is_ready().await).await;
        node
    }

    async fn run(folder: &Folder, name: &str, mut command: Command) -> Self {
        let log = folder.beside(&format!("{name}-{}.log", uuid::Uuid::new_v4()));
        command
            .env("SHIJI_LISTEN", "127.0.0.1:0")
            .env("SHIJI_OPS_LISTEN", "127.0.0.1:0")
            .env("SHIJI_LOG_FORMAT", "json")
            .env("SHIJI_BOOTSTRAP_STAFF_NAME", NAME)
            .env("SHIJI_BOOTSTRAP_STAFF_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let until = Instant::now() + START;
        loop {
            let text = words(&std::fs::read(&log).unwrap());
            if let Some((public, ops)) = text.lines().find_map(listening) {
                return Self {
                    child,
                    log,
                    public,
                    ops,
                };
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the node ended with {status}:\n{text}");
            }
            if Instant::now() > until {
                let _ = child.kill();
                panic!("the node says nothing:\n{text}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it says that it should be sent work.
    pub async fn is_ready(&self) -> bool {
        self.readiness()
            .await
            .is_some_and(|(status, _)| status == 200)
    }

    /// Status and body of `/readyz`, if there is an answer within seconds.
    pub async fn readiness(&self) -> Option<(u16, Value)> {
        let request = reqwest::Client::new()
            .get(format!("http://{}/readyz", self.public))
            .timeout(Duration::from_secs(5));
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// A logged-in client.
    pub async fn client(&self) -> Client {
        Client::log_in(self.public, NAME, PASSWORD).await
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub async fn end(&mut self) -> ExitStatus {
        eventually("the node ended", async || self.ended().is_some()).await;
        self.child.wait().unwrap()
    }

    /// Asks it to stop and waits for its end.
    pub async fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = self.end().await;
        assert!(status.success(), "{status}:\n{}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        words(&std::fs::read(&self.log).unwrap())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A frozen one would not die before it is thawed.
        let _ = kill(self.pid(), Signal::SIGCONT);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listening(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let address = |field: &str| entry[field].as_str()?.parse().ok();
    Some((address("listen")?, address("ops_listen")?))
}
