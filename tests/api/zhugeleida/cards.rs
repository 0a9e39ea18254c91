//! `contract/zhugeleida.md` 3.10–3.13, 3.15, 3.17, 3.18.

use axum::http::Method;
use chrono::{FixedOffset, NaiveDateTime};
use serde_json::{Value, json};

use super::{House, X, is_form_refusal, is_refusal, is_success};

const AVATAR: &str = "statics/imgs/setAvator.jpg";

fn whole() -> Value {
    json!({
        "avatar": "statics/zhugeleida/imgs/a.jpg", "mingpian_avatar": "statics/zhugeleida/imgs/m.jpg",
        "address": "北京市丰台区", "position": "研发主管", "email": "zc@example.com", "wechat": "zc123",
        "mingpian_phone": "13800138000", "sign": "今天也要加油",
        "qr_code_url": "statics/zhugeleida/1_qrcode.jpg", "poster_url": "statics/zhugeleida/1_poster.png"
    })
}

#[tokio::test]
async fn a_card_shows_everything_and_counts_the_look() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let company = house.company("北京打铁的信息科技").await;
    let uid = house.card(company, whole()).await;
    let to = format!("Card/{uid}");
    for url in ["statics/1.jpg", "statics/2.jpg", "statics/3.jpg"] {
        house
            .done(&to, json!({ "AddCardPhoto": { "photo_url": url } }))
            .await;
    }
    house
        .done(&to, json!({ "RemoveCardPhoto": { "photo_id": 2 } }))
        .await;
    let mut card = house.mingpian(&customer, uid).await;
    let made = card["create_date"].take();
    let made = NaiveDateTime::parse_from_str(made.as_str().unwrap(), "%Y-%m-%dT%H:%M:%S%.3f");
    let wall = house
        .service
        .app
        .now()
        .with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
    assert!((wall.naive_local() - made.unwrap()).num_seconds().abs() < 60);
    let expected = json!({
        "id": uid, "username": "张聪", "avatar": "statics/zhugeleida/imgs/a.jpg",
        "mingpian_avatar": "statics/zhugeleida/imgs/m.jpg", "company": "北京打铁的信息科技",
        "address": "北京市丰台区", "position": "研发主管", "email": "zc@example.com", "wechat": "zc123",
        "mingpian_phone": "13800138000", "create_date": null, "popularity_num": 1, "praise_num": 0,
        "forward_num": 0, "is_praise": false, "sign": "今天也要加油", "is_sign": false, "sign_num": 0,
        "photo": [{ "id": 1, "photo_url": "statics/1.jpg" }, { "id": 3, "photo_url": "statics/3.jpg" }]
    });
    assert_eq!(card, expected);
    assert_eq!(house.mingpian(&customer, uid).await["popularity_num"], 2);
    let log = format!("customer:{}:card:{uid}", customer.id);
    assert_eq!(
        house.service.events("Visit", log).await,
        ["CardViewed", "CardViewed"]
    );
    house
        .done(
            &format!("Company/{company}"),
            json!({ "RenameCompany": { "name": "合众康桥" } }),
        )
        .await;
    assert_eq!(house.mingpian(&customer, uid).await["company"], "合众康桥");
}

#[tokio::test]
async fn what_is_not_set_is_empty_and_a_picture_has_a_default() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let company = house.company("x").await;
    let uid = house.card(company, json!({})).await;
    let card = house.mingpian(&customer, uid).await;
    assert_eq!(
        (&card["avatar"], &card["mingpian_avatar"]),
        (&json!(AVATAR), &json!(AVATAR))
    );
    for field in [
        "address",
        "position",
        "email",
        "wechat",
        "mingpian_phone",
        "sign",
    ] {
        assert_eq!(card[field], "", "{field}");
    }
    assert_eq!(card["photo"], json!([]));
    let uid = house
        .card(company, json!({ "avatar": "statics/a.jpg" }))
        .await;
    let card = house.mingpian(&customer, uid).await;
    assert_eq!(card["mingpian_avatar"], "statics/a.jpg");
}

#[tokio::test]
async fn all_cards_of_a_customer_newest_first() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let company = house.company("x").await;
    let none = house.signed(&customer, "/mingpian/all", &[]).await;
    is_success(
        &none,
        "查询成功",
        &json!({ "ret_data": [], "data_count": 0 }),
    );
    assert!(none.header("x-as-of").is_some());
    let mut uids = Vec::new();
    for source in ["1", "2", "1"] {
        let uid = house
            .card(
                company,
                json!({ "position": "p", "email": "e", "mingpian_phone": "1" }),
            )
            .await;
        let text = uid.to_string();
        let more = [
            ("uid", text.as_str()),
            ("source", source),
            ("user_type", "2"),
        ];
        house.signed(&customer, "/login/binding", &more).await;
        uids.push(uid);
    }
    // Somebody else's is not among them.
    let other = house.card(company, json!({})).await;
    house.bind(&house.customer("d").await, other, "").await;
    let all = house.signed(&customer, "/mingpian/all", &[]).await.json();
    assert_eq!(all["data"]["data_count"], 3);
    let mut first = all["data"]["ret_data"][1].clone();
    assert_eq!(first["create_date"].take().as_str().unwrap().len(), 23);
    let expected = json!({
        "id": uids[1], "username": "张聪", "source": "转发", "avatar": AVATAR, "company": "x",
        "position": "p", "email": "e", "mingpian_phone": "1", "create_date": null
    });
    assert_eq!(first, expected);
    let ids = |reply: &Value| -> Vec<i64> {
        let rows = reply["data"]["ret_data"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&all), [uids[2], uids[1], uids[0]]);
    let page = async |more: &[(&str, &str)]| house.signed(&customer, "/mingpian/all", more).await;
    let second = page(&[("current_page", "2"), ("length", "2")]).await.json();
    assert_eq!(
        (ids(&second), &second["data"]["data_count"]),
        (vec![uids[0]], &json!(3))
    );
    let past = page(&[("current_page", "3"), ("length", "2")]).await.json();
    assert_eq!(
        (ids(&past), &past["data"]["data_count"]),
        (vec![], &json!(3))
    );
    assert_eq!(
        ids(&page(&[("current_page", "0"), ("length", "1")]).await.json()),
        [uids[2]]
    );
    assert_eq!(ids(&page(&[("length", "1000")]).await.json()).len(), 3);
    is_form_refusal(
        &page(&[("length", "0")]).await,
        &[("length", "is out of bounds")],
    );
    is_form_refusal(
        &page(&[("current_page", "-1")]).await,
        &[("current_page", "is out of bounds")],
    );
    is_refusal(&page(&[("length", "x")]).await, 301, "数据类型验证失败");

    house
        .done(&format!("Card/{}", uids[2]), json!({ "DisableCard": {} }))
        .await;
    let all = house.signed(&customer, "/mingpian/all", &[]).await.json();
    assert_eq!(
        (ids(&all), &all["data"]["data_count"]),
        (vec![uids[1], uids[0]], &json!(2))
    );
}

#[tokio::test]
async fn what_visitors_do_is_logged_each_time_and_forwards_are_counted() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let text = uid.to_string();
    for path in ["calling", "save_wechat", "forward", "forward", "calling"] {
        let more = [("uid", text.as_str()), ("action", "10")];
        let reply = house
            .signed(&customer, &format!("/mingpian/{path}"), &more)
            .await;
        is_success(&reply, "记录日志成功", &json!({}));
        assert!(reply.header("x-position").is_some());
    }
    let log = format!("customer:{}:card:{uid}", customer.id);
    let expected = [
        "CardPhoneCalled",
        "CardWechatSaved",
        "CardForwarded",
        "CardForwarded",
        "CardPhoneCalled",
    ];
    assert_eq!(house.service.events("Visit", log).await, expected);
    assert_eq!(house.mingpian(&customer, uid).await["forward_num"], 2);
    let rows: Vec<(i64, i64, String, String, i64)> = sqlx::query_as(
        "SELECT customer_id, uid, action, target_kind, target_id FROM visits ORDER BY position",
    )
    .fetch_all(house.service.app.reads())
    .await
    .unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(
        rows[0],
        (
            customer.id,
            uid,
            "CardPhoneCalled".to_owned(),
            "card".to_owned(),
            uid
        )
    );
    assert_eq!(rows[5].2, "CardViewed");
}

#[tokio::test]
async fn a_repeated_key_counts_once_also_under_another_signature() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let send = async |path: &str, millis: i64| {
        let timestamp = house.service.app.now().timestamp_millis() - millis;
        let signature = customer.signature(&timestamp.to_string());
        let path = format!("{X}/mingpian/{path}?{signature}&uid={uid}");
        house.get(&path).header("idempotency-key", "k").send().await
    };
    for millis in [0, 1000, 2000] {
        is_success(&send("forward", millis).await, "记录日志成功", &json!({}));
    }
    assert_eq!(house.mingpian(&customer, uid).await["forward_num"], 1);
    // The same key on another card is another request.
    let other = house.card(house.company("y").await, json!({})).await;
    let path = format!(
        "{X}/mingpian/forward?{}&uid={other}",
        house.signature(&customer)
    );
    let reply = house.get(&path).header("idempotency-key", "k").send().await;
    is_refusal(&reply, 409, "请重试");
    let reply = house
        .get(&path)
        .header("idempotency-key", "k k")
        .send()
        .await;
    assert_eq!(reply.json()["code"], 303);
}

#[tokio::test]
async fn a_poster_has_its_data_and_its_place() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let company = house.company("北京打铁的信息科技").await;
    let full = house.card(company, whole()).await;
    let bare = house.card(company, json!({})).await;
    let data = house
        .shown(&customer, "/mingpian/create_poster", full, "请求成功")
        .await;
    let expected = json!([{
        "user_id": full, "user_avatar": "statics/zhugeleida/imgs/a.jpg", "username": "张聪",
        "position": "研发主管", "mingpian_phone": "13800138000", "company": "北京打铁的信息科技",
        "qr_code_url": "statics/zhugeleida/1_qrcode.jpg"
    }]);
    assert_eq!(data, expected);
    let data = house
        .shown(&customer, "/mingpian/create_poster", bare, "请求成功")
        .await;
    assert_eq!(
        (&data[0]["qr_code_url"], &data[0]["user_avatar"]),
        (&json!(""), &json!(AVATAR))
    );
    let link = house
        .shown(&customer, "/mingpian/save_poster", full, "请求成功")
        .await;
    let expected =
        json!({ "user_id": full.to_string(), "poster_url": "statics/zhugeleida/1_poster.png" });
    assert_eq!(link, expected);
    let link = house
        .shown(&customer, "/mingpian/save_poster", bare, "请求成功")
        .await;
    let place = format!("statics/zhugeleida/imgs/xiaochengxu/user_poster/{bare}_poster.png");
    assert_eq!(
        link,
        json!({ "user_id": bare.to_string(), "poster_url": place })
    );
    let log = format!("customer:{}:card:{bare}", customer.id);
    assert_eq!(
        house.service.events("Visit", log).await,
        ["CardPosterSaved"]
    );
}

#[tokio::test]
async fn what_every_card_endpoint_refuses() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let disabled = house.some_card().await;
    house
        .done(&format!("Card/{disabled}"), json!({ "DisableCard": {} }))
        .await;
    let disabled = disabled.to_string();
    let head = house.service.head().await;
    for path in [
        "",
        "/calling",
        "/save_wechat",
        "/praise",
        "/forward",
        "/up_sign",
        "/create_poster",
        "/save_poster",
    ] {
        let path = format!("/mingpian{path}");
        let unsigned = house.get(&format!("{X}{path}?uid={disabled}")).send().await;
        is_refusal(&unsigned, 404, "非法请求");
        let send = async |more: &[(&str, &str)]| house.signed(&customer, &path, more).await;
        is_refusal(&send(&[]).await, 301, "数据类型验证失败");
        is_refusal(&send(&[("uid", "abc")]).await, 301, "数据类型验证失败");
        is_refusal(&send(&[("uid", "999999")]).await, 302, "对应ID不存在");
        is_refusal(&send(&[("uid", "-1")]).await, 302, "对应ID不存在");
        is_refusal(&send(&[("uid", &disabled)]).await, 306, "账户未启用");
        is_refusal(&send(&[("u_id", &disabled)]).await, 306, "账户未启用");
    }
    assert_eq!(house.service.head().await, head);
}

#[tokio::test]
async fn head_records_nothing() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    let head = house.service.head().await;
    for path in [
        "",
        "/calling",
        "/save_wechat",
        "/praise",
        "/forward",
        "/up_sign",
        "/save_poster",
    ] {
        let path = format!(
            "{X}/mingpian{path}?{}&uid={uid}",
            house.signature(&customer)
        );
        house.service.call(Method::HEAD, &path).send().await;
    }
    assert_eq!(house.service.head().await, head);
}
