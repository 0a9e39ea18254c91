//! A switch: the command that must never be carried out twice. Each flip is an event; on is an odd count.

use serde::{Deserialize, Serialize};
use shiji::commands::Decide;
use shiji::ledger::State;
use shiji::stored_events;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwitchEvent {
    /// On became off, or off on. `by` tells the flips apart.
    Flipped { by: u64 },
}

stored_events!(SwitchEvent { Flipped: 1 });

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    pub on: bool,
    pub flips: u64,
}

impl State for Switch {
    const TYPE: &'static str = "Switch";
    type Event = SwitchEvent;

    fn apply(&mut self, event: &SwitchEvent) {
        match event {
            SwitchEvent::Flipped { .. } => {
                self.on = !self.on;
                self.flips += 1;
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchCommand {
    /// The toggle.
    Flip { by: u64 },
    /// On if it is off; quiet otherwise.
    TurnOn { by: u64 },
    /// On, refused if it is on.
    Claim { by: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("it is on already")]
pub struct AlreadyOn;

impl cqrs_es::Aggregate for Switch {
    const TYPE: &'static str = <Self as State>::TYPE;
    type Command = SwitchCommand;
    type Event = SwitchEvent;
    type Error = AlreadyOn;
    type Services = ();

    async fn handle(
        &mut self,
        command: SwitchCommand,
        (): &(),
        sink: &cqrs_es::event_sink::EventSink<Self>,
    ) -> Result<(), AlreadyOn> {
        for event in self.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: SwitchEvent) {
        State::apply(self, &event);
    }
}

impl Decide for Switch {
    type Command = SwitchCommand;
    type Refusal = AlreadyOn;

    fn decide(&self, command: &SwitchCommand) -> Result<Vec<SwitchEvent>, AlreadyOn> {
        match (command, self.on) {
            (SwitchCommand::TurnOn { .. }, true) => Ok(vec![]),
            (SwitchCommand::Claim { .. }, true) => Err(AlreadyOn),
            (
                SwitchCommand::Flip { by }
                | SwitchCommand::TurnOn { by }
                | SwitchCommand::Claim { by },
                _,
            ) => Ok(vec![SwitchEvent::Flipped { by: *by }]),
        }
    }
}
