//! The filter compiler: against MongoDB as mingo knows it, and against itself.

mod bounds;
mod exercise;
mod oracle;
mod patterns;
mod random;
mod refusals;
mod table;
mod values;
