//! shiji (史记): one event-sourced service behind five documented HTTP APIs, on PostgreSQL.
//!
//! Floors, arrows point down only (`tests/layering.rs` checks them):
//!
//! | floor | module | what lives there |
//! |---|---|---|
//! | 6 | [`cli`] | `serve`, `migrate`, `demo`, `projections …`, `audit …`: one file a command |
//! | 5 | [`api`] | one folder a surface, plus `admin` and `ops` |
//! | 4 | [`processes`] | what the system does beyond one command: payment, expiry |
//! | 3 | [`commands`] | one file an aggregate: what can be asked and the rules that answer; the desk |
//! | 3 | [`projections`] | one folder a read model: its tables, its fold, its queries; the projector |
//! | 2 | [`events`] | one file an aggregate: what can have happened, and the state it adds up to |
//! | 1 | [`ledger`] | the event store. Knows no event by name |
//! | 1 | [`gateways`] | the world outside: a trait, a real adapter, a stand-in each |
//! | 1 | [`postgres`] | connect, migrate, the private server |
//! | 0 | [`settings`] | what the operator says, read once at start |

pub mod api;
pub mod cli;
pub mod commands;
pub mod events;
pub mod gateways;
pub mod ledger;
pub mod postgres;
pub mod processes;
pub mod projections;
pub mod settings;
