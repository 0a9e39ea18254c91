//! `contract/zhugeleida.md` 2.4, 3.14, 3.16: praise that goes back and forth, and not by accident.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Customer, House, X, is_form_refusal, is_success};

/// Praises under a signature of its own: a request that was never sent before.
async fn praise(house: &House, customer: &Customer, uid: i64, more: &str) -> Value {
    house.service.sleep(Duration::from_millis(1));
    let path = format!(
        "{X}/mingpian/praise?{}&uid={uid}{more}",
        house.signature(customer)
    );
    house.get(&path).send().await.json()
}

async fn stands(house: &House, customer: &Customer, uid: i64) -> (Value, Value) {
    let card = house.mingpian(customer, uid).await;
    (card["praise_num"].clone(), card["is_praise"].clone())
}

#[tokio::test]
async fn praise_goes_back_and_forth() {
    let house = House::start().await;
    let (one, two) = (house.customer("1").await, house.customer("2").await);
    let uid = house.some_card().await;
    let said = praise(&house, &one, uid, "").await;
    assert_eq!(
        said,
        json!({ "code": 200, "msg": "记录日志成功", "data": {} })
    );
    praise(&house, &two, uid, "").await;
    assert_eq!(stands(&house, &one, uid).await, (json!(2), json!(true)));
    praise(&house, &one, uid, "").await;
    assert_eq!(stands(&house, &one, uid).await, (json!(1), json!(false)));
    assert_eq!(stands(&house, &two, uid).await, (json!(1), json!(true)));
    let stream = format!("customer:{}:praise:card:{uid}", one.id);
    let events = house.service.events("Reaction", stream).await;
    assert_eq!(events, ["ReactionAdded", "ReactionRemoved"]);
}

#[tokio::test]
async fn a_status_sets_instead_of_flipping() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    for (status, expected) in [(0, 0), (1, 1), (1, 1), (0, 0), (1, 1)] {
        praise(&house, &customer, uid, &format!("&status={status}")).await;
        assert_eq!(stands(&house, &customer, uid).await.0, expected);
    }
    let uid = uid.to_string();
    let more = [("uid", uid.as_str()), ("status", "2")];
    let reply = house.signed(&customer, "/mingpian/praise", &more).await;
    is_form_refusal(&reply, &[("status", "is out of bounds")]);
}

#[tokio::test]
async fn the_signature_has_likes_of_its_own() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let path = |house: &House| {
        format!(
            "{X}/mingpian/up_sign?{}&uid={uid}",
            house.signature(&customer)
        )
    };
    let liked = house.get(&path(&house)).send().await;
    let data = |sign_num: i64, is_sign: bool| json!({ "ret_data": { "sign_num": sign_num, "is_sign": is_sign } });
    is_success(&liked, "记录日志成功", &data(1, true));
    let card = house.mingpian(&customer, uid).await;
    let shown = (
        &card["sign_num"],
        &card["is_sign"],
        &card["praise_num"],
        &card["is_praise"],
    );
    assert_eq!(shown, (&json!(1), &json!(true), &json!(0), &json!(false)));
    house.service.sleep(Duration::from_millis(1));
    let unliked = house.get(&path(&house)).send().await;
    is_success(&unliked, "记录日志成功", &data(0, false));
}

#[tokio::test]
async fn the_very_same_request_within_two_seconds_flips_nothing() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let path = format!(
        "{X}/mingpian/up_sign?{}&uid={uid}",
        house.signature(&customer)
    );
    let send = async || house.get(&path).send().await.json()["data"]["ret_data"]["is_sign"].clone();
    assert_eq!(send().await, true);
    // Wherever the first fell into its slot of time.
    for millis in [300, 700, 900] {
        house.service.sleep(Duration::from_millis(millis));
        assert_eq!(send().await, true, "after {millis} more");
    }
    house.service.sleep(Duration::from_millis(200));
    assert_eq!(send().await, false);
    let stream = format!("customer:{}:sign:card:{uid}", customer.id);
    let events = house.service.events("Reaction", stream).await;
    assert_eq!(events, ["ReactionAdded", "ReactionRemoved"]);
}

#[tokio::test]
async fn many_of_the_very_same_request_at_once_flip_once() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    for round in 0..6 {
        // Over the borders of slots, too.
        house.service.sleep(Duration::from_millis(2300));
        let path = format!(
            "{X}/mingpian/up_sign?{}&uid={uid}",
            house.signature(&customer)
        );
        let sent = (0..8).map(|_| house.get(&path).send());
        for reply in futures::future::join_all(sent).await {
            let json = reply.json();
            assert_eq!(
                json["data"]["ret_data"]["is_sign"],
                round % 2 == 0,
                "{json}"
            );
        }
    }
    let stream = format!("customer:{}:sign:card:{uid}", customer.id);
    assert_eq!(house.service.events("Reaction", stream).await.len(), 6);
}

#[tokio::test]
async fn another_request_in_between_is_another_request() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let path = || {
        format!(
            "{X}/mingpian/up_sign?{}&uid={uid}",
            house.signature(&customer)
        )
    };
    let first = path();
    house.service.sleep(Duration::from_millis(5));
    let second = path();
    let send = async |path: &str| {
        house.get(path).send().await.json()["data"]["ret_data"]["is_sign"].clone()
    };
    assert_eq!(send(&first).await, true);
    assert_eq!(send(&second).await, false);
    // The first once more gets the first answer; nothing flips.
    assert_eq!(send(&first).await, true);
    assert_eq!(house.mingpian(&customer, uid).await["is_sign"], false);
}

#[tokio::test]
async fn the_memory_can_be_switched_off() {
    let house = House::with(|settings| settings.toggle_repeat = Duration::ZERO).await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let path = format!(
        "{X}/mingpian/up_sign?{}&uid={uid}",
        house.signature(&customer)
    );
    for expected in [true, false, true] {
        let json = house.get(&path).send().await.json();
        assert_eq!(json["data"]["ret_data"]["is_sign"], expected);
    }
}

#[tokio::test]
async fn a_key_makes_a_toggle_safe_to_repeat_for_a_day() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    for _ in 0..3 {
        house.service.sleep(Duration::from_secs(10));
        let path = format!(
            "{X}/mingpian/up_sign?{}&uid={uid}",
            house.signature(&customer)
        );
        let json = house
            .get(&path)
            .header("idempotency-key", "k")
            .send()
            .await
            .json();
        assert_eq!(json["data"]["ret_data"]["is_sign"], true);
    }
}
