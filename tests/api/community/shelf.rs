//! What tests of the catalogue and the shop stand on: a service, its staff, and things that staff made.

use serde_json::{Value, json};

use super::with;
use crate::support::service::{Reply, Service};

pub const IMAGE: &str = "e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpeg";

/// A service with somebody of the staff who may keep the catalogue, look after the community and speak for others.
pub struct Shelf {
    pub service: Service,
    clerk: String,
}

impl std::ops::Deref for Shelf {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl Shelf {
    pub async fn open() -> Self {
        let service = Service::start().await;
        service.staff("clerk", 0, 4 | 8 | 16).await;
        let clerk = service.log_in("clerk").await;
        Self { service, clerk }
    }

    /// A command by the clerk.
    pub async fn send(&self, to: &str, command: &Value) -> Reply {
        let call = self.service.post(&format!("/admin/commands/{to}"));
        call.token(&self.clerk).json(command).send().await
    }

    /// The data of a command that is done.
    #[track_caller]
    pub fn data(reply: &Reply) -> Value {
        let body = reply.json();
        assert_eq!(body["code"], 0, "{body}");
        body["data"].clone()
    }

    pub async fn done(&self, to: &str, command: Value) -> Value {
        Self::data(&self.send(to, &command).await)
    }

    /// Asserts a refusal by its code and word.
    pub async fn refused(&self, to: &str, command: Value, code: u16, word: &str) -> Value {
        let body = self.send(to, &command).await.json();
        assert_eq!(
            (&body["code"], &body["error"]),
            (&json!(code), &json!(word)),
            "{to} {command}: {body}"
        );
        body["data"].clone()
    }

    /// Makes something with the fields it needs and others; answers its id.
    async fn make(&self, aggregate: &str, fields: Value, more: &Value) -> String {
        let create = json!({ format!("Create{aggregate}"): with(&fields, more) });
        let data = self.done(&format!("{aggregate}/new"), create).await;
        data["id"].as_str().unwrap().to_owned()
    }

    async fn numbered(&self, aggregate: &str, fields: Value, more: &Value) -> i64 {
        self.make(aggregate, fields, more).await.parse().unwrap()
    }

    pub async fn banner(&self, more: Value) -> i64 {
        let fields = json!({ "placement": "home", "image": IMAGE });
        self.numbered("Banner", fields, &more).await
    }

    pub async fn game(&self, more: Value) -> i64 {
        let fields = json!({ "name": "游戏名称0", "image": IMAGE, "recommended": true });
        self.numbered("Game", fields, &more).await
    }

    pub async fn cloth(&self, more: Value) -> i64 {
        let fields =
            json!({ "collection": "design", "name": "服饰名称19", "image": IMAGE, "price": 2999 });
        self.numbered("Cloth", fields, &more).await
    }

    pub async fn master(&self, more: Value) -> String {
        self.make("Master", json!({ "name": "达人0" }), &more).await
    }

    pub async fn merchant(&self, more: Value) -> String {
        self.make("Merchant", json!({ "name": "商户9" }), &more)
            .await
    }

    pub async fn project(&self, master_id: &str, more: Value) -> i64 {
        let fields = json!({ "master_id": master_id, "name": "项目名称0", "image": IMAGE });
        self.numbered("Project", fields, &more).await
    }

    /// Issues tickets of one price; answers their ids.
    pub async fn tickets(&self, project_id: i64, count: u32, price: i64) -> Vec<i64> {
        let issue = json!({ "IssueTickets": { "count": count, "name": "票名称0", "image": IMAGE, "intro": "票简介0", "price": price } });
        let data = self.done(&format!("Project/{project_id}"), issue).await;
        serde_json::from_value(data["ticket_ids"].clone()).unwrap()
    }

    /// Tickets of a new project of a new master.
    pub async fn for_sale(&self, count: u32, price: i64) -> Vec<i64> {
        let master = self.master(json!({})).await;
        let project = self.project(&master, json!({})).await;
        self.tickets(project, count, price).await
    }

    /// Withdraws or restores something.
    pub async fn put(&self, command: &str, to: &str) {
        self.done(to, json!({ command: {} })).await;
    }
}

/// The ids of a list under `name`, each row's under `id`.
#[track_caller]
pub fn ids(reply: &Reply, name: &str, id: &str) -> Vec<Value> {
    let body = reply.json();
    assert_eq!(body["code"], 0, "{body}");
    let rows = body[name].as_array().unwrap();
    rows.iter().map(|row| row[id].clone()).collect()
}
