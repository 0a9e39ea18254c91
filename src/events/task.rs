//! What can have happened to a task of the back office, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// What a task works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// `image` (图片).
    Image,
    /// `video` (视频).
    Video,
}

impl TaskKind {
    /// Its spelling on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
        }
    }
}

/// Where a task stands (numbers as in `backend.md` 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskStatus {
    /// 0, 等待.
    Waiting,
    /// 1, 完成. Final.
    Done,
    /// 2, 处理中.
    Processing,
    /// 3, 取消. Final.
    Cancelled,
}

impl TaskStatus {
    /// Its number on the wire and in tables.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Waiting => 0,
            Self::Done => 1,
            Self::Processing => 2,
            Self::Cancelled => 3,
        }
    }

    /// The status of a number.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Waiting),
            1 => Some(Self::Done),
            2 => Some(Self::Processing),
            3 => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// Facts about a task. Its stream is `Task:{id}`. Who did it stands in the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskEvent {
    /// Staff asked for it. It waits.
    TaskCreated {
        /// What it works on.
        kind: TaskKind,
        /// −128…127, higher is more urgent.
        priority: i8,
        /// What to work on, 1…65536 bytes.
        input: String,
        /// A remark, at most 1000 characters.
        note: String,
        /// The staff uid of whom it belongs to.
        created_by: i64,
    },
    /// Note or priority changed. Only changed fields are there.
    TaskEdited {
        /// The new remark.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// The new priority.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i8>,
    },
    /// Taken up.
    TaskStarted {},
    /// Put back.
    TaskRequeued {},
    /// What came of it, at most 65536 bytes.
    TaskResultRecorded {
        /// The result.
        result: String,
    },
    /// Done for good.
    TaskCompleted {},
    /// Given up for good.
    TaskCancelled {},
    /// Out of sight for good.
    TaskDeleted {},
}

stored_events!(TaskEvent {
    TaskCreated: 1,
    TaskEdited: 1,
    TaskStarted: 1,
    TaskRequeued: 1,
    TaskResultRecorded: 1,
    TaskCompleted: 1,
    TaskCancelled: 1,
    TaskDeleted: 1,
});

/// A task as its own rules need to see it. Readers want `projections::tasks`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Never created.
    #[default]
    Uncreated,
    /// There.
    Live {
        /// Where it stands.
        status: TaskStatus,
        /// Its remark.
        note: String,
        /// Its urgency.
        priority: i8,
    },
    /// Gone for good.
    Deleted,
}

impl State for Task {
    const TYPE: &'static str = "Task";
    type Event = TaskEvent;

    fn apply(&mut self, event: &TaskEvent) {
        match (event, &mut *self) {
            (TaskEvent::TaskCreated { note, priority, .. }, _) => {
                *self = Self::Live {
                    status: TaskStatus::Waiting,
                    note: note.clone(),
                    priority: *priority,
                };
            }
            (
                TaskEvent::TaskEdited { note, priority },
                Self::Live {
                    note: n,
                    priority: p,
                    ..
                },
            ) => {
                if let Some(note) = note {
                    n.clone_from(note);
                }
                *p = priority.unwrap_or(*p);
            }
            (TaskEvent::TaskStarted {}, Self::Live { status, .. }) => {
                *status = TaskStatus::Processing;
            }
            (TaskEvent::TaskRequeued {}, Self::Live { status, .. }) => {
                *status = TaskStatus::Waiting;
            }
            (TaskEvent::TaskCompleted {}, Self::Live { status, .. }) => *status = TaskStatus::Done,
            (TaskEvent::TaskCancelled {}, Self::Live { status, .. }) => {
                *status = TaskStatus::Cancelled;
            }
            (TaskEvent::TaskDeleted {}, _) => *self = Self::Deleted,
            (TaskEvent::TaskResultRecorded { .. }, _)
            | (
                TaskEvent::TaskEdited { .. }
                | TaskEvent::TaskStarted {}
                | TaskEvent::TaskRequeued {}
                | TaskEvent::TaskCompleted {}
                | TaskEvent::TaskCancelled {},
                Self::Uncreated | Self::Deleted,
            ) => {}
        }
    }

    fn breaks(&self, event: &TaskEvent) -> Option<&'static str> {
        match (event, self) {
            (TaskEvent::TaskCreated { .. }, Self::Uncreated) => None,
            (TaskEvent::TaskCreated { .. }, _) => Some("a task is created once"),
            (_, Self::Uncreated) => Some("a task is created first"),
            (_, Self::Deleted) => Some("nothing happens to a deleted task"),
            (
                TaskEvent::TaskStarted {}
                | TaskEvent::TaskRequeued {}
                | TaskEvent::TaskCompleted {}
                | TaskEvent::TaskCancelled {},
                Self::Live {
                    status: TaskStatus::Done | TaskStatus::Cancelled,
                    ..
                },
            ) => Some("a task that is done or cancelled stays so"),
            (
                TaskEvent::TaskResultRecorded { .. } | TaskEvent::TaskCompleted {},
                Self::Live { status, .. },
            ) if *status != TaskStatus::Processing => {
                Some("only a task in progress comes to a result or an end")
            }
            (_, Self::Live { .. }) => None,
        }
    }
}
