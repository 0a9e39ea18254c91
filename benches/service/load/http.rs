//! HTTP/1.1 keep-alive, just enough of it: no allocation per request, no parser beyond what an answer needs.

use anyhow::{Context, Result, bail};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it arrived.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// Status line and headers.
    pub head: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The value of a header, named in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// Refuses everything but HTTP 200 with code 0.
    ///
    /// # Errors
    ///
    /// A sentence saying which of the promises is broken.
    pub fn expect_success(&self) -> Result<(), String> {
        if self.status != 200 {
            return Err(format!("HTTP {}: {}", self.status, self.excerpt()));
        }
        if number_after(self.body, b"\"code\":") != Some(0) {
            return Err(format!("not code 0: {}", self.excerpt()));
        }
        Ok(())
    }

    /// The beginning of the body, for messages.
    #[must_use]
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.body.len().min(200)]).into_owned()
    }
}

/// A connection that is kept open.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    inbox: BytesMut,
    consumed: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When nobody listens.
    pub async fn open(address: std::net::SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            inbox: BytesMut::with_capacity(16 * 1024),
            consumed: 0,
        })
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    ///
    /// When the connection breaks or the answer is not one that this client reads.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.inbox.advance(self.consumed);
        self.consumed = 0;
        self.stream.write_all(request).await?;
        let mut head_end = None;
        loop {
            if head_end.is_none() {
                head_end = find(&self.inbox, b"\r\n\r\n").map(|at| at + 4);
            }
            if let Some(head_end) = head_end {
                let length = content_length(&self.inbox[..head_end])?;
                if self.inbox.len() >= head_end + length {
                    self.consumed = head_end + length;
                    let (head, rest) = self.inbox.split_at(head_end);
                    return Ok(Answer {
                        status: status(head)?,
                        head,
                        body: &rest[..length],
                    });
                }
            }
            if self.stream.read_buf(&mut self.inbox).await? == 0 {
                bail!("the server closed the connection");
            }
        }
    }
}

fn status(head: &[u8]) -> Result<u16> {
    let digits = head.get(9..12).context("a short status line")?;
    Ok(std::str::from_utf8(digits)?.parse()?)
}

fn content_length(head: &[u8]) -> Result<usize> {
    let value = header(head, "content-length").context("an answer without Content-Length")?;
    Ok(value.parse()?)
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let value = head.split(|&byte| byte == b'\n').find_map(|line| {
        let (key, rest) = line.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":")?;
        key.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })?;
    Some(std::str::from_utf8(value).ok()?.trim())
}

/// Where a text begins in another.
#[must_use]
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// How often a text occurs in another. Only places that begin like the text are compared.
#[must_use]
pub fn count(body: &[u8], text: &[u8]) -> usize {
    body.windows(text.len())
        .filter(|window| window[1] == text[1] && *window == text)
        .count()
}

/// The text between a key and the next quotation mark.
#[must_use]
pub fn text_after(body: &[u8], key: &[u8]) -> Option<String> {
    let rest = &body[find(body, key)? + key.len()..];
    let end = rest.iter().position(|byte| *byte == b'"')?;
    Some(std::str::from_utf8(&rest[..end]).ok()?.to_owned())
}

/// The whole numbers that follow a key, wherever it occurs.
#[must_use]
pub fn numbers_after(body: &[u8], key: &[u8]) -> Vec<i64> {
    let mut numbers = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, key) {
        rest = &rest[at..];
        numbers.extend(number_after(rest, key));
        rest = &rest[key.len()..];
    }
    numbers
}

/// The whole number that follows the first occurrence of a key.
#[must_use]
pub fn number_after(body: &[u8], key: &[u8]) -> Option<i64> {
    let rest = &body[find(body, key)? + key.len()..];
    let end = rest
        .iter()
        .position(|byte| !(byte.is_ascii_digit() || *byte == b'-'))
        .unwrap_or(rest.len());
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}
