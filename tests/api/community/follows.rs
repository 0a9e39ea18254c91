//! Members following members.

use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_answer, assert_done, assert_invalid, assert_refused};
use crate::support::service::{Member, Service};

async fn follow(service: &Service, by: &Member, whom: &Member) {
    // So that no two follow in one millisecond.
    service.sleep(Duration::from_millis(5));
    assert_done(
        &service
            .function(by, "user_follow", json!({ "to_uid": whom.uid }))
            .await,
    );
}

/// The uids of a list, whole rows checked.
async fn uids(service: &Service, by: &Member, name: &str, page: Value) -> Vec<String> {
    let reply = service.function(by, name, page).await;
    let list = reply.json()[name].as_array().unwrap().clone();
    assert_answer(&reply, &json!({ name: list, "code": 0 }));
    let keys = [
        "avatar",
        "birthday",
        "city",
        "country",
        "created_at",
        "gender",
        "intro",
        "nickname",
        "province",
        "uid",
    ];
    for row in &list {
        assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    }
    list.iter()
        .map(|row| row["uid"].as_str().unwrap().to_owned())
        .collect()
}

async fn counts(service: &Service, member: &Member) -> (i64, i64) {
    let info = service
        .function(member, "my_user_info", json!({}))
        .await
        .json();
    let count = |name: &str| info["my_user_info"][name].as_i64().unwrap();
    (count("follow_count"), count("follower_count"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_counts_once_and_stops_once() {
    let service = Service::start().await;
    let (a, b) = (service.member("甲").await, service.member("乙").await);
    follow(&service, &a, &b).await;
    assert_eq!(counts(&service, &a).await, (1, 0));
    assert_eq!(counts(&service, &b).await, (0, 1));
    let head = service.head().await;
    follow(&service, &a, &b).await;
    assert_eq!(service.head().await, head);
    let body = json!({ "to_uid": b.uid });
    assert_done(&service.function(&a, "user_unfollow", body.clone()).await);
    assert_done(&service.function(&a, "user_unfollow", body).await);
    assert_eq!(counts(&service, &a).await, (0, 0));
    assert_eq!(counts(&service, &b).await, (0, 0));
    let stream = format!("member:{}:user:{}", a.uid, b.uid);
    assert_eq!(
        service.events("Follow", stream).await,
        ["Followed", "Unfollowed"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_follows_itself_or_nobody() {
    let service = Service::start().await;
    let a = service.member("甲").await;
    let head = service.head().await;
    for function in ["user_follow", "user_unfollow"] {
        let oneself = service
            .function(&a, function, json!({ "to_uid": a.uid }))
            .await;
        assert_invalid(&oneself, "to_uid");
        assert_invalid(&service.function(&a, function, json!({})).await, "to_uid");
        let nobody = json!({ "to_uid": "0".repeat(32) });
        assert_refused(&service.function(&a, function, nobody).await, 404);
    }
    assert_eq!(service.head().await, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_by_the_time_of_following_and_paged() {
    let service = Service::start().await;
    let a = service.member("甲").await;
    let mut others = Vec::new();
    for name in ["乙", "丙", "丁"] {
        others.push(service.member(name).await);
    }
    for other in &others {
        follow(&service, &a, other).await;
        follow(&service, other, &a).await;
    }
    let newest: Vec<String> = others.iter().rev().map(|other| other.uid.clone()).collect();
    for name in ["my_follower", "my_following_users"] {
        assert_eq!(uids(&service, &a, name, json!({})).await, newest, "{name}");
        let page = json!({ "limit": 1, "offset": 1 });
        assert_eq!(uids(&service, &a, name, page).await, newest[1..2], "{name}");
        let beyond = json!({ "offset": 3 });
        assert!(uids(&service, &a, name, beyond).await.is_empty());
        assert_invalid(
            &service.function(&a, name, json!({ "limit": 0 })).await,
            "limit",
        );
    }
    // Who follows anew comes first again.
    let body = json!({ "to_uid": others[0].uid });
    assert_done(&service.function(&a, "user_unfollow", body).await);
    assert_eq!(
        uids(&service, &a, "my_following_users", json!({})).await,
        newest[..2]
    );
    follow(&service, &a, &others[0]).await;
    let again = uids(&service, &a, "my_following_users", json!({})).await;
    assert_eq!(again[0], others[0].uid);
    assert_eq!(
        uids(&service, &others[0], "my_follower", json!({})).await,
        std::slice::from_ref(&a.uid)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_follow_one_at_once_are_all_counted() {
    let service = Service::start().await;
    let star = service.member("星").await;
    let mut fans = Vec::new();
    for number in 0..12 {
        fans.push(service.member(&format!("粉{number}")).await);
    }
    let body = json!({ "to_uid": star.uid });
    // Each twice: that counts once.
    let calls = fans
        .iter()
        .chain(&fans)
        .map(|fan| service.function(fan, "user_follow", body.clone()));
    for reply in futures::future::join_all(calls).await {
        assert_eq!(reply.json()["code"], 0, "{reply:?}");
    }
    assert_eq!(counts(&service, &star).await, (0, 12));
}
