//! Starting and stopping a private server, in all the places and as all the users there are.

use std::{fs, sync::Arc};

use nix::unistd::geteuid;
use shiji::postgres::{Database, PrivateServer};

use super::{Folder, set_mode};
use crate::support::processes::{Part, this_program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_folder_gets_a_durable_server_on_a_socket_only() {
    let folder = Folder::new();
    let mut options = folder.options();
    options.durable = true;
    let server = Arc::new(PrivateServer::start(&options).unwrap());
    let database = Database::on_private(Arc::clone(&server), "shiji")
        .await
        .unwrap();
    let mut connection = database.connect_owner().await.unwrap();
    for (setting, wanted) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("jit", "off"),
        ("shared_buffers", "256MB"),
        ("max_connections", "200"),
    ] {
        let found: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(found, wanted, "{setting}");
    }
    let compression: String = sqlx::query_scalar("SELECT current_setting('wal_compression')")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let lz4 = "SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'wal_compression'";
    let known: bool = sqlx::query_scalar(lz4)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(compression, if known { "lz4" } else { "off" });
    drop(connection);
    let cluster = server.folder().join("postgres");
    assert!(cluster.join("postmaster.pid").exists());
    server.stop();
    assert!(
        !cluster.join("postmaster.pid").exists(),
        "it was shut down in order"
    );
    assert_eq!(server.pid(), None);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_service_on_the_same_folder_is_refused_in_one_sentence() {
    let folder = Folder::new();
    let first = PrivateServer::start(&folder.options()).unwrap();
    let refusal = PrivateServer::start(&folder.options())
        .unwrap_err()
        .to_string();
    let me = std::process::id();
    assert!(
        refusal.starts_with(&format!(
            "another shiji (process {me}) is using the data folder "
        )),
        "{refusal}"
    );
    assert!(first.is_ready(), "the first one is not disturbed");
    drop(first);
    PrivateServer::start(&folder.options()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_folder_with_a_strange_name_and_a_half_made_data_directory_are_no_trouble() {
    let folder = Folder::new();
    let mut options = folder.options();
    options.data_dir = folder
        .path()
        .join("deep/".repeat(30))
        .join("史记, \"the\" $data");
    fs::create_dir_all(options.data_dir.join("postgres.new-1/base")).unwrap();
    let server = Arc::new(PrivateServer::start(&options).unwrap());
    Database::on_private(server, "shiji").await.unwrap();
    assert!(!options.data_dir.join("postgres.new-1").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strange_name_stands_in_a_socket_folder_too() {
    let folder = Folder::new();
    let mut options = folder.options();
    options.data_dir = folder.path().join("my, \"own\" 'data'");
    let server = Arc::new(PrivateServer::start(&options).unwrap());
    Database::on_private(server, "shiji").await.unwrap();
    assert!(options.data_dir.join("run").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pid_file_whose_number_was_used_again_does_not_stop_the_start() {
    let folder = Folder::new();
    drop(PrivateServer::start(&folder.options()).unwrap());
    // After a power cut the file is still there, and its number may be anybody's: here ours.
    let mut text = std::process::id().to_string();
    text.push_str("\n/somewhere\n1\n5432\n/tmp\n\n  1  1\nready   \n");
    fs::write(folder.path().join("postgres/postmaster.pid"), text).unwrap();
    let server = PrivateServer::start(&folder.options()).unwrap();
    assert!(server.is_ready());
}

#[test]
fn a_folder_of_another_version_is_refused_in_one_sentence() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("postgres")).unwrap();
    fs::write(folder.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let refusal = PrivateServer::start(&folder.options())
        .unwrap_err()
        .to_string();
    assert!(
        refusal.starts_with("the data folder was made by PostgreSQL 9, and only "),
        "{refusal}"
    );
}

#[test]
fn what_postgresql_says_about_a_failed_start_is_passed_on() {
    let folder = Folder::new();
    drop(PrivateServer::start(&folder.options()).unwrap());
    let conf = folder.path().join("postgres/postgresql.conf");
    fs::write(
        &conf,
        fs::read_to_string(&conf).unwrap() + "no_such_setting = 1\n",
    )
    .unwrap();
    let refusal = PrivateServer::start(&folder.options())
        .unwrap_err()
        .to_string();
    assert!(
        refusal.starts_with("postgres failed: ") && refusal.contains("no_such_setting"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_root_a_folder_the_server_cannot_enter_is_stood_in_for_and_remembered() {
    if !geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    set_mode(folder.outer.path(), 0o700);
    let server = Arc::new(PrivateServer::start(&folder.options()).unwrap());
    let place = server.folder().to_owned();
    assert!(place.starts_with("/var/lib/shiji"), "{}", place.display());
    Database::on_private(Arc::clone(&server), "kept")
        .await
        .unwrap();
    drop(server);
    // The way is open now, but the data is where it was.
    set_mode(folder.outer.path(), 0o755);
    let server = PrivateServer::start(&folder.options()).unwrap();
    assert_eq!(server.folder(), place);
    assert!(!folder.path().join("postgres").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_root_files_that_exist_are_not_left_behind_for_an_empty_folder() {
    if !geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    drop(PrivateServer::start(&folder.options()).unwrap());
    set_mode(folder.outer.path(), 0o700);
    let refusal = PrivateServer::start(&folder.options())
        .unwrap_err()
        .to_string();
    assert!(
        refusal.starts_with("the user `postgres`, who runs PostgreSQL, cannot enter "),
        "{refusal}"
    );
}

#[test]
fn an_ordinary_user_runs_it_as_themselves() {
    const NOBODY: u32 = 65534;
    if !geteuid().is_root() {
        // Then every other test here shows it.
        return;
    }
    let folder = Folder::new();
    // The target folder may be closed to others.
    let program = folder.outer.path().join("program");
    fs::copy(this_program(), &program).unwrap();
    fs::create_dir(folder.path()).unwrap();
    std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let variables = [("SHIJI_TEST_FOLDER", folder.path())];
    let variables = variables
        .each_ref()
        .map(|(name, path)| (*name, path.as_path()));
    let part = Part::start(
        &program,
        "ground::killing::part_owner",
        &variables,
        Some(NOBODY),
    );
    let pid: i32 = part.says.parse().unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("/proc/{pid}")).unwrap());
    assert_eq!(owner, NOBODY);
    drop(part);
    // Root takes the folder over as it is: PostgreSQL insists on the owner of its files.
    let server = PrivateServer::start(&folder.options()).unwrap();
    let pid = server.pid().unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&fs::metadata(format!("/proc/{pid}")).unwrap());
    assert_eq!(owner, NOBODY);
}
