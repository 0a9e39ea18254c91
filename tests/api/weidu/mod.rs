//! Customer cases (`contract/weidu.md`): the list, the staff commands behind it, and files.

mod audience;
mod list;
mod samples;
mod staff;
mod upload;

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::node::{Answer, Caller, Node, answer};

const LIST: &str = "/weidu/api/v1/cases/list";

/// A node, and somebody of the staff who may look after cases and nothing else.
struct Gallery {
    node: Node,
    clerk: Caller,
}

impl Gallery {
    async fn start() -> Self {
        let node = Node::start().await;
        let clerk = node.staff("clerk", 0, 64).await;
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

    /// The refusal a command must get.
    async fn refused(&self, to: &str, command: Value, code: i64, error: &str) {
        let answer = self.send(to, command.clone()).await;
        assert_eq!(answer.refusal(), (code, error), "{to} {command}");
    }

    /// Opens an author's account; answers its id without the realm.
    async fn author(&self, name: &str) -> String {
        let open = json!({"OpenAccount": {"username": name}});
        let data = self.done("Account/weidu:new", open).await;
        let id = data["id"].as_str().unwrap();
        id.strip_prefix("weidu:").unwrap().to_owned()
    }

    /// Publishes a case; answers its id.
    async fn case(&self, author: &str, industry: i64) -> String {
        let publish = json!({"PublishShowcase": {"user_id": author, "industry_type": industry}});
        let data = self.done("Showcase/new", publish).await;
        data["id"].as_str().unwrap().to_owned()
    }

    async fn get(&self, query: &[(&str, &str)]) -> Answer {
        answer(self.node.request(Method::GET, LIST).query(query)).await
    }

    /// The list and the total of a query that succeeds.
    async fn list(&self, query: &[(&str, &str)]) -> (Vec<Value>, i64) {
        let answer = self.get(query).await;
        let (code, result) = (&answer.body["code"], &answer.body["result"]);
        assert_eq!((code, result), (&json!(200), &json!("ok")), "{query:?}");
        assert_eq!(answer.status, 200);
        let data = answer.body["data"].as_array().unwrap().clone();
        (data, answer.body["total"].as_i64().unwrap())
    }

    /// The only case there is.
    async fn shown(&self) -> Value {
        let (mut list, total) = self.list(&[]).await;
        assert_eq!((list.len(), total), (1, 1));
        list.remove(0)
    }
}
