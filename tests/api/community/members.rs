//! Profiles: one's own, changing it, another's.

use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_answer, assert_done, assert_invalid, assert_refused, with};
use crate::support::service::{Member, Service};

async fn mine(service: &Service, member: &Member) -> Value {
    let reply = service.function(member, "my_user_info", json!({})).await;
    let info = reply.json()["my_user_info"].clone();
    assert_answer(&reply, &json!({ "my_user_info": info, "code": 0 }));
    info
}

fn full() -> Value {
    json!({
        "nickname": "小满", "avatar": "e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpeg", "gender": 2, "province": "山东",
        "city": "青岛", "birthday": -86_400_000, "email": "xm@example.com", "intro": "第一行\n第二行",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_changed_field_by_field_and_cleared() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let before = mine(&service, &member).await;
    assert_done(
        &service
            .function(&member, "my_user_info_update", full())
            .await,
    );
    let changed = with(&before, &full());
    assert_eq!(mine(&service, &member).await, changed);
    // What is said again and what is absent records nothing.
    let head = service.head().await;
    assert_done(
        &service
            .function(&member, "my_user_info_update", full())
            .await,
    );
    assert_done(
        &service
            .function(&member, "my_user_info_update", json!({}))
            .await,
    );
    assert_eq!(service.head().await, head);
    let clear = json!({
        "avatar": "", "province": null, "city": " ", "birthday": null, "email": null, "intro": "", "nickname": null,
        "gender": "1",
    });
    assert_done(
        &service
            .function(&member, "my_user_info_update", clear)
            .await,
    );
    let id = format!("community:{}", member.uid);
    let events = service.events("Account", id).await;
    assert_eq!(
        events,
        [
            "AccountOpened",
            "AccountProfileUpdated",
            "AccountProfileUpdated"
        ]
    );
    let kept = json!({ "nickname": "小满", "gender": 1 });
    assert_eq!(mine(&service, &member).await, with(&before, &kept));
    // It is sealed in the log.
    for stored in service.stored().await {
        assert!(
            !stored.contains("小满") && !stored.contains("青岛"),
            "{stored}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_has_bounds() {
    let service = Service::start().await;
    let member = service.member("甲").await;
    let head = service.head().await;
    let later = service.app.now().timestamp_millis() + 60_000;
    for (field, bad) in [
        ("nickname", json!("")),
        ("nickname", json!("名".repeat(33))),
        ("avatar", json!("../x.png")),
        ("avatar", json!("a".repeat(201))),
        ("gender", json!(3)),
        ("gender", json!("male")),
        ("province", json!("省".repeat(65))),
        ("city", json!("a\rb")),
        ("birthday", json!(later)),
        ("birthday", json!(-2_208_988_800_001_i64)),
        ("email", json!("nobody")),
        ("intro", json!("字".repeat(501))),
        ("intro", json!(7)),
    ] {
        let reply = service
            .function(&member, "my_user_info_update", json!({ field: bad }))
            .await;
        assert_invalid(&reply, field);
    }
    assert_eq!(service.head().await, head);
    let edge = json!({ "birthday": -2_208_988_800_000_i64, "intro": "字".repeat(500) });
    assert_done(&service.function(&member, "my_user_info_update", edge).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_is_seen_by_uid_or_phone_without_what_is_private() {
    let service = Service::start().await;
    let (a, b) = (service.member("甲").await, service.member("乙").await);
    assert_done(&service.function(&b, "my_user_info_update", full()).await);
    let mut expected = mine(&service, &b).await;
    let object = expected.as_object_mut().unwrap();
    for private in [
        "phone",
        "email",
        "category",
        "status",
        "invitation_code",
        "inviter",
    ] {
        object.remove(private);
    }
    object.insert("is_follow".to_owned(), json!(false));
    let answer = |info: &Value| json!({ "user_info": info, "code": 0 });
    let see = async |by: &Member, whom: Value| service.function(by, "user_info", whom).await;
    assert_answer(
        &see(&a, json!({ "to_uid": b.uid })).await,
        &answer(&expected),
    );
    let by_phone = json!({ "phone": b.phone, "country": "+86" });
    assert_answer(&see(&a, by_phone).await, &answer(&expected));
    // Oneself, too, and the uid goes before the phone.
    let oneself = json!({ "to_uid": b.uid, "phone": a.phone });
    assert_answer(&see(&b, oneself).await, &answer(&expected));
    assert_done(
        &service
            .function(&a, "user_follow", json!({ "to_uid": b.uid }))
            .await,
    );
    let followed = with(
        &expected,
        &json!({ "is_follow": true, "follower_count": 1 }),
    );
    let path = format!(
        "/community/api/v1/user_info?to_uid={}&token={}",
        b.uid, a.token
    );
    assert_answer(&service.get(&path).send().await, &answer(&followed));
    // Not the other way round.
    let back = see(&b, json!({ "to_uid": a.uid })).await.json()["user_info"].clone();
    assert_eq!(
        (&back["is_follow"], &back["follow_count"]),
        (&json!(false), &json!(1))
    );

    assert_refused(&see(&a, json!({ "to_uid": "0".repeat(32) })).await, 404);
    assert_refused(&see(&a, json!({ "phone": "13900000000" })).await, 404);
    assert_invalid(&see(&a, json!({})).await, "to_uid");
    assert_invalid(&see(&a, json!({ "to_uid": "x" })).await, "to_uid");
    assert_invalid(&see(&a, json!({ "phone": "1" })).await, "phone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phones_are_looked_up_sixty_times_an_hour() {
    let service = Service::start().await;
    let (a, b) = (service.member("甲").await, service.member("乙").await);
    let lookup = json!({ "phone": b.phone });
    for _ in 0..60 {
        let reply = service.function(&a, "user_info", lookup.clone()).await;
        assert_eq!(reply.json()["code"], 0);
    }
    assert_refused(
        &service.function(&a, "user_info", lookup.clone()).await,
        429,
    );
    let by_uid = service
        .function(&a, "user_info", json!({ "to_uid": b.uid }))
        .await;
    assert_eq!(by_uid.json()["code"], 0);
    assert_eq!(
        service
            .function(&b, "user_info", lookup.clone())
            .await
            .json()["code"],
        0
    );
    service.sleep(Duration::from_secs(3600));
    assert_eq!(
        service.function(&a, "user_info", lookup).await.json()["code"],
        0
    );
}
