//! The one server of the test process, and the thread that makes and removes its databases.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use nix::{sys::signal::kill, unistd::Pid};
use secrecy::SecretString;
use shiji::postgres::{Database, PrivateServer, migrate, private::PrivateOptions};
use sqlx::{Executor, PgConnection};
use tokio::sync::{mpsc, oneshot};

/// What a new database starts from.
#[derive(Clone, Copy)]
pub enum From {
    Template,
    Nothing,
}

pub struct Server {
    wishes: mpsc::UnboundedSender<(From, oneshot::Sender<Database>)>,
    discarded: mpsc::UnboundedSender<String>,
}

/// The server, started by whoever asks first.
pub fn get() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

impl Server {
    pub async fn create(&self, from: From) -> Database {
        let (wish, granted) = oneshot::channel();
        self.wishes
            .send((from, wish))
            .expect("the test server's thread lives");
        granted
            .await
            .expect("the test server makes a database; its own message stands above")
    }

    /// Removes the database when there is time.
    pub fn discard(&self, name: &str) {
        // At the end of the process there is nobody left to do it, nor any need.
        let _ = self.discarded.send(name.to_owned());
    }

    fn start() -> Self {
        let (wishes, queue) = mpsc::unbounded_channel();
        let (discarded, rubbish) = mpsc::unbounded_channel();
        // A thread of its own: the runtime of the test that happens to come first ends with that test.
        std::thread::Builder::new()
            .name("test-postgres".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(serve(queue, rubbish));
            })
            .unwrap();
        Self { wishes, discarded }
    }
}

async fn serve(
    mut queue: mpsc::UnboundedReceiver<(From, oneshot::Sender<Database>)>,
    mut rubbish: mpsc::UnboundedReceiver<String>,
) {
    let server = open().await;
    let mut connection = server.connect_owner().await.unwrap();
    sweep(&mut connection).await;
    let template = server.named(&name("template"));
    execute(
        &mut connection,
        &format!("CREATE DATABASE {}", template.name()),
    )
    .await;
    migrate(&template, &super::schemas()).await.unwrap();

    let mut janitor = server.connect_owner().await.unwrap();
    tokio::spawn(async move {
        while let Some(name) = rubbish.recv().await {
            execute(&mut janitor, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    });
    let mut count = 0;
    while let Some((from, wish)) = queue.recv().await {
        count += 1;
        let database = server.named(&name(&count.to_string()));
        let origin = match from {
            From::Template => template.name(),
            From::Nothing => "template0",
        };
        execute(
            &mut connection,
            &format!(
                "CREATE DATABASE {} TEMPLATE {origin} STRATEGY FILE_COPY",
                database.name()
            ),
        )
        .await;
        // A test that gave up waiting does not want it any more.
        let _ = wish.send(database);
    }
}

async fn open() -> Database {
    if let Ok(url) = std::env::var("SHIJI_TEST_DATABASE_URL") {
        return Database::from_url(&SecretString::from(url)).unwrap();
    }
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
    clear(&parent);
    let server =
        PrivateServer::start(&scratch(parent.join(std::process::id().to_string()))).unwrap();
    Database::on_private(Arc::new(server), "tests")
        .await
        .unwrap()
}

/// How tests start private servers: nothing in them has to survive the machine.
pub fn scratch(data_dir: PathBuf) -> PrivateOptions {
    let variable = |name| std::env::var_os(name);
    PrivateOptions {
        data_dir,
        pg_bin: variable("SHIJI_PG_BIN").map(PathBuf::from),
        user: variable("SHIJI_PG_USER")
            .map_or_else(|| "postgres".to_owned(), |name| name.into_string().unwrap()),
        durable: false,
    }
}

/// Removes the folders of test processes that are gone.
fn clear(parent: &Path) {
    for folder in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if is_gone(&folder.file_name().to_string_lossy()) {
            remove(&folder.path());
        }
    }
}

/// Removes a data folder, and the one that stood in for it.
pub fn remove(data_dir: &Path) {
    if let Ok(elsewhere) = std::fs::read_to_string(data_dir.join("postgres.path")) {
        let _ = std::fs::remove_dir_all(elsewhere);
    }
    let _ = std::fs::remove_dir_all(data_dir);
}

/// Removes the databases of test processes that are gone, on a server that outlives them.
async fn sweep(connection: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar(
        r"SELECT datname::text FROM pg_database WHERE datname LIKE 'shiji\_test\_%'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    for name in names {
        if name.split('_').nth(2).is_some_and(is_gone) {
            // Two processes may be sweeping at once.
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = connection.execute(sql.as_str()).await;
        }
    }
}

fn is_gone(pid: &str) -> bool {
    pid.parse()
        .is_ok_and(|pid| kill(Pid::from_raw(pid), None).is_err())
}

fn name(what: &str) -> String {
    format!("shiji_test_{}_{what}", std::process::id())
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    if let Err(error) = connection.execute(sql).await {
        panic!("{sql}: {error}");
    }
}
