//! What the system does beyond one command: paying for an order through the gateway, expiring the ones nobody pays for,
//! forgetting a person.
//!
//! Commands decide alone and know nothing of the world outside or of read tables; here they meet. A process keeps nothing
//! that the log does not: it may be interrupted anywhere, and goes on from what the log says.

mod expiry;
mod forgetting;
mod payment;

pub use expiry::{Expired, Expiry};
pub use forgetting::{Events, ForgetFailure, Receipt, Table, forget};
pub use payment::{PayFailure, pay};
