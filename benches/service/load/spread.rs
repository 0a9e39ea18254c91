//! Requests that are not measured: filling a store, looking at what it shows.

use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow};

use super::{Answer, Connection};

/// Sends one request and reads something from its answer.
///
/// # Errors
///
/// When the connection breaks or `read` says what is wrong.
pub async fn ask<T>(
    address: SocketAddr,
    request: &[u8],
    read: impl FnOnce(&Answer<'_>) -> Result<T, String>,
) -> Result<T> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.exchange(request).await?;
    read(&answer).map_err(|wrong| anyhow!(wrong))
}

/// Sends `count` requests over `lanes` connections and reads something from every answer, in the order of the requests.
///
/// # Errors
///
/// When a connection breaks or `read` says what is wrong.
pub async fn spread<T>(
    address: SocketAddr,
    lanes: usize,
    count: usize,
    request: impl Fn(usize) -> Vec<u8>,
    read: impl Fn(&Answer<'_>) -> Result<T, String>,
) -> Result<Vec<T>> {
    let (request, read) = (&request, &read);
    let works = (0..lanes.min(count)).map(|lane| async move {
        let mut connection = Connection::open(address).await?;
        let mut found = Vec::new();
        for nth in (lane..count).step_by(lanes) {
            let answer = connection.exchange(&request(nth)).await?;
            let read = read(&answer).map_err(|wrong| anyhow!(wrong));
            found.push((nth, read.with_context(|| format!("request {nth}"))?));
        }
        anyhow::Ok(found)
    });
    let found = futures::future::try_join_all(works).await?;
    let mut found: Vec<(usize, T)> = found.into_iter().flatten().collect();
    found.sort_by_key(|(nth, _)| *nth);
    Ok(found.into_iter().map(|(_, read)| read).collect())
}

/// Reads nothing but that it went well.
///
/// # Errors
///
/// When it did not.
pub fn success(answer: &Answer<'_>) -> Result<(), String> {
    answer.expect_success()
}
