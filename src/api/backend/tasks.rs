//! Tasks (`contract/backend.md` 2.4–2.9).

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use super::call::{self, JsonCall, QueryCall};
use super::envelope::{self, Answer, DataAnswer};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::{self, Stamp};
use crate::api::wire::{Invalid, Params};
use crate::commands::task::{DeleteTasks, TaskCommand};
use crate::events::{Task, TaskKind, TaskStatus};
use crate::projections::tasks::{self, TaskDetail, TaskItem};
use crate::projections::together::Question;

/// Bytes of a task's input.
const INPUT_MAX: usize = 65_536;
/// Characters of a remark.
const NOTE_MAX: usize = 1_000;
/// Tasks one request deletes.
const DELETE_MAX: usize = 500;
/// Tasks on a page unless the caller says how many.
const PAGE: i64 = 20;
/// Tasks on a page at most.
const PAGE_MAX: i64 = 100;

/// What is sent to create a task.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::CreateTaskRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct CreateTaskRequest {
    /// What it works on.
    r#type: TaskType,
    /// Higher is more urgent.
    #[schema(minimum = -128, maximum = 127, default = 0)]
    priority: Option<i8>,
    /// Task input, at most 65536 bytes.
    #[schema(min_length = 1)]
    input: String,
    /// Remark.
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// What tasks work on.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::TaskType)]
#[serde(rename_all = "lowercase")]
pub enum TaskType {
    /// 图片
    Image,
    /// 视频
    Video,
}

/// The id that was given out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::CreatedTask)]
pub struct CreatedTask {
    /// Task id.
    id: i64,
}

/// Create a task (新增任务)
#[utoipa::path(
    post, path = "/backend/api/v1/task", tag = SURFACE, operation_id = "backend_task_create",
    request_body = CreateTaskRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409", body = DataAnswer<CreatedTask>)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn create(State(app): State<App>, call: JsonCall) -> Result<Response, Problem> {
    let JsonCall { incoming, params } = call;
    let staff = call::staff(&app, &incoming).await?;
    let kind = params.verbatim("type")?;
    let priority = params.int("priority")?;
    let input = params.text("input")?;
    let note = params.text("note")?;
    let command = TaskCommand::Create {
        kind: kind.parse(|kind| task_kind(&kind))?.required()?,
        priority: priority.parse(|n| i8::try_from(n).ok())?.or(0),
        input: input.bytes(1..=INPUT_MAX)?.required()?,
        note: note.chars(0..=NOTE_MAX)?.or(String::new()),
        created_by: staff.uid,
    };
    let request = call::desk(&app, &incoming, &staff)?;
    let desk = app.desk().clone();
    let done = app
        .detached(async move {
            let id = desk.ledger().next_id("task").await?.to_string();
            let done = desk.create::<Task>(&request, &id, command).await?;
            Ok::<_, Problem>(done)
        })
        .await??;
    // Under a repeated idempotency key it is the first request's task.
    let id = done.changes.first().and_then(|task| task.id.parse().ok());
    let data = CreatedTask {
        id: id.ok_or_else(Problem::not_found)?,
    };
    Ok((Stamp::of(&app, &done), envelope::data("ok", data)).into_response())
}

fn task_kind(text: &str) -> Option<TaskKind> {
    [TaskKind::Image, TaskKind::Video]
        .into_iter()
        .find(|kind| kind.as_str() == text)
}

/// Which task.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct TaskQuery {
    /// Task id.
    #[param(minimum = 1)]
    id: i64,
}

/// A task with everything known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::TaskDetail)]
pub struct TaskDetailData {
    /// Task id.
    id: i64,
    /// 0 waiting (等待), 2 processing (处理中), 1 done (完成), 3 cancelled (取消).
    status: i16,
    /// `image` or `video`.
    r#type: String,
    /// −128…127, higher is more urgent.
    priority: i16,
    /// Task input.
    input: String,
    /// Task result, empty until one is recorded.
    result: String,
    /// Remark.
    note: String,
}

impl From<TaskDetail> for TaskDetailData {
    fn from(task: TaskDetail) -> Self {
        Self {
            id: task.id,
            status: task.status,
            r#type: task.kind,
            priority: task.priority,
            input: task.input,
            result: task.result,
            note: task.note,
        }
    }
}

/// Task detail (任务详情)
#[utoipa::path(
    get, path = "/backend/api/v1/task", tag = SURFACE, operation_id = "backend_task_detail",
    params(TaskQuery),
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 404", body = DataAnswer<TaskDetailData>)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn detail(State(app): State<App>, call: QueryCall) -> Result<Response, Problem> {
    let QueryCall { incoming, params } = call;
    call::staff(&app, &incoming).await?;
    let id = task_id(&params)?;
    let stamp = Stamp::as_of(&app, &incoming).await?;
    let found = tasks::detail(app.reads(), id).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let answer = match found {
        Some(task) => envelope::data("", TaskDetailData::from(task)),
        None => Problem::not_found().into_response(),
    };
    Ok((stamp, answer).into_response())
}

/// What is sent to edit a task. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::EditTaskRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct EditTaskRequest {
    /// Task id.
    #[schema(minimum = 1)]
    id: i64,
    /// Remark; empty clears.
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// Higher is more urgent.
    #[schema(minimum = -128, maximum = 127)]
    priority: Option<i8>,
}

/// Edit task information (更新任务信息)
#[utoipa::path(
    put, path = "/backend/api/v1/task", tag = SURFACE, operation_id = "backend_task_edit",
    request_body = EditTaskRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 404, 409", body = Answer)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn edit(State(app): State<App>, call: JsonCall) -> Result<Response, Problem> {
    let JsonCall { incoming, params } = call;
    let staff = call::staff(&app, &incoming).await?;
    let (id, note, priority) = (
        params.int("id")?,
        params.text("note")?,
        params.int("priority")?,
    );
    let id = id.within(1..=i64::MAX)?.required()?;
    let command = TaskCommand::Edit {
        note: note.chars(0..=NOTE_MAX)?.optional(),
        priority: priority.parse(|n| i8::try_from(n).ok())?.optional(),
    };
    let request = call::desk(&app, &incoming, &staff)?;
    execute(app, request, id, command).await
}

/// What is sent to move a task.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::TaskStatusRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct TaskStatusRequest {
    /// Task id.
    #[schema(minimum = 1)]
    id: i64,
    /// 0 waiting (等待), 2 processing (处理中), 1 done (完成), 3 cancelled (取消).
    #[schema(minimum = 0, maximum = 3)]
    status: u8,
}

/// Change task status (更新任务状态)
///
/// From waiting to processing or cancelled, from processing to waiting, done or cancelled. Done and cancelled are final.
/// The present status again is a success.
#[utoipa::path(
    put, path = "/backend/api/v1/task/status", tag = SURFACE, operation_id = "backend_task_status",
    request_body = TaskStatusRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 404, 409", body = Answer)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn change_status(State(app): State<App>, call: JsonCall) -> Result<Response, Problem> {
    let JsonCall { incoming, params } = call;
    let staff = call::staff(&app, &incoming).await?;
    let (id, status) = (params.int("id")?, params.int("status")?);
    let id = id.within(1..=i64::MAX)?.required()?;
    let status = status.parse(TaskStatus::from_number)?.required()?;
    let request = call::desk(&app, &incoming, &staff)?;
    execute(app, request, id, TaskCommand::MoveTo(status)).await
}

/// One command on one task.
async fn execute(
    app: App,
    request: crate::commands::Request,
    id: i64,
    command: TaskCommand,
) -> Result<Response, Problem> {
    let desk = app.desk().clone();
    let work = async move {
        desk.execute::<Task>(&request, &id.to_string(), command)
            .await
    };
    let done = app.detached(work).await??;
    Ok((Stamp::of(&app, &done), envelope::success("ok")).into_response())
}

/// What is sent to delete tasks. It may also stand in the query, as `ids=1,2,3`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = backend::DeleteTasksRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct DeleteTasksRequest {
    /// Task ids; absent, null or empty deletes nothing.
    #[schema(max_items = 500)]
    ids: Option<Vec<i64>>,
}

/// Delete tasks (删除任务)
///
/// All or none: while one of them is processed, none is deleted. Unknown and deleted ones are passed over.
#[utoipa::path(
    delete, path = "/backend/api/v1/task", tag = SURFACE, operation_id = "backend_task_delete",
    request_body = DeleteTasksRequest,
    params(("ids" = Option<String>, Query, description = "The same, where a client drops the body of a DELETE", example = "1,2,3")),
    responses((status = 200, description = "Codes: 0, 400, 401, 403, 409", body = Answer)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn delete(State(app): State<App>, call: JsonCall) -> Result<Response, Problem> {
    let JsonCall { incoming, params } = call;
    let staff = call::staff(&app, &incoming).await?;
    let mut ids = params.or(incoming.query()).ints("ids")?;
    ids = ids.check(|ids| {
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.len() <= DELETE_MAX
    })?;
    let mut ids = ids.or(Vec::new());
    // No task has such an id.
    ids.retain(|id| *id >= 1);
    ids.sort_unstable();
    ids.dedup();
    let request = call::desk(&app, &incoming, &staff)?;
    let desk = app.desk().clone();
    let work = async move { desk.run(&request, &DeleteTasks { ids }).await };
    let done = app.detached(work).await??;
    Ok((Stamp::of(&app, &done), envelope::success("ok")).into_response())
}

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct TasksQuery {
    /// Tasks to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Tasks on the page; more than 100 count as 100, 0 as the default.
    #[param(minimum = 0, default = 20)]
    limit: Option<i64>,
}

/// A page of the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::TasksAnswer)]
pub struct TasksAnswer {
    #[serde(flatten)]
    answer: Answer,
    /// Tasks that are not deleted.
    total: i64,
    /// Those of this page, newest first.
    items: Vec<TaskItemData>,
}

/// A line of the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::TaskItem)]
pub struct TaskItemData {
    /// Task id.
    id: i64,
    /// 0 waiting (等待), 2 processing (处理中), 1 done (完成), 3 cancelled (取消).
    status: i16,
    /// `image` or `video`.
    r#type: String,
    /// −128…127, higher is more urgent.
    priority: i16,
    /// Remark.
    note: String,
    /// Who made it.
    user: UidName,
}

/// A member of staff.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = backend::UidName)]
pub struct UidName {
    /// Staff id.
    uid: i64,
    /// Name.
    name: String,
}

impl From<TaskItem> for TaskItemData {
    fn from(task: TaskItem) -> Self {
        Self {
            id: task.id,
            status: task.status,
            r#type: task.kind,
            priority: task.priority,
            note: task.note,
            user: UidName {
                uid: task.user_uid,
                name: task.user_name,
            },
        }
    }
}

/// Task list (任务列表)
#[utoipa::path(
    get, path = "/backend/api/v1/tasks", tag = SURFACE, operation_id = "backend_tasks",
    params(TasksQuery),
    responses((status = 200, description = "Codes: 0, 400, 401, 403", body = TasksAnswer)),
    security(("backend_session" = []), ("bearer" = [])),
)]
pub async fn list(State(app): State<App>, call: QueryCall) -> Result<Response, Problem> {
    let QueryCall { incoming, params } = call;
    call::staff(&app, &incoming).await?;
    let (offset, limit) = page(&params)?;
    let stamp = Stamp::as_of(&app, &incoming).await?;
    let page = app.crowds().tasks.ask((offset, limit), ()).await;
    let (page, _) = page.map_err(|error| Problem::query(&app, error))?;
    Ok((stamp, answer::written(&page)).into_response())
}

/// Pages of the list, asked for by offset and limit: the same for everybody.
pub struct TaskPages;

impl Question for TaskPages {
    type Key = (i64, i64);
    type Asker = ();
    type Answer = Bytes;

    async fn ask(reads: &PgPool, page: &(i64, i64), _: &[()]) -> sqlx::Result<Bytes> {
        let (offset, limit) = *page;
        let page = tasks::page(reads, offset, limit).await?;
        answer::write(&TasksAnswer {
            answer: Answer::success(""),
            total: page.total,
            items: page.items.into_iter().map(TaskItemData::from).collect(),
        })
    }
}

fn page(params: &Params) -> Result<(i64, i64), Invalid> {
    let (offset, limit) = (params.int("offset")?, params.int("limit")?);
    let offset = offset.within(0..=i64::MAX)?.or(0);
    let limit = match limit.within(0..=i64::MAX)?.or(PAGE) {
        0 => PAGE,
        limit => limit.min(PAGE_MAX),
    };
    Ok((offset, limit))
}

fn task_id(params: &Params) -> Result<i64, Invalid> {
    params.int("id")?.within(1..=i64::MAX)?.required()
}
