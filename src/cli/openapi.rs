//! `shiji openapi`: the OpenAPI document of everything the service answers. It needs no store.

use std::io::{self, Write as _};

use super::Exit;
use crate::api;

/// Prints the document.
pub fn run() -> anyhow::Result<Exit> {
    io::stdout().write_all(api::openapi::json()?.as_bytes())?;
    Ok(Exit::Fine)
}
