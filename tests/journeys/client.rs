//! A client of the back office, as `backend.md` describes it.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::processes::eventually;

/// A logged-in client.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// An answer: HTTP status and body.
pub type Answer = (u16, Value);

impl Client {
    pub async fn log_in(address: SocketAddr, name: &str, password: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(40))
            .build()
            .unwrap();
        let base = format!("http://{address}/backend/api/v1");
        let answer = http
            .post(format!("{base}/login"))
            .json(&json!({ "name": name, "password": password }))
            .send()
            .await
            .unwrap();
        let token = answer.headers()["x-session-token"]
            .to_str()
            .unwrap()
            .to_owned();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], 0, "{body}");
        Self { http, base, token }
    }

    /// The same session, on another node.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self {
            base: format!("http://{address}/backend/api/v1"),
            ..self.clone()
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// A staff command that succeeds; answers its data.
    pub async fn staff(&self, to: &str, command: &Value) -> Value {
        let request = self.admin(&format!("/commands/{to}")).json(command);
        let (_, body) = Self::send(request).await;
        assert_eq!(body["code"], 0, "{body}");
        body["data"].clone()
    }

    /// A POST below `/admin`.
    pub fn admin(&self, path: &str) -> RequestBuilder {
        let base = self.base.replace("/backend/api/v1", "/admin");
        let request = self.http.post(format!("{base}{path}"));
        request.bearer_auth(&self.token)
    }

    /// Sends and reads; `None` when there is no answer.
    pub async fn try_send(request: RequestBuilder) -> Option<Answer> {
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// Sends and reads an answer that must come.
    pub async fn send(request: RequestBuilder) -> Answer {
        Self::try_send(request).await.expect("an answer comes")
    }

    /// Tries to create a task: its id, if that was acknowledged.
    pub async fn try_create(&self, input: &str) -> Option<i64> {
        let request = self
            .request(Method::POST, "/task")
            .json(&json!({ "type": "image", "input": input }));
        match Self::try_send(request).await? {
            (200, body) if body["code"] == 0 => Some(body["data"]["id"].as_i64().unwrap()),
            _ => None,
        }
    }

    pub async fn create(&self, input: &str) -> i64 {
        self.try_create(input).await.expect("the task is created")
    }

    /// The task, if there is one.
    pub async fn task(&self, id: i64) -> Option<Value> {
        let request = self.request(Method::GET, &format!("/task?id={id}"));
        let (status, body) = Self::send(request).await;
        assert_eq!(status, 200, "{body}");
        (body["code"] == 0).then(|| body["data"].clone())
    }

    /// The newest tasks, and how many there are.
    pub async fn list(&self, limit: usize) -> (i64, Vec<Value>) {
        let request = self.request(Method::GET, &format!("/tasks?limit={limit}"));
        let (status, body) = Self::send(request).await;
        assert_eq!((status, &body["code"]), (200, &json!(0)), "{body}");
        let items = body["items"].as_array().unwrap().clone();
        (body["total"].as_i64().unwrap(), items)
    }

    /// Waits until a task can be created again.
    pub async fn until_it_creates(&self) -> i64 {
        let mut id = None;
        eventually("a task can be created", async || {
            id = self.try_create("again").await;
            id.is_some()
        })
        .await;
        id.unwrap()
    }
}
