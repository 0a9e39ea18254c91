//! The world outside: a trait, a real adapter and a built-in stand-in each.

mod files;
pub mod pictures;

pub use files::{FileError, FileStore, Opened};
pub use pictures::{Picture, PictureError, Pictures};
