//! The world outside: a trait, a real adapter and a built-in stand-in each.

#[cfg(feature = "s3")]
mod bucket;
mod files;
mod payment;
pub mod pictures;
pub mod posters;
mod sms;
mod wechat;

pub use files::{FileError, FileStore, Opened};
pub use payment::{ApprovesAll, Charge, Charged, HttpPayments, PaymentError, PaymentGateway};
pub use pictures::{Picture, PictureError, Pictures};
pub use posters::{Poster, PosterError, Posters};
pub use sms::{HttpSms, LoggedSms, SmsError, SmsGateway, SmsMessage};
pub use wechat::{
    BadWechat, DoesNotDecrypt, PhoneNumber, StandIn, Watermark, Wechat, WechatApi, WechatApp,
    WechatError, WechatLogin, decrypt_phone_number,
};
