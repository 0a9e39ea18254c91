//! The world outside: a trait, a real adapter and a built-in stand-in each.

mod files;
mod payment;
pub mod pictures;
mod sms;

pub use files::{FileError, FileStore, Opened};
pub use payment::{ApprovesAll, Charge, Charged, HttpPayments, PaymentError, PaymentGateway};
pub use sms::{HttpSms, LoggedSms, SmsError, SmsGateway, SmsMessage};
