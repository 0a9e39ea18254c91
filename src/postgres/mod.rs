//! The way to PostgreSQL: connect as the owner or as the service, migrate, and the private server for when no
//! `DATABASE_URL` is given.
//!
//! Nothing here knows what the tables mean; that is `ledger/` and `projections/`.

mod database;
mod lease;
mod migrate;
pub mod private;
mod rate_limits;
mod wechat_sessions;

pub use database::{Database, DatabaseError, PLANNING_ONCE, planning_once};
pub use lease::Lease;
pub use migrate::{MigrateError, ProjectionSchema, make_schema, migrate};
pub use private::{PrivateError, PrivateServer};
pub use rate_limits::{Limit, RateLimits};
pub use wechat_sessions::WechatSessions;

/// The role every service connection acts as; the first migration creates it. It may select and call the append, but
/// neither update nor delete events.
pub const SERVICE_ROLE: &str = "shiji_service";
