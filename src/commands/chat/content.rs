//! What can be said in the mini-program's chat (`contract/zhugeleida.md` 2.6).

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

/// The longest content, in bytes of its JSON.
const CONTENT_MAX: usize = 4096;
/// Characters of a text.
const MSG: RangeInclusive<usize> = 1..=2000;
/// Characters of an address that must be there.
const URL: RangeInclusive<usize> = 1..=512;
/// Characters of a product's cover, which it may lack.
const COVER: RangeInclusive<usize> = 0..=512;
/// Characters of a product's name.
const PRODUCT_NAME: RangeInclusive<usize> = 1..=200;
/// Characters of a product's price.
const PRODUCT_PRICE: RangeInclusive<usize> = 0..=100;

/// A message that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatContent {
    kind: ChatKind,
    json: String,
}

/// What a message is; `info_type` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatKind {
    /// Text, emoji, or an entry of the script library.
    Text,
    /// A product that is asked about.
    Product,
    /// A phone number that is asked for, or sent.
    Phone,
    /// A picture.
    Picture,
    /// A video.
    Video,
}

/// Why something cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadContent {
    /// There is nothing.
    #[error("is missing")]
    Missing,
    /// It is neither a text nor an object.
    #[error("must be a JSON object, or a text")]
    NoObject,
    /// Its kind is missing or none of ours.
    #[error("info_type must be 1 to 5")]
    Kind,
    /// Something its kind needs is missing, no text, too short or too long.
    #[error("{key} must be a text of {least} to {most} characters")]
    Text {
        /// The key.
        key: &'static str,
        /// Characters at least.
        least: usize,
        /// Characters at most.
        most: usize,
    },
    /// It is too long altogether.
    #[error("must be at most 4096 bytes")]
    TooLong,
    /// What no text may hold.
    #[error("must not contain U+0000")]
    Nul,
}

impl ChatKind {
    /// Its number on the wire and in events.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Product => 2,
            Self::Phone => 3,
            Self::Picture => 4,
            Self::Video => 5,
        }
    }

    const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Text),
            2 => Some(Self::Product),
            3 => Some(Self::Phone),
            4 => Some(Self::Picture),
            5 => Some(Self::Video),
            _ => None,
        }
    }

    /// The texts it needs, and how long they may be.
    const fn needs(self) -> &'static [(&'static str, RangeInclusive<usize>)] {
        match self {
            Self::Text | Self::Phone => &[("msg", MSG)],
            Self::Product => &[
                ("product_cover_url", COVER),
                ("product_name", PRODUCT_NAME),
                ("product_price", PRODUCT_PRICE),
            ],
            Self::Picture | Self::Video => &[("url", URL)],
        }
    }
}

impl ChatContent {
    /// Reads what was sent: an object, the JSON of one, or a text that is said as it stands.
    ///
    /// # Errors
    /// [`BadContent`].
    pub fn read(sent: &Value) -> Result<Self, BadContent> {
        match sent {
            Value::Null => Err(BadContent::Missing),
            Value::Object(object) => Self::new(object.clone()),
            Value::String(text) => match serde_json::from_str(text) {
                Ok(Value::Object(object)) => Self::new(object),
                _ => Self::text(text),
            },
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => Err(BadContent::NoObject),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// [`BadContent`].
    pub fn text(text: &str) -> Result<Self, BadContent> {
        Self::of_kind(ChatKind::Text, [("msg", text.into())])
    }

    /// A phone number.
    ///
    /// # Errors
    /// [`BadContent`].
    pub fn phone(number: &str) -> Result<Self, BadContent> {
        Self::of_kind(ChatKind::Phone, [("msg", number.into())])
    }

    /// A product that is asked about.
    ///
    /// # Errors
    /// [`BadContent`]; never for a product that could be created.
    pub fn product(
        product_id: i64,
        cover: &str,
        name: &str,
        price: &str,
    ) -> Result<Self, BadContent> {
        Self::of_kind(
            ChatKind::Product,
            [
                ("product_id", product_id.into()),
                ("product_cover_url", cover.into()),
                ("product_name", name.into()),
                ("product_price", price.into()),
            ],
        )
    }

    fn of_kind<const N: usize>(
        kind: ChatKind,
        fields: [(&str, Value); N],
    ) -> Result<Self, BadContent> {
        let mut object: Map<String, Value> = fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        object.insert("info_type".to_owned(), kind.number().into());
        Self::new(object)
    }

    fn new(mut object: Map<String, Value>) -> Result<Self, BadContent> {
        let kind = kind(&object)?;
        for (key, range) in kind.needs() {
            let text = object.get(*key).and_then(Value::as_str);
            let length = text.map(|text| text.trim().chars().count());
            if !length.is_some_and(|length| range.contains(&length)) {
                return Err(BadContent::Text {
                    key,
                    least: *range.start(),
                    most: *range.end(),
                });
            }
        }
        object.insert("info_type".to_owned(), kind.number().into());
        let object = Value::Object(object);
        if has_nul(&object) {
            return Err(BadContent::Nul);
        }
        let json = object.to_string();
        if json.len() > CONTENT_MAX {
            return Err(BadContent::TooLong);
        }
        Ok(Self { kind, json })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ChatKind {
        self.kind
    }

    /// Its JSON, as events keep it.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// Without a kind, what has a text is one.
fn kind(object: &Map<String, Value>) -> Result<ChatKind, BadContent> {
    let number = match object.get("info_type") {
        None | Some(Value::Null) if object.contains_key("msg") => Some(1),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        None | Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    number
        .and_then(ChatKind::from_number)
        .ok_or(BadContent::Kind)
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn read(sent: &Value) -> Result<(u8, Value), BadContent> {
        let content = ChatContent::read(sent)?;
        let json = serde_json::from_str(content.json()).unwrap();
        Ok((content.kind().number(), json))
    }

    #[rstest]
    #[case(json!({"msg": "你好"}), 1, json!({"msg": "你好", "info_type": 1}))]
    #[case(json!({"msg": "你好", "info_type": "1"}), 1, json!({"msg": "你好", "info_type": 1}))]
    #[case(json!("{\"msg\":\"你好\",\"info_type\":1}"), 1, json!({"msg": "你好", "info_type": 1}))]
    #[case(json!("你好"), 1, json!({"msg": "你好", "info_type": 1}))]
    #[case(json!("{你好"), 1, json!({"msg": "{你好", "info_type": 1}))]
    #[case(json!("123"), 1, json!({"msg": "123", "info_type": 1}))]
    #[case(json!({"info_type": 3, "msg": "给我|您的手机号", "x": [1]}), 3,
           json!({"info_type": 3, "msg": "给我|您的手机号", "x": [1]}))]
    #[case(json!({"info_type": 4, "url": "statics/1.png"}), 4, json!({"info_type": 4, "url": "statics/1.png"}))]
    #[case(json!({"info_type": 5, "url": "u", "msg": 7}), 5, json!({"info_type": 5, "url": "u", "msg": 7}))]
    #[case(json!({"info_type": 2, "product_cover_url": "", "product_name": "n", "product_price": "280-1280"}), 2,
           json!({"info_type": 2, "product_cover_url": "", "product_name": "n", "product_price": "280-1280"}))]
    fn what_can_be_said(#[case] sent: Value, #[case] number: u8, #[case] kept: Value) {
        assert_eq!(read(&sent), Ok((number, kept)));
    }

    #[rstest]
    #[case(json!(null), BadContent::Missing)]
    #[case(json!(7), BadContent::NoObject)]
    #[case(json!([{"msg": "a"}]), BadContent::NoObject)]
    #[case(json!({}), BadContent::Kind)]
    #[case(json!({"url": "u"}), BadContent::Kind)]
    #[case(json!({"info_type": 0, "msg": "a"}), BadContent::Kind)]
    #[case(json!({"info_type": 6, "msg": "a"}), BadContent::Kind)]
    #[case(json!({"info_type": "x", "msg": "a"}), BadContent::Kind)]
    #[case(json!({"info_type": 1.5, "msg": "a"}), BadContent::Kind)]
    #[case(json!({"msg": " \n"}), BadContent::Text { key: "msg", least: 1, most: 2000 })]
    #[case(json!({"msg": 7}), BadContent::Text { key: "msg", least: 1, most: 2000 })]
    #[case(json!({"msg": "字".repeat(2001)}), BadContent::Text { key: "msg", least: 1, most: 2000 })]
    #[case(json!(""), BadContent::Text { key: "msg", least: 1, most: 2000 })]
    #[case(json!({"info_type": 4, "msg": "a"}), BadContent::Text { key: "url", least: 1, most: 512 })]
    #[case(json!({"info_type": 5, "url": "u".repeat(513)}), BadContent::Text { key: "url", least: 1, most: 512 })]
    #[case(json!({"info_type": 2, "product_cover_url": "c", "product_price": "1"}),
           BadContent::Text { key: "product_name", least: 1, most: 200 })]
    #[case(json!({"info_type": 2, "product_name": "n", "product_price": "1"}),
           BadContent::Text { key: "product_cover_url", least: 0, most: 512 })]
    #[case(json!({"msg": "a", "more": "字".repeat(1400)}), BadContent::TooLong)]
    #[case(json!({"msg": "a\0"}), BadContent::Nul)]
    #[case(json!({"msg": "a", "x": [{"\0": 1}]}), BadContent::Nul)]
    fn what_cannot(#[case] sent: Value, #[case] why: BadContent) {
        assert_eq!(read(&sent), Err(why));
    }

    #[test]
    fn a_text_may_have_two_thousand_characters_if_they_are_short() {
        assert!(ChatContent::text(&"a".repeat(2000)).is_ok());
        assert_eq!(
            ChatContent::text(&"字".repeat(1500)),
            Err(BadContent::TooLong)
        );
    }
}
