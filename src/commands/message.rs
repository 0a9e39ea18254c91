//! Sending and deleting private messages (contract README section 3, row 18).

use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::party::Party;
use crate::events::{Message, MessageEvent};
use crate::ledger::Personal;

/// What can be asked of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageCommand {
    /// Send it. That the other side is there is the operation's to guard.
    Send {
        /// Who writes.
        from: Party,
        /// To whom.
        to: Party,
        /// What; sealed under the sender ([`Party::subject`]).
        content: Personal<String>,
        /// Of the mini-program's chat: its kind, 1…5.
        info_type: Option<u8>,
    },
    /// Throw one side's copy away.
    Delete {
        /// Which side.
        by: Party,
    },
}

/// Why a message says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum MessageError {
    /// There is none.
    #[error("there is no such message")]
    NotFound,
    /// The id is taken.
    #[error("the message exists already")]
    Exists,
    /// It is of two others.
    #[error("the message is of two others")]
    Foreign,
    /// Nobody is there to read it.
    #[error("there is nobody to write to")]
    NoRecipient,
}

impl Decide for Message {
    type Command = MessageCommand;
    type Refusal = MessageError;

    fn decide(&self, command: &MessageCommand) -> Result<Vec<MessageEvent>, MessageError> {
        match (command, self) {
            (
                MessageCommand::Send {
                    from,
                    to,
                    content,
                    info_type,
                },
                Self::Unsent,
            ) => Ok(vec![MessageEvent::MessageSent {
                from: from.clone(),
                to: to.clone(),
                content: content.clone(),
                info_type: *info_type,
            }]),
            (MessageCommand::Send { .. }, Self::Sent { .. }) => Err(MessageError::Exists),
            (MessageCommand::Delete { .. }, Self::Unsent) => Err(MessageError::NotFound),
            (
                MessageCommand::Delete { by },
                Self::Sent {
                    from,
                    to,
                    deleted_by,
                },
            ) => {
                if by != from && by != to {
                    Err(MessageError::Foreign)
                } else if deleted_by.contains(by) {
                    Ok(vec![])
                } else {
                    Ok(vec![MessageEvent::MessageDeleted { by: by.clone() }])
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;
    use crate::events::party::PartyKind;

    fn party(id: &str) -> Party {
        Party::new(PartyKind::Member, id)
    }

    fn text() -> Personal<String> {
        Personal::new(party("a").subject(), "在吗".to_owned())
    }

    fn sent() -> MessageEvent {
        MessageEvent::MessageSent {
            from: party("a"),
            to: party("b"),
            content: text(),
            info_type: None,
        }
    }

    fn delete(by: &str) -> MessageCommand {
        MessageCommand::Delete { by: party(by) }
    }

    #[test]
    fn a_message_is_sent_once() {
        let rules = || TestFramework::<Message>::with(());
        let send = || MessageCommand::Send {
            from: party("a"),
            to: party("b"),
            content: text(),
            info_type: None,
        };
        rules()
            .given_no_previous_events()
            .when(send())
            .then_expect_events(vec![sent()]);
        rules()
            .given(vec![sent()])
            .when(send())
            .then_expect_error(MessageError::Exists);
    }

    #[test]
    fn each_side_deletes_its_own_copy_once_and_nobody_else_any() {
        let rules = || TestFramework::<Message>::with(());
        let deleted = |by: &str| MessageEvent::MessageDeleted { by: party(by) };
        rules()
            .given(vec![sent()])
            .when(delete("a"))
            .then_expect_events(vec![deleted("a")]);
        rules()
            .given(vec![sent(), deleted("a")])
            .when(delete("a"))
            .then_expect_events(vec![]);
        rules()
            .given(vec![sent(), deleted("a")])
            .when(delete("b"))
            .then_expect_events(vec![deleted("b")]);
        rules()
            .given(vec![sent()])
            .when(delete("c"))
            .then_expect_error(MessageError::Foreign);
        rules()
            .given_no_previous_events()
            .when(delete("a"))
            .then_expect_error(MessageError::NotFound);
    }
}
