//! What clients say on a socket, and what we say.

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::wire::Params;
use crate::api::zhugeleida::Problem;
use crate::api::zhugeleida::chat::rows::PushRow;
use crate::api::zhugeleida::envelope::Rows;
use crate::events::conversation::Pair;

/// Bytes of a client's frame.
pub const FRAME_MAX: usize = 16 * 1024;

/// What a client says.
pub enum Said {
    /// The socket is for a pair.
    Register(Params),
    /// Something is said.
    Message(Params),
    /// That was all.
    Closed,
}

impl Said {
    /// Reads a frame. `u_id` and `uid` are one.
    pub fn read(text: &str) -> Result<Self, Problem> {
        // Nothing at all is no object either, unlike an empty body.
        if text.trim().is_empty() {
            return Err(Problem::wrong_type());
        }
        let params = Params::from_json(text.as_bytes())?.spelled("u_id", "uid");
        let kind = params.text("type")?.optional();
        match kind.as_deref() {
            Some("register") => Ok(Self::Register(params)),
            Some("closed") => Ok(Self::Closed),
            Some("message") | None => Ok(Self::Message(params)),
            Some(_) => Err(Problem::wrong_type()),
        }
    }
}

/// The pair a frame names.
pub fn pair(params: &Params) -> Result<Pair, Problem> {
    let number = |name| {
        let number = params.quoted_int(name)?.optional();
        number.ok_or_else(Problem::wrong_type)
    };
    Ok(Pair {
        uid: number("uid")?,
        customer_id: number("user_id")?,
    })
}

/// Messages between the two.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = zhugeleida::Push)]
pub struct Push {
    data: Rows<PushRow>,
    /// 200.
    #[schema(example = 200)]
    code: u16,
    /// Text for people.
    #[schema(example = "实时推送小程序-最新聊天信息成功")]
    msg: &'static str,
}

impl Push {
    pub fn of(rows: Vec<PushRow>) -> Self {
        Self {
            data: Rows {
                data_count: i64::try_from(rows.len()).unwrap_or(i64::MAX),
                ret_data: rows,
            },
            code: 200,
            msg: "实时推送小程序-最新聊天信息成功",
        }
    }
}

/// An acknowledgement or a refusal.
#[derive(Debug, Serialize)]
pub struct Word {
    pub code: u16,
    pub msg: &'static str,
}

/// A message was taken.
pub const TAKEN: Word = Word {
    code: 200,
    msg: "小程序消息-发送成功",
};

/// A frame's text.
pub fn text(frame: &impl Serialize) -> Utf8Bytes {
    // Rows are made of texts, numbers and objects with text keys.
    serde_json::to_string(frame).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"u_id":1,"user_id":2,"type":"register"}"#, "register")]
    #[case(r#"{"user_id":"1","u_id":"2","content":"x"}"#, "message")]
    #[case(r#"{"type":"message"}"#, "message")]
    #[case(r#"{"type":null}"#, "message")]
    #[case(r#"{"u_id":1,"user_id":2,"type":"closed"}"#, "closed")]
    #[case(r#"{"type":"open"}"#, "301")]
    #[case(r#"{"type":7}"#, "301")]
    #[case("[]", "301")]
    #[case("", "301")]
    #[case("{", "301")]
    #[case("\"register\"", "301")]
    fn a_frame_is_read_by_its_type(#[case] text: &str, #[case] expected: &str) {
        let read = match Said::read(text) {
            Ok(Said::Register(_)) => "register".to_owned(),
            Ok(Said::Message(_)) => "message".to_owned(),
            Ok(Said::Closed) => "closed".to_owned(),
            Err(problem) => problem.code().to_string(),
        };
        assert_eq!(read, expected);
    }

    #[rstest]
    #[case(r#"{"u_id":1,"user_id":"2"}"#, Some((1, 2)))]
    #[case(r#"{"uid":"'1'","user_id":2}"#, Some((1, 2)))]
    #[case(r#"{"u_id":1}"#, None)]
    #[case(r#"{"u_id":"a","user_id":2}"#, None)]
    fn a_pair_is_two_numbers(#[case] text: &str, #[case] expected: Option<(i64, i64)>) {
        let Ok(Said::Message(params)) = Said::read(text) else {
            panic!("{text}");
        };
        let read = pair(&params).ok().map(|pair| (pair.uid, pair.customer_id));
        assert_eq!(read, expected);
    }
}
