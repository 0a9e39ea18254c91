//! Sending and deleting private messages (contract README section 3, row 18).

use serde::{Deserialize, Serialize};

use super::targets::{Standing, standing};
use super::{Book, Decide, Operation, Stop};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
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

/// Sends a text from one side of the community to another that is there.
#[derive(Debug, Clone)]
pub struct SendText {
    /// The new id.
    pub id: i64,
    /// Who writes.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// What.
    pub content: String,
}

impl Operation for SendText {
    /// The message's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = MessageError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<MessageError>> {
        there(book, &self.to).await?;
        // Whoever writes is a member with a session, unless staff writes for a master or merchant.
        if self.from.kind != PartyKind::Member {
            there(book, &self.from).await?;
        }
        let id = self.id.to_string();
        let send = MessageCommand::Send {
            from: self.from.clone(),
            to: self.to.clone(),
            content: Personal::new(self.from.subject(), self.content.clone()),
            info_type: None,
        };
        book.create::<Message>(&id);
        book.decide::<Message>(&id, &send).await?;
        Ok(self.id)
    }
}

/// One side of a conversation of the community must be there. The customer service always is.
async fn there(book: &mut Book, party: &Party) -> Result<(), Stop<MessageError>> {
    let kind = match party.kind {
        PartyKind::Member => TargetKind::User,
        PartyKind::Master => TargetKind::Master,
        PartyKind::Merchant => TargetKind::Merchant,
        PartyKind::CustomerService => return Ok(()),
        PartyKind::Customer
        | PartyKind::Card
        | PartyKind::Weidu
        | PartyKind::Staff
        | PartyKind::System
        | PartyKind::Anonymous => return Err(Stop::Refused(MessageError::NoRecipient)),
    };
    match standing(book, &Target::new(kind, &party.id)).await? {
        Standing::Live => Ok(()),
        Standing::Gone | Standing::Unknown => Err(Stop::Refused(MessageError::NoRecipient)),
    }
}

/// Throws one side's copies away: all of them or none. Those that are unknown or thrown away already are passed over.
#[derive(Debug, Clone)]
pub struct DeleteMessages {
    /// Which.
    pub ids: Vec<i64>,
    /// Which side asks.
    pub by: Party,
}

impl Operation for DeleteMessages {
    type Outcome = ();
    type Refusal = MessageError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<MessageError>> {
        let ids: Vec<String> = self.ids.iter().map(i64::to_string).collect();
        book.open_all::<Message>(&ids).await?;
        for id in &ids {
            if *book.state::<Message>(id).await? == Message::Unsent {
                continue;
            }
            let delete = MessageCommand::Delete {
                by: self.by.clone(),
            };
            book.decide::<Message>(id, &delete).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

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
