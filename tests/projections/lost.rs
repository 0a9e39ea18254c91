//! A database that crashes under a running node comes back without the last moments of the read tables, whose commits do
//! not wait for the disk.

use std::time::Duration;

use shiji::projections::projector::reads;
use shiji::projections::{self, Projection, tasks};
use sqlx::{Executor, PgConnection};

use super::{PATIENCE, append, created, ledger, projector, proven, shown, task};
use crate::support::TestDatabase;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_after_the_crash_shows_what_was_shown_before_it() {
    let test = TestDatabase::create().await;
    let mut owner = test.database().connect_owner().await.unwrap();
    let ledger = ledger(&test).await;
    let before = projector(&test, &ledger).await;
    let position = append(&ledger, task(1), &[created("kept")]).await;
    shown(&ledger, position).await;
    for table in tables(&mut owner).await {
        let save = format!("CREATE TABLE saved_{} AS TABLE {table}", plain(&table));
        owner.execute(save.as_str()).await.unwrap();
    }
    let position = append(&ledger, task(2), &[created("lost")]).await;
    shown(&ledger, position).await;
    drop(before);
    for table in tables(&mut owner).await {
        let restore = format!(
            "TRUNCATE {table}; INSERT INTO {table} SELECT * FROM saved_{}",
            plain(&table)
        );
        owner.execute(restore.as_str()).await.unwrap();
    }

    let reads = reads(
        test.database(),
        2,
        ledger.watermark(),
        projections::all(),
        PATIENCE,
    );
    let query = tokio::spawn(async move {
        let found = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM tasks WHERE id = 2");
        found.fetch_one(&reads).await.unwrap()
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!query.is_finished(), "nobody has folded it again");
    assert!(ledger.watermark().as_of() < position, "nor is that claimed");
    let after = projector(&test, &ledger).await;
    assert_eq!(query.await.unwrap(), 1);
    shown(&ledger, position).await;
    proven(&test.pool(), position).await;
    after.shutdown().await;
}

/// What the crash takes back, together: the checkpoints and the tables of the tasks.
async fn tables(owner: &mut PgConnection) -> Vec<String> {
    let schema = tasks::Tasks.schema();
    let names = sqlx::query_scalar::<_, String>(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
    );
    let mut tables = names.bind(schema).fetch_all(owner).await.unwrap();
    tables.push("public.projection_checkpoints".to_owned());
    tables.push("public.projection_fronts".to_owned());
    tables
}

fn plain(table: &str) -> String {
    table.replace('.', "_")
}
