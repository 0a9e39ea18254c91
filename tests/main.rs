//! Tests that need the outside: PostgreSQL, HTTP, processes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests may unwrap as tests may; clippy only knows the latter"
)]

mod api;
mod desk;
mod filter;
mod ground;
mod journeys;
mod layering;
mod ledger;
mod projections;
mod support;
