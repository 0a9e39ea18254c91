//! The task aggregate, as `cqrs-es` wants one.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

/// A task as its commands need to see it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Task {
    created: bool,
}

/// Who made a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Staff id.
    pub uid: i64,
    /// Staff name.
    pub name: String,
}

/// What can be asked of a task.
#[derive(Debug)]
pub enum TaskCommand {
    /// Make it.
    Create {
        id: i64,
        kind: String,
        priority: i8,
        input: String,
        note: String,
        user: User,
    },
}

/// What can have happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskEvent {
    /// It was made.
    TaskCreated {
        id: i64,
        kind: String,
        priority: i8,
        input: String,
        note: String,
        user: User,
    },
}

impl DomainEvent for TaskEvent {
    fn event_type(&self) -> String {
        match self {
            Self::TaskCreated { .. } => "TaskCreated".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

/// Why a task says no.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Somebody was faster.
    #[error("the task exists already")]
    Exists,
}

impl Aggregate for Task {
    const TYPE: &'static str = "Task";
    type Command = TaskCommand;
    type Event = TaskEvent;
    type Error = TaskError;
    type Services = ();

    async fn handle(
        &mut self,
        command: TaskCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TaskError> {
        let TaskCommand::Create {
            id,
            kind,
            priority,
            input,
            note,
            user,
        } = command;
        if self.created {
            return Err(TaskError::Exists);
        }
        let event = TaskEvent::TaskCreated {
            id,
            kind,
            priority,
            input,
            note,
            user,
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: TaskEvent) {
        match event {
            TaskEvent::TaskCreated { .. } => self.created = true,
        }
    }
}
