//! `kill -9` of either side, and of both.

use std::{path::PathBuf, sync::Arc};

use shiji::postgres::{Database, PrivateServer, private};
use sqlx::{Connection, Executor, PgConnection};

use super::Folder;
use crate::support::{
    processes::{Part, eventually, is_alive, kill_hard, this_program, with_words},
    server,
};

/// Played by a process of its own: a service that has a private server, says its process id, and never ends by itself.
#[test]
#[ignore = "a part that other tests start"]
fn part_owner() {
    let folder = PathBuf::from(
        std::env::var_os("SHIJI_TEST_FOLDER").expect("the folder is given by the test"),
    );
    let server = PrivateServer::start(&server::scratch(folder)).unwrap();
    Part::say(&server.pid().unwrap().to_string());
    loop {
        std::thread::park();
    }
}

struct Owner {
    folder: Folder,
    part: Part,
    postgres: i32,
}

impl Owner {
    fn start() -> Self {
        let folder = Folder::new();
        let part = Part::start(
            &this_program(),
            "ground::killing::part_owner",
            &[("SHIJI_TEST_FOLDER", &folder.path())],
            None,
        );
        let postgres = part.says.parse().unwrap();
        Self {
            folder,
            part,
            postgres,
        }
    }

    async fn connect(&self) -> PgConnection {
        let options = private::running(&self.folder.path(), "postgres").unwrap();
        sqlx::ConnectOptions::connect(&options).await.unwrap()
    }
}

async fn note(connection: &mut PgConnection) {
    connection
        .execute("CREATE TABLE note (n int); INSERT INTO note VALUES (42)")
        .await
        .unwrap();
}

async fn noted(server: PrivateServer) -> i32 {
    let database = Database::on_private(Arc::new(server), "postgres")
        .await
        .unwrap();
    let mut connection = database.connect_owner().await.unwrap();
    sqlx::query_scalar("SELECT n FROM note")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_brought_back_and_pools_find_it_again() {
    let folder = Folder::new();
    let server = Arc::new(PrivateServer::start(&folder.options()).unwrap());
    let database = Database::on_private(Arc::clone(&server), "shiji")
        .await
        .unwrap();
    let pool = database.owner_pool();
    note(&mut pool.acquire().await.unwrap()).await;
    let before = server.pid().unwrap();
    kill_hard(before);
    eventually("another server answers through the same pool", async || {
        let answer: sqlx::Result<i32> = sqlx::query_scalar("SELECT n FROM note")
            .fetch_one(&pool)
            .await;
        answer.is_ok_and(|n| n == 42) && server.pid().is_some_and(|pid| pid != before)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_service_is_killed_its_server_goes_too() {
    let mut owner = Owner::start();
    assert!(is_alive(owner.postgres));
    owner.part.kill();
    eventually("the watchdog stopped the server", async || {
        !is_alive(owner.postgres)
    })
    .await;
    assert!(
        !owner.folder.path().join("postgres/postmaster.pid").exists(),
        "in order"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_right_after_the_kill_finds_everything() {
    let mut owner = Owner::start();
    let mut connection = owner.connect().await;
    note(&mut connection).await;
    owner.part.kill();
    assert_eq!(
        noted(PrivateServer::start(&owner.folder.options()).unwrap()).await,
        42
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_left_behind_without_its_watchdog_is_ended_by_the_next_start() {
    let mut owner = Owner::start();
    let mut connection = owner.connect().await;
    note(&mut connection).await;
    for watchdog in with_words(&["shiji-postgres-watchdog", &owner.postgres.to_string()]) {
        kill_hard(watchdog);
    }
    owner.part.kill();
    assert!(is_alive(owner.postgres), "nobody stopped it");
    connection.ping().await.unwrap();
    let next = PrivateServer::start(&owner.folder.options()).unwrap();
    assert_ne!(next.pid(), Some(owner.postgres));
    assert!(!is_alive(owner.postgres));
    assert_eq!(noted(next).await, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_killed_at_once_is_survived_by_the_next_start() {
    let mut owner = Owner::start();
    let mut connection = owner.connect().await;
    note(&mut connection).await;
    for watchdog in with_words(&["shiji-postgres-watchdog", &owner.postgres.to_string()]) {
        kill_hard(watchdog);
    }
    owner.part.kill();
    kill_hard(owner.postgres);
    assert_eq!(
        noted(PrivateServer::start(&owner.folder.options()).unwrap()).await,
        42
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_too_busy_to_notice_that_all_others_are_dead_does_not_stop_the_next_start() {
    let mut owner = Owner::start();
    let mut connection = owner.connect().await;
    note(&mut connection).await;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    tokio::spawn(async move {
        connection
            .execute("DO 'BEGIN LOOP END LOOP; END'")
            .await
            .map(|_| ())
    });
    let mut watcher = owner.connect().await;
    eventually("the backend is busy", async || {
        let state: Option<String> =
            sqlx::query_scalar("SELECT state FROM pg_stat_activity WHERE pid = $1")
                .bind(backend)
                .fetch_one(&mut watcher)
                .await
                .unwrap();
        state.as_deref() == Some("active")
    })
    .await;
    for watchdog in with_words(&["shiji-postgres-watchdog", &owner.postgres.to_string()]) {
        kill_hard(watchdog);
    }
    owner.part.kill();
    kill_hard(owner.postgres);
    assert!(is_alive(backend));
    assert_eq!(
        noted(PrivateServer::start(&owner.folder.options()).unwrap()).await,
        42
    );
    assert!(!is_alive(backend));
}
