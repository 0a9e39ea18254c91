//! Who is told what.

use serde_json::{Value, json};

use super::super::chat::is_sent;
use super::{Hall, acknowledged, text};
use crate::support::processes::eventually;

#[tokio::test]
async fn a_message_is_told_whichever_way_it_was_sent() {
    let hall = Hall::start().await;
    let talk = &hall.talk;
    let (uid, customer) = (talk.card.id, &talk.customer);
    let product = talk.product(talk.company, &json!([])).await.to_string();
    let mut socket = hall.enter().await;
    is_sent(&talk.card_says("1").await);
    assert_eq!(socket.told().await, "1");
    is_sent(&talk.customer_says("2").await);
    assert_eq!(socket.told().await, "2");
    let staff = json!({ "SendMessage": {
        "from_kind": "card", "from_id": uid, "to_kind": "customer", "to_id": customer.id, "content": "3"
    } });
    talk.house.done("Message/new", staff).await;
    assert_eq!(socket.told().await, "3");
    let uid = uid.to_string();
    let more = [("uid", uid.as_str()), ("product_id", product.as_str())];
    talk.house
        .signed(customer, "/mallManage/consult_product", &more)
        .await;
    let row = socket.hear().await["data"]["ret_data"][0].clone();
    assert_eq!(
        (&row["info_type"], &row["product_name"]),
        (&json!(2), &json!("门票2"))
    );
    let phone = json!({ "u_id": uid, "encryptedData": super::super::chat::PHONE, "iv": super::super::chat::IV });
    let post = talk.house.post(customer, "/chat/encrypted_phone_number");
    assert_eq!(post.json(&phone).send().await.json()["code"], 200);
    assert_eq!(socket.told().await, "13800138000");
    // All of it counts as read, own messages included.
    let read = async || talk.cursor("customer").await == 5;
    eventually("it is read", read).await;
    talk.house.service.settled().await;
    assert_eq!(talk.unread().await, 0);
    assert_eq!(talk.news(customer).await, [""; 0]);
    assert_eq!(talk.news(&talk.card).await.len(), 5);
}

#[tokio::test]
async fn a_new_socket_is_shown_what_was_not_read_in_one_frame() {
    let hall = Hall::start().await;
    let mut empty = hall.open().await;
    // Nothing was said: nothing comes but the answer to what follows.
    empty.enter(&hall.register()).await;
    drop(empty);
    eventually("nobody is there", async || hall.sockets() == 0).await;
    hall.talk.chat(2).await;
    let mut socket = hall.open().await;
    socket.say(&hall.register()).await;
    let frame = socket.hear().await;
    let rows = |frame: &Value| -> Vec<String> {
        let rows = frame["data"]["ret_data"].as_array().unwrap();
        rows.iter().map(text).collect()
    };
    assert_eq!(
        (rows(&frame), &frame["data"]["data_count"]),
        (
            vec!["c2".to_owned(), "e2".into(), "c1".into(), "e1".into()],
            &json!(4)
        )
    );
    let firsts: Vec<_> = frame["data"]["ret_data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["is_first_info"].clone())
        .collect();
    assert_eq!(firsts, [false, false, false, true]);
    // Then one by one.
    is_sent(&hall.talk.card_says("e3").await);
    assert_eq!(socket.told().await, "e3");
    eventually("it is read", async || hall.talk.unread().await == 0).await;
    // Who comes later is shown nothing that was read, and what comes then.
    let mut late = hall.open().await;
    late.enter(&hall.register()).await;
    is_sent(&hall.talk.card_says("e4").await);
    assert_eq!(late.told().await, "e4");
    assert_eq!(socket.told().await, "e4");
}

#[tokio::test]
async fn a_new_socket_is_shown_a_hundred_messages_at_most() {
    let hall = Hall::start().await;
    for time in 0..104 {
        is_sent(&hall.talk.card_says(time.to_string()).await);
    }
    let mut socket = hall.open().await;
    socket.say(&hall.register()).await;
    let frame = socket.hear().await;
    let rows = frame["data"]["ret_data"].as_array().unwrap();
    assert_eq!(
        (rows.len(), text(&rows[0]), text(&rows[99])),
        (100, "103".to_owned(), "4".to_owned())
    );
    eventually("it is read", async || hall.talk.unread().await == 0).await;
}

#[tokio::test]
async fn a_socket_is_for_one_pair_at_a_time() {
    let hall = Hall::start().await;
    let talk = &hall.talk;
    let other = talk.house.enterprise(talk.company).await;
    let stranger = talk.house.customer("d").await;
    let mut socket = hall.enter().await;
    let mut beside = hall.open().await;
    beside.enter(&hall.registers(&stranger, talk.card.id)).await;
    // It moves to the other enterprise user.
    socket
        .enter(&hall.registers(&talk.customer, other.id))
        .await;
    socket.say(&hall.message("x")).await;
    assert_eq!(socket.hear().await["code"], 404);
    is_sent(&talk.card_says("not for it").await);
    let mut frame = hall.message("1");
    frame["u_id"] = json!(other.id);
    socket.say(&frame).await;
    assert_eq!(socket.hear().await, acknowledged());
    assert_eq!(socket.told().await, "1");
    // And back, where something is new by now.
    socket.say(&hall.register()).await;
    assert_eq!(socket.told().await, "not for it");
    // The other customer heard nothing of all this.
    beside.say_text("?").await;
    assert_eq!(beside.hear().await["code"], 301);
}

#[tokio::test]
async fn every_socket_of_the_pair_is_told_and_reading_counts_once() {
    let hall = Hall::start().await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(hall.enter().await);
    }
    for text in ["1", "2", "3"] {
        is_sent(&hall.talk.card_says(text).await);
        for socket in &mut sockets {
            assert_eq!(socket.told().await, text);
        }
    }
    eventually("it is read", async || hall.talk.unread().await == 0).await;
    assert_eq!(hall.talk.cursor("customer").await, 3);
}
