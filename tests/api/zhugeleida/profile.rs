//! `contract/zhugeleida.md` 3.3, 3.4, 3.26, 3.27.

use serde_json::{Value, json};

use super::{Customer, House, X, is_form_refusal, is_refusal, is_success};

const FORM: &str = "application/x-www-form-urlencoded";

fn profile() -> Value {
    json!({
        "username": "奥利奥🍪", "headimgurl": "https://wx.qlogo.cn/0", "city": "",
        "country": "中国", "province": "北京", "language": "zh_CN"
    })
}

#[tokio::test]
async fn a_profile_is_stored_however_it_is_sent_and_once() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let path = "/login/send_user_info";
    let reply = house.post(&customer, path).json(&profile()).send().await;
    is_success(&reply, "保存成功", &json!({}));
    assert!(reply.header("x-position").is_some());
    let stored = || async {
        sqlx::query_as::<_, (String, String, String, String, String, String)>(
            "SELECT username, headimgurl, city, country, province, language FROM customers WHERE id = $1",
        )
        .bind(customer.id)
        .fetch_one(house.service.app.reads())
        .await
        .unwrap()
    };
    let row = stored().await;
    assert_eq!(row.0, "奥利奥🍪");
    assert_eq!(
        (row.1.as_str(), row.2.as_str(), row.3.as_str()),
        ("https://wx.qlogo.cn/0", "", "中国")
    );
    assert_eq!((row.4.as_str(), row.5.as_str()), ("北京", "zh_CN"));

    // The same as a form and as multipart: nothing changes.
    let head = house.service.head().await;
    let form = "username=%E5%A5%A5%E5%88%A9%E5%A5%A5%F0%9F%8D%AA&headimgurl=https%3A%2F%2Fwx.qlogo.cn%2F0&city=&\
                country=%E4%B8%AD%E5%9B%BD&province=%E5%8C%97%E4%BA%AC&language=zh_CN";
    let call = house
        .post(&customer, path)
        .header("content-type", FORM)
        .body(form);
    is_success(&call.send().await, "保存成功", &json!({}));
    let sent = profile();
    let parts: Vec<(&str, &[u8])> = sent
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap().as_bytes()))
        .collect();
    let call = house.post(&customer, path).form(&parts);
    is_success(&call.send().await, "保存成功", &json!({}));
    assert_eq!(house.service.head().await, head);

    // What changes is recorded; the body goes before the query.
    let mut other = profile();
    other["username"] = json!("欧弟");
    let path = format!(
        "{X}{path}?{}&username=query&city=x",
        house.signature(&customer)
    );
    let reply = house.service.post(&path).json(&other).send().await;
    is_success(&reply, "保存成功", &json!({}));
    let row = stored().await;
    assert_eq!((row.0.as_str(), row.2.as_str()), ("欧弟", ""));
    let events = house.service.since(head).await;
    let payload: Value = serde_json::from_str(&events[0].payload).unwrap();
    let changed = payload["CustomerProfileUpdated"].as_object().unwrap();
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["username"]);
}

#[tokio::test]
async fn every_field_of_a_profile_has_its_bounds_and_all_are_named() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let path = "/login/send_user_info";
    let reply = house.post(&customer, path).json(&json!({})).send().await;
    let missing = "is missing";
    is_form_refusal(
        &reply,
        &[
            ("username", missing),
            ("headimgurl", missing),
            ("city", missing),
            ("country", missing),
            ("province", missing),
            ("language", missing),
        ],
    );
    let out = "is out of bounds";
    for (field, value) in [
        ("username", String::new()),
        ("username", "语".repeat(65)),
        ("headimgurl", String::new()),
        ("headimgurl", "x".repeat(513)),
        ("city", "x".repeat(65)),
        ("country", "x".repeat(65)),
        ("province", "x".repeat(65)),
        ("language", "x".repeat(17)),
        ("city", "a\0b".to_owned()),
    ] {
        let mut sent = profile();
        sent[field] = json!(value);
        let reply = house.post(&customer, path).json(&sent).send().await;
        is_form_refusal(&reply, &[(field, out)]);
    }
    let mut sent = profile();
    sent["city"] = json!(7);
    let reply = house.post(&customer, path).json(&sent).send().await;
    is_refusal(&reply, 301, "数据类型验证失败");
    let unsigned = house.service.post(&format!("{X}{path}")).json(&profile());
    is_refusal(&unsigned.send().await, 404, "非法请求");
}

#[tokio::test]
async fn a_form_id_is_kept_for_seven_days_and_once() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let send = async |body: Value| {
        let call = house.post(&customer, "/login/send_form_id");
        call.json(&body).send().await
    };
    is_success(
        &send(json!({ "formId": "f1" })).await,
        "保存成功",
        &json!({}),
    );
    let head = house.service.head().await;
    is_success(
        &send(json!({ "formId": " f1 " })).await,
        "保存成功",
        &json!({}),
    );
    assert_eq!(house.service.head().await, head);
    let (form_id, days): (String, f64) = sqlx::query_as(
        "SELECT f.form_id, (extract(epoch FROM f.expires_at - c.created_at) / 86400)::float8
         FROM customer_form_ids f JOIN customers c ON c.id = f.customer_id WHERE c.id = $1",
    )
    .bind(customer.id)
    .fetch_one(house.service.app.reads())
    .await
    .unwrap();
    assert!(form_id == "f1" && (days - 7.0).abs() < 0.01, "{days}");

    is_form_refusal(&send(json!({})).await, &[("formId", "is missing")]);
    is_form_refusal(
        &send(json!({ "formId": "" })).await,
        &[("formId", "is out of bounds")],
    );
    let long = json!({ "formId": "x".repeat(129) });
    is_form_refusal(&send(long).await, &[("formId", "is out of bounds")]);
    let unsigned = house.service.post(&format!("{X}/login/send_form_id"));
    is_refusal(
        &unsigned.json(&json!({ "formId": "f" })).send().await,
        404,
        "非法请求",
    );
}

#[tokio::test]
async fn on_trial_nobody_needs_to_sign_but_a_signature_must_be_right() {
    let house = House::start().await;
    let reply = house
        .get(&format!("{X}/test_login?code=t"))
        .send()
        .await
        .json();
    let trial = Customer::of(&reply["data"]);
    let real = house.customer("r").await;
    let send = async |query: String| {
        let path = format!("{X}/test_login/send_user_info?{query}");
        house.service.post(&path).json(&profile()).send().await
    };
    is_success(
        &send(format!("user_id={}", trial.id)).await,
        "保存成功",
        &json!({}),
    );
    is_success(&send(house.signature(&real)).await, "保存成功", &json!({}));
    for query in [
        String::new(),
        format!("user_id={}", real.id),
        "user_id=999999".to_owned(),
        format!("user_id={}&rand_str=x&timestamp=1", trial.id),
    ] {
        is_refusal(&send(query).await, 404, "非法请求");
    }
    is_refusal(&send("user_id=x".to_owned()).await, 301, "数据类型验证失败");
    // The document lists the form id in the query, too.
    let path = format!("{X}/test_login/send_form_id?user_id={}&formId=f", trial.id);
    let reply = house.service.post(&path).send().await;
    is_success(&reply, "保存成功", &json!({}));
    let to = format!("Customer/{}", trial.id);
    house.done(&to, json!({ "DisableCustomer": {} })).await;
    let reply = send(format!("user_id={}", trial.id)).await;
    is_refusal(&reply, 306, "账户未启用");
}
