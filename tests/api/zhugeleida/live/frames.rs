//! What is said on a socket, and what is answered.

use serde_json::json;
use shiji::api::zhugeleida::rand_str;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Hall, PATH, Socket, acknowledged, refusal};
use futures::SinkExt;

#[tokio::test]
async fn a_message_is_acknowledged_and_told_in_the_documented_words() {
    let hall = Hall::start().await;
    let edit = json!({ "EditCard": { "avatar": "statics/e.jpg" } });
    let to = format!("Card/{}", hall.talk.card.id);
    hall.talk.house.done(&to, edit).await;
    let mut socket = hall.enter().await;
    socket
        .say(&hall.message(r#"{"msg":"在吗","info_type":1}"#))
        .await;
    assert_eq!(socket.hear().await, acknowledged());
    let mut push = socket.hear().await;
    let at = push["data"]["ret_data"][0]["dateTime"].take();
    assert_eq!(at.as_str().unwrap().len(), "2018-06-14 16:54:43".len());
    let (customer_id, user_id) = (hall.talk.customer.id, hall.talk.card.id);
    let expected = json!({
        "code": 200, "msg": "实时推送小程序-最新聊天信息成功",
        "data": { "data_count": 1, "ret_data": [{
            "customer_id": customer_id, "user_id": user_id, "user_avatar": "statics/e.jpg",
            "customer_headimgurl": "statics/imgs/setAvator.jpg", "customer": "", "dateTime": null,
            "send_type": 2, "is_first_info": true, "msg": "在吗", "info_type": 1
        }] }
    });
    assert_eq!(push, expected);

    // `type` may say what it is, content may be an object, and its keys stand beside the others.
    let mut frame = hall.message(json!({ "info_type": 4, "url": "p.png", "customer": "x" }));
    frame["type"] = json!("message");
    socket.say(&frame).await;
    assert_eq!(socket.hear().await, acknowledged());
    let row = socket.hear().await["data"]["ret_data"][0].clone();
    let shown = [
        &row["is_first_info"],
        &row["msg"],
        &row["info_type"],
        &row["url"],
        &row["customer"],
    ];
    assert_eq!(json!(shown), json!([false, "", 4, "p.png", ""]));
    let stream = hall.talk.house.service.events("Message", 1).await;
    assert_eq!(stream, ["MessageSent"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_said_and_the_socket_stays() {
    let hall = Hall::start().await;
    let mut socket = hall.open().await;
    socket.say(&hall.message("x")).await;
    assert_eq!(socket.hear().await, refusal(404));
    socket.enter(&hall.register()).await;
    let message = hall.message("x");
    let with = |key: &str, value: serde_json::Value| {
        let mut frame = message.clone();
        frame[key] = value;
        frame.to_string()
    };
    for (frame, code) in [
        ("{".to_owned(), 301),
        ("[]".to_owned(), 301),
        (String::new(), 301),
        (with("type", json!("shout")), 301),
        (with("type", json!(7)), 301),
        (with("u_id", json!("x")), 301),
        (with("user_id", json!(null)), 301),
        (with("u_id", json!(999)), 404),
        (with("user_id", json!(999)), 404),
        (with("content", json!(null)), 303),
        (with("content", json!({ "info_type": 9 })), 303),
        (with("content", json!("")), 303),
    ] {
        socket.say_text(&frame).await;
        assert_eq!(socket.hear().await, refusal(code), "{frame}");
    }
    socket
        .wire
        .send(Message::binary(message.to_string()))
        .await
        .unwrap();
    assert_eq!(socket.hear().await, refusal(301));
    hall.talk.disable("card").await;
    socket.say(&message).await;
    assert_eq!(socket.hear().await, refusal(306));
    let enable = json!({ "EnableCard": {} });
    hall.talk
        .house
        .done(&format!("Card/{}", hall.talk.card.id), enable)
        .await;
    socket.say(&message).await;
    assert_eq!(socket.hear().await, acknowledged());
    assert_eq!(socket.told().await, "x");
}

#[tokio::test]
async fn who_may_not_register_hears_why_and_is_left() {
    let hall = Hall::start().await;
    let stranger = hall.talk.house.customer("d").await;
    let gone = hall.talk.house.customer("e").await;
    let closed = hall.talk.house.enterprise(hall.talk.company).await;
    let disable =
        |aggregate: &str, id: i64| (format!("{aggregate}/{id}"), format!("Disable{aggregate}"));
    for (to, command) in [disable("Customer", gone.id), disable("Card", closed.id)] {
        hall.talk.house.done(&to, json!({ command: {} })).await;
    }
    let good = hall.register();
    let with = |key: &str, value: serde_json::Value| {
        let mut frame = good.clone();
        frame[key] = value;
        frame
    };
    let forged = hall.registers(&stranger, hall.talk.card.id)["rand_str"].clone();
    for (frame, code) in [
        (with("u_id", json!(null)), 301),
        (with("user_id", json!("x")), 301),
        (with("timestamp", json!("x")), 301),
        (with("rand_str", json!(null)), 404),
        (with("timestamp", json!(null)), 404),
        (with("timestamp", json!("1528871213546")), 404),
        (with("rand_str", forged), 404),
        (with("user_id", json!(stranger.id)), 404),
        (with("user_id", json!(999)), 404),
        (with("u_id", json!(999)), 302),
        (hall.registers(&gone, hall.talk.card.id), 306),
        (hall.registers(&hall.talk.customer, closed.id), 306),
    ] {
        let mut socket = hall.open().await;
        socket.say(&frame).await;
        assert_eq!(socket.hear().await, refusal(code), "{frame}");
        assert_eq!(socket.closed().await, 1008, "{frame}");
    }
}

#[tokio::test]
async fn the_signature_may_stand_in_the_address() {
    let hall = Hall::start().await;
    let bare =
        json!({ "type": "register", "u_id": hall.talk.card.id, "user_id": hall.talk.customer.id });
    let now = hall
        .talk
        .house
        .service
        .app
        .now()
        .timestamp_millis()
        .to_string();
    let address = |token: &str| {
        let rand_str = rand_str(&now, token);
        format!("{}{PATH}/?timestamp={now}&rand_str={rand_str}", hall.url)
    };
    let mut socket = Socket::open(&address(&hall.talk.customer.token)).await;
    socket.enter(&bare).await;
    let mut socket = Socket::open(&address(&hall.talk.card.token)).await;
    socket.say(&bare).await;
    assert_eq!(socket.hear().await, refusal(404));
    assert_eq!(socket.closed().await, 1008);
    // The frame's own counts.
    let mut socket = Socket::open(&address(&hall.talk.card.token)).await;
    socket.enter(&hall.register()).await;
}

#[tokio::test]
async fn unsigned_sockets_are_let_in_where_the_operator_allows_it() {
    let bare = |hall: &Hall| json!({ "type": "register", "u_id": hall.talk.card.id, "user_id": hall.talk.customer.id });
    let refused = Hall::start().await;
    let mut socket = refused.open().await;
    socket.say(&bare(&refused)).await;
    assert_eq!(socket.hear().await, refusal(404));

    let allowed = Hall::with(|settings| settings.live.unsigned = true).await;
    let mut socket = allowed.open().await;
    socket.enter(&bare(&allowed)).await;
    // One that is there must be right all the same, and so must the customer.
    let mut forged = allowed.register();
    forged["rand_str"] = json!("00");
    let mut nobody = bare(&allowed);
    nobody["user_id"] = json!(999);
    for frame in [forged, nobody] {
        let mut socket = allowed.open().await;
        socket.say(&frame).await;
        assert_eq!(socket.hear().await, refusal(404));
        assert_eq!(socket.closed().await, 1008);
    }
    allowed.talk.disable("customer").await;
    let mut socket = allowed.open().await;
    socket.say(&bare(&allowed)).await;
    assert_eq!(socket.hear().await, refusal(306));
}

#[tokio::test]
async fn a_request_that_is_no_socket_is_refused() {
    let hall = Hall::start().await;
    let reply = hall.talk.house.get(PATH).send().await;
    super::super::is_refusal(&reply, 404, "非法请求");
}

#[tokio::test]
async fn there_are_as_many_sockets_as_allowed() {
    let hall = Hall::with(|settings| settings.live.sockets = 1).await;
    let mut first = hall.enter().await;
    let refused = connect_async(format!("{}{PATH}", hall.url)).await;
    let Err(Error::Http(response)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    first.say(&json!({ "type": "closed" })).await;
    assert_eq!(first.closed().await, 1000);
    first.gone().await;
    let free = async || hall.sockets() == 0;
    crate::support::processes::eventually("the seat is free", free).await;
    hall.enter().await;
}
