//! SMS codes, signing up, logging in and out, a new password.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use shiji::api::identity::session_id;
use shiji::commands::account::{AccountCommand, Actor};
use shiji::commands::member::Phone;
use shiji::events::Account;

use super::{assert_answer, assert_done, assert_invalid, assert_refused, call, with};
use crate::support::service::{Reply, Service};

const PHONE: &str = "18685555555";
const SECRET: &str = "correct horse";
const MINUTE: Duration = Duration::from_secs(60);

async fn send(service: &Service, name: &str, body: Value) -> Reply {
    call(service, name).json(&body).send().await
}

/// A code for the phone, a minute after any other.
async fn code(service: &Service) -> String {
    service.sleep(MINUTE);
    assert_done(&send(service, "send_sms_code", json!({ "phone": PHONE })).await);
    let (phone, code) = service.sms.last();
    assert_eq!(phone, format!("86 {PHONE}"));
    code
}

/// Another code than this.
fn other(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

async fn sign_up(service: &Service) -> Reply {
    let body = json!({ "phone": PHONE, "code": code(service).await, "password": SECRET });
    let reply = send(service, "user_signup", body).await;
    assert_eq!(reply.json()["code"], 0, "{reply:?}");
    reply
}

async fn is_in(service: &Service, token: &Value) -> Reply {
    send(service, "my_user_info", json!({ "token": token })).await
}

async fn disable(service: &Service, uid: &str) {
    let command = AccountCommand::Disable {
        by: Actor::Another,
        reason: None,
    };
    let id = format!("community:{uid}");
    let desk = service.app.desk();
    desk.execute::<Account>(&service.system(), &id, command)
        .await
        .unwrap();
}

/// The types of the events after a position, with their aggregates.
async fn events(service: &Service, position: i64) -> Vec<String> {
    let events = service.since(position).await.into_iter();
    events
        .map(|event| format!("{} {}", event.stream.aggregate, event.event_type))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_sent_and_stands_nowhere_in_clear() {
    let service = Service::start().await;
    let body = json!({ "country": "+852", "phone": "51234567" });
    let reply = send(&service, "send_sms_code", body).await;
    assert_done(&reply);
    let (phone, code) = service.sms.last();
    assert_eq!((phone.as_str(), code.len()), ("852 51234567", 6));
    let events = service.since(0).await;
    assert_eq!(events.len(), 1);
    let id = Phone::new("852", "51234567")
        .unwrap()
        .codes(service.ledger.keys());
    assert_eq!(events[0].stream.to_string(), format!("PhoneCode:{id}"));
    assert!(!events[0].payload.contains(&code) && !events[0].payload.contains("5123"));
    let metadata = events[0].metadata().unwrap();
    assert_eq!(
        (metadata.actor.as_str(), metadata.surface.as_str()),
        ("anonymous", "community")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_are_a_minute_apart_and_ten_a_day() {
    let service = Service::start().await;
    code(&service).await;
    service.sleep(Duration::from_secs(59));
    assert_refused(
        &send(&service, "send_sms_code", json!({ "phone": PHONE })).await,
        429,
    );
    for _ in 1..10 {
        code(&service).await;
    }
    service.sleep(MINUTE);
    assert_refused(
        &send(&service, "send_sms_code", json!({ "phone": PHONE })).await,
        429,
    );
    assert_eq!(service.sms.count(), 10);
    // Another phone is another matter.
    let other = json!({ "phone": "18685555556" });
    assert_done(&send(&service, "send_sms_code", other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_phone_gets_no_code_and_a_broken_gateway_is_a_fault() {
    let service = Service::start().await;
    for (body, field) in [
        (json!({}), "phone"),
        (json!({ "phone": 18_685_555_555_i64 }), "phone"),
        (json!({ "phone": "28685555555" }), "phone"),
        (json!({ "phone": "1868555555" }), "phone"),
        (json!({ "phone": "1234", "country": "1" }), "phone"),
        (json!({ "phone": PHONE, "country": "" }), "country"),
        (json!({ "phone": PHONE, "country": "12345" }), "country"),
    ] {
        assert_invalid(&send(&service, "send_sms_code", body).await, field);
    }
    assert_eq!(service.head().await, 0);
    service.sms.fails.store(true, Ordering::SeqCst);
    let reply = send(&service, "send_sms_code", json!({ "phone": PHONE })).await;
    assert_eq!(reply.status, 500);
    assert_eq!(
        reply.json(),
        json!({ "code": 500, "msg": "服务器内部错误" })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_up_makes_an_account_and_lets_its_member_in() {
    let service = Service::start().await;
    let code = code(&service).await;
    let before = service.head().await;
    let body = json!({ "phone": PHONE, "code": code, "password": SECRET });
    let reply = send(&service, "user_signup", body).await;
    let sent = reply.json();
    let (token, uid) = (
        sent["token"].as_str().unwrap(),
        sent["uid"].as_str().unwrap(),
    );
    let hex =
        |text: &str| text.len() == 32 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
    assert!(hex(token) && hex(uid) && token != uid);
    let created_at = sent["my_user_info"]["created_at"].as_i64().unwrap();
    assert!((created_at - service.app.now().timestamp_millis()).abs() < 120_000);
    let profile = json!({
        "uid": uid, "nickname": format!("nick-{PHONE}"), "avatar": null, "gender": 0, "country": "86", "province": null,
        "city": null, "birthday": null, "phone": PHONE, "email": null, "category": 0, "status": 0, "score": 0, "level": 0,
        "exp": 0, "invitation_code": null, "inviter": null, "intro": null, "created_at": created_at, "follow_count": 0,
        "follower_count": 0, "article_count": 0,
    });
    assert_answer(
        &reply,
        &json!({ "token": token, "uid": uid, "my_user_info": profile, "code": 0 }),
    );
    assert_eq!(reply.header("x-pending"), None);
    let expected = [
        "PhoneCode SmsCodeConsumed",
        "NameClaim NameClaimed",
        "Account AccountOpened",
        "Account PasswordSet",
        "Session SessionOpened",
    ];
    assert_eq!(events(&service, before).await, expected);
    for stored in service.stored().await {
        for secret in [PHONE, token, SECRET, code.as_str()] {
            assert!(!stored.contains(secret), "{stored}");
        }
    }
    assert_answer(
        &is_in(&service, &sent["token"]).await,
        &json!({ "my_user_info": profile, "code": 0 }),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_up_asks_for_phone_code_and_password() {
    let service = Service::start().await;
    let good = json!({ "phone": PHONE, "code": code(&service).await, "password": SECRET });
    let head = service.head().await;
    for (change, field) in [
        (json!({ "phone": null }), "phone"),
        (json!({ "code": null }), "code"),
        (json!({ "code": "12345" }), "code"),
        (json!({ "code": "12345a" }), "code"),
        (json!({ "password": null }), "password"),
        (json!({ "password": "12345" }), "password"),
        (json!({ "password": "x".repeat(65) }), "password"),
        (json!({ "nickname": "  " }), "nickname"),
        (json!({ "nickname": "名".repeat(33) }), "nickname"),
        (json!({ "nickname": "a\u{7}" }), "nickname"),
    ] {
        let reply = send(&service, "user_signup", with(&good, &change)).await;
        assert_invalid(&reply, field);
    }
    assert_eq!(service.head().await, head);
    let named = with(
        &good,
        &json!({ "nickname": " 小满 ", "password": "  123  " }),
    );
    let reply = send(&service, "user_signup", named).await;
    assert_eq!(reply.json()["my_user_info"]["nickname"], "小满");
    // Passwords are not trimmed.
    let login = |password: &str| json!({ "phone": PHONE, "password": password });
    assert_refused(&send(&service, "user_login", login("123")).await, 460);
    assert_eq!(
        send(&service, "user_login", login("  123  ")).await.json()["code"],
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_good_once_and_for_five_minutes_and_five_wrong_tries() {
    let service = Service::start().await;
    let right = code(&service).await;
    let body = |code: &str| json!({ "phone": PHONE, "code": code, "password": SECRET });
    let before = service.head().await;
    for _ in 0..5 {
        assert_refused(
            &send(&service, "user_signup", body(&other(&right))).await,
            461,
        );
    }
    assert_eq!(
        events(&service, before).await,
        ["PhoneCode SmsCodeRejected"; 5]
    );
    // Now the right one is void, too, and trying leaves no trace any more.
    let before = service.head().await;
    assert_refused(&send(&service, "user_signup", body(&right)).await, 461);
    assert_eq!(service.head().await, before);

    let right = code(&service).await;
    service.sleep(Duration::from_secs(300));
    assert_refused(&send(&service, "user_signup", body(&right)).await, 461);

    let earlier = code(&service).await;
    let right = code(&service).await;
    if earlier != right {
        assert_refused(&send(&service, "user_signup", body(&earlier)).await, 461);
    }
    assert_eq!(
        send(&service, "user_signup", body(&right)).await.json()["code"],
        0
    );
    assert_refused(&send(&service, "user_signup", body(&right)).await, 461);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_has_one_account_and_the_code_is_used_up_telling_so() {
    let service = Service::start().await;
    sign_up(&service).await;
    let right = code(&service).await;
    let body = |code: &str| json!({ "phone": PHONE, "code": code, "password": SECRET });
    // Only who holds the phone learns that it is registered.
    assert_refused(
        &send(&service, "user_signup", body(&other(&right))).await,
        461,
    );
    let before = service.head().await;
    assert_refused(&send(&service, "user_signup", body(&right)).await, 462);
    assert_eq!(
        events(&service, before).await,
        ["PhoneCode SmsCodeConsumed"]
    );
    assert_refused(&send(&service, "user_signup", body(&right)).await, 461);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_sign_up_at_once_one_has_the_account_and_the_other_is_told() {
    for _ in 0..3 {
        let service = Service::start().await;
        let body = json!({ "phone": PHONE, "code": code(&service).await, "password": SECRET });
        let (one, two) = tokio::join!(
            send(&service, "user_signup", body.clone()),
            send(&service, "user_signup", body),
        );
        let mut codes = [&one, &two].map(|reply| reply.json()["code"].as_i64().unwrap());
        codes.sort_unstable();
        assert_eq!(codes, [0, 462]);
        let opened = events(&service, 0).await;
        let opened = opened
            .iter()
            .filter(|event| *event == "Account AccountOpened");
        assert_eq!(opened.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_or_a_code_logs_in_and_sessions_stand_beside_each_other() {
    let service = Service::start().await;
    let signed_up = sign_up(&service).await.json();
    let before = service.head().await;
    let body = json!({ "country": "86", "phone": PHONE, "password": SECRET, "code": "000000" });
    let reply = send(&service, "user_login", body).await;
    let sent = reply.json();
    assert_ne!(sent["token"], signed_up["token"]);
    assert_answer(
        &reply,
        &with(&signed_up, &json!({ "token": sent["token"] })),
    );
    assert_eq!(events(&service, before).await, ["Session SessionOpened"]);
    let opened = &service.since(before).await[0];
    assert_eq!(
        opened.stream.id,
        session_id(sent["token"].as_str().unwrap())
    );

    let right = code(&service).await;
    let body = json!({ "phone": PHONE, "code": right });
    let before = service.head().await;
    let by_code = send(&service, "user_login", body.clone()).await;
    assert_answer(
        &by_code,
        &with(&signed_up, &json!({ "token": by_code.json()["token"] })),
    );
    assert_eq!(
        events(&service, before).await,
        ["PhoneCode SmsCodeConsumed", "Session SessionOpened"]
    );
    assert_refused(&send(&service, "user_login", body).await, 461);
    for token in [
        &signed_up["token"],
        &sent["token"],
        &by_code.json()["token"],
    ] {
        assert_eq!(is_in(&service, token).await.json()["code"], 0);
    }
    service.sleep(Duration::from_secs(30 * 86_400));
    assert_refused(&is_in(&service, &sent["token"]).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_is_told_no_more_than_the_code() {
    let service = Service::start().await;
    let uid = sign_up(&service).await.json()["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let login = |more: Value| with(&json!({ "phone": PHONE }), &more);
    assert_invalid(
        &send(&service, "user_login", login(json!({}))).await,
        "password",
    );
    let empty = login(json!({ "password": "" }));
    assert_invalid(&send(&service, "user_login", empty).await, "password");
    let wrong = login(json!({ "password": "wrong" }));
    assert_refused(&send(&service, "user_login", wrong).await, 460);
    let unknown = json!({ "phone": "18685555556", "password": SECRET });
    assert_refused(&send(&service, "user_login", unknown).await, 460);

    // A code for a phone without an account is used up all the same.
    assert_done(&send(&service, "send_sms_code", json!({ "phone": "18685555556" })).await);
    let body = json!({ "phone": "18685555556", "code": service.sms.last().1 });
    let before = service.head().await;
    assert_refused(&send(&service, "user_login", body.clone()).await, 463);
    assert_eq!(
        events(&service, before).await,
        ["PhoneCode SmsCodeConsumed"]
    );
    assert_refused(&send(&service, "user_login", body).await, 461);

    disable(&service, &uid).await;
    let right = login(json!({ "password": SECRET }));
    assert_refused(&send(&service, "user_login", right).await, 423);
    let right = login(json!({ "code": code(&service).await }));
    assert_refused(&send(&service, "user_login", right.clone()).await, 423);
    assert_refused(&send(&service, "user_login", right).await, 461);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_failures_close_a_phone_for_a_quarter_of_an_hour() {
    let service = Service::start().await;
    sign_up(&service).await;
    let login = |password: &str| json!({ "phone": PHONE, "password": password });
    for _ in 0..10 {
        assert_refused(&send(&service, "user_login", login("wrong")).await, 460);
    }
    assert_refused(&send(&service, "user_login", login(SECRET)).await, 429);
    let by_code = json!({ "phone": PHONE, "code": code(&service).await });
    assert_eq!(
        send(&service, "user_login", by_code).await.json()["code"],
        0
    );
    service.sleep(15 * MINUTE);
    assert_eq!(
        send(&service, "user_login", login(SECRET)).await.json()["code"],
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_ends_one_session() {
    let service = Service::start().await;
    let first = sign_up(&service).await.json();
    let body = json!({ "phone": PHONE, "password": SECRET });
    let second = send(&service, "user_login", body).await.json();
    let before = service.head().await;
    assert_done(&send(&service, "user_logout", json!({ "token": first["token"] })).await);
    assert_eq!(events(&service, before).await, ["Session SessionClosed"]);
    assert_refused(&is_in(&service, &first["token"]).await, 401);
    assert_refused(
        &send(&service, "user_logout", json!({ "token": first["token"] })).await,
        401,
    );
    assert_eq!(is_in(&service, &second["token"]).await.json()["code"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_session() {
    let service = Service::start().await;
    let first = sign_up(&service).await.json();
    let body = json!({ "phone": PHONE, "password": SECRET });
    let second = send(&service, "user_login", body).await.json();
    let reset =
        json!({ "phone": PHONE, "code": code(&service).await, "password": "another horse" });
    let before = service.head().await;
    assert_done(&send(&service, "user_password_update", reset).await);
    let mut expected = vec!["PhoneCode SmsCodeConsumed", "Account PasswordSet"];
    expected.extend(["Session SessionClosed"; 2]);
    assert_eq!(events(&service, before).await, expected);
    for token in [&first["token"], &second["token"]] {
        assert_refused(&is_in(&service, token).await, 401);
    }
    let login = |password: &str| json!({ "phone": PHONE, "password": password });
    assert_refused(&send(&service, "user_login", login(SECRET)).await, 460);
    assert_eq!(
        send(&service, "user_login", login("another horse"))
            .await
            .json()["code"],
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_asks_for_code_account_and_its_being_enabled() {
    let service = Service::start().await;
    let reset = |code: &str| json!({ "phone": PHONE, "code": code, "password": "another horse" });
    let right = code(&service).await;
    assert_refused(
        &send(&service, "user_password_update", reset(&other(&right))).await,
        461,
    );
    let before = service.head().await;
    assert_refused(
        &send(&service, "user_password_update", reset(&right)).await,
        463,
    );
    assert_eq!(
        events(&service, before).await,
        ["PhoneCode SmsCodeConsumed"]
    );
    let short = with(&reset(&right), &json!({ "password": "12345" }));
    assert_invalid(
        &send(&service, "user_password_update", short).await,
        "password",
    );
    let uid = sign_up(&service).await.json()["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    disable(&service, &uid).await;
    let right = code(&service).await;
    assert_refused(
        &send(&service, "user_password_update", reset(&right)).await,
        423,
    );
    assert_refused(
        &send(&service, "user_password_update", reset(&right)).await,
        461,
    );
}
