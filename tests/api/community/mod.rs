//! The community and ticket app (`contract/community.md`).

mod articles;
mod catalogue;
mod comments;
mod evening;
mod examples;
mod follows;
mod market;
mod media;
mod members;
mod messages;
mod moderation;
mod payment;
mod race;
mod session;
mod shelf;
mod shop;
mod shop_staff;
mod square;
mod staff;
mod wire;

use std::time::Duration;

use cqrs_es::DomainEvent;
use serde_json::{Map, Value, json};
use shiji::ledger::{Append, Expected, NewEvent, StreamId, StreamWrite};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::service::{Call, Reply, Service};

const API: &str = "/community/api/v1";

/// A function, called by nobody.
fn call<'s>(service: &'s Service, name: &str) -> Call<'s> {
    service.post(&format!("{API}/{name}"))
}

/// A business outcome: HTTP 200 and this body.
#[track_caller]
fn assert_answer(reply: &Reply, body: &Value) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json(), *body);
    let content_type = reply.header("content-type");
    assert_eq!(content_type, Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[track_caller]
fn assert_done(reply: &Reply) {
    assert_answer(reply, &json!({ "code": 0 }));
    assert!(reply.header("x-position").is_some());
}

/// A refusal, whole; `msg` follows from the code.
#[track_caller]
fn assert_refused(reply: &Reply, code: u16) {
    let msg = match code {
        401 => "请先登录",
        403 => "无权操作",
        404 => "内容不存在",
        409 => "当前状态不允许此操作",
        423 => "账户未启用",
        429 => "操作过于频繁",
        460 => "手机号或密码错误",
        461 => "验证码错误或已过期",
        462 => "手机号已注册",
        463 => "手机号未注册",
        other => panic!("{other} is no code of this surface"),
    };
    assert_answer(reply, &json!({ "code": code, "msg": msg }));
}

/// A parameter that cannot be used.
#[track_caller]
fn assert_invalid(reply: &Reply, field: &str) {
    let (msg, data) = (format!("参数错误: {field}"), json!({ "field": field }));
    assert_answer(reply, &json!({ "code": 400, "msg": msg, "data": data }));
}

/// `a` with what `b` says.
fn with(a: &Value, b: &Value) -> Value {
    let mut merged: Map<String, Value> = a.as_object().unwrap().clone();
    merged.extend(b.as_object().unwrap().clone());
    merged.into()
}

/// Records an event a stream, all in one moment and past every rule; what is answered after the next command knows them.
async fn record<E: DomainEvent>(service: &Service, events: Vec<(StreamId, E)>) {
    let streams = events.into_iter().map(|(stream, event)| StreamWrite {
        stream,
        expected: Expected::Any,
        events: vec![NewEvent {
            event_id: Uuid::now_v7(),
            event_type: event.event_type().into(),
            event_version: event.event_version().into(),
            payload: serde_json::to_string(&event).unwrap(),
        }],
    });
    let job = Append {
        streams: streams.collect(),
        guards: Vec::new(),
        metadata: service.system().metadata,
        receipt: None,
        deadline: Instant::now() + Duration::from_secs(10),
    };
    service.ledger.append(job).await.unwrap();
}
