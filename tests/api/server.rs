//! The loop under both listeners: its limits and its end.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use reqwest::Client;
use shiji::api::ops;
use shiji::api::server::{Door, DoorLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::node::{Answer, LIMITS, answer};

/// A door over a few routes that misbehave.
struct Here {
    address: String,
    stop: CancellationToken,
    served: JoinHandle<bool>,
    client: Client,
}

impl Here {
    fn open(limits: DoorLimits) -> Self {
        let router = Router::new()
            .route("/quick", get(async || "quick"))
            .route("/healthz", get(async || "alive"))
            .route(
                "/slow",
                get(async || sleep(Duration::from_millis(600)).await),
            )
            .route(
                "/endless",
                get(async || sleep(Duration::from_secs(3600)).await),
            )
            .route("/panics", get(panics))
            .route("/echo", post(async |body: Bytes| body.len().to_string()));
        let door = Door::open("test", "TEST", ([127, 0, 0, 1], 0).into(), limits).unwrap();
        let address = door.address().unwrap().to_string();
        let stop = CancellationToken::new();
        let served = tokio::spawn(door.serve(router, ops::word, stop.clone()));
        Self {
            address,
            stop,
            served,
            client: Client::new(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.client.get(format!("http://{}{path}", self.address))).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }
}

#[expect(clippy::panic, reason = "it is the point")]
async fn panics() {
    panic!("as it should");
}

/// Waits until the other side hangs up; answers what it said until then.
async fn until_closed(mut socket: TcpStream) -> String {
    let mut said = Vec::new();
    let closed = timeout(Duration::from_secs(5), socket.read_to_end(&mut said)).await;
    closed.expect("the connection is closed").unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_taken_port_is_one_sentence_that_names_the_setting() {
    let here = Here::open(LIMITS);
    let taken = Door::open(
        "public",
        "SHIJI_LISTEN",
        here.address.parse().unwrap(),
        LIMITS,
    );
    let sentence = taken.err().unwrap().to_string();
    let expected = format!(
        "{} is taken: another program listens there; stop it or set SHIJI_LISTEN to another address",
        here.address
    );
    assert_eq!(sentence, expected);
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_headers_is_left() {
    let here = Here::open(DoorLimits {
        header_time: Duration::from_millis(200),
        ..LIMITS
    });
    for beginning in ["", "P", "GET /quick HTTP/1.1\r\nHost: x\r\n"] {
        let began = Instant::now();
        let mut socket = here.connect().await;
        socket.write_all(beginning.as_bytes()).await.unwrap();
        until_closed(socket).await;
        assert!(began.elapsed() < Duration::from_secs(3), "{beginning:?}");
    }
    assert_eq!(here.get("/quick").await.status, 200);
}

#[tokio::test]
async fn a_connection_above_the_limit_hears_so_and_the_others_go_on() {
    let here = Here::open(DoorLimits {
        connections: 1,
        ..LIMITS
    });
    let mut first = here.connect().await;
    first
        .write_all(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut said = [0; 12];
    first.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    let mut second = here.connect().await;
    second
        .write_all(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let said = until_closed(second).await;
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    assert!(said.to_lowercase().contains("retry-after: 1"), "{said}");
    drop(first);
    let freed = async || here.get("/quick").await.status == 200;
    crate::support::processes::eventually("the place is free", freed).await;
}

#[tokio::test]
async fn above_the_limit_of_requests_the_answer_is_503_at_once() {
    let here = Here::open(DoorLimits {
        requests: 1,
        ..LIMITS
    });
    let slow = tokio::spawn(
        here.client
            .get(format!("http://{}/slow", here.address))
            .send(),
    );
    sleep(Duration::from_millis(200)).await;
    let refused = here.get("/quick").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"));
    assert_eq!(refused.body["code"], "overloaded");
    assert_eq!(here.get("/healthz").await.status, 200);
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(here.get("/quick").await.status, 200);
}

#[tokio::test]
async fn a_body_above_every_limit_is_refused() {
    let here = Here::open(DoorLimits {
        body_bytes: 10,
        ..LIMITS
    });
    let url = format!("http://{}/echo", here.address);
    let fits = answer(here.client.post(&url).body("0123456789")).await;
    assert_eq!((fits.status, fits.body), (200, 10.into()));
    let large = answer(here.client.post(&url).body("0123456789x")).await;
    assert_eq!(
        (large.status, &large.body["code"]),
        (413, &"body_too_large".into())
    );
    // Without a length in front, it shows while reading.
    let mut socket = here.connect().await;
    socket
        .write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nb\r\n0123456789x\r\n0\r\n\r\n")
        .await
        .unwrap();
    let said = until_closed(socket).await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_or_panics_is_a_fault_of_its_own() {
    let here = Here::open(DoorLimits {
        request_time: Duration::from_millis(200),
        ..LIMITS
    });
    let late = here.get("/endless").await;
    assert_eq!(
        (late.status, &late.body["code"]),
        (500, &"timed_out".into())
    );
    let broken = here.get("/panics").await;
    assert_eq!(
        (broken.status, &broken.body["code"]),
        (500, &"internal".into())
    );
    assert_eq!(here.get("/quick").await.status, 200);
}

#[tokio::test]
async fn http2_is_spoken_to_who_begins_with_it() {
    let here = Here::open(LIMITS);
    let mut socket = here.connect().await;
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    socket
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    socket.write_all(&settings).await.unwrap();
    let mut frame = [0; 9];
    timeout(Duration::from_secs(5), socket.read_exact(&mut frame))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame[3], 4, "the first frame is SETTINGS");
}

#[tokio::test]
async fn at_the_end_open_requests_finish_and_nobody_else_comes_in() {
    let here = Here::open(LIMITS);
    let idle = here.connect().await;
    let slow = tokio::spawn(
        here.client
            .get(format!("http://{}/slow", here.address))
            .send(),
    );
    sleep(Duration::from_millis(200)).await;
    here.stop.cancel();
    sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(&here.address).await.is_err());
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(until_closed(idle).await, "");
    assert!(
        timeout(Duration::from_secs(3), here.served)
            .await
            .unwrap()
            .unwrap()
    );
}

#[tokio::test]
async fn what_does_not_end_by_itself_is_cut_after_the_drain_time() {
    let drain = Duration::from_millis(300);
    let here = Here::open(DoorLimits { drain, ..LIMITS });
    let endless = tokio::spawn(
        here.client
            .get(format!("http://{}/endless", here.address))
            .send(),
    );
    sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    here.stop.cancel();
    assert!(!here.served.await.unwrap());
    assert!(began.elapsed() >= drain && began.elapsed() < Duration::from_secs(3));
    endless.abort();
}
