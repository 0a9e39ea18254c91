//! Logging in and out, and when a session stops working.

use std::time::Duration;

use serde_json::json;
use shiji::api::identity;
use shiji::commands::account::{AccountCommand, Actor};
use shiji::events::Account;
use shiji::ledger::{Personal, StreamId};

use super::{HOLA, LOGIN, LOGOUT, assert_answer, assert_invalid, failure, success};
use crate::support::service::{PASSWORD, Reply, Service};

async fn log_in(service: &Service, name: &str, password: &str) -> Reply {
    let body = json!({ "name": name, "password": password });
    service.post(LOGIN).json(&body).send().await
}

async fn hola(service: &Service, token: &str) -> Reply {
    service.get(HOLA).token(token).send().await
}

fn not_logged_in() -> serde_json::Value {
    failure(401, "请先登录", "not_logged_in")
}

fn wrong_credentials() -> serde_json::Value {
    failure(401, "账号密码错误", "wrong_credentials")
}

fn too_many() -> serde_json::Value {
    failure(429, "尝试次数过多,请稍后再试", "too_many_attempts")
}

async fn change(service: &Service, uid: i64, command: AccountCommand) {
    let id = format!("backend:{uid}");
    let request = service.system();
    let desk = service.app.desk();
    desk.execute::<Account>(&request, &id, command)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_answers_who_it_is_and_opens_a_session() {
    let service = Service::start().await;
    let uid = service.staff("Admin", 1, 5).await;
    let before = service.head().await;
    let reply = log_in(&service, " aDMIN ", PASSWORD).await;
    let data = json!({ "uid": uid, "name": "Admin", "role": 1, "perm": 5 });
    assert_answer(
        &reply,
        &json!({ "code": 0, "msg": "ok", "error": "", "data": data }),
    );
    let token = reply.header("x-session-token").unwrap();
    assert_eq!(
        reply.header("set-cookie").unwrap(),
        format!("backend_session={token}; Path=/; HttpOnly; SameSite=Lax")
    );
    assert_eq!(
        reply.header("x-position").unwrap(),
        format!("1-{}", before + 1)
    );
    let events = service.since(before).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        events[0].stream,
        StreamId::new("Session", identity::session_id(token))
    );
    assert_eq!(events[0].event_type, "SessionOpened");
    assert!(!events[0].payload.contains(token));
    let metadata = events[0].metadata().unwrap();
    assert_eq!(
        (metadata.surface.as_str(), metadata.actor.as_str()),
        ("backend", "anonymous")
    );
    assert_eq!(
        Some(metadata.request_id.to_string().as_str()),
        reply.header("x-request-id")
    );

    // Both ways of carrying the token work, and an earlier session stays open.
    let another = service.log_in("admin").await;
    assert_ne!(token, another);
    assert_answer(&hola(&service, token).await, &success(""));
    let cookie = format!("theme=dark; backend_session={another}");
    let reply = service.get(HOLA).header("cookie", cookie).send().await;
    assert_answer(&reply, &success(""));
    assert!(reply.header("x-as-of").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_secure_behind_tls() {
    let service = Service::start().await;
    service.staff("admin", 0, 0).await;
    let body = json!({ "name": "admin", "password": PASSWORD });
    let call = service.post(LOGIN).header("x-forwarded-proto", "https");
    let reply = call.json(&body).send().await;
    assert!(reply.header("set-cookie").unwrap().contains("; Secure"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_unknown_get_one_answer_and_bad_parameters_another() {
    let service = Service::start().await;
    service.staff("admin", 0, 0).await;
    let before = service.head().await;
    assert_answer(
        &log_in(&service, "admin", "wrong").await,
        &wrong_credentials(),
    );
    assert_answer(
        &log_in(&service, "admin", &format!("{PASSWORD} ")).await,
        &wrong_credentials(),
    );
    assert_answer(
        &log_in(&service, "nobody", PASSWORD).await,
        &wrong_credentials(),
    );
    for (body, field) in [
        (json!({ "password": "x" }), "name"),
        (json!({ "name": null, "password": "x" }), "name"),
        (json!({ "name": "  ", "password": "x" }), "name"),
        (json!({ "name": "a".repeat(65), "password": "x" }), "name"),
        (json!({ "name": "a\u{0}", "password": "x" }), "name"),
        (json!({ "name": 7, "password": "x" }), "name"),
        (json!({ "name": "admin" }), "password"),
        (json!({ "name": "admin", "password": "" }), "password"),
        (
            json!({ "name": "admin", "password": "x".repeat(129) }),
            "password",
        ),
    ] {
        assert_invalid(&service.post(LOGIN).json(&body).send().await, field);
    }
    assert_invalid(&service.post(LOGIN).body("name=admin").send().await, "body");
    assert_eq!(service.head().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_failures_close_a_name_for_a_quarter_of_an_hour() {
    let service = Service::start().await;
    service.staff("admin", 0, 0).await;
    service.staff("other", 0, 0).await;
    for name in ["admin", "nobody"] {
        for spelling in [name, &name.to_uppercase()].iter().cycle().take(10) {
            assert_answer(
                &log_in(&service, spelling, "wrong").await,
                &wrong_credentials(),
            );
        }
        assert_answer(&log_in(&service, name, "wrong").await, &too_many());
    }
    assert_answer(&log_in(&service, "admin", PASSWORD).await, &too_many());
    assert_eq!(log_in(&service, "other", PASSWORD).await.json()["code"], 0);
    service.sleep(Duration::from_secs(14 * 60));
    assert_answer(&log_in(&service, "admin", PASSWORD).await, &too_many());
    service.sleep(Duration::from_secs(61));
    assert_eq!(log_in(&service, "admin", PASSWORD).await.json()["code"], 0);
    // The counts are operational: swept, not kept.
    service.sleep(Duration::from_secs(3600));
    assert!(service.app.sweep().await.unwrap() >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_side_by_side_are_counted_too() {
    let service = Service::start().await;
    service.staff("admin", 0, 0).await;
    let guesses = (0..16).map(|_| log_in(&service, "admin", "wrong"));
    let replies = futures::future::join_all(guesses).await;
    let denied = |code: u16| replies.iter().filter(|r| r.json()["code"] == code).count();
    assert_eq!((denied(401), denied(429)), (10, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_ends_this_session_only_and_is_always_a_success() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    let other = service.log_in("admin").await;
    let before = service.head().await;
    let reply = service.post(LOGOUT).token(&token).body("{").send().await;
    assert_answer(&reply, &success(""));
    assert_eq!(
        reply.header("set-cookie").unwrap(),
        "backend_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
    );
    let session = identity::session_id(&token);
    assert_eq!(
        service.events("Session", &session).await,
        ["SessionOpened", "SessionClosed"]
    );
    assert_answer(&hola(&service, &token).await, &not_logged_in());
    assert_answer(&hola(&service, &other).await, &success(""));
    for call in [service.post(LOGOUT), service.post(LOGOUT).token(&token)] {
        let reply = call.send().await;
        assert_answer(&reply, &success(""));
        assert!(reply.header("x-position").is_some());
    }
    assert_eq!(service.head().await, before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_logged_in_without_a_good_session() {
    let service = Service::start().await;
    let token = service.logged_in("admin").await;
    assert_answer(&service.get(HOLA).send().await, &not_logged_in());
    assert_answer(&hola(&service, "feed").await, &not_logged_in());
    service.sleep(Duration::from_secs(86_399));
    assert_answer(&hola(&service, &token).await, &success(""));
    service.sleep(Duration::from_secs(1));
    assert_answer(&hola(&service, &token).await, &not_logged_in());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_stops_at_once() {
    let service = Service::start().await;
    let uid = service.staff("admin", 0, 0).await;
    let token = service.log_in("admin").await;
    let disabled = failure(403, "账户未启用", "account_disabled");
    change(
        &service,
        uid,
        AccountCommand::Disable {
            by: Actor::Another,
            reason: None,
        },
    )
    .await;
    assert_answer(&hola(&service, &token).await, &disabled);
    assert_answer(&log_in(&service, "admin", PASSWORD).await, &disabled);
    assert_answer(
        &log_in(&service, "admin", "wrong").await,
        &wrong_credentials(),
    );
    // Logging out of what does not work any more is a success without an event.
    let before = service.head().await;
    let reply = service.post(LOGOUT).token(&token).send().await;
    assert_answer(&reply, &success(""));
    assert_eq!(service.head().await, before);
    change(&service, uid, AccountCommand::Enable).await;
    assert_answer(&hola(&service, &token).await, &success(""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_outlives_the_old_password() {
    let service = Service::start().await;
    let uid = service.staff("admin", 0, 0).await;
    let token = service.log_in("admin").await;
    let password_hash = service.app.passwords().hash("another one").await.unwrap();
    let password_hash = Personal::new(format!("Account:backend:{uid}"), password_hash);
    change(&service, uid, AccountCommand::SetPassword { password_hash }).await;
    assert_answer(&hola(&service, &token).await, &not_logged_in());
    assert_answer(
        &log_in(&service, "admin", PASSWORD).await,
        &wrong_credentials(),
    );
    assert_eq!(
        log_in(&service, "admin", "another one").await.json()["code"],
        0
    );
}
