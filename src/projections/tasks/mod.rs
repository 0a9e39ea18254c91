//! Tasks as the back office lists and shows them.

mod queries;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use queries::{TaskDetail, TaskItem, TaskPage, detail, page};

use super::{FoldError, Handling, Projection, number};
use crate::events::{Event, Fact, TaskEvent, TaskStatus};

/// The read model `tasks`.
pub struct Tasks;

#[async_trait]
impl Projection for Tasks {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Task"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Task(event) = event else {
            return Handling::Ignored;
        };
        match event {
            TaskEvent::TaskCreated { .. }
            | TaskEvent::TaskEdited { .. }
            | TaskEvent::TaskStarted {}
            | TaskEvent::TaskRequeued {}
            | TaskEvent::TaskResultRecorded { .. }
            | TaskEvent::TaskCompleted {}
            | TaskEvent::TaskCancelled {}
            | TaskEvent::TaskDeleted {} => Handling::Handled,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact)?;
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes {
    made: BTreeMap<i64, Made>,
    changed: BTreeMap<i64, Changed>,
    removed: BTreeSet<i64>,
    /// The last event that changed how many there are.
    counted_at: Option<i64>,
}

/// A task of this batch, as it stands at its end.
struct Made {
    position: i64,
    created_by: i64,
    created_at: DateTime<Utc>,
    kind: &'static str,
    input: String,
    now: Changed,
}

/// New values of what can change.
#[derive(Default)]
struct Changed {
    status: Option<i16>,
    priority: Option<i16>,
    note: Option<String>,
    result: Option<String>,
}

impl Changes {
    fn fold(&mut self, fact: &Fact) -> Result<(), FoldError> {
        let Event::Task(event) = &fact.event else {
            return Ok(());
        };
        let id = number(fact, &fact.place.stream.id)?;
        match event {
            TaskEvent::TaskCreated {
                kind,
                priority,
                input,
                note,
                created_by,
            } => {
                let made = Made {
                    position: fact.place.position,
                    created_by: *created_by,
                    created_at: fact.place.recorded_at,
                    kind: kind.as_str(),
                    input: input.clone(),
                    now: Changed {
                        status: Some(TaskStatus::Waiting.number()),
                        priority: Some(i16::from(*priority)),
                        note: Some(note.clone()),
                        result: Some(String::new()),
                    },
                };
                self.made.insert(id, made);
                self.counted_at = Some(fact.place.position);
            }
            TaskEvent::TaskEdited { note, priority } => {
                let task = self.of(id);
                if let Some(note) = note {
                    task.note = Some(note.clone());
                }
                if let Some(priority) = priority {
                    task.priority = Some(i16::from(*priority));
                }
            }
            TaskEvent::TaskStarted {} => self.set_status(id, TaskStatus::Processing),
            TaskEvent::TaskRequeued {} => self.set_status(id, TaskStatus::Waiting),
            TaskEvent::TaskCompleted {} => self.set_status(id, TaskStatus::Done),
            TaskEvent::TaskCancelled {} => self.set_status(id, TaskStatus::Cancelled),
            TaskEvent::TaskResultRecorded { result } => self.of(id).result = Some(result.clone()),
            TaskEvent::TaskDeleted {} => {
                self.changed.remove(&id);
                if self.made.remove(&id).is_none() {
                    self.removed.insert(id);
                }
                self.counted_at = Some(fact.place.position);
            }
        }
        Ok(())
    }

    fn of(&mut self, id: i64) -> &mut Changed {
        match self.made.get_mut(&id) {
            Some(made) => &mut made.now,
            None => self.changed.entry(id).or_default(),
        }
    }

    fn set_status(&mut self, id: i64, status: TaskStatus) {
        self.of(id).status = Some(status.number());
    }

    async fn write(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        if !self.changed.is_empty() {
            update(tx, self.changed).await?;
        }
        if let Some(position) = self.counted_at {
            if self.removed.is_empty() {
                insert(tx, self.made, position).await?;
            } else {
                let removed: Vec<i64> = self.removed.into_iter().collect();
                delete(tx, &removed, position).await?;
                if !self.made.is_empty() {
                    insert(tx, self.made, position).await?;
                }
            }
        }
        Ok(())
    }
}

/// New rows, and the total with them: one round trip for the commonest batch.
async fn insert(
    tx: &mut PgConnection,
    made: BTreeMap<i64, Made>,
    counted_at: i64,
) -> sqlx::Result<()> {
    let mut columns: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut created_at = Vec::with_capacity(made.len());
    for (id, task) in made {
        columns.0.push(id);
        columns.1.push(task.position);
        columns.2.push(task.created_by);
        columns.3.push(task.now.status.unwrap_or_default());
        columns.4.push(task.now.priority.unwrap_or_default());
        created_at.push(task.created_at);
        texts.0.push(task.kind.to_owned());
        texts.1.push(task.now.note.unwrap_or_default());
        texts.2.push(task.input);
        texts.3.push(task.now.result.unwrap_or_default());
    }
    sqlx::query!(
        "WITH made AS (
             INSERT INTO tasks (id, position, created_by, status, priority, created_at, kind, note, input, result)
             SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::smallint[]),
                    unnest($5::smallint[]), unnest($6::timestamptz[]), unnest($7::text[]), unnest($8::text[]),
                    unnest($9::text[]), unnest($10::text[])
             RETURNING 1
         )
         UPDATE tasks_total
         SET total = total + (SELECT count(*) FROM made), position = greatest(position, $11)
         WHERE position = (SELECT t.position FROM tasks_total t ORDER BY t.position DESC LIMIT 1)",
        &columns.0,
        &columns.1,
        &columns.2,
        &columns.3,
        &columns.4,
        &created_at,
        &texts.0,
        &texts.1,
        &texts.2,
        &texts.3,
        counted_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn update(tx: &mut PgConnection, changed: BTreeMap<i64, Changed>) -> sqlx::Result<()> {
    let mut ids = Vec::with_capacity(changed.len());
    let mut numbers: (Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    for (id, task) in changed {
        ids.push(id);
        numbers.0.push(task.status);
        numbers.1.push(task.priority);
        texts.0.push(task.note);
        texts.1.push(task.result);
    }
    sqlx::query!(
        "UPDATE tasks t
         SET status = coalesce(n.status, t.status),
             priority = coalesce(n.priority, t.priority),
             note = coalesce(n.note, t.note),
             result = coalesce(n.result, t.result)
         FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::text[], $5::text[])
              AS n(id, status, priority, note, result)
         WHERE t.id = n.id",
        &ids,
        &numbers.0 as &[Option<i16>],
        &numbers.1 as &[Option<i16>],
        &texts.0 as &[Option<String>],
        &texts.1 as &[Option<String>],
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn delete(tx: &mut PgConnection, ids: &[i64], counted_at: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH gone AS (DELETE FROM tasks WHERE id = ANY($1) RETURNING 1)
         UPDATE tasks_total
         SET total = total - (SELECT count(*) FROM gone), position = greatest(position, $2)
         WHERE position = (SELECT t.position FROM tasks_total t ORDER BY t.position DESC LIMIT 1)",
        ids,
        counted_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}
