//! Two nodes: neither knows of the other's sockets, and every socket is told everything.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use shiji::api::zhugeleida::rand_str;
use shiji::events::conversation::Pair;
use shiji::events::{self, Event, MessageEvent};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::super::Customer;
use super::{Hall, PATH, Socket, Wire};
use crate::api::node;
use crate::support::processes::eventually;
use crate::support::service::Service;

/// Sockets of a pair on each node.
const EACH: usize = 6;
/// Messages of each sender.
const MESSAGES: usize = 8;
/// The last message of each pair.
const END: &str = "end";

/// A pair, and both able to sign.
#[derive(Clone)]
struct Two {
    card: Customer,
    customer: Customer,
}

/// What a socket is told, up to the last message: each with whether it was the first.
async fn listen(mut wire: futures::stream::SplitStream<Wire>) -> Vec<(String, bool)> {
    let mut told = Vec::new();
    let all = async {
        while let Some(frame) = wire.next().await {
            let Message::Text(text) = frame.unwrap() else {
                continue;
            };
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(frame["code"], 200, "{frame}");
            for row in frame["data"]["ret_data"].as_array().into_iter().flatten() {
                let msg = row["msg"].as_str().unwrap().to_owned();
                let last = msg == END;
                told.push((msg, row["is_first_info"].as_bool().unwrap()));
                if last {
                    return;
                }
            }
        }
        panic!("the socket ended after {told:?}");
    };
    timeout(Duration::from_secs(120), all)
        .await
        .expect("all is told");
    told
}

/// Sends over HTTP what the enterprise user says.
async fn say(client: &reqwest::Client, url: &str, now: &str, two: &Two, text: &str) {
    let rand = rand_str(now, &two.card.token);
    let url = format!(
        "{url}/zhugeleida/qiyeweixin/chat/send_msg/0?user_id={}&timestamp={now}&rand_str={rand}",
        two.card.id
    );
    let body = json!({ "customer_id": two.customer.id, "content": text });
    let answer = client.post(url).json(&body).send().await.unwrap();
    let json: Value = answer.json().await.unwrap();
    assert_eq!(json["code"], 200, "{json}");
}

/// The texts between two in the order of the log.
async fn logged(service: &Service, two: &Two) -> Vec<String> {
    let pair = Pair {
        uid: two.card.id,
        customer_id: two.customer.id,
    };
    let mut texts = Vec::new();
    for recorded in service.since(0).await {
        if let Event::Message(MessageEvent::MessageSent {
            from, to, content, ..
        }) = events::decode(&recorded).unwrap()
            && Pair::of(&from, &to).is_some_and(|(of, _)| of == pair)
        {
            let content: Value = serde_json::from_str(content.text()).unwrap();
            texts.push(content["msg"].as_str().unwrap().to_owned());
        }
    }
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_two_nodes_every_socket_is_told_every_message_once_and_in_order() {
    let hall = Hall::start().await;
    let talk = &hall.talk;
    let service = &talk.house.service;
    let neighbour = service.second_node().await;
    let stop = CancellationToken::new();
    let there = node::serve(neighbour.router(), &stop);
    let urls = [hall.url.replace("ws://", "http://"), there];

    let card = talk.house.enterprise(talk.company).await;
    let customer = talk.house.customer("d").await;
    let mut pairs = Vec::new();
    for card in [&talk.card, &card] {
        for customer in [&talk.customer, &customer] {
            pairs.push(Two {
                card: card.clone(),
                customer: customer.clone(),
            });
        }
    }
    let now = service.app.now().timestamp_millis().to_string();
    let client = reqwest::Client::new();
    let mut listening = Vec::new();
    let mut saying = Vec::new();
    for (pair, two) in pairs.iter().enumerate() {
        for (node, url) in urls.iter().enumerate() {
            for place in 0..EACH {
                let mut socket =
                    Socket::open(&format!("{}{PATH}", url.replace("http://", "ws://"))).await;
                socket
                    .enter(&hall.registers(&two.customer, two.card.id))
                    .await;
                let (mut sink, stream) = socket.wire.split();
                listening.push((pair, tokio::spawn(listen(stream))));
                // One customer's socket on each node speaks.
                let speaks = place == 0;
                let frame = json!({ "u_id": two.card.id, "user_id": two.customer.id });
                saying.push(async move {
                    for number in 0..if speaks { MESSAGES } else { 0 } {
                        let mut frame = frame.clone();
                        frame["content"] = json!(format!("c{node}-{number}"));
                        sink.send(Message::text(frame.to_string())).await.unwrap();
                    }
                    sink
                });
            }
        }
    }
    let here = service.app.live().sockets();
    assert_eq!((here, neighbour.app.live().sockets()), (4 * EACH, 4 * EACH));

    // Everybody at once: customers on sockets of both nodes, enterprise users over HTTP on both nodes.
    let mut http = Vec::new();
    for two in &pairs {
        for (node, url) in urls.iter().enumerate() {
            let (client, now) = (&client, &now);
            http.push(async move {
                for number in 0..MESSAGES {
                    say(client, url, now, two, &format!("e{node}-{number}")).await;
                }
            });
        }
    }
    let (sinks, _) = tokio::join!(
        futures::future::join_all(saying),
        futures::future::join_all(http)
    );
    for two in &pairs {
        let all = async || logged(service, two).await.len() == 4 * MESSAGES;
        eventually("everything is said", all).await;
        say(&client, &urls[0], &now, two, END).await;
    }

    for (pair, told) in listening {
        let told = told.await.unwrap();
        let expected = logged(service, &pairs[pair]).await;
        let texts: Vec<&str> = told.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, expected, "pair {pair}");
        let firsts: Vec<usize> = (0..told.len()).filter(|place| told[*place].1).collect();
        assert_eq!(firsts, [0], "pair {pair}");
    }
    // What was told counts as read, whichever node told it.
    eventually("all is read", async || talk.unread().await == 0).await;
    drop(sinks);
    neighbour.app.finish().await;
    stop.cancel();
}
