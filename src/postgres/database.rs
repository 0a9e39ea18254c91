//! One database, and the ways to connect to it.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    SERVICE_ROLE,
    private::{self, PrivateError, PrivateServer},
};
use crate::settings::StoreSettings;

/// Its name on a private server.
const NAME: &str = "shiji";
/// How long a request waits for a connection out of a pool before it is an overload.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the first connection at start may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A pooled connection that rested longer than this is tested before use, so that a restarted server (no restart is
/// faster) costs no requests while a busy pool pays no extra round trips.
const TEST_AFTER_IDLE: Duration = Duration::from_millis(50);

/// Every transaction of such a connection only reads.
const ONLY_READ: (&str, &str) = ("default_transaction_read_only", "on");

/// How the server ends sessions whose client vanished without a word; Unix sockets ignore them.
const KEEPALIVES: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "60000"),
];

/// A database and how to connect to it, as its owner or as the service. Cheap to clone; the last clone of one on a
/// private server stops that server.
#[derive(Debug, Clone)]
pub struct Database {
    owner: PgConnectOptions,
    server: Option<Arc<PrivateServer>>,
    /// Whether connections of the service may only read.
    only_read: bool,
}

impl Database {
    /// For `serve`: the server of `DATABASE_URL`, else the private one, which is started and refuses a second service.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn open(store: &StoreSettings) -> Result<Self, DatabaseError> {
        if let Some(url) = &store.database_url {
            return Self::from_url(url)?.checked().await;
        }
        let options = private::PrivateOptions::from(store);
        let server = tokio::task::spawn_blocking(move || PrivateServer::start(&options))
            .await
            .map_err(|error| DatabaseError::Thread(error.to_string()))??;
        Self::on_private(Arc::new(server), NAME).await
    }

    /// For the commands that run beside `serve`: as [`Database::open`], but a private server that a running service
    /// has started is used as it is.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn attach(store: &StoreSettings) -> Result<Self, DatabaseError> {
        match Self::open(store).await {
            Err(DatabaseError::Private(PrivateError::InUse { folder, owner })) => {
                match private::running(&folder, NAME) {
                    Some(owner) => {
                        Self {
                            owner,
                            server: None,
                            only_read: false,
                        }
                        .checked()
                        .await
                    }
                    None => Err(PrivateError::InUse { folder, owner }.into()),
                }
            }
            other => other,
        }
    }

    /// A database of this name on a private server, created when it is missing.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn on_private(server: Arc<PrivateServer>, name: &str) -> Result<Self, DatabaseError> {
        let maintenance = Self {
            owner: server.options("postgres"),
            server: Some(Arc::clone(&server)),
            only_read: false,
        }
        .checked()
        .await?;
        let unreachable = |source| DatabaseError::Unreachable {
            target: maintenance.target(),
            source,
        };
        let mut connection = maintenance.connect_owner().await.map_err(unreachable)?;
        // Not a checked macro: those see one database, and this is about the list of them.
        let found: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_database WHERE datname = $1")
            .bind(name)
            .fetch_optional(&mut connection)
            .await
            .map_err(unreachable)?;
        if found.is_none() {
            let create = format!("CREATE DATABASE \"{name}\"");
            connection
                .execute(create.as_str())
                .await
                .map_err(unreachable)?;
        }
        // Parting politely is all that can fail here.
        let _ = connection.close().await;
        Ok(Self {
            owner: server.options(name),
            server: Some(server),
            only_read: false,
        })
    }

    /// A database somewhere, without connecting to it yet.
    ///
    /// # Errors
    /// When the URL is not one.
    pub fn from_url(url: &SecretString) -> Result<Self, DatabaseError> {
        let owner = url.expose_secret().parse().map_err(DatabaseError::Url)?;
        Ok(Self {
            owner,
            server: None,
            only_read: false,
        })
    }

    /// Another database on the same server.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self {
            owner: self.owner.clone().database(name),
            server: self.server.clone(),
            only_read: self.only_read,
        }
    }

    /// The same database, for a service that must not change it: PostgreSQL refuses whatever would write. The owner's
    /// connections are not concerned.
    #[must_use]
    pub fn only_read(&self) -> Self {
        Self {
            only_read: true,
            ..self.clone()
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.owner.get_database().unwrap_or(NAME)
    }

    /// The private server under it, if it has one of its own.
    #[must_use]
    pub fn server(&self) -> Option<&PrivateServer> {
        self.server.as_deref()
    }

    /// How the owner connects: migrations and DDL only.
    #[must_use]
    pub fn owner_options(&self) -> PgConnectOptions {
        self.owner
            .clone()
            .application_name("shiji owner")
            .options(KEEPALIVES)
    }

    /// How the service connects: in its own role from the first moment, with the projections' schemas in front.
    #[must_use]
    pub fn service_options(&self, name: &str, search_path: &[String]) -> PgConnectOptions {
        let mut path = search_path.to_vec();
        path.push("public".to_owned());
        let path = path.join(",");
        self.owner
            .clone()
            .application_name(&format!("shiji {name}"))
            .options([("role", SERVICE_ROLE), ("search_path", path.as_str())])
            .options(self.only_read.then_some(ONLY_READ))
            .options(KEEPALIVES)
            .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1))
    }

    /// A pool of service connections, opened as they are needed; `name` shows in `pg_stat_activity`. Must be called
    /// inside a runtime.
    #[must_use]
    pub fn pool(&self, name: &str, max_connections: u32, search_path: &[String]) -> PgPool {
        pool_options(max_connections).connect_lazy_with(self.service_options(name, search_path))
    }

    /// The same; every connection is looked at when it is new, before anybody uses it.
    #[must_use]
    pub fn pool_looking<L>(&self, name: &str, most: u32, search_path: &[String], look: L) -> PgPool
    where
        L: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<()>>,
        L: Send + Sync + 'static,
    {
        pool_options(most)
            .after_connect(move |connection, _| look(connection))
            .connect_lazy_with(self.service_options(name, search_path))
    }

    /// One service connection outside any pool, for those who must not wait in a queue: appender, projector, listener.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn connect(&self, name: &str, search_path: &[String]) -> sqlx::Result<PgConnection> {
        self.service_options(name, search_path).connect().await
    }

    /// One connection of the owner.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn connect_owner(&self) -> sqlx::Result<PgConnection> {
        self.owner_options().connect().await
    }

    /// A small pool of the owner's connections.
    #[must_use]
    pub fn owner_pool(&self) -> PgPool {
        pool_options(4).connect_lazy_with(self.owner_options())
    }

    /// Stops the private server, if there is one under it and whoever else holds a clone is done with it.
    pub async fn close(self) {
        if let Some(server) = self.server {
            // It cannot panic and is not cancelled.
            let _ = tokio::task::spawn_blocking(move || server.stop()).await;
        }
    }

    /// Connects once, so that a wrong address is told at start.
    async fn checked(self) -> Result<Self, DatabaseError> {
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, self.connect_owner()).await;
        let outcome = attempt.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
        match outcome {
            Ok(connection) => {
                let _ = connection.close().await;
                Ok(self)
            }
            Err(sqlx::Error::PoolTimedOut) => Err(DatabaseError::Silent {
                target: self.target(),
            }),
            Err(source) => Err(DatabaseError::Unreachable {
                target: self.target(),
                source,
            }),
        }
    }

    /// Where it is, without the password.
    fn target(&self) -> String {
        let place = match self.owner.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.owner.get_host(), self.owner.get_port()),
        };
        format!(
            "{place} (database {}, user {})",
            self.name(),
            self.owner.get_username()
        )
    }
}

/// How connections are set that ask for many at once, or for the same again and again. For short arrays a plan of their own
/// always looks cheaper to the server, and to make it takes longer than to answer; so one is made and kept, perhaps while the
/// tables were empty. It must serve when they are full: everything is found by keys, in the order of an index. (The newest of
/// many would else be found by sorting what vacuum has not taken away yet, which takes eighty times as long.)
pub const PLANNING_ONCE: [(&str, &str); 8] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_sort", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("jit", "off"),
];

/// Connections like those of a pool, for statements that take arrays and find all rows by keys: each is planned once.
#[must_use]
pub fn planning_once(pool: &PgPool) -> PgPool {
    let options = PgConnectOptions::clone(&pool.connect_options()).options(PLANNING_ONCE);
    pool.options().clone().connect_lazy_with(options)
}

fn pool_options(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, rested| {
            Box::pin(async move {
                if rested.idle_for > TEST_AFTER_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Why there is no database. Each is one sentence for the operator, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The private server does not run.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The URL is not one.
    #[error("DATABASE_URL is not a URL that PostgreSQL understands: {0}")]
    Url(sqlx::Error),
    /// The server refuses or is not there.
    #[error("PostgreSQL at {target} cannot be used: {source}")]
    Unreachable {
        /// Where.
        target: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The server does not answer.
    #[error("PostgreSQL at {target} did not answer within {} s", CONNECT_TIMEOUT.as_secs())]
    Silent {
        /// Where.
        target: String,
    },
    /// A thread of ours broke.
    #[error("the start of the private PostgreSQL broke off: {0}")]
    Thread(String),
}
