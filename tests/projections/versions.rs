//! A new version of a projection is built beside the old one.

use async_trait::async_trait;
use shiji::events::{Event, Fact};
use shiji::postgres::{ProjectionSchema, migrate};
use shiji::projections::{self, FoldError, Handling, Projection, tasks};
use sqlx::PgConnection;

use super::{append, created, ledger, projector, shown, start, task};
use crate::support::TestDatabase;
use crate::support::processes::eventually;

/// The tasks of the next build.
struct Tasks2;

#[async_trait]
impl Projection for Tasks2 {
    fn name(&self) -> &'static str {
        tasks::Tasks.name()
    }

    fn version(&self) -> u32 {
        tasks::Tasks.version() + 1
    }

    fn ddl(&self) -> &'static str {
        tasks::Tasks.ddl()
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        tasks::Tasks.feeds_on()
    }

    fn handles(&self, event: &Event) -> Handling {
        tasks::Tasks.handles(event)
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        tasks::Tasks.apply(batch, tx).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_is_built_beside_the_old_and_takes_over_when_it_leaves() {
    let test = TestDatabase::create().await;
    let old_ledger = ledger(&test).await;
    let old = projector(&test, &old_ledger).await;
    for id in 1..=1_200 {
        append(&old_ledger, task(id), &[created("before")]).await;
    }

    let schema = ProjectionSchema {
        name: Tasks2.schema(),
        ddl: Tasks2.ddl(),
    };
    migrate(test.database(), &[schema]).await.unwrap();
    let all: Vec<&'static dyn Projection> = (projections::all().iter().copied())
        .map(|p| {
            if p.name() == "tasks" {
                &Tasks2 as &dyn Projection
            } else {
                p
            }
        })
        .collect();
    let path: Vec<String> = all.iter().map(|p| p.schema()).collect();
    let new_ledger = ledger(&test).await;
    let new = start(&test, &new_ledger, all).await;
    let position = append(&old_ledger, task(2_000), &[created("meanwhile")]).await;
    shown(&new_ledger, position).await;
    shown(&old_ledger, position).await;
    assert_eq!(new.status().leads, ["tasks"]);
    assert_eq!(old.status().leads.len(), projections::all().len());
    let total = async |path: &[String]| {
        let pool = test.database().pool("look", 1, path);
        tasks::page(&pool, 0, 1).await.unwrap().total
    };
    assert_eq!(total(&path).await, 1_201);
    assert_eq!(total(&projections::search_path()).await, 1_201);

    old.shutdown().await;
    eventually("the new build leads all", async || {
        new.status().leads.len() == projections::all().len()
    })
    .await;
    let position = append(&new_ledger, task(2_001), &[created("after")]).await;
    shown(&new_ledger, position).await;
    assert_eq!(total(&path).await, 1_202);
    assert_eq!(total(&projections::search_path()).await, 1_201);
    new.shutdown().await;

    // Going back is starting the old build: its tasks catch up, beside the others, which are ahead of them.
    let old = projector(&test, &old_ledger).await;
    let position = append(&old_ledger, task(2_002), &[created("back")]).await;
    shown(&old_ledger, position).await;
    assert_eq!(total(&projections::search_path()).await, 1_203);
    super::proven(&test.pool(), position).await;
    old.shutdown().await;
}
