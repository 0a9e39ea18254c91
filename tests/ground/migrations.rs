//! Migrations: again, at once, and what the service may do afterwards.

use shiji::postgres::{Database, ProjectionSchema, migrate};
use sqlx::Executor;

use crate::support::TestDatabase;

fn schemas() -> Vec<ProjectionSchema> {
    let ddl = "CREATE TABLE things (id bigint PRIMARY KEY, name text COLLATE \"C\" NOT NULL);
               CREATE SEQUENCE thing_numbers;";
    ["things_v1", "things_v2"]
        .map(|name| ProjectionSchema {
            name: name.to_owned(),
            ddl,
        })
        .into()
}

/// All that a database is made of, as far as a second migration could touch it.
async fn inventory(database: &Database) -> Vec<String> {
    let mut owner = database.connect_owner().await.unwrap();
    sqlx::query_scalar(
        "SELECT format('%s %s.%s %s', oid, relnamespace::regnamespace, relname, relacl) FROM pg_class
         WHERE relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
         UNION ALL
         SELECT format('%s %s', version, installed_on) FROM _sqlx_migrations
         ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_again_changes_nothing() {
    let test = TestDatabase::create().await;
    migrate(test.database(), &schemas()).await.unwrap();
    let before = inventory(test.database()).await;
    assert!(
        before.iter().any(|line| line.contains("things_v2.things")),
        "{before:?}"
    );
    migrate(test.database(), &schemas()).await.unwrap();
    assert_eq!(inventory(test.database()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_may_migrate_at_once_also_on_databases_of_one_server() {
    let one = TestDatabase::unmigrated().await;
    let other = TestDatabase::unmigrated().await;
    let nodes = [&one, &one, &other, &one, &other].map(|test| {
        let database = test.database().clone();
        tokio::spawn(async move { migrate(&database, &schemas()).await })
    });
    for node in nodes {
        node.await.unwrap().unwrap();
    }
    assert!(!inventory(one.database()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_projection_is_made_whole_or_not_at_all() {
    let test = TestDatabase::create().await;
    let broken = ProjectionSchema {
        name: "broken_v1".to_owned(),
        ddl: "CREATE TABLE half (); CREATE TABLE (",
    };
    let refusal = migrate(test.database(), &[broken])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refusal.starts_with("the tables of broken_v1 could not be made: "),
        "{refusal}"
    );
    assert!(
        !inventory(test.database())
            .await
            .iter()
            .any(|line| line.contains("half"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_fills_the_projections_tables_and_makes_none_elsewhere() {
    let test = TestDatabase::create().await;
    migrate(test.database(), &schemas()).await.unwrap();
    let path = ["things_v2".to_owned(), "things_v1".to_owned()];
    let mut service = test.database().connect("test", &path).await.unwrap();
    service
        .execute(
            "INSERT INTO things SELECT nextval('thing_numbers'), 'a'; DELETE FROM things_v1.things",
        )
        .await
        .unwrap();
    for forbidden in [
        "CREATE TABLE public.more ()",
        "CREATE TABLE things_v2.more ()",
        "DROP TABLE things",
    ] {
        let refusal = service.execute(forbidden).await.unwrap_err();
        assert_eq!(
            refusal.as_database_error().unwrap().code().as_deref(),
            Some("42501"),
            "{forbidden}: {refusal}"
        );
    }
}
