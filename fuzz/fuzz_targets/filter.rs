//! Any text as a filter, an order and a page: no panic, nothing of the text in the SQL. `-timeout=` bounds the time.
//!
//! The same function runs in `tests/filter/bounds.rs` with bounded random texts.

#![no_main]

#[path = "../../tests/filter/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|text: &str| exercise::exercise(text));
