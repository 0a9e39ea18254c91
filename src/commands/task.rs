//! What can be asked of a task, and the rules that answer (`backend.md` 2.4–2.8, 4).

use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop};
use crate::events::{Task, TaskEvent, TaskKind, TaskStatus};

/// What can be asked of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskCommand {
    /// Ask for a task.
    Create {
        /// What it works on.
        kind: TaskKind,
        /// Its urgency.
        priority: i8,
        /// What to work on.
        input: String,
        /// A remark.
        note: String,
        /// The staff uid of whom it belongs to.
        created_by: i64,
    },
    /// Change note or priority; what is absent stays.
    Edit {
        /// The new remark.
        note: Option<String>,
        /// The new priority.
        priority: Option<i8>,
    },
    /// Move it to a status; the present one again is quiet.
    MoveTo(TaskStatus),
    /// Take it up: refused unless it waits, so that a worker knows whether it is the one.
    Start,
    /// Record what came of it, while it is processed.
    RecordResult {
        /// The result.
        result: String,
    },
    /// Finish it, perhaps with a result.
    Complete {
        /// The result.
        result: Option<String>,
    },
    /// Put it back.
    Requeue,
    /// Give it up.
    Cancel,
    /// Remove it from sight; unknown and deleted ones are passed over.
    Delete,
}

/// Why a task says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TaskError {
    /// There is no such task (or no longer).
    #[error("there is no such task")]
    NotFound,
    /// The id is taken.
    #[error("the task exists already")]
    Exists,
    /// The move is not in the table of `backend.md` 2.7.
    #[error("a task cannot go from {} to {}", from.number(), to.number())]
    InvalidTransition {
        /// Where it stands.
        from: TaskStatus,
        /// Where it was asked to go.
        to: TaskStatus,
    },
    /// Results belong to tasks in processing.
    #[error("a result is recorded only while the task is processed")]
    NotProcessing {
        /// Where it stands.
        status: TaskStatus,
    },
    /// It is being worked on.
    #[error("a task in processing is not deleted")]
    InProgress,
}

impl Decide for Task {
    type Command = TaskCommand;
    type Refusal = TaskError;

    fn decide(&self, command: &TaskCommand) -> Result<Vec<TaskEvent>, TaskError> {
        match (command, self) {
            (
                TaskCommand::Create {
                    kind,
                    priority,
                    input,
                    note,
                    created_by,
                },
                Self::Uncreated,
            ) => Ok(vec![TaskEvent::TaskCreated {
                kind: *kind,
                priority: *priority,
                input: input.clone(),
                note: note.clone(),
                created_by: *created_by,
            }]),
            (TaskCommand::Create { .. }, _) => Err(TaskError::Exists),
            (
                TaskCommand::Delete,
                Self::Live {
                    status: TaskStatus::Processing,
                    ..
                },
            ) => Err(TaskError::InProgress),
            (TaskCommand::Delete, Self::Live { .. }) => Ok(vec![TaskEvent::TaskDeleted {}]),
            (TaskCommand::Delete, Self::Uncreated | Self::Deleted)
            | (
                TaskCommand::Complete { .. },
                Self::Live {
                    status: TaskStatus::Done,
                    ..
                },
            ) => Ok(vec![]),
            (_, Self::Uncreated | Self::Deleted) => Err(TaskError::NotFound),
            (
                TaskCommand::Edit { note, priority },
                Self::Live {
                    note: n,
                    priority: p,
                    ..
                },
            ) => Ok(edit(note.as_ref(), *priority, n, *p)),
            (TaskCommand::MoveTo(to), Self::Live { status, .. }) => move_to(*status, *to),
            (
                TaskCommand::Start,
                Self::Live {
                    status: TaskStatus::Waiting,
                    ..
                },
            ) => Ok(vec![TaskEvent::TaskStarted {}]),
            (TaskCommand::Start, Self::Live { status, .. }) => Err(TaskError::InvalidTransition {
                from: *status,
                to: TaskStatus::Processing,
            }),
            (TaskCommand::RecordResult { result }, Self::Live { status, .. }) => {
                record(*status, Some(result))
            }
            (TaskCommand::Complete { result }, Self::Live { status, .. }) => {
                let moved = move_to(*status, TaskStatus::Done)?;
                let mut events = record(*status, result.as_ref())?;
                events.extend(moved);
                Ok(events)
            }
            (TaskCommand::Requeue, Self::Live { status, .. }) => {
                move_to(*status, TaskStatus::Waiting)
            }
            (TaskCommand::Cancel, Self::Live { status, .. }) => {
                move_to(*status, TaskStatus::Cancelled)
            }
        }
    }
}

/// The table of `backend.md` 2.7.
fn move_to(from: TaskStatus, to: TaskStatus) -> Result<Vec<TaskEvent>, TaskError> {
    use TaskStatus::{Cancelled, Done, Processing, Waiting};
    match (from, to) {
        (Waiting, Processing) => Ok(vec![TaskEvent::TaskStarted {}]),
        (Processing, Waiting) => Ok(vec![TaskEvent::TaskRequeued {}]),
        (Processing, Done) => Ok(vec![TaskEvent::TaskCompleted {}]),
        (Waiting | Processing, Cancelled) => Ok(vec![TaskEvent::TaskCancelled {}]),
        (Waiting, Waiting) | (Processing, Processing) | (Done, Done) | (Cancelled, Cancelled) => {
            Ok(vec![])
        }
        (Waiting, Done)
        | (Done, Waiting | Processing | Cancelled)
        | (Cancelled, Waiting | Processing | Done) => {
            Err(TaskError::InvalidTransition { from, to })
        }
    }
}

fn record(status: TaskStatus, result: Option<&String>) -> Result<Vec<TaskEvent>, TaskError> {
    match result {
        None => Ok(vec![]),
        Some(result) if status == TaskStatus::Processing => {
            Ok(vec![TaskEvent::TaskResultRecorded {
                result: result.clone(),
            }])
        }
        Some(_) => Err(TaskError::NotProcessing { status }),
    }
}

fn edit(
    note: Option<&String>,
    priority: Option<i8>,
    old_note: &str,
    old_priority: i8,
) -> Vec<TaskEvent> {
    let note = note.filter(|note| *note != old_note).cloned();
    let priority = priority.filter(|priority| *priority != old_priority);
    if note.is_none() && priority.is_none() {
        return vec![];
    }
    vec![TaskEvent::TaskEdited { note, priority }]
}

/// Deletes many tasks, all or none; unknown and deleted ones are passed over.
#[derive(Debug, Clone)]
pub struct DeleteTasks {
    /// Their ids, each once.
    pub ids: Vec<i64>,
}

/// Why nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum DeleteTasksError {
    /// Some are being worked on.
    #[error("tasks in processing are not deleted")]
    InProgress {
        /// Those.
        ids: Vec<i64>,
    },
}

impl Operation for DeleteTasks {
    type Outcome = ();
    type Refusal = DeleteTasksError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<DeleteTasksError>> {
        let streams: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        book.open_all::<Task>(&streams).await?;
        let mut in_progress = Vec::new();
        for (id, stream) in self.ids.iter().zip(&streams) {
            match book.decide::<Task>(stream, &TaskCommand::Delete).await {
                Ok(()) => {}
                // The only reason a deletion has.
                Err(Stop::Refused(_)) => in_progress.push(*id),
                Err(Stop::Fault(fault)) => return Err(Stop::Fault(fault)),
            }
        }
        if in_progress.is_empty() {
            Ok(())
        } else {
            let ids = in_progress;
            Err(Stop::Refused(DeleteTasksError::InProgress { ids }))
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use rstest::rstest;

    use super::*;

    type Rules = TestFramework<Task>;

    fn created() -> TaskEvent {
        TaskEvent::TaskCreated {
            kind: TaskKind::Image,
            priority: 0,
            input: "in".to_owned(),
            note: "note".to_owned(),
            created_by: 1,
        }
    }

    fn create() -> TaskCommand {
        TaskCommand::Create {
            kind: TaskKind::Image,
            priority: 0,
            input: "in".to_owned(),
            note: "note".to_owned(),
            created_by: 1,
        }
    }

    /// The events that bring a new task to a status.
    fn standing(status: TaskStatus) -> Vec<TaskEvent> {
        match status {
            TaskStatus::Waiting => vec![created()],
            TaskStatus::Processing => vec![created(), TaskEvent::TaskStarted {}],
            TaskStatus::Done => vec![
                created(),
                TaskEvent::TaskStarted {},
                TaskEvent::TaskCompleted {},
            ],
            TaskStatus::Cancelled => vec![created(), TaskEvent::TaskCancelled {}],
        }
    }

    #[test]
    fn a_task_is_created_once() {
        Rules::with(())
            .given_no_previous_events()
            .when(create())
            .then_expect_events(vec![created()]);
        Rules::with(())
            .given(vec![created()])
            .when(create())
            .then_expect_error(TaskError::Exists);
    }

    #[rstest]
    fn moves_follow_the_table_and_the_present_status_is_quiet(
        #[values(0, 1, 2, 3)] from: i64,
        #[values(0, 1, 2, 3)] to: i64,
    ) {
        let (from, to) = (
            TaskStatus::from_number(from).unwrap(),
            TaskStatus::from_number(to).unwrap(),
        );
        let rules = Rules::with(())
            .given(standing(from))
            .when(TaskCommand::MoveTo(to));
        match (from.number(), to.number()) {
            (a, b) if a == b => rules.then_expect_events(vec![]),
            (0, 2) => rules.then_expect_events(vec![TaskEvent::TaskStarted {}]),
            (2, 0) => rules.then_expect_events(vec![TaskEvent::TaskRequeued {}]),
            (2, 1) => rules.then_expect_events(vec![TaskEvent::TaskCompleted {}]),
            (0 | 2, 3) => rules.then_expect_events(vec![TaskEvent::TaskCancelled {}]),
            _ => rules.then_expect_error(TaskError::InvalidTransition { from, to }),
        }
    }

    #[test]
    fn an_edit_records_only_what_changes_in_any_status() {
        let edit = |note: Option<&str>, priority| TaskCommand::Edit {
            note: note.map(str::to_owned),
            priority,
        };
        Rules::with(())
            .given(standing(TaskStatus::Done))
            .when(edit(Some("other"), Some(0)))
            .then_expect_events(vec![TaskEvent::TaskEdited {
                note: Some("other".to_owned()),
                priority: None,
            }]);
        Rules::with(())
            .given(vec![created()])
            .when(edit(Some("note"), Some(0)))
            .then_expect_events(vec![]);
        Rules::with(())
            .given(vec![created()])
            .when(edit(None, None))
            .then_expect_events(vec![]);
        Rules::with(())
            .given_no_previous_events()
            .when(edit(None, Some(3)))
            .then_expect_error(TaskError::NotFound);
    }

    #[test]
    fn only_one_worker_starts_a_task() {
        Rules::with(())
            .given(vec![created()])
            .when(TaskCommand::Start)
            .then_expect_events(vec![TaskEvent::TaskStarted {}]);
        let from = TaskStatus::Processing;
        Rules::with(())
            .given(standing(from))
            .when(TaskCommand::Start)
            .then_expect_error(TaskError::InvalidTransition { from, to: from });
    }

    #[test]
    fn a_result_is_recorded_while_processing_and_with_completion() {
        let result = || "out".to_owned();
        let recorded = || TaskEvent::TaskResultRecorded { result: result() };
        Rules::with(())
            .given(standing(TaskStatus::Processing))
            .when(TaskCommand::RecordResult { result: result() })
            .then_expect_events(vec![recorded()]);
        Rules::with(())
            .given(standing(TaskStatus::Waiting))
            .when(TaskCommand::RecordResult { result: result() })
            .then_expect_error(TaskError::NotProcessing {
                status: TaskStatus::Waiting,
            });
        Rules::with(())
            .given(standing(TaskStatus::Processing))
            .when(TaskCommand::Complete {
                result: Some(result()),
            })
            .then_expect_events(vec![recorded(), TaskEvent::TaskCompleted {}]);
        Rules::with(())
            .given(standing(TaskStatus::Done))
            .when(TaskCommand::Complete { result: None })
            .then_expect_events(vec![]);
    }

    #[test]
    fn deleting_is_refused_while_processing_and_quiet_when_nothing_is_there() {
        Rules::with(())
            .given(vec![created()])
            .when(TaskCommand::Delete)
            .then_expect_events(vec![TaskEvent::TaskDeleted {}]);
        Rules::with(())
            .given(standing(TaskStatus::Processing))
            .when(TaskCommand::Delete)
            .then_expect_error(TaskError::InProgress);
        Rules::with(())
            .given_no_previous_events()
            .when(TaskCommand::Delete)
            .then_expect_events(vec![]);
        Rules::with(())
            .given(vec![created(), TaskEvent::TaskDeleted {}])
            .when(TaskCommand::Delete)
            .then_expect_events(vec![]);
        Rules::with(())
            .given(vec![created(), TaskEvent::TaskDeleted {}])
            .when(TaskCommand::Cancel)
            .then_expect_error(TaskError::NotFound);
    }
}
