//! `contract/zhugeleida.md` 2.2: who signs.

use std::time::Duration;

use serde_json::json;
use shiji::api::zhugeleida::{customer_token, rand_str};

use super::{Customer, House, X, is_refusal};

const LIST: &str = "/mingpian/all";

#[tokio::test]
async fn whatever_is_wrong_with_a_signature_the_answer_is_the_same() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let id = customer.id;
    let now = house.service.app.now().timestamp_millis();
    let sound = rand_str(&now.to_string(), &customer.token);
    let old = now - 86_400_001;
    let ahead = now + 86_460_000;
    let nobody = customer_token(house.service.ledger.keys(), id + 1, 0);
    let nobody = rand_str(&now.to_string(), &nobody);
    let other = house.customer("d").await;
    let theirs = rand_str(&now.to_string(), &other.token);
    for query in [
        String::new(),
        format!("user_id={id}"),
        format!("user_id={id}&timestamp={now}"),
        format!("user_id={id}&rand_str={sound}"),
        format!("timestamp={now}&rand_str={sound}"),
        format!("user_id={id}&timestamp={now}&rand_str={}", &sound[1..]),
        format!("user_id={id}&timestamp={now}&rand_str={theirs}"),
        format!("user_id={id}&timestamp={}&rand_str={sound}", now + 1),
        format!("user_id={id}&timestamp=0{now}&rand_str={sound}"),
        format!("user_id=999999&timestamp={now}&rand_str={nobody}"),
        format!("user_id=-1&timestamp={now}&rand_str={sound}"),
        customer.signature(&old.to_string()),
        customer.signature(&ahead.to_string()),
        customer.signature("99999999999999999999999"),
    ] {
        let reply = house.get(&format!("{X}{LIST}?{query}")).send().await;
        is_refusal(&reply, 404, "非法请求");
    }
    for query in [
        format!("user_id=abc&timestamp={now}&rand_str={sound}"),
        format!("user_id={id}&timestamp=today&rand_str={sound}"),
        format!("user_id={id}&timestamp=&rand_str={sound}"),
    ] {
        let reply = house.get(&format!("{X}{LIST}?{query}")).send().await;
        is_refusal(&reply, 301, "数据类型验证失败");
    }
}

#[tokio::test]
async fn a_signature_holds_in_every_documented_spelling() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let now = house.service.app.now();
    let sound = house.signature(&customer);
    let seconds = customer.signature(&now.timestamp().to_string());
    let (head, rand_str) = sound.split_once("rand_str=").unwrap();
    for query in [
        sound.clone(),
        seconds,
        format!("{head}rand_str={}", rand_str.to_uppercase()),
        sound.replace("user_id=", "action=10&user_id=%20"),
    ] {
        let reply = house.get(&format!("{X}{LIST}?{query}")).send().await;
        assert_eq!(reply.json()["code"], 200, "{query}");
    }
    // The same three in the body of a POST.
    let call = house.service.post(&format!("{X}/login/send_form_id"));
    let call = call.header("content-type", "application/x-www-form-urlencoded");
    let reply = call.body(format!("{sound}&formId=f")).send().await;
    assert_eq!(reply.json()["code"], 200);
}

#[tokio::test]
async fn a_signature_lasts_a_day_or_as_long_as_it_is_set() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let path = format!("{X}{LIST}?{}", house.signature(&customer));
    house.service.sleep(Duration::from_secs(86_390));
    assert_eq!(house.get(&path).send().await.json()["code"], 200);
    house.service.sleep(Duration::from_secs(20));
    is_refusal(&house.get(&path).send().await, 404, "非法请求");

    let house = House::with(|settings| settings.signature_window = Duration::ZERO).await;
    let customer = house.customer("c").await;
    let path = format!("{X}{LIST}?{}", customer.signature("1528871213546"));
    assert_eq!(house.get(&path).send().await.json()["code"], 200);
}

#[tokio::test]
async fn who_is_disabled_signs_in_vain_and_nobody_else_learns_it() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let to = format!("Customer/{}", customer.id);
    house.done(&to, json!({ "DisableCustomer": {} })).await;
    is_refusal(&house.signed(&customer, LIST, &[]).await, 306, "账户未启用");
    let guess = Customer {
        token: "0".repeat(32),
        ..customer.clone()
    };
    is_refusal(&house.signed(&guess, LIST, &[]).await, 404, "非法请求");
    house.done(&to, json!({ "EnableCustomer": {} })).await;
    assert_eq!(house.signed(&customer, LIST, &[]).await.json()["code"], 200);
}

#[tokio::test]
async fn a_rotated_token_is_void_and_the_next_login_gives_another() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let to = format!("Customer/{}", customer.id);
    house.done(&to, json!({ "RotateCustomerToken": {} })).await;
    is_refusal(&house.signed(&customer, LIST, &[]).await, 404, "非法请求");
    let again = house.customer("c").await;
    assert!(again.id == customer.id && again.token != customer.token);
    assert_eq!(house.signed(&again, LIST, &[]).await.json()["code"], 200);
}
