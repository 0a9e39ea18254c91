//! Handing SMS codes over to whoever sends them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tracing::info;

/// How long the gateway may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A code on its way. All three are digits only.
#[derive(Clone)]
pub struct SmsMessage {
    /// The dialling code.
    pub country: String,
    /// The number.
    pub phone: String,
    /// The code.
    pub code: String,
}

/// Why a message was not handed over.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the SMS gateway failed: {0}")]
pub struct SmsError(Arc<dyn std::error::Error + Send + Sync>);

impl SmsError {
    fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into().into())
    }
}

/// Sends messages.
#[async_trait]
pub trait SmsGateway: Send + Sync {
    /// Hands a message over; that it arrives nobody knows.
    ///
    /// # Errors
    /// [`SmsError`].
    async fn send(&self, message: &SmsMessage) -> Result<(), SmsError>;
}

/// Writes codes to the log: for trying things out.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoggedSms;

#[async_trait]
impl SmsGateway for LoggedSms {
    async fn send(&self, message: &SmsMessage) -> Result<(), SmsError> {
        let SmsMessage { phone, code, .. } = message;
        // Enough to tell whose it is, when one knows.
        let end = phone
            .get(phone.len().saturating_sub(4)..)
            .unwrap_or_default();
        info!("No SMS gateway is set; the code for the phone ending in {end} is {code}");
        Ok(())
    }
}

/// A gateway that takes a `POST` with whatever body it wants.
#[derive(Debug, Clone)]
pub struct HttpSms {
    client: Client,
    url: String,
    headers: HeaderMap,
    body: String,
}

impl HttpSms {
    /// Headers are `Name: value`, one a line; JSON is what they say unless they name another `Content-Type`. In the body,
    /// `{country}`, `{phone}` and `{code}` are filled in.
    ///
    /// # Errors
    /// When a line is no header, or there is no way to speak TLS.
    pub fn new(url: &str, headers: &str, body: &str) -> Result<Self, SmsError> {
        let mut read = HeaderMap::new();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        read.insert(CONTENT_TYPE, json);
        for line in headers.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| SmsError::new("a header is `Name: value`"))?;
            let name: HeaderName = name.trim().parse().map_err(SmsError::new)?;
            let mut value: HeaderValue = value.trim().parse().map_err(SmsError::new)?;
            value.set_sensitive(true);
            read.insert(name, value);
        }
        Ok(Self {
            client: Client::builder()
                .timeout(PATIENCE)
                .build()
                .map_err(SmsError::new)?,
            url: url.to_owned(),
            headers: read,
            body: body.to_owned(),
        })
    }
}

#[async_trait]
impl SmsGateway for HttpSms {
    async fn send(&self, message: &SmsMessage) -> Result<(), SmsError> {
        let body = self
            .body
            .replace("{country}", &message.country)
            .replace("{phone}", &message.phone)
            .replace("{code}", &message.code);
        let request = self.client.post(&self.url).headers(self.headers.clone());
        let answer = request.body(body).send().await;
        // An error of the client repeats the URL, which may hold a key.
        let answer = answer.map_err(|error| SmsError::new(error.without_url()))?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(SmsError::new(format!("it answers {}", answer.status())))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Takes one request and answers it; gives back what was sent.
    async fn taking(status: &str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/send", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let taken = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut sent = Vec::new();
            while !sent.ends_with(b"}") {
                let mut some = [0; 1024];
                let read = socket.read(&mut some).await.unwrap();
                assert_ne!(read, 0, "the request broke off");
                sent.extend_from_slice(&some[..read]);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(sent).unwrap()
        });
        (url, taken)
    }

    fn message() -> SmsMessage {
        SmsMessage {
            country: "86".to_owned(),
            phone: "13800000000".to_owned(),
            code: "012345".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_gateway_gets_what_its_template_says() {
        let (url, taken) = taking("202 Accepted").await;
        let headers = "Authorization: key 7\n\ncontent-type: text/x\n";
        let body = r#"{"to":"+{country}{phone}","text":"验证码 {code}"}"#;
        let gateway = HttpSms::new(&url, headers, body).unwrap();
        gateway.send(&message()).await.unwrap();
        let sent = taken.await.unwrap();
        assert!(sent.starts_with("POST /send HTTP/1.1\r\n"), "{sent}");
        assert!(sent.contains("authorization: key 7\r\n"), "{sent}");
        assert!(sent.contains("content-type: text/x\r\n"), "{sent}");
        let expected = "\r\n\r\n{\"to\":\"+8613800000000\",\"text\":\"验证码 012345\"}";
        assert!(sent.ends_with(expected), "{sent}");
    }

    #[tokio::test]
    async fn a_gateway_that_says_no_or_nothing_is_a_failure() {
        let (url, taken) = taking("403 Forbidden").await;
        let gateway = HttpSms::new(&url, "", "{}").unwrap();
        let error = gateway.send(&message()).await.unwrap_err();
        assert!(error.to_string().contains("403"), "{error}");
        let sent = taken.await.unwrap();
        assert!(sent.contains("content-type: application/json"), "{sent}");
        // Nobody listens any more.
        let error = gateway.send(&message()).await.unwrap_err();
        assert!(!error.to_string().contains(&url), "{error}");
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for bad in ["Authorization", "a b: c", "x: \u{1}"] {
            assert!(HttpSms::new("http://x", bad, "").is_err(), "{bad}");
        }
        let gateway = HttpSms::new("http://x", "Authorization: hunter2", "").unwrap();
        assert!(!format!("{gateway:?}").contains("hunter2"));
    }
}
