//! How sockets end.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::json;
use shiji::commands::chat::{ChatContent, SendChat};
use shiji::events::conversation::{Pair, Side};
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::super::chat::is_sent;
use super::{Hall, PATH, text};
use crate::support::processes::eventually;

#[tokio::test]
async fn a_client_says_goodbye_or_hangs_up() {
    let hall = Hall::start().await;
    let mut polite = hall.enter().await;
    let frame =
        json!({ "u_id": hall.talk.card.id, "user_id": hall.talk.customer.id, "type": "closed" });
    polite.say(&frame).await;
    assert_eq!(polite.closed().await, 1000);
    polite.gone().await;
    let mut closing = hall.enter().await;
    closing.wire.close(None).await.unwrap();
    closing.gone().await;
    drop(hall.enter().await);
    drop(hall.open().await);
    eventually("all are gone", async || hall.sockets() == 0).await;
    // Nobody minds.
    is_sent(&hall.talk.card_says("x").await);
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_it() {
    let hall = Hall::start().await;
    let mut socket = hall.enter().await;
    let just = hall
        .message(json!({ "msg": "x", "more": "y".repeat(4096) }))
        .to_string();
    let padding = " ".repeat(16 * 1024 - just.len());
    socket.say_text(&format!("{just}{padding}")).await;
    assert_eq!(socket.hear().await["code"], 303);
    socket.say_text(&format!("{just}{padding} ")).await;
    assert_eq!(socket.closed().await, 1009);
    // What is far too large is not even read.
    let mut socket = hall.enter().await;
    let _ = socket.wire.send(Message::text("x".repeat(1 << 20))).await;
    socket.gone().await;
    eventually("both are gone", async || hall.sockets() == 0).await;
}

#[tokio::test]
async fn whoever_does_not_register_is_left() {
    let hall =
        Hall::with(|settings| settings.live.register_time = Duration::from_millis(300)).await;
    let mut registered = hall.enter().await;
    let mut silent = hall.open().await;
    assert_eq!(silent.closed().await, 1008);
    is_sent(&hall.talk.card_says("x").await);
    assert_eq!(registered.told().await, "x");
}

#[tokio::test]
async fn whoever_does_not_answer_pings_is_dropped() {
    let hall = Hall::with(|settings| settings.live.ping_every = Duration::from_millis(300)).await;
    // Pings are answered while reading, and this one does not read.
    let deaf = hall.enter().await;
    let mut alive = hall.enter().await;
    let pinged = tokio::spawn(async move {
        let mut pings = 0;
        while pings < 6 {
            match timeout(Duration::from_secs(20), alive.wire.next())
                .await
                .unwrap()
            {
                Some(Ok(Message::Ping(_))) => pings += 1,
                other => panic!("{other:?}"),
            }
        }
        alive
    });
    eventually("one is gone", async || hall.sockets() == 1).await;
    let mut alive = pinged.await.unwrap();
    is_sent(&hall.talk.card_says("x").await);
    assert_eq!(alive.told().await, "x");
    drop(deaf);
}

#[tokio::test]
async fn a_customer_who_is_sent_away_is_not_told_any_more() {
    let hall = Hall::start().await;
    let stranger = hall.talk.house.customer("d").await;
    let mut beside = hall.open().await;
    beside
        .enter(&hall.registers(&stranger, hall.talk.card.id))
        .await;
    let to = format!("Customer/{}", hall.talk.customer.id);
    let mut socket = hall.enter().await;
    hall.talk
        .house
        .done(&to, json!({ "RotateCustomerToken": {} }))
        .await;
    assert_eq!(socket.closed().await, 1008);
    // The new token opens one again, until the next time.
    let customer = hall.talk.house.customer("c").await;
    let mut socket = hall.open().await;
    socket
        .enter(&hall.registers(&customer, hall.talk.card.id))
        .await;
    hall.talk.disable("customer").await;
    assert_eq!(socket.closed().await, 1008);
    is_sent(&hall.talk.card_says("x").await);
    beside.say_text("?").await;
    assert_eq!(beside.hear().await["code"], 301);
}

#[tokio::test]
async fn a_node_that_leaves_says_so_to_every_socket() {
    let hall = Hall::start().await;
    let app = hall.talk.house.service.app.clone();
    let mut sockets = vec![hall.enter().await, hall.enter().await, hall.open().await];
    let deaf = hall.enter().await;
    app.live().hang_up();
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 1001);
        socket.gone().await;
    }
    // Who does not answer is not waited for beyond its time.
    timeout(Duration::from_secs(10), app.finish())
        .await
        .unwrap();
    assert_eq!(hall.sockets(), 0);
    let late = tokio_tungstenite::connect_async(format!("{}{PATH}", hall.url)).await;
    assert!(late.is_err());
    drop(deaf);
}

/// What a slow reader's side and ours may hold of the way between them, with a good margin.
const ENOUGH: usize = 1500;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_does_not_read_is_dropped_and_the_others_go_on() {
    let hall = Hall::with(|settings| settings.live.write_time = Duration::from_millis(500)).await;
    let mut reading = hall.enter().await;
    let address = hall.url.trim_start_matches("ws://").parse().unwrap();
    let narrow = TcpSocket::new_v4().unwrap();
    narrow.set_recv_buffer_size(4096).unwrap();
    let stream = narrow.connect(address).await.unwrap();
    let (mut slow, _) = client_async(format!("{}{PATH}", hall.url), stream)
        .await
        .unwrap();
    slow.send(Message::text(hall.register().to_string()))
        .await
        .unwrap();
    eventually("both are there", async || hall.sockets() == 2).await;

    let service = &hall.talk.house.service;
    let pair = Pair {
        uid: hall.talk.card.id,
        customer_id: hall.talk.customer.id,
    };
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        loop {
            let text = reading.told().await;
            let (number, _) = text.split_once(' ').unwrap();
            told.push(number.parse::<usize>().unwrap());
            if told.len() == ENOUGH {
                return (told, reading);
            }
        }
    });
    let filler = "x".repeat(3900);
    for number in 0..ENOUGH {
        let send = SendChat {
            id: service.ledger.next_id("message").await.unwrap(),
            pair,
            writer: Side::Card,
            content: ChatContent::text(&format!("{number} {}", &filler[..1900])).unwrap(),
        };
        let desk = service.app.desk();
        desk.run(&service.system(), &send).await.unwrap();
    }
    let (told, mut reading) = told.await.unwrap();
    assert_eq!(told, (0..ENOUGH).collect::<Vec<_>>());
    eventually("the slow one is gone", async || hall.sockets() == 1).await;
    is_sent(&hall.talk.card_says("x").await);
    assert_eq!(text(&reading.hear().await["data"]["ret_data"][0]), "x");
    drop(slow);
}
