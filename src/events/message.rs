//! What can have happened to a private message, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::party::Party;
use crate::ledger::{Personal, State};
use crate::stored_events;

/// Facts about a message. Its stream is `Message:{message_id}`, one number space for all surfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageEvent {
    /// It was sent, and never changes.
    MessageSent {
        /// Who wrote it.
        from: Party,
        /// Whom it is for.
        to: Party,
        /// What it says, sealed under its sender: a text in the community, a JSON object as text in the mini-program's chat.
        content: Personal<String>,
        /// Of the mini-program's chat: 1 text, 2 product, 3 phone number, 4 picture, 5 video.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        info_type: Option<u8>,
    },
    /// One side threw its copy away; the other still has its own.
    MessageDeleted {
        /// Which side.
        by: Party,
    },
}

stored_events!(MessageEvent {
    MessageSent: 1,
    MessageDeleted: 1,
});

/// A message as rules need to see it.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Never sent.
    #[default]
    Unsent,
    /// Sent.
    Sent {
        /// Who wrote it.
        from: Party,
        /// Whom it is for.
        to: Party,
        /// The sides that threw their copy away.
        deleted_by: Vec<Party>,
    },
}

impl State for Message {
    const TYPE: &'static str = "Message";
    type Event = MessageEvent;

    fn apply(&mut self, event: &MessageEvent) {
        match (event, &mut *self) {
            (MessageEvent::MessageSent { from, to, .. }, _) => {
                *self = Self::Sent {
                    from: from.clone(),
                    to: to.clone(),
                    deleted_by: Vec::new(),
                };
            }
            (MessageEvent::MessageDeleted { by }, Self::Sent { deleted_by, .. }) => {
                deleted_by.push(by.clone());
            }
            (MessageEvent::MessageDeleted { .. }, Self::Unsent) => {}
        }
    }

    fn breaks(&self, event: &MessageEvent) -> Option<&'static str> {
        match (event, self) {
            (MessageEvent::MessageSent { .. }, Self::Unsent) => None,
            (MessageEvent::MessageSent { .. }, Self::Sent { .. }) => Some("a message is sent once"),
            (MessageEvent::MessageDeleted { .. }, Self::Unsent) => Some("a message is sent first"),
            (MessageEvent::MessageDeleted { by }, Self::Sent { deleted_by, .. }) => {
                (deleted_by.contains(by)).then_some("each side deletes a message once")
            }
        }
    }
}
