//! `contract/zhugeleida.md` 3.24: the chat on sockets, over a real port.

mod ending;
mod frames;
mod nodes;
mod telling;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use shiji::api::AppSettings;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use super::Customer;
use super::chat::Talk;
use crate::api::node;

const PATH: &str = "/zhugeleida/public/websocket/xiaochengxu";

/// An enterprise user and a customer on a node with a port.
struct Hall {
    talk: Talk,
    /// `ws://…` of the node.
    url: String,
    stop: CancellationToken,
}

impl Hall {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut AppSettings)) -> Self {
        let talk = Talk::with(change).await;
        let stop = CancellationToken::new();
        let router = talk.house.service.router();
        let url = node::serve(router, &stop).replace("http://", "ws://");
        Self { talk, url, stop }
    }

    /// A socket that says nothing yet.
    async fn open(&self) -> Socket {
        Socket::open(&format!("{}{PATH}", self.url)).await
    }

    /// A socket of the pair.
    async fn enter(&self) -> Socket {
        let mut socket = self.open().await;
        socket.enter(&self.register()).await;
        socket
    }

    fn register(&self) -> Value {
        self.registers(&self.talk.customer, self.talk.card.id)
    }

    /// The frame that registers a customer with an enterprise user.
    fn registers(&self, customer: &Customer, uid: i64) -> Value {
        let now = self
            .talk
            .house
            .service
            .app
            .now()
            .timestamp_millis()
            .to_string();
        json!({
            "type": "register", "u_id": uid, "user_id": customer.id.to_string(), "timestamp": now,
            "rand_str": shiji::api::zhugeleida::rand_str(&now, &customer.token),
        })
    }

    /// The frame that says something.
    fn message(&self, content: impl Into<Value>) -> Value {
        let (uid, customer_id) = (self.talk.card.id, self.talk.customer.id.to_string());
        json!({ "u_id": uid, "user_id": customer_id, "content": content.into() })
    }

    fn sockets(&self) -> usize {
        self.talk.house.service.app.live().sockets()
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

type Wire = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A client.
pub(super) struct Socket {
    wire: Wire,
}

impl Socket {
    pub(super) async fn open(url: &str) -> Self {
        let (wire, response) = connect_async(url).await.unwrap();
        assert_eq!(response.status().as_u16(), 101);
        Self { wire }
    }

    pub(super) async fn say(&mut self, frame: &Value) {
        self.say_text(&frame.to_string()).await;
    }

    async fn say_text(&mut self, text: &str) {
        self.wire.send(Message::text(text)).await.unwrap();
    }

    /// Registers and waits until that is done: nobody says so, but what comes after it is answered.
    async fn enter(&mut self, register: &Value) {
        self.say(register).await;
        self.say_text("?").await;
        assert_eq!(self.hear().await, refusal(301));
    }

    /// The next frame.
    pub(super) async fn hear(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn next(&mut self) -> Message {
        loop {
            let next = timeout(Duration::from_secs(20), self.wire.next()).await;
            match next.expect("there is a frame").unwrap().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The text of the one message in the next frame.
    async fn told(&mut self) -> String {
        let frame = self.hear().await;
        assert_eq!(frame["data"]["data_count"], 1, "{frame}");
        text(&frame["data"]["ret_data"][0])
    }

    /// The code that the other side closes with.
    async fn closed(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(frame)) => frame.code.into(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until nothing comes any more, however it ends.
    async fn gone(&mut self) {
        let end = async {
            while let Some(frame) = self.wire.next().await {
                match frame {
                    Ok(_) => {}
                    Err(Error::Io(_) | Error::Protocol(_) | Error::ConnectionClosed) => return,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        timeout(Duration::from_secs(20), end)
            .await
            .expect("it ends");
    }
}

fn text(row: &Value) -> String {
    row["msg"].as_str().unwrap().to_owned()
}

/// A refusal of a frame, whole.
fn refusal(code: u16) -> Value {
    let msg = match code {
        301 => "数据类型验证失败",
        302 => "对应ID不存在",
        303 => "form 验证错误",
        306 => "账户未启用",
        404 => "非法请求",
        _ => panic!("{code}"),
    };
    json!({ "code": code, "msg": msg })
}

fn acknowledged() -> Value {
    json!({ "code": 200, "msg": "小程序消息-发送成功" })
}
