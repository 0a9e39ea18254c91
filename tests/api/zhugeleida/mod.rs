//! The mini-program (`contract/zhugeleida.md`): who signs, who is whose, cards, and what a company shows its visitors.

mod binding;
mod cards;
mod case_lists;
mod cases;
mod chat;
mod data_set;
mod diaries;
mod examples;
mod library;
mod library_refusals;
mod library_staff;
mod live;
mod login;
mod posters;
mod praise;
mod products;
mod profile;
mod reviews;
mod signature;
mod staff;
mod tags;
mod toggles;
mod transport;
mod website;
mod wechat;

use std::fmt::Write as _;

use serde_json::{Value, json};
use shiji::api::AppSettings;
use shiji::api::zhugeleida::rand_str;

use crate::support::service::{Call, Reply, Service};

const X: &str = "/zhugeleida/xiaochengxu";

/// A service, and somebody of the staff who may look after the mini-program and nothing else.
struct House {
    service: Service,
    clerk: String,
}

/// Somebody who signs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Customer {
    id: i64,
    token: String,
}

impl House {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut AppSettings)) -> Self {
        let service = Service::with(change).await;
        service.staff("clerk", 0, 32).await;
        let clerk = service.log_in("clerk").await;
        Self { service, clerk }
    }

    /// `POST /admin/commands/{to}`.
    async fn send(&self, to: &str, command: Value) -> Reply {
        let call = self.service.post(&format!("/admin/commands/{to}"));
        call.token(&self.clerk).json(&command).send().await
    }

    /// The data of a command that is done.
    async fn done(&self, to: &str, command: Value) -> Value {
        let reply = self.send(to, command.clone()).await.json();
        assert_eq!(reply["code"], 0, "{to} {command}: {reply}");
        reply["data"].clone()
    }

    async fn company(&self, name: &str) -> i64 {
        let create = json!({ "CreateCompany": { "name": name } });
        id(&self.done("Company/new", create).await)
    }

    /// A card with more fields than those it must have.
    async fn card(&self, company_id: i64, more: Value) -> i64 {
        let mut fields = json!({ "company_id": company_id, "username": "张聪" });
        let map = fields.as_object_mut().unwrap();
        map.extend(more.as_object().unwrap().clone());
        id(&self.done("Card/new", json!({ "CreateCard": fields })).await)
    }

    /// A card of a company of its own.
    async fn some_card(&self) -> i64 {
        let company = self.company("北京打铁的信息科技").await;
        self.card(company, json!({})).await
    }

    /// An enterprise user, who signs like a customer does.
    async fn enterprise(&self, company_id: i64) -> Customer {
        let fields = json!({ "company_id": company_id, "username": "张聪" });
        let data = self.done("Card/new", json!({ "CreateCard": fields })).await;
        Customer {
            id: id(&data),
            token: data["token"].as_str().unwrap().to_owned(),
        }
    }

    async fn customer(&self, code: &str) -> Customer {
        let reply = self.get(&format!("{X}/login?code={code}&source=1&user_type=2"));
        let reply = reply.send().await.json();
        assert_eq!(reply["code"], 200, "{reply}");
        Customer::of(&reply["data"])
    }

    /// A call by nobody.
    fn get(&self, path: &str) -> Call<'_> {
        self.service.get(path)
    }

    /// `user_id`, `timestamp` and `rand_str` of this moment.
    fn signature(&self, customer: &Customer) -> String {
        let now = self.service.app.now().timestamp_millis();
        customer.signature(&now.to_string())
    }

    /// What a signed GET answers.
    async fn signed(&self, customer: &Customer, path: &str, more: &[(&str, &str)]) -> Reply {
        let path = format!("{X}{path}?{}{}", self.signature(customer), pairs(more));
        self.service.get(&path).send().await
    }

    /// The data of a signed GET that succeeds with this text.
    async fn shown(&self, customer: &Customer, path: &str, uid: i64, msg: &str) -> Value {
        let uid = uid.to_string();
        let reply = self.signed(customer, path, &[("uid", &uid)]).await;
        let json = reply.json();
        assert_eq!((&json["code"], &json["msg"]), (&json!(200), &json!(msg)));
        json["data"].clone()
    }

    /// The card as the customer sees it, which is one view more.
    async fn mingpian(&self, customer: &Customer, uid: i64) -> Value {
        let data = self.shown(customer, "/mingpian", uid, "查询成功").await;
        assert_eq!(data["data_count"], 1);
        data["ret_data"][0].clone()
    }

    /// A signed POST, not sent yet.
    fn post(&self, customer: &Customer, path: &str) -> Call<'_> {
        let path = format!("{X}{path}?{}", self.signature(customer));
        self.service.post(&path)
    }

    /// Binds without a signature.
    async fn bind(&self, customer: &Customer, uid: i64, pid: &str) -> Value {
        let path = format!(
            "{X}/login/binding?user_id={}&uid={uid}&pid={pid}&source=2&user_type=2",
            customer.id
        );
        self.get(&path).send().await.json()
    }
}

impl Customer {
    fn of(data: &Value) -> Self {
        Self {
            id: data["user_id"].as_i64().unwrap(),
            token: data["token"].as_str().unwrap().to_owned(),
        }
    }

    fn signature(&self, timestamp: &str) -> String {
        let rand_str = rand_str(timestamp, &self.token);
        let id = self.id;
        format!("user_id={id}&timestamp={timestamp}&rand_str={rand_str}")
    }
}

/// The number of what was just made.
fn id(data: &Value) -> i64 {
    data["id"].as_str().unwrap().parse().unwrap()
}

fn pairs(more: &[(&str, &str)]) -> String {
    let mut query = String::new();
    for (name, value) in more {
        write!(query, "&{name}={value}").unwrap();
    }
    query
}

/// The refusal it must be, whole.
#[track_caller]
fn is_refusal(reply: &Reply, code: u16, msg: &str) {
    let expected = json!({ "code": code, "msg": msg, "data": {} });
    assert_eq!((reply.status.as_u16(), reply.json()), (200, expected));
}

/// The refusal of a form it must be, naming these fields.
#[track_caller]
fn is_form_refusal(reply: &Reply, fields: &[(&str, &str)]) {
    let flaws: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(field, reason)| ((*field).to_owned(), json!([reason])))
        .collect();
    let expected = json!({ "code": 303, "msg": "form 验证错误", "data": flaws });
    assert_eq!((reply.status.as_u16(), reply.json()), (200, expected));
}

/// The success it must be, whole.
#[track_caller]
fn is_success(reply: &Reply, msg: &str, data: &Value) {
    let expected = json!({ "code": 200, "msg": msg, "data": data });
    assert_eq!((reply.status.as_u16(), reply.json()), (200, expected));
}
