//! The chat between an enterprise user and a customer over HTTP (`contract/zhugeleida.md` 2.5, 2.6, 3.5–3.9, 3.22).
//!
//! | file | what |
//! |---|---|
//! | `parties.rs` | between whom a call is, and who makes it |
//! | `reading.rs` | the history, what is new, how much was not read |
//! | `sending.rs` | messages, phone numbers, questions about products |
//! | `rows.rs` | a message as it is shown, here and on sockets |
//!
//! Sockets: `live/`.

mod parties;
pub mod reading;
pub mod rows;
pub mod sending;

use super::Problem;
use super::call::Call;
use crate::api::App;
use crate::commands;
use crate::commands::chat::ChatError;
use crate::commands::conversation::{ConversationCommand, ConversationError};
use crate::commands::{DeskError, Done};
use crate::events::Conversation;
use crate::events::conversation::{ConversationId, Pair, Side};

/// Paths whose documented form ends in a number without a meaning, which may be left out.
pub const NUMBERED: [&str; 4] = [
    "/zhugeleida/qiyeweixin/chat/send_msg",
    "/zhugeleida/qiyeweixin/chat/getmsg",
    "/zhugeleida/xiaochengxu/chat/encrypted_phone_number",
    "/zhugeleida/xiaochengxu/chat/query_num",
];

/// The number at the end of a path means nothing, but it must be one.
fn meaningless(number: &str) -> Result<(), Problem> {
    match number.trim().parse::<i64>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::wrong_type()),
    }
}

/// Notes that one side was shown everything up to a position.
pub async fn read_through(
    app: &App,
    request: &commands::Request,
    (pair, side): (Pair, Side),
    through: i64,
) -> Result<Done<()>, DeskError<ConversationError>> {
    let id = ConversationId { pair, side }.to_string();
    let read = ConversationCommand::Read { through };
    app.desk().execute::<Conversation>(request, &id, read).await
}

/// A request that records what follows from another: an idempotency key is for what was asked, not for that.
fn in_passing(app: &App, call: &Call, actor: String) -> commands::Request {
    let mut request = call.anonymous(app);
    request.metadata.actor = actor;
    request
}

impl From<ChatError> for Problem {
    fn from(refusal: ChatError) -> Self {
        match refusal {
            ChatError::NobodyThere | ChatError::NoProduct => Self::no_such_id(),
            ChatError::Disabled => Self::disabled(),
            ChatError::Content(_) => Self::field("content", &refusal),
            // Ids are made for the request; only a bug gets here.
            ChatError::Exists => Self::fault(refusal),
        }
    }
}

impl From<ConversationError> for Problem {
    fn from(never: ConversationError) -> Self {
        match never {}
    }
}
