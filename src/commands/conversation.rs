//! Reading conversations (contract README section 3, row 19): a cursor a side, which only moves forward.

use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::{Conversation, ConversationEvent};

/// What can be asked of one side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationCommand {
    /// Note that everything up to a position was shown.
    Read {
        /// The position.
        through: i64,
    },
}

/// A conversation never says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ConversationError {}

impl Decide for Conversation {
    type Command = ConversationCommand;
    type Refusal = ConversationError;

    fn decide(
        &self,
        command: &ConversationCommand,
    ) -> Result<Vec<ConversationEvent>, ConversationError> {
        let ConversationCommand::Read { through } = *command;
        Ok(if through > self.read_through {
            vec![ConversationEvent::ConversationRead { through }]
        } else {
            vec![]
        })
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    #[test]
    fn a_cursor_only_moves_forward() {
        let rules = || TestFramework::<Conversation>::with(());
        let read = |through| ConversationCommand::Read { through };
        let was_read = |through| ConversationEvent::ConversationRead { through };
        rules()
            .given_no_previous_events()
            .when(read(7))
            .then_expect_events(vec![was_read(7)]);
        rules()
            .given(vec![was_read(7)])
            .when(read(9))
            .then_expect_events(vec![was_read(9)]);
        for again in [7, 6, 0] {
            rules()
                .given(vec![was_read(7)])
                .when(read(again))
                .then_expect_events(vec![]);
        }
    }
}
