//! The world outside: a trait, a real adapter and a built-in stand-in each.

mod files;
pub mod pictures;
mod sms;

pub use files::{FileError, FileStore, Opened};
pub use pictures::{Picture, PictureError, Pictures};
pub use sms::{HttpSms, LoggedSms, SmsError, SmsGateway, SmsMessage};
