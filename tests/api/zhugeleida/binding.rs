//! `contract/zhugeleida.md` 3.2.

use serde_json::{Value, json};

use super::{Customer, House, X, is_form_refusal, is_refusal, is_success};

/// The parent recorded with each binding of a customer.
async fn parents(house: &House, customer: &Customer) -> Vec<Value> {
    let stream = format!("Customer:{}", customer.id).parse().unwrap();
    let events = house.service.ledger.stream(&stream).await.unwrap();
    let bound = events
        .iter()
        .filter(|event| event.event_type == "CustomerBound");
    let payload = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    bound
        .map(|event| payload(&event.payload)["CustomerBound"]["pid"].clone())
        .collect()
}

#[tokio::test]
async fn a_first_binding_needs_no_signature_and_a_further_one_does() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let company = house.company("合众康桥").await;
    let first = house.card(company, json!({})).await;
    let second = house.card(company, json!({})).await;
    let expected = json!({ "code": 200, "msg": "绑定成功", "data": {} });
    assert_eq!(house.bind(&customer, first, "").await, expected);
    // Again: quiet, also without a signature.
    let head = house.service.head().await;
    assert_eq!(house.bind(&customer, first, "").await, expected);
    assert_eq!(house.service.head().await, head);

    let refused = json!({ "code": 404, "msg": "非法请求", "data": {} });
    assert_eq!(house.bind(&customer, second, "").await, refused);
    let second = second.to_string();
    let more = [
        ("u_id", second.as_str()),
        ("source", "1"),
        ("user_type", "2"),
    ];
    let reply = house.signed(&customer, "/login/binding", &more).await;
    is_success(&reply, "绑定成功", &json!({}));
    let all = house.signed(&customer, "/mingpian/all", &[]).await.json();
    assert_eq!(all["data"]["data_count"], 2);
}

#[tokio::test]
async fn a_signature_that_is_there_must_be_right() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let rest = format!("user_id={}&uid={uid}&source=1&user_type=2", customer.id);
    for signature in [
        "timestamp=1528871213546",
        "rand_str=x",
        "timestamp=1&rand_str=x",
    ] {
        let reply = house.get(&format!("{X}/login/binding?{rest}&{signature}"));
        is_refusal(&reply.send().await, 404, "非法请求");
    }
}

#[tokio::test]
async fn the_first_parent_stays() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let (one, two) = (house.customer("1").await, house.customer("2").await);
    let uid = house.some_card().await;
    house.bind(&customer, uid, &one.id.to_string()).await;
    house.bind(&customer, uid, &two.id.to_string()).await;
    assert_eq!(parents(&house, &customer).await, [json!(one.id)]);
}

#[tokio::test]
async fn nobody_is_their_own_ancestor() {
    let house = House::start().await;
    let uid = house.some_card().await;
    let mut line = Vec::new();
    for code in ["a", "b", "c", "d"] {
        line.push(house.customer(code).await);
    }
    // d was brought by c, c by b, b by a.
    for pair in line.windows(2).rev() {
        house.bind(&pair[1], uid, &pair[0].id.to_string()).await;
    }
    assert_eq!(parents(&house, &line[3]).await, [json!(line[2].id)]);
    // What d shares brings nobody above d, least of all a.
    house.bind(&line[0], uid, &line[3].id.to_string()).await;
    assert_eq!(parents(&house, &line[0]).await, [json!(null)]);
    let own = house.customer("own").await;
    house.bind(&own, uid, &own.id.to_string()).await;
    assert_eq!(parents(&house, &own).await, [json!(null)]);
}

#[tokio::test]
async fn two_who_bring_each_other_at_once_do_not_both_become_parents() {
    let house = House::start().await;
    let uid = house.some_card().await;
    for round in 0..8 {
        let one = house.customer(&format!("one{round}")).await;
        let two = house.customer(&format!("two{round}")).await;
        let (first, second) = (one.id.to_string(), two.id.to_string());
        let both = tokio::join!(
            house.bind(&one, uid, &second),
            house.bind(&two, uid, &first)
        );
        assert_eq!(
            (&both.0["code"], &both.1["code"]),
            (&json!(200), &json!(200))
        );
        let mut found = parents(&house, &one).await;
        found.extend(parents(&house, &two).await);
        let nobody = found.iter().filter(|pid| pid.is_null()).count();
        assert_eq!((found.len(), nobody), (2, 1), "{found:?}");
    }
}

#[tokio::test]
async fn a_code_says_who_is_bound() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let rest = format!("uid={uid}&source=1&user_type=2");
    let reply = house
        .get(&format!("{X}/login/binding?code='c'&{rest}"))
        .send()
        .await;
    is_success(&reply, "绑定成功", &json!({}));
    assert_eq!(parents(&house, &customer).await, [json!(null)]);
    let reply = house
        .get(&format!("{X}/login/binding?code=invalid&{rest}"))
        .send()
        .await;
    is_refusal(&reply, 401, "账号密码错误");
    let reply = house
        .get(&format!("{X}/login/binding?code=stranger&{rest}"))
        .send()
        .await;
    is_refusal(&reply, 302, "对应ID不存在");
}

#[tokio::test]
async fn what_a_binding_refuses() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let id = customer.id;
    let uid = house.some_card().await;
    let send = async |query: String| {
        house
            .get(&format!("{X}/login/binding?{query}"))
            .send()
            .await
    };
    for query in [
        format!("uid={uid}&source=1&user_type=2"),
        format!("user_id={id}&source=1&user_type=2"),
        format!("user_id={id}&uid=abc&source=1&user_type=2"),
        format!("user_id={id}&uid={uid}&pid=x&source=1&user_type=2"),
        format!("user_id={id}&uid={uid}&user_type=2"),
        format!("user_id={id}&uid={uid}&source=1"),
    ] {
        is_refusal(&send(query).await, 301, "数据类型验证失败");
    }
    for query in [
        format!("user_id=999999&uid={uid}&source=1&user_type=2"),
        format!("user_id={id}&uid=999999&source=1&user_type=2"),
        format!("user_id={id}&uid={uid}&pid=999999&source=1&user_type=2"),
    ] {
        is_refusal(&send(query).await, 302, "对应ID不存在");
    }
    let reply = send(format!("user_id={id}&uid={uid}&source=3&user_type=2")).await;
    is_form_refusal(&reply, &[("source", "is out of bounds")]);
    let reply = send(format!("user_id={id}&uid={uid}&source=1&user_type=0")).await;
    is_form_refusal(&reply, &[("user_type", "is out of bounds")]);

    let query = format!("user_id={id}&uid={uid}&source=1&user_type=2");
    let (card, person) = (format!("Card/{uid}"), format!("Customer/{id}"));
    house.done(&card, json!({ "DisableCard": {} })).await;
    is_refusal(&send(query.clone()).await, 306, "账户未启用");
    house.done(&card, json!({ "EnableCard": {} })).await;
    house.done(&person, json!({ "DisableCustomer": {} })).await;
    is_refusal(&send(query).await, 306, "账户未启用");
}
