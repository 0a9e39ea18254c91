//! Commands to tasks (`backend.md` section 4): what workers need and the public surface does not have.

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand};
use super::target::{Target, TaskId};
use crate::commands::task::TaskCommand;
use crate::events::Task;

/// The longest result, in bytes.
const RESULT: usize = 65_536;

/// Take up a waiting task. Refused in any other status, so that a worker knows whether it is the one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartTask {}

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

/// Put a task in processing back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequeueTask {}

/// Give up a task that is not done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelTask {}

impl Fields for StartTask {
    const NAME: &'static str = "StartTask";
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

impl Fields for RequeueTask {
    const NAME: &'static str = "RequeueTask";
}

impl Fields for CancelTask {
    const NAME: &'static str = "CancelTask";
}

impl From<StartTask> for TaskCommand {
    fn from(StartTask {}: StartTask) -> Self {
        Self::Start
    }
}

impl From<RecordTaskResult> for TaskCommand {
    fn from(RecordTaskResult { result }: RecordTaskResult) -> Self {
        Self::RecordResult { result }
    }
}

impl From<CompleteTask> for TaskCommand {
    fn from(CompleteTask { result }: CompleteTask) -> Self {
        Self::Complete { result }
    }
}

impl From<RequeueTask> for TaskCommand {
    fn from(RequeueTask {}: RequeueTask) -> Self {
        Self::Requeue
    }
}

impl From<CancelTask> for TaskCommand {
    fn from(CancelTask {}: CancelTask) -> Self {
        Self::Cancel
    }
}

/// Each of them is one command to one task.
macro_rules! to_one_task {
    ($($command:ty),+ $(,)?) => {$(
        impl StaffCommand for $command {
            type Target = TaskId;

            async fn run(self, call: Call, task: TaskId) -> Result<Success, Failure> {
                execute(call, task, self.into()).await
            }
        }
    )+};
}

to_one_task!(
    StartTask,
    RecordTaskResult,
    CompleteTask,
    RequeueTask,
    CancelTask
);

async fn execute(call: Call, task: TaskId, command: TaskCommand) -> Result<Success, Failure> {
    let id = task.id();
    let desk = call.app.desk();
    let done = desk.execute::<Task>(&call.request, &id, command).await?;
    Ok(Success::of::<TaskId, _>(&call.app, &id, &done))
}
