//! What tests stand on: one PostgreSQL for the whole test process, and a database of its own for each test.
//!
//! The server is `SHIJI_TEST_DATABASE_URL` if that is set (its user must be allowed to create databases and roles), else
//! a scratch one under `target/tmp`, which the watchdog stops when the process ends. Databases are copies of a template
//! that was migrated once.

pub mod processes;
pub mod server;
pub mod service;

use shiji::postgres::{Database, ProjectionSchema};
use sqlx::PgPool;

/// The schemas that every test database has.
fn schemas() -> Vec<ProjectionSchema> {
    shiji::projections::schemas()
}

/// A migrated database that goes away with this value.
pub struct TestDatabase {
    database: Database,
}

impl TestDatabase {
    /// A copy of the template: migrated, otherwise empty.
    pub async fn create() -> Self {
        Self {
            database: server::get().create(server::From::Template).await,
        }
    }

    /// A database without any table, for tests of the migration itself.
    pub async fn unmigrated() -> Self {
        Self {
            database: server::get().create(server::From::Nothing).await,
        }
    }

    /// How to connect to it.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A small pool of the service's connections, with the schemas of all projections in the search path.
    pub fn pool(&self) -> PgPool {
        let names: Vec<String> = schemas().into_iter().map(|schema| schema.name).collect();
        self.database.pool("test", 8, &names)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        server::get().discard(self.database.name());
    }
}
