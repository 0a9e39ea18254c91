//! A message as it is shown, over HTTP and on sockets: a row's own keys, and those of its content beside them.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::zhugeleida::cards::or_default;
use crate::api::zhugeleida::time;
use crate::events::conversation::{Pair, Side};
use crate::projections::messages::{ChatItem, ChatLook, PushItem, PushLook};

/// A message as the history shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = zhugeleida::ChatRow)]
pub struct ChatRow {
    /// The customer.
    #[schema(example = 7)]
    customer_id: i64,
    /// The enterprise user.
    #[schema(example = 1)]
    user_id: i64,
    /// Avatar of the customer, whoever wrote.
    src: String,
    /// Name of the customer, whoever wrote; empty before they tell it.
    #[schema(example = "奥利奥")]
    name: String,
    /// Wall time in UTC+8.
    #[schema(rename = "dateTime", example = "2018-06-14T16:54:43.513")]
    #[serde(rename = "dateTime")]
    date_time: String,
    /// Empty where there is no text.
    #[schema(example = "您好")]
    msg: String,
    /// 1 the enterprise user wrote, 2 the customer wrote.
    send_type: u8,
    /// 1 text, 2 product, 3 phone number, 4 picture, 5 video.
    info_type: i16,
    /// `url`, `product_name` … as they were sent.
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// A message as sockets are told it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = zhugeleida::PushRow)]
pub struct PushRow {
    /// The customer.
    #[schema(example = 7)]
    customer_id: i64,
    /// The enterprise user.
    #[schema(example = 1)]
    user_id: i64,
    /// Avatar of the enterprise user.
    user_avatar: String,
    /// Avatar of the customer.
    customer_headimgurl: String,
    /// Name of the customer; empty before they tell it.
    #[schema(example = "奥利奥")]
    customer: String,
    /// Wall time in UTC+8.
    #[schema(rename = "dateTime", example = "2018-06-14 16:54:43")]
    #[serde(rename = "dateTime")]
    date_time: String,
    /// 1 the enterprise user wrote, 2 the customer wrote.
    send_type: u8,
    /// Whether it was the first between the two.
    is_first_info: bool,
    /// Empty where there is no text.
    #[schema(example = "您好")]
    msg: String,
    /// 1 text, 2 product, 3 phone number, 4 picture, 5 video.
    info_type: i16,
    /// `url`, `product_name` … as they were sent.
    #[serde(flatten)]
    more: Map<String, Value>,
}

const CHAT_KEYS: [&str; 8] = [
    "customer_id",
    "user_id",
    "src",
    "name",
    "dateTime",
    "msg",
    "send_type",
    "info_type",
];

const PUSH_KEYS: [&str; 10] = [
    "customer_id",
    "user_id",
    "user_avatar",
    "customer_headimgurl",
    "customer",
    "dateTime",
    "send_type",
    "is_first_info",
    "msg",
    "info_type",
];

/// The rows of a conversation. `default_avatar` is the picture of a customer without one.
pub fn chat_rows(pair: Pair, look: ChatLook, default_avatar: &str) -> Vec<ChatRow> {
    let ChatLook {
        customer,
        avatar,
        items,
        ..
    } = look;
    let src = if avatar.is_empty() {
        default_avatar.to_owned()
    } else {
        avatar
    };
    let row = |item: ChatItem| {
        let (msg, more) = said(&item.content, &CHAT_KEYS);
        ChatRow {
            customer_id: pair.customer_id,
            user_id: pair.uid,
            src: src.clone(),
            name: customer.clone(),
            date_time: time::iso(item.sent_at),
            msg,
            send_type: send_type(item.writer),
            info_type: item.info_type,
            more,
        }
    };
    items.into_iter().map(row).collect()
}

/// The rows for a pair's sockets.
pub fn push_rows(pair: Pair, look: PushLook) -> Vec<PushRow> {
    let PushLook {
        customer,
        customer_avatar,
        card_avatar,
        items,
        ..
    } = look;
    let (customer_avatar, card_avatar) = (or_default(customer_avatar), or_default(card_avatar));
    let row = |PushItem { message, is_first }: PushItem| {
        let (msg, more) = said(&message.content, &PUSH_KEYS);
        PushRow {
            customer_id: pair.customer_id,
            user_id: pair.uid,
            user_avatar: card_avatar.clone(),
            customer_headimgurl: customer_avatar.clone(),
            customer: customer.clone(),
            date_time: time::second(message.sent_at),
            send_type: send_type(message.writer),
            is_first_info: is_first,
            msg,
            info_type: message.info_type,
            more,
        }
    };
    items.into_iter().map(row).collect()
}

/// `send_type` of whoever writes.
const fn send_type(writer: Side) -> u8 {
    match writer {
        Side::Card => 1,
        Side::Customer => 2,
    }
}

/// The text of a content and its other keys, without those that a row has itself. Of somebody erased nothing is left.
fn said(content: &str, own: &[&str]) -> (String, Map<String, Value>) {
    let mut more: Map<String, Value> = serde_json::from_str(content).unwrap_or_default();
    let msg = match more.remove("msg") {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    more.retain(|key, _| !own.contains(&key.as_str()));
    (msg, more)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rows_own_keys_win_and_the_rest_stands_beside_them() {
        let content = json!({
            "info_type": 4, "url": "u", "send_type": 9, "user_id": "x", "msg": 7, "is_first_info": 3,
        });
        let (msg, more) = said(&content.to_string(), &CHAT_KEYS);
        assert_eq!(msg, "");
        assert_eq!(
            Value::Object(more),
            json!({ "url": "u", "is_first_info": 3 })
        );
        let (msg, more) = said(&json!({ "msg": "a", "src": 1 }).to_string(), &PUSH_KEYS);
        assert_eq!((msg.as_str(), more.len()), ("a", 1));
        assert_eq!(said("", &CHAT_KEYS), (String::new(), Map::new()));
    }
}
