//! What connections look like from the server, and what is said when there are none.

use secrecy::SecretString;
use shiji::{postgres::Database, settings::StoreSettings};

use super::Folder;
use crate::support::TestDatabase;

type Session = (String, String, String);

const SESSION: &str = "SELECT current_user::text, current_setting('search_path'), current_setting('application_name')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_has_its_role_and_its_search_path_from_the_start() {
    let test = TestDatabase::create().await;
    let path = ["tasks_v1".to_owned(), "staff_v3".to_owned()];
    let wanted = |name: &str| {
        (
            "shiji_service".to_owned(),
            "tasks_v1,staff_v3,public".to_owned(),
            name.to_owned(),
        )
    };

    let pool = test.database().pool("reads", 2, &path);
    let session: Session = sqlx::query_as(SESSION).fetch_one(&pool).await.unwrap();
    assert_eq!(session, wanted("shiji reads"));
    let session: Session = sqlx::query_as(SESSION)
        .fetch_one(&test.pool())
        .await
        .unwrap();
    assert_eq!(session.0, "shiji_service");
    let mut connection = test.database().connect("appender", &path).await.unwrap();
    let session: Session = sqlx::query_as(SESSION)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(session, wanted("shiji appender"));
}

fn store(url: &str) -> StoreSettings {
    StoreSettings {
        data_dir: "/nonexistent".into(),
        database_url: Some(SecretString::from(url)),
        master_key: None,
        pg_bin: None,
        pg_user: "postgres".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_one_sentence_without_the_password() {
    let url = "postgres://somebody:hunter2@127.0.0.1:9/shiji?sslmode=disable";
    let refusal = Database::open(&store(url)).await.unwrap_err().to_string();
    assert!(
        refusal.starts_with(
            "PostgreSQL at 127.0.0.1:9 (database shiji, user somebody) cannot be used: "
        ),
        "{refusal}"
    );
    assert!(
        !refusal.contains("hunter2") && !refusal.contains('\n'),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_named() {
    let test = TestDatabase::create().await;
    let options = test.database().named("no_such_database").owner_options();
    let host = match options.get_socket() {
        Some(socket) => socket.to_str().unwrap().replace('/', "%2F"),
        None => options.get_host().to_owned(),
    };
    let url = format!(
        "postgres://{}@{host}:{}/no_such_database",
        options.get_username(),
        options.get_port()
    );
    let refusal = Database::open(&store(&url)).await.unwrap_err().to_string();
    assert!(
        refusal.contains("database \"no_such_database\" does not exist"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_use_the_private_server_of_a_running_service() {
    let folder = Folder::new();
    let store = StoreSettings {
        data_dir: folder.path(),
        database_url: None,
        ..store("")
    };
    let service = Database::open(&store).await.unwrap();
    let refusal = Database::open(&store).await.unwrap_err().to_string();
    assert!(refusal.starts_with("another shiji (process "), "{refusal}");

    let command = Database::attach(&store).await.unwrap();
    assert!(command.server().is_none(), "it is not its own");
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut command.connect_owner().await.unwrap())
        .await
        .unwrap();
    assert_eq!(name, "shiji");
    service.close().await;
    // Nobody runs it now, so the command starts it for itself.
    assert!(Database::attach(&store).await.unwrap().server().is_some());
}
