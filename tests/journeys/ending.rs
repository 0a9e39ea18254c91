//! SIGTERM in the middle of a request.

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Folder;
use super::node::Node;
use crate::support::processes::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_closes_the_door_finishes_what_is_open_and_leaves() {
    let folder = Folder::new();
    let mut node = Node::start(&folder).await;
    let client = node.client().await;
    let body = r#"{"type":"image","input":"half"}"#;
    let built = client
        .request(reqwest::Method::POST, "/task")
        .body(body)
        .build()
        .unwrap();
    let token = built.headers()["authorization"].to_str().unwrap();
    let head = format!(
        "POST /backend/api/v1/task HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(node.public).await.unwrap();
    let (first, rest) = body.split_at(10);
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(first.as_bytes()).await.unwrap();
    // Something after it was answered, so the half request is being worked on.
    client.create("whole").await;

    node.signal(Signal::SIGTERM);
    eventually("nobody is let in any more", async || {
        TcpStream::connect(node.public).await.is_err()
    })
    .await;
    assert!(node.ended().is_none(), "an open request is waited for");
    socket.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains(r#""code":0"#),
        "{answer}"
    );
    let status = node.end().await;
    assert!(status.success(), "{status}:\n{}", node.log());

    let node = Node::start(&folder).await;
    assert_eq!(node.client().await.list(10).await.0, 2);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_does_not_wait() {
    let folder = Folder::new();
    let mut node = Node::start(&folder).await;
    let mut socket = TcpStream::connect(node.public).await.unwrap();
    let head = "POST /backend/api/v1/logout HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    assert!(node.is_ready().await);
    node.signal(Signal::SIGTERM);
    eventually("nobody is let in any more", async || {
        TcpStream::connect(node.public).await.is_err()
    })
    .await;
    assert!(node.ended().is_none());
    node.signal(Signal::SIGINT);
    assert_eq!(node.end().await.code(), Some(130));
}
