//! Commands to tasks (`backend.md` section 4): what workers need and the public surface does not have.

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::one::{execute, plain};
use super::table::{Call, Fields, StaffCommand};
use super::target::TaskId;
use crate::commands::task::TaskCommand;
use crate::events::Task;

/// The longest result, in bytes.
const RESULT: usize = 65_536;

plain! {
    /// Take up a waiting task. Refused in any other status, so that a worker knows whether it is the one.
    StartTask to TaskId: Task, TaskCommand::Start
}

/// Record what came of a task in processing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordTaskResult {
    /// At most 65536 bytes.
    result: String,
}

/// Finish a task in processing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompleteTask {
    /// What came of it, at most 65536 bytes.
    result: Option<String>,
}

plain! {
    /// Put a task in processing back.
    RequeueTask to TaskId: Task, TaskCommand::Requeue
}

plain! {
    /// Give up a task that is not done.
    CancelTask to TaskId: Task, TaskCommand::Cancel
}

impl Fields for RecordTaskResult {
    const NAME: &'static str = "RecordTaskResult";

    fn check(&self, flaws: &mut Flaws) {
        flaws.bytes("result", &self.result, 0..=RESULT);
    }
}

impl Fields for CompleteTask {
    const NAME: &'static str = "CompleteTask";

    fn check(&self, flaws: &mut Flaws) {
        if let Some(result) = &self.result {
            flaws.bytes("result", result, 0..=RESULT);
        }
    }
}

impl StaffCommand for RecordTaskResult {
    type Target = TaskId;

    async fn run(self, call: Call, task: TaskId) -> Result<Success, Failure> {
        let result = self.result;
        execute::<Task>(call, task, TaskCommand::RecordResult { result }).await
    }
}

impl StaffCommand for CompleteTask {
    type Target = TaskId;

    async fn run(self, call: Call, task: TaskId) -> Result<Success, Failure> {
        let result = self.result;
        execute::<Task>(call, task, TaskCommand::Complete { result }).await
    }
}
