//! The view of a task: what the list and the detail show.

use cqrs_es::{EventEnvelope, View};
use serde::{Deserialize, Serialize};

use super::task::{Task, TaskEvent, User};

/// A task as readers see it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TaskView {
    id: i64,
    status: i32,
    #[serde(rename = "type")]
    kind: String,
    priority: i8,
    input: String,
    result: String,
    note: String,
    user: User,
}

/// The fields of a task that the list shows.
#[derive(Debug, Serialize, Deserialize)]
pub struct TaskSummary {
    id: i64,
    status: i32,
    #[serde(rename = "type")]
    kind: String,
    priority: i8,
    note: String,
    user: User,
}

impl View<Task> for TaskView {
    fn update(&mut self, event: &EventEnvelope<Task>) {
        match &event.payload {
            TaskEvent::TaskCreated {
                id,
                kind,
                priority,
                input,
                note,
                user,
            } => {
                self.id = *id;
                self.kind.clone_from(kind);
                self.priority = *priority;
                self.input.clone_from(input);
                self.note.clone_from(note);
                self.user = user.clone();
            }
        }
    }
}
