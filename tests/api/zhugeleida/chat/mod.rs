//! `contract/zhugeleida.md` 2.5, 2.6, 3.5–3.9, 3.22: the chat over HTTP.

mod parties;
mod reading;
mod sending;

use serde_json::{Value, json};
use shiji::api::AppSettings;

use super::{Customer, House, X, id, is_form_refusal, is_refusal, is_success};
use crate::support::service::Reply;

pub const Q: &str = "/zhugeleida/qiyeweixin/chat";

/// WeChat's, under the session key of the stand-in: 13800138000.
pub const PHONE: &str = "aLhedzo+Z6es5zW+YHo9susiHnaEYeAkbZXA6vB3xXwsEHApbzM53NsvIVPS8sbzE9Tu3cKoosCIaJ9ReH9c7q8xI4AFlJ8HTHrrdVC0WzSFVEG+Q/SUBzVOfvRAiCzgGyk41crKJqYp02wi9Lj8YtSJqTdft/1+x0ANMaJYT64g1SA6b2ybhAR4XZK01o+yBv8+kKREsLCUIAw6xiBL8Q==";
pub const IV: &str = "EBESExQVFhcYGRobHB0eHw==";

/// An enterprise user and a customer, both able to sign.
pub struct Talk {
    pub house: House,
    pub company: i64,
    pub card: Customer,
    pub customer: Customer,
}

impl Talk {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut AppSettings)) -> Self {
        let house = House::with(change).await;
        let company = house.company("北京打铁的信息科技").await;
        let card = house.enterprise(company).await;
        let customer = house.customer("c").await;
        Self {
            house,
            company,
            card,
            customer,
        }
    }

    /// What the enterprise user sends.
    pub async fn card_says(&self, content: impl Into<Value>) -> Reply {
        let body = json!({ "customer_id": self.customer.id, "content": content.into() });
        self.send(&self.card, &body).await
    }

    /// What the customer sends, in the style of the mini-program.
    pub async fn customer_says(&self, content: impl Into<Value>) -> Reply {
        let body = json!({ "u_id": self.card.id, "content": content.into() });
        self.send(&self.customer, &body).await
    }

    pub async fn send(&self, signer: &Customer, body: &Value) -> Reply {
        let signature = self.house.signature(signer);
        let call = self
            .house
            .service
            .post(&format!("{Q}/send_msg/0?{signature}"));
        call.json(body).send().await
    }

    /// Something is said on both sides, so many times each.
    pub async fn chat(&self, times: usize) {
        for time in 1..=times {
            is_sent(&self.card_says(format!("e{time}")).await);
            is_sent(&self.customer_says(format!("c{time}")).await);
        }
    }

    /// A signed GET below `qiyeweixin/chat`.
    pub async fn get(&self, signer: &Customer, path: &str, more: &str) -> Reply {
        let signature = self.house.signature(signer);
        self.house
            .get(&format!("{Q}{path}?{signature}&{more}"))
            .send()
            .await
    }

    /// The texts of a part of the history, as the customer has it.
    pub async fn history(&self, more: &str) -> Vec<String> {
        let more = format!("u_id={}{more}", self.card.id);
        texts(&self.get(&self.customer, "", &more).await)
    }

    /// The texts that are new for whoever signs.
    pub async fn news(&self, signer: &Customer) -> Vec<String> {
        let more = if *signer == self.card {
            format!("customer_id={}", self.customer.id)
        } else {
            format!("u_id={}", self.card.id)
        };
        texts(&self.get(signer, "/getmsg/0", &more).await)
    }

    /// How much the customer has not read.
    pub async fn unread(&self) -> Value {
        let uid = self.card.id.to_string();
        let more = [("u_id", uid.as_str())];
        let reply = self
            .house
            .signed(&self.customer, "/chat/query_num/0", &more);
        let json = reply.await.json();
        assert_eq!(
            (&json["code"], &json["msg"]),
            (&json!(200), &json!("查询成功"))
        );
        json["data"]["chatinfo_count"].clone()
    }

    /// Events of one side's cursor.
    pub async fn cursor(&self, side: &str) -> usize {
        let stream = format!("{}:{}:{side}", self.card.id, self.customer.id);
        self.house
            .service
            .events("Conversation", stream)
            .await
            .len()
    }

    /// A product on the shelf.
    pub async fn product(&self, company_id: i64, cover: &Value) -> i64 {
        let create = json!({ "CreateProduct": {
            "company_id": company_id, "name": "门票2", "price": "280-1280",
            "content": { "cover_data": cover, "article_data": [] }
        } });
        let product = id(&self.house.done("Product/new", create).await);
        let publish = json!({ "PublishProduct": {} });
        self.house
            .done(&format!("Product/{product}"), publish)
            .await;
        product
    }

    pub async fn disable(&self, what: &str) {
        let (to, command) = match what {
            "card" => (format!("Card/{}", self.card.id), "DisableCard"),
            _ => (format!("Customer/{}", self.customer.id), "DisableCustomer"),
        };
        self.house.done(&to, json!({ command: {} })).await;
    }
}

#[track_caller]
pub fn is_sent(reply: &Reply) {
    is_success(reply, "send msg successful", &json!({}));
}

/// The texts of rows.
#[track_caller]
pub fn texts(reply: &Reply) -> Vec<String> {
    let json = reply.json();
    assert_eq!(json["code"], 200, "{json}");
    let rows = json["data"].as_array().unwrap().iter();
    rows.map(|row| row["msg"].as_str().unwrap().to_owned())
        .collect()
}
