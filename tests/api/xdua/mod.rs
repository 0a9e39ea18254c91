//! Work teams (`contract/xdua.md`): the query, who may ask, and the staff commands behind it.

mod caller;
mod query;
mod samples;
mod staff;

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::node::{Answer, Caller, Node, answer};

const OBJ: &str = "/obj";

/// A node, and somebody of the staff who may look after teams and nothing else.
struct House {
    node: Node,
    clerk: Caller,
}

impl House {
    async fn start() -> Self {
        let node = Node::start().await;
        let clerk = node.staff("clerk", 0, 128).await;
        Self { node, clerk }
    }

    async fn send(&self, to: &str, command: Value) -> Answer {
        self.node.command(&self.clerk, to, command).await
    }

    /// The data of a command that is done.
    async fn done(&self, to: &str, command: Value) -> Value {
        let answer = self.send(to, command.clone()).await;
        assert_eq!(answer.body["code"], 0, "{to} {command}: {}", answer.body);
        answer.body["data"].clone()
    }

    /// Opens an account; answers its id without the realm.
    async fn user(&self, name: &str) -> String {
        let open = json!({"OpenAccount": {"name": name}});
        let data = self.done("Account/xdua:new", open).await;
        let id = data["id"].as_str().unwrap();
        id.strip_prefix("xdua:").unwrap().to_owned()
    }

    /// Opens a session; answers its token.
    async fn token(&self, user: &str) -> String {
        let open = json!({"OpenSession": {"realm": "xdua", "account_id": user}});
        let data = self.done("Session/new", open).await;
        data["token"].as_str().unwrap().to_owned()
    }

    /// Founds a team; answers its id.
    async fn team(&self, creator: &str, code: &str, more: Value) -> String {
        let mut fields = json!({"creator_id": creator, "name": code, "code": code});
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let data = self.done("Team/new", json!({"CreateTeam": fields})).await;
        data["id"].as_str().unwrap().to_owned()
    }

    /// `GET /obj`.
    async fn obj(&self, token: &str, query: &[(&str, &str)]) -> Answer {
        let request = self.node.request(Method::GET, OBJ).query(query);
        answer(request.header("authorization", token)).await
    }

    /// The result of a query that succeeds.
    async fn result(&self, token: &str, query: &[(&str, &str)]) -> Value {
        let answer = self.obj(token, query).await;
        let (error, reason) = (&answer.body["error"], &answer.body["reason"]);
        assert_eq!((error, reason), (&json!(0), &json!("Success")), "{query:?}");
        assert_eq!(answer.status, 200);
        answer.body["result"].clone()
    }

    /// The codes of the teams that a query finds.
    async fn codes(&self, token: &str, query: &[(&str, &str)]) -> Vec<String> {
        let result = self.result(token, query).await;
        let list = result["list"].as_array().unwrap();
        list.iter()
            .map(|team| team["code"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The failure it must be, whole.
#[track_caller]
fn is_failure(answer: &Answer, error: u16, reason: &str, result: &Value) {
    let expected = json!({"error": error, "reason": reason, "result": result});
    assert_eq!((answer.status, &answer.body), (200, &expected));
}
