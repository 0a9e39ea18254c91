//! `contract/zhugeleida.md` 3.1, 3.25.

use std::sync::Arc;

use axum::http::Method;
use serde_json::json;
use shiji::gateways::{Wechat, WechatApp, WechatError, WechatLogin};

use super::{Customer, House, X, is_form_refusal, is_refusal};

#[tokio::test]
async fn the_same_person_is_the_same_customer_every_time() {
    let house = House::start().await;
    let reply = house.get(&format!("{X}/login?code=a&user_type=2&source=1"));
    let reply = reply.send().await;
    assert!(reply.header("x-position").is_some());
    let first = reply.json();
    assert_eq!(
        (&first["code"], &first["msg"]),
        (&json!(200), &json!("登录成功"))
    );
    let data = &first["data"];
    assert_eq!(data.as_object().unwrap().len(), 4);
    assert_eq!((&data["uid"], &data["pid"]), (&json!(null), &json!(null)));
    let customer = Customer::of(data);
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(customer.token.len() == 32 && customer.token.chars().all(hex));

    // The documented examples write the code in quotes.
    assert_eq!(house.customer("'a'").await, customer);
    assert_eq!(house.customer("%22a%22").await, customer);
    let other = house.customer("b").await;
    assert!(other.id != customer.id && other.token != customer.token);
    assert_eq!(
        house.service.events("Customer", customer.id).await,
        [
            "CustomerRegistered",
            "CustomerLoggedIn",
            "CustomerLoggedIn",
            "CustomerLoggedIn"
        ]
    );
    // Of another kind of app they are somebody else.
    let reply = house.get(&format!("{X}/login?code=a&user_type=1&source=2"));
    assert_ne!(
        Customer::of(&reply.send().await.json()["data"]).id,
        customer.id
    );
}

#[tokio::test]
async fn two_who_log_in_at_once_are_one_customer() {
    let house = House::start().await;
    let logins = (0..5).map(|_| house.customer("same"));
    let customers = futures::future::join_all(logins).await;
    assert!(customers.iter().all(|customer| *customer == customers[0]));
    let registered = house.service.since(0).await;
    let registered = registered
        .iter()
        .filter(|e| e.event_type == "CustomerRegistered");
    assert_eq!(registered.count(), 1);
}

#[tokio::test]
async fn a_login_knows_the_last_binding() {
    let house = House::start().await;
    let (parent, customer) = (house.customer("p").await, house.customer("c").await);
    let uid = house.some_card().await;
    house.bind(&customer, uid, &parent.id.to_string()).await;
    let reply = house.get(&format!("{X}/login?code=c")).send().await.json();
    let expected =
        json!({ "user_id": customer.id, "token": customer.token, "uid": uid, "pid": parent.id });
    assert_eq!(reply["data"], expected);
}

#[tokio::test]
async fn what_a_login_refuses() {
    let house = House::start().await;
    for (query, fields) in [
        ("user_type=2", [("code", "is missing")]),
        ("code=", [("code", "is out of bounds")]),
        ("code=x&user_type=3", [("user_type", "is out of bounds")]),
        ("code=x&source=0", [("source", "is out of bounds")]),
    ] {
        let reply = house.get(&format!("{X}/login?{query}")).send().await;
        is_form_refusal(&reply, &fields);
    }
    let long = "x".repeat(257);
    let reply = house.get(&format!("{X}/login?code={long}")).send().await;
    is_form_refusal(&reply, &[("code", "is out of bounds")]);
    let reply = house
        .get(&format!("{X}/login?code=x&user_type=abc"))
        .send()
        .await;
    is_refusal(&reply, 301, "数据类型验证失败");
    for path in ["login", "test_login"] {
        let reply = house
            .get(&format!("{X}/{path}?code=invalid-1"))
            .send()
            .await;
        is_refusal(&reply, 401, "账号密码错误");
    }
    let customer = house.customer("c").await;
    let to = format!("Customer/{}", customer.id);
    house.done(&to, json!({ "DisableCustomer": {} })).await;
    let reply = house.get(&format!("{X}/login?code=c")).send().await;
    is_refusal(&reply, 306, "账户未启用");
}

/// Nobody can be reached.
struct Away;

#[async_trait::async_trait]
impl Wechat for Away {
    async fn exchange(&self, _: WechatApp, _: &str) -> Result<WechatLogin, WechatError> {
        Err(WechatError::Broken {
            code: -1,
            message: "system busy".to_owned(),
        })
    }

    fn app_id(&self) -> &'static str {
        "wx"
    }
}

#[tokio::test]
async fn a_wechat_that_does_not_answer_is_a_fault() {
    let house = House::start().await;
    let door = house.service.vouched_by(Arc::new(Away));
    let reply = door.get(&format!("{X}/login?code=x")).send().await;
    let expected = json!({ "code": 500, "msg": "服务器内部错误", "data": {} });
    assert_eq!((reply.status.as_u16(), reply.json()), (500, expected));
}

#[tokio::test]
async fn head_logs_nobody_in() {
    let house = House::start().await;
    let head = house.service.head().await;
    let call = house
        .service
        .call(Method::HEAD, &format!("{X}/login?code=x"));
    assert_eq!(call.send().await.status, 200);
    assert_eq!(house.service.head().await, head);
}

#[tokio::test]
async fn no_secret_stands_in_the_log_and_the_session_key_is_sealed() {
    let house = House::start().await;
    let customer = house.customer("shy").await;
    let key = "AAECAwQFBgcICQoLDA0ODw==";
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT payload::text, aggregate_id FROM events")
            .fetch_all(house.service.app.reads())
            .await
            .unwrap();
    for (payload, id) in rows {
        for secret in ["dev_shy", key, customer.token.as_str()] {
            assert!(
                !payload.contains(secret) && !id.contains(secret),
                "{payload}"
            );
        }
    }
    let sessions = house.service.app.wechat_sessions();
    let sealed = sessions.get(customer.id).await.unwrap().unwrap();
    assert!(!sealed.windows(key.len()).any(|w| w == key.as_bytes()));
    let context = format!("Customer:{}", customer.id);
    let keys = house.service.ledger.keys();
    let opened = keys.sessions().open(context.as_bytes(), &sealed).unwrap();
    assert_eq!(opened, key.as_bytes());
}

#[tokio::test]
async fn who_came_by_the_test_version_is_on_trial_until_a_real_login() {
    let house = House::start().await;
    let reply = house
        .get(&format!("{X}/test_login?code=t"))
        .send()
        .await
        .json();
    assert_eq!(reply["msg"], "登录成功");
    let trial = Customer::of(&reply["data"]);
    let body = "formId=f1";
    let send = async |body: &str| {
        let path = format!("{X}/test_login/send_form_id?user_id={}", trial.id);
        house.service.post(&path).body(body.to_owned()).send().await
    };
    super::is_success(&send(body).await, "保存成功", &json!({}));
    assert_eq!(house.customer("t").await, trial);
    is_refusal(&send("formId=f2").await, 404, "非法请求");
}

#[tokio::test]
async fn the_test_version_can_be_switched_off() {
    let house = House::with(|settings| settings.zhugeleida_test_login = false).await;
    let login = house.get(&format!("{X}/test_login?code=t")).send().await;
    let form_id = house.service.post(&format!("{X}/test_login/send_form_id"));
    let user_info = house
        .service
        .post(&format!("{X}/test_login/send_user_info"));
    for reply in [login, form_id.send().await, user_info.send().await] {
        let expected = json!({ "code": 404, "msg": "非法请求", "data": {} });
        assert_eq!((reply.status.as_u16(), reply.json()), (404, expected));
    }
}
