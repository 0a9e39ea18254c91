//! HTTP: parse, dispatch one command or one query, answer.
//!
//! | file | what |
//! |---|---|
//! | `app.rs` | what every door shares |
//! | `identity.rs`, `passwords.rs` | who is calling |
//! | `wire.rs`, `request.rs`, `answer.rs` | lenient parameters; from a request to desk and queries; what stands around an answer |
//! | `backend/` | the task back office, `/backend/api/v1`, and stored files |
//! | `admin/` | the staff endpoint, `/admin/commands` |
//! | `ops/` | the operators' listener, and health on both |
//! | `openapi.rs` | everything above in one document |
//! | `server/`, `problem.rs` | the loop under both listeners; words for who has no envelope |

pub mod admin;
pub mod answer;
pub mod app;
pub mod identity;
pub mod ops;
pub mod passwords;
pub mod problem;
pub mod request;
pub mod server;
pub mod wire;

pub use app::{App, AppParts, AppSettings};
