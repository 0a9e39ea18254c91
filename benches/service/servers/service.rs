//! A running HTTP service as the benchmark sees it: an address, a login, and what it has acknowledged.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::{Community, Process, STAFF_NAME, STAFF_PASSWORD};
use crate::load::{Answer, Case, Connection, number_after, spread};

/// How long a service may take to come up.
const STARTUP: Duration = Duration::from_secs(120);

/// How often it is looked at until then; a start is measured so.
const LOOK: Duration = Duration::from_millis(5);

/// Connections used for filling a store.
const SEEDERS: usize = 16;

/// Writes requests that carry the login.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    token: String,
}

impl Wire {
    /// For whoever has this token.
    #[must_use]
    pub fn with_token(token: String) -> Self {
        Self { token }
    }

    /// A GET request.
    #[must_use]
    pub fn get(&self, path: &str) -> Vec<u8> {
        let token = &self.token;
        format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    }

    /// A POST request with a JSON body.
    #[must_use]
    pub fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let token = &self.token;
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// One of the two services.
#[derive(Debug)]
pub struct Service {
    /// The name in the report.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The process.
    pub process: Process,
    /// How to write requests to it.
    pub wire: Wire,
    /// Its members, once there are any.
    pub community: Option<Rc<Community>>,
    tasks_at_start: i64,
    created: HashSet<i64>,
}

impl Service {
    /// Waits until a service is ready and logs in.
    ///
    /// # Errors
    ///
    /// When it ends, does not become ready or refuses the login.
    pub async fn connect(
        name: &'static str,
        address: SocketAddr,
        mut process: Process,
    ) -> Result<Self> {
        until_ready(address, &mut process).await.context(name)?;
        let mut service = Self {
            name,
            address,
            process,
            wire: Wire::default(),
            community: None,
            tasks_at_start: 0,
            created: HashSet::new(),
        };
        service.wire.token = service.log_in().await?;
        service.tasks_at_start = service.list().await?.0;
        Ok(service)
    }

    /// Whether it is ours, in whatever role.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.name != "stock"
    }

    async fn log_in(&self) -> Result<String> {
        let body = format!(r#"{{"name":"{STAFF_NAME}","password":"{STAFF_PASSWORD}"}}"#);
        let request = self.wire.post("/backend/api/v1/login", &body);
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.exchange(&request).await?;
        answer
            .expect_success()
            .map_err(|wrong| anyhow!("{} login: {wrong}", self.name))?;
        let token = answer
            .header("x-session-token")
            .context("no X-Session-Token")?;
        Ok(token.to_owned())
    }

    /// Creates tasks one by one until there are `count` more.
    ///
    /// # Errors
    ///
    /// When an answer is wrong.
    pub async fn seed(&mut self, case: Rc<dyn Case>, count: usize) -> Result<()> {
        let request = |nth| {
            case.request(nth as u64)
                .map(Cow::into_owned)
                .unwrap_or_default()
        };
        let read = |answer: &Answer<'_>| case.judge(0, answer);
        let ids = spread(self.address, SEEDERS, count, request, read).await?;
        self.acknowledge(ids.into_iter().flatten().collect())?;
        self.check_list().await
    }

    /// Remembers what was acknowledged.
    ///
    /// # Errors
    ///
    /// When an id was given out twice.
    pub fn acknowledge(&mut self, ids: Vec<i64>) -> Result<()> {
        for id in ids {
            ensure!(
                self.created.insert(id),
                "{} gave the id {id} twice",
                self.name
            );
        }
        Ok(())
    }

    /// Compares the list with what was acknowledged: its total and its newest task.
    ///
    /// # Errors
    ///
    /// When they differ.
    pub async fn check_list(&mut self) -> Result<()> {
        self.process.alive()?;
        let (total, newest) = self.list().await?;
        let shown = total - self.tasks_at_start;
        let acknowledged = i64::try_from(self.created.len())?;
        ensure!(
            shown == acknowledged,
            "{} shows {shown} tasks and acknowledged {acknowledged}",
            self.name
        );
        ensure!(
            self.created.is_empty() || newest == self.created.iter().max().copied(),
            "{} does not list its newest task first",
            self.name
        );
        Ok(())
    }

    /// The total and the first id of the task list.
    async fn list(&self) -> Result<(i64, Option<i64>)> {
        let request = self.wire.get("/backend/api/v1/tasks?offset=0&limit=1");
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.exchange(&request).await?;
        answer
            .expect_success()
            .map_err(|wrong| anyhow!("{} list: {wrong}", self.name))?;
        let total = number_after(answer.body, b"\"total\":").context("a list without total")?;
        Ok((total, number_after(answer.body, b"\"id\":")))
    }
}

/// Waits until a service says that it should be sent work.
///
/// # Errors
///
/// When it ends, or takes too long.
pub async fn until_ready(address: SocketAddr, process: &mut Process) -> Result<()> {
    let deadline = Instant::now() + STARTUP;
    while !ready(address).await {
        process.alive()?;
        ensure!(
            Instant::now() < deadline,
            "it is not ready after {} s",
            STARTUP.as_secs()
        );
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

async fn ready(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address).await else {
        return false;
    };
    let answer = connection
        .exchange(b"GET /readyz HTTP/1.1\r\nHost: bench\r\n\r\n")
        .await;
    answer.is_ok_and(|answer| answer.status == 200)
}
