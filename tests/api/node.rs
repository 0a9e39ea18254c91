//! A whole node in this process: both listeners on free ports over a [`Service`], members of staff.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use shiji::api::identity::{new_token, session_id, staff_account};
use shiji::api::ops::{self, Check, Ops, Readiness};
use shiji::api::server::{Door, DoorLimits};
use shiji::api::{self, App};
use shiji::commands::session::SessionCommand;
use shiji::commands::task::TaskCommand;
use shiji::events::{Account, Session, Task, TaskKind};
use shiji::ledger::StreamId;
use tokio_util::sync::CancellationToken;

use crate::support::service::Service;

/// What the limits of the listeners are here.
pub const LIMITS: DoorLimits = DoorLimits {
    connections: 64,
    requests: 64,
    header_time: Duration::from_secs(5),
    request_time: Duration::from_secs(5),
    body_bytes: 2 << 20,
    drain: Duration::from_secs(5),
};

pub struct Node {
    pub service: Service,
    pub app: App,
    pub readiness: Readiness,
    pub public: String,
    pub ops: String,
    pub client: Client,
    pub stop: CancellationToken,
}

/// A member of staff with an open session.
#[derive(Clone)]
pub struct Caller {
    pub uid: i64,
    pub token: String,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Node {
    pub async fn start() -> Self {
        Self::start_with(Vec::new(), Vec::new()).await
    }

    /// With something else to be ready for, or to note.
    pub async fn start_with(checks: Vec<Check>, notes: Vec<Check>) -> Self {
        ops::metrics::recorder();
        let service = Service::start().await;
        let app = service.app.clone();
        let mut node = Self {
            readiness: Readiness::noting(app.ledger().clone(), checks, notes),
            service,
            app,
            public: String::new(),
            ops: String::new(),
            client: Client::new(),
            stop: CancellationToken::new(),
        };
        node.public = serve(node.public_router(), &node.stop);
        node.ops = serve(ops::router(node.ops()), &node.stop);
        node
    }

    pub fn public_router(&self) -> axum::Router {
        api::router(self.app.clone(), self.readiness.clone())
    }

    pub fn ops(&self) -> Ops {
        Ops {
            ledger: self.app.ledger().clone(),
            pool: self.app.reads().clone(),
            readiness: self.readiness.clone(),
            stop: self.stop.clone(),
        }
    }

    /// Opens a staff account and a session on it.
    pub async fn staff(&self, name: &str, role: u32, perm: u64) -> Caller {
        let uid = self.service.staff(name, role, perm).await;
        self.session(uid).await
    }

    /// Opens one more session.
    pub async fn session(&self, uid: i64) -> Caller {
        let token = new_token();
        let account = staff_account(uid);
        let stands = self
            .app
            .ledger()
            .current::<Account>(&account)
            .await
            .unwrap();
        let open = SessionCommand::Open {
            account,
            credential_version: stands.state.open().unwrap().credential_version,
            expires_at: self.app.now() + chrono::Duration::hours(1),
        };
        let id = session_id(&token);
        let desk = self.app.desk();
        desk.create::<Session>(&self.service.system(), &id, open)
            .await
            .unwrap();
        Caller { uid, token }
    }

    /// Makes a waiting task.
    pub async fn task(&self) -> i64 {
        let id = self.app.ledger().next_id("task").await.unwrap();
        let create = TaskCommand::Create {
            kind: TaskKind::Image,
            priority: 0,
            input: "in".to_owned(),
            note: String::new(),
            created_by: 1,
        };
        let desk = self.app.desk();
        let id_text = id.to_string();
        desk.create::<Task>(&self.service.system(), &id_text, create)
            .await
            .unwrap();
        id
    }

    /// The types of a stream's events.
    pub async fn events(&self, stream: &str) -> Vec<String> {
        let stream: StreamId = stream.parse().unwrap();
        let events = self.app.ledger().stream(&stream).await.unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.public))
    }

    /// `POST /admin/commands/{to}`.
    pub async fn command(&self, by: &Caller, to: &str, command: Value) -> Answer {
        self.command_with(by, to, command, &[]).await
    }

    pub async fn command_with(
        &self,
        by: &Caller,
        to: &str,
        command: Value,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut request = self
            .request(Method::POST, &format!("/admin/commands/{to}"))
            .bearer_auth(&by.token)
            .json(&command);
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), *value);
        }
        answer(request).await
    }

    pub async fn get_ops(&self, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.ops))).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Answer {
    /// `code` and `error`.
    pub fn refusal(&self) -> (i64, &str) {
        let code = self.body["code"].as_i64().unwrap();
        (code, self.body["error"].as_str().unwrap())
    }

    /// The refusal it must be, whole.
    pub fn is_refusal(&self, code: i64, error: &str, msg: &str) {
        let expected = json!({"code": code, "error": error, "msg": msg, "data": {}});
        assert_eq!(self.body, expected);
    }

    /// The success it must be, whole.
    pub fn is_done(&self, aggregate: &str, id: &str, version: i64, events: &[&str]) {
        let data = json!({"aggregate": aggregate, "id": id, "version": version, "events": events});
        let expected = json!({"code": 0, "msg": "ok", "error": "", "data": data});
        assert_eq!((self.status, &self.body), (200, &expected));
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request; an answer that is no JSON reads as a text.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

/// Opens a port over a router until `stop`.
pub fn serve(router: axum::Router, stop: &CancellationToken) -> String {
    let door = Door::open("test", "TEST", ([127, 0, 0, 1], 0).into(), LIMITS).unwrap();
    let address = door.address().unwrap();
    tokio::spawn(door.serve(router, api::word, stop.clone()));
    format!("http://{address}")
}
