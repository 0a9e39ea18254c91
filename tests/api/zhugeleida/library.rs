//! A company with a card, somebody who looks around on its pages, and what staff puts there.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};
use shiji::ledger::StreamId;

use super::{Customer, House, id};
use crate::support::service::{Call, Reply};

/// A company, as its visitors find it.
pub struct Library {
    pub house: House,
    pub company: i64,
    /// Whose card it is.
    pub uid: i64,
    /// Who looks around.
    pub customer: Customer,
}

impl Library {
    pub async fn start() -> Self {
        let house = House::start().await;
        let company = house.company("北京打铁的信息科技").await;
        let uid = house.card(company, json!({ "position": "技术经理" })).await;
        let customer = house.customer("c").await;
        Self {
            house,
            company,
            uid,
            customer,
        }
    }

    /// What staff makes; answers its id.
    pub async fn make(&self, aggregate: &str, command: &str, fields: Value) -> i64 {
        let command = json!({ command: fields });
        id(&self.house.done(&format!("{aggregate}/new"), command).await)
    }

    /// A command of staff to something that is there.
    pub async fn tell(&self, aggregate: &str, id: i64, command: &str, fields: Value) {
        let command = json!({ command: fields });
        self.house.done(&format!("{aggregate}/{id}"), command).await;
    }

    /// A product on the shelf.
    pub async fn product(&self, name: &str) -> i64 {
        let content = json!({ "cover_data": [], "article_data": [] });
        let fields =
            json!({ "company_id": self.company, "name": name, "price": "128", "content": content });
        let id = self.make("Product", "CreateProduct", fields).await;
        self.tell("Product", id, "PublishProduct", json!({})).await;
        id
    }

    pub async fn tag(&self, name: &str) -> i64 {
        let fields = json!({ "company_id": self.company, "name": name });
        self.make("Tag", "CreateTag", fields).await
    }

    /// A case that is not published.
    pub async fn draft(&self, customer_name: &str) -> i64 {
        let fields = json!({ "company_id": self.company, "customer_name": customer_name });
        self.make("Case", "CreateCase", fields).await
    }

    /// A case everybody sees.
    pub async fn case(&self, customer_name: &str) -> i64 {
        let id = self.draft(customer_name).await;
        self.tell("Case", id, "PublishCase", json!({})).await;
        id
    }

    /// A diary everybody sees, of some day.
    pub async fn diary(&self, case_id: i64, diary_date: &str) -> i64 {
        let fields = json!({ "case_id": case_id, "title": "日记", "diary_date": diary_date });
        let id = self.make("Diary", "CreateDiary", fields).await;
        self.tell("Diary", id, "PublishDiary", json!({})).await;
        id
    }

    /// What a signed GET answers; `more` goes on with the query.
    pub async fn get(&self, path: &str, more: &str) -> Reply {
        self.get_as(&self.customer, path, more).await
    }

    pub async fn get_as(&self, customer: &Customer, path: &str, more: &str) -> Reply {
        let signature = self.house.signature(customer);
        let path = format!("/zhugeleida{path}?{signature}{more}");
        self.house.get(&path).send().await
    }

    /// A signed POST, not sent yet.
    pub fn post(&self, path: &str, more: &str) -> Call<'_> {
        self.post_as(&self.customer, path, more)
    }

    pub fn post_as(&self, customer: &Customer, path: &str, more: &str) -> Call<'_> {
        let signature = self.house.signature(customer);
        let path = format!("/zhugeleida{path}?{signature}{more}");
        self.house.service.post(&path)
    }

    /// What a list of the company's own shows, with how many there are on all pages.
    pub async fn list(&self, path: &str, more: &str) -> (Vec<Value>, i64) {
        self.list_as(&self.customer, path, more).await
    }

    pub async fn list_as(&self, customer: &Customer, path: &str, more: &str) -> (Vec<Value>, i64) {
        let more = format!("&company_id={}{more}", self.company);
        let json = self.get_as(customer, path, &more).await.json();
        assert_eq!(json["code"], 200, "{path} {more}: {json}");
        let data = &json["data"];
        let total = data["data_count"].as_i64().unwrap();
        (data["ret_data"].as_array().unwrap().clone(), total)
    }

    /// When the log took the last event of a type in a stream.
    pub async fn at(&self, aggregate: &'static str, id: i64, event: &str) -> DateTime<Utc> {
        let stream = StreamId::new(aggregate, id.to_string());
        let recorded = self.house.service.ledger.stream(&stream).await.unwrap();
        let last = recorded.iter().rfind(|fact| fact.event_type == event);
        last.unwrap().recorded_at
    }

    /// The events of the customer's visits to something.
    pub async fn visits(&self, target: &str) -> Vec<String> {
        let stream = format!("customer:{}:{target}", self.customer.id);
        self.house.service.events("Visit", stream).await
    }

    /// A company beside it, with a card.
    pub async fn neighbour(&self) -> (i64, i64) {
        let company = self.house.company("合众康桥").await;
        let uid = self.house.card(company, json!({})).await;
        (company, uid)
    }
}

/// A success with `note`, whole.
#[track_caller]
pub fn is_noted(reply: &Reply, msg: &str, rows: &Value) {
    let count = rows.as_array().unwrap().len();
    let data = json!({ "ret_data": rows, "data_count": count });
    let expected = json!({ "code": 200, "msg": msg, "data": data, "note": {} });
    assert_eq!((reply.status.as_u16(), reply.json()), (200, expected));
}

/// The values of one field, row by row.
pub fn column(rows: &[Value], field: &str) -> Vec<i64> {
    rows.iter()
        .map(|row| row[field].as_i64().unwrap())
        .collect()
}

/// A text as it stands in a query.
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut query, byte| {
        write!(query, "%{byte:02X}").unwrap();
        query
    })
}

/// `YYYY-MM-DD HH:MM:SS`, UTC+8.
pub fn second(at: DateTime<Utc>) -> String {
    wall(at, "%Y-%m-%d %H:%M:%S")
}

/// A time in UTC+8.
pub fn wall(at: DateTime<Utc>, format: &str) -> String {
    let there = FixedOffset::east_opt(8 * 3600).unwrap();
    at.with_timezone(&there).format(format).to_string()
}
