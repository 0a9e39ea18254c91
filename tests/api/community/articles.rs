//! Articles: publishing, deleting and reading them, liking and collecting.

use std::time::Duration;

use serde_json::{Value, json};
use shiji::events::ArticleEvent;
use shiji::ledger::StreamId;

use super::shelf::{IMAGE, ids};
use super::{assert_answer, assert_done, assert_invalid, assert_refused, record, with};
use crate::support::service::{Member, Service};

/// Publishes an article, later than every one before; answers its id.
pub async fn article(service: &Service, by: &Member, content: &str) -> i64 {
    service.sleep(Duration::from_millis(5));
    let body = json!({ "content": content });
    let reply = service.function(by, "article_publish", body).await;
    let id = reply.json()["article_id"].as_i64().unwrap();
    assert_answer(&reply, &json!({ "code": 0, "article_id": id }));
    id
}

/// Calls a function about one article that answers nothing.
pub async fn done(service: &Service, by: &Member, function: &str, id: i64) {
    service.sleep(Duration::from_millis(5));
    let reply = service.function(by, function, json!({ "article_id": id }));
    assert_done(&reply.await);
}

async fn count(service: &Service, member: &Member) -> i64 {
    let info = service.function(member, "my_user_info", json!({})).await;
    info.json()["my_user_info"]["article_count"]
        .as_i64()
        .unwrap()
}

/// The row of an article in everybody's feed.
async fn row(service: &Service, reader: &Member, id: i64) -> Value {
    let feed = service.function(reader, "article_list", json!({})).await;
    let rows = feed.json()["article_list"].as_array().unwrap().clone();
    let mut found = rows.into_iter().filter(|row| row["article_id"] == id);
    found.next().expect("the article is in the feed")
}

#[tokio::test]
async fn an_article_is_published_with_its_pictures_and_shown_field_by_field() {
    let service = Service::start().await;
    let (author, reader) = (service.member("春风").await, service.member("秋月").await);
    let images: Vec<String> = (0..9).map(|n| format!("{n}-{IMAGE}")).collect();
    let body = json!({ "content": " 春日踏青,\n汉服出行\t ", "images": images });
    let reply = service.function(&author, "article_publish", body).await;
    let id = reply.json()["article_id"].as_i64().unwrap();
    assert_answer(&reply, &json!({ "code": 0, "article_id": id }));
    assert_eq!(service.events("Article", id).await, ["ArticlePublished"]);
    assert_eq!(count(&service, &author).await, 1);

    let feed = service.function(&reader, "article_list", json!({})).await;
    let at = feed.json()["article_list"][0]["created_at"].clone();
    assert!(at.as_i64().unwrap() <= service.app.now().timestamp_millis());
    let brief = json!({ "uid": author.uid, "nickname": "春风", "avatar": null });
    let mine = json!({
        "article_id": id, "uid": author.uid, "content": "春日踏青,\n汉服出行", "images": images, "created_at": at,
        "like_count": 0, "collect_count": 0, "comment_count": 0, "is_like": false, "is_collect": false,
    });
    let shown = with(&mine, &json!({ "author": brief }));
    assert_answer(&feed, &json!({ "code": 0, "article_list": [shown] }));
    assert_answer(
        &service
            .function(&author, "my_article_list", json!({}))
            .await,
        &json!({ "code": 0, "my_article_list": [mine] }),
    );
    // Who does not follow the author has an empty feed.
    let following = || service.function(&reader, "following_article_list", json!({}));
    assert_answer(
        &following().await,
        &json!({ "code": 0, "following_article_list": [] }),
    );
    let follow = json!({ "to_uid": author.uid });
    assert_done(&service.function(&reader, "user_follow", follow).await);
    assert_answer(
        &following().await,
        &json!({ "code": 0, "following_article_list": [shown] }),
    );
    let by_get = service.get(&format!(
        "/community/api/v1/article_list?token={}&limit=1",
        reader.token
    ));
    assert_answer(
        &by_get.send().await,
        &json!({ "code": 0, "article_list": [shown] }),
    );
}

#[tokio::test]
async fn what_cannot_be_an_article_is_refused_field_by_field() {
    let service = Service::start().await;
    let me = service.member("春风").await;
    let head = service.head().await;
    for (body, field) in [
        (json!({}), "content"),
        (json!({ "content": " \n " }), "content"),
        (json!({ "content": "字".repeat(5_001) }), "content"),
        (json!({ "content": "a\u{7}b" }), "content"),
        (json!({ "content": ["a"] }), "content"),
        (json!({ "content": "a", "images": ["../a.png"] }), "images"),
        (json!({ "content": "a", "images": [7] }), "images"),
        (
            json!({ "content": "a", "images": vec!["a.png"; 10] }),
            "images",
        ),
    ] {
        let reply = service.function(&me, "article_publish", body.clone()).await;
        assert_invalid(&reply, field);
    }
    assert_eq!(service.head().await, head);
    let longest = "字".repeat(5_000);
    let id = article(&service, &me, &longest).await;
    assert_eq!(row(&service, &me, id).await["content"], longest);
    // One picture needs no list.
    let body = json!({ "content": "a", "images": IMAGE });
    let reply = service.function(&me, "article_publish", body).await;
    let id = reply.json()["article_id"].as_i64().unwrap();
    assert_eq!(row(&service, &me, id).await["images"], json!([IMAGE]));
}

#[tokio::test]
async fn a_retry_under_one_key_publishes_once() {
    let service = Service::start().await;
    let me = service.member("春风").await;
    let publish = |content: &str| {
        let call = service.post("/community/api/v1/article_publish");
        let call = call.token(&me.token).header("idempotency-key", "a-1");
        call.json(&json!({ "content": content })).send()
    };
    let first = publish("一").await;
    let again = publish("一").await;
    assert_eq!(first.json(), again.json());
    assert_refused(&publish("二").await, 409);
    assert_eq!(count(&service, &me).await, 1);
}

#[tokio::test]
async fn only_the_author_deletes_and_all_or_none() {
    let service = Service::start().await;
    let (me, other) = (service.member("春风").await, service.member("秋月").await);
    let mine = article(&service, &me, "一").await;
    let second = article(&service, &me, "二").await;
    let foreign = article(&service, &other, "三").await;
    let delete = async |ids: Value| {
        let body = json!({ "article_id_list": ids });
        service.function(&me, "article_del", body).await
    };
    let head = service.head().await;
    assert_refused(&delete(json!([mine, foreign])).await, 403);
    for bad in [
        json!([]),
        json!((1..=101).collect::<Vec<_>>()),
        json!([0]),
        json!(["x"]),
        json!(null),
    ] {
        assert_invalid(&delete(bad).await, "article_id_list");
    }
    assert_eq!(service.head().await, head);

    done(&service, &other, "article_like", mine).await;
    done(&service, &other, "article_collect", mine).await;
    // What is not there is passed over; so is what was deleted before.
    for ids in [json!([mine, 999, mine]), json!(format!("{mine},{second}"))] {
        assert_done(&delete(ids).await);
    }
    assert_eq!(
        service.events("Article", mine).await,
        ["ArticlePublished", "ArticleDeleted"]
    );
    assert_eq!(count(&service, &me).await, 0);
    let feed = service.function(&other, "article_list", json!({})).await;
    assert_eq!(ids(&feed, "article_list", "article_id"), [foreign]);
    for (reader, function) in [
        (&me, "my_article_list"),
        (&other, "my_article_collect_list"),
    ] {
        let list = service.function(reader, function, json!({})).await;
        assert_answer(&list, &json!({ "code": 0, function: [] }));
    }
    let body = json!({ "article_id": mine });
    for function in [
        "article_detail",
        "article_comment_list",
        "article_like",
        "article_collect",
    ] {
        let gone = service.function(&me, function, body.clone()).await;
        assert_refused(&gone, 404);
    }
    // What was given before can still be taken back.
    done(&service, &other, "article_unlike", mine).await;
    done(&service, &other, "article_uncollect", mine).await;
    let key = format!("member:{}:like:article:{mine}", other.uid);
    assert_eq!(
        service.events("Reaction", key).await,
        ["ReactionAdded", "ReactionRemoved"]
    );
}

#[tokio::test]
async fn likes_and_collections_count_once_and_are_taken_back_once() {
    let service = Service::start().await;
    let (author, fan) = (service.member("春风").await, service.member("秋月").await);
    let id = article(&service, &author, "一").await;
    for (give, take, count, flag, kind) in [
        (
            "article_like",
            "article_unlike",
            "like_count",
            "is_like",
            "like",
        ),
        (
            "article_collect",
            "article_uncollect",
            "collect_count",
            "is_collect",
            "collect",
        ),
    ] {
        let counted = async |reader: &Member| {
            let row = row(&service, reader, id).await;
            (row[count].as_i64().unwrap(), row[flag].as_bool().unwrap())
        };
        for _ in 0..2 {
            done(&service, &fan, give, id).await;
        }
        assert_eq!(counted(&fan).await, (1, true), "{give}");
        assert_eq!(counted(&author).await, (1, false), "{give}");
        // One's own, too.
        done(&service, &author, give, id).await;
        assert_eq!(counted(&author).await, (2, true), "{give}");
        for _ in 0..2 {
            done(&service, &fan, take, id).await;
        }
        assert_eq!(counted(&fan).await, (1, false), "{take}");
        let key = format!("member:{}:{kind}:article:{id}", fan.uid);
        assert_eq!(
            service.events("Reaction", key).await,
            ["ReactionAdded", "ReactionRemoved"]
        );
        for function in [give, take] {
            let call = async |body: Value| service.function(&fan, function, body).await;
            assert_refused(&call(json!({ "article_id": 999 })).await, 404);
            assert_invalid(&call(json!({})).await, "article_id");
            assert_invalid(&call(json!({ "article_id": 0 })).await, "article_id");
        }
    }
}

#[tokio::test]
async fn the_collection_is_by_the_time_of_collecting() {
    let service = Service::start().await;
    let (author, fan) = (service.member("春风").await, service.member("秋月").await);
    let mut articles = Vec::new();
    for content in ["一", "二", "三"] {
        articles.push(article(&service, &author, content).await);
    }
    for id in [articles[1], articles[2], articles[0]] {
        done(&service, &fan, "article_collect", id).await;
    }
    let list = async |page: Value| {
        service
            .function(&fan, "my_article_collect_list", page)
            .await
    };
    let whole = list(json!({})).await;
    let collected = ids(&whole, "my_article_collect_list", "article_id");
    assert_eq!(collected, [articles[0], articles[2], articles[1]]);
    let at = whole.json()["my_article_collect_list"][0]["created_at"].clone();
    assert_answer(
        &list(json!({ "limit": 1 })).await,
        &json!({ "code": 0, "my_article_collect_list": [{
            "article_id": articles[0], "content": "一", "images": [], "created_at": at,
            "like_count": 0, "collect_count": 1, "comment_count": 0,
        }] }),
    );
    // Collected anew, it comes first.
    done(&service, &fan, "article_uncollect", articles[1]).await;
    done(&service, &fan, "article_collect", articles[1]).await;
    let page = list(json!({ "limit": 2 })).await;
    assert_eq!(
        ids(&page, "my_article_collect_list", "article_id"),
        [articles[1], articles[0]]
    );
    // The author collected nothing.
    let none = service.function(&author, "my_article_collect_list", json!({}));
    assert_answer(
        &none.await,
        &json!({ "code": 0, "my_article_collect_list": [] }),
    );
}

#[tokio::test]
async fn feeds_are_newest_first_and_paged() {
    let service = Service::start().await;
    let mut people = Vec::new();
    for nickname in ["甲", "乙", "丙"] {
        people.push(service.member(nickname).await);
    }
    let [reader, followed, other] = [&people[0], &people[1], &people[2]];
    let follow = json!({ "to_uid": followed.uid });
    assert_done(&service.function(reader, "user_follow", follow).await);
    let mut all = Vec::new();
    for number in 0..24 {
        let by = [reader, followed, other][number % 3];
        all.push(article(&service, by, &number.to_string()).await);
    }
    all.reverse();
    let every_third =
        |from: usize| -> Vec<i64> { all.iter().copied().skip(from).step_by(3).collect() };
    for (function, expected) in [
        ("article_list", all.clone()),
        ("following_article_list", every_third(1)),
        ("my_article_list", every_third(2)),
    ] {
        let page = async |page: Value| {
            let reply = service.function(reader, function, page).await;
            ids(&reply, function, "article_id")
        };
        let first: Vec<i64> = expected.iter().copied().take(20).collect();
        assert_eq!(page(json!({})).await, first, "{function}");
        let some = page(json!({ "limit": "3", "offset": 2 })).await;
        assert_eq!(some, expected[2..5], "{function}");
        assert_eq!(page(json!({ "limit": 5_000 })).await, expected);
        // Beyond the first hundred another statement answers.
        assert!(page(json!({ "offset": 100 })).await.is_empty());
        for (bad, field) in [
            (json!({ "limit": 0 }), "limit"),
            (json!({ "offset": -1 }), "offset"),
        ] {
            assert_invalid(&service.function(reader, function, bad).await, field);
        }
    }
    // Who follows nobody any more sees nothing of them.
    let unfollow = json!({ "to_uid": followed.uid });
    assert_done(&service.function(reader, "user_unfollow", unfollow).await);
    let none = service.function(reader, "following_article_list", json!({}));
    assert_answer(
        &none.await,
        &json!({ "code": 0, "following_article_list": [] }),
    );
}

#[tokio::test]
async fn what_was_written_in_one_millisecond_is_in_the_order_of_ids() {
    let service = Service::start().await;
    let me = service.member("甲").await;
    let published = (1..=3).map(|_| service.ledger.next_id("article"));
    let mut published = futures::future::try_join_all(published).await.unwrap();
    published.sort_unstable();
    // The last first: the order of the log is not what counts.
    let events = published.iter().rev().map(|id| {
        let event = ArticleEvent::ArticlePublished {
            author: me.uid.clone(),
            content: "同时".to_owned(),
            images: Vec::new(),
        };
        (StreamId::new("Article", id.to_string()), event)
    });
    record(&service, events.collect()).await;
    let newest = article(&service, &me, "后来").await;
    published.insert(0, newest);
    for function in ["article_list", "my_article_list"] {
        let feed = service.function(&me, function, json!({})).await;
        assert_eq!(ids(&feed, function, "article_id"), published);
        let times = ids(&feed, function, "created_at");
        assert!(times[1] == times[2] && times[2] == times[3], "{times:?}");
    }
}

#[tokio::test]
async fn the_detail_shows_everything_about_an_article() {
    let service = Service::start().await;
    let (author, reader) = (service.member("春风").await, service.member("秋月").await);
    let id = article(&service, &author, "一").await;
    let change = json!({ "intro": "爱好汉服", "province": "浙江", "avatar": IMAGE, "gender": 2 });
    assert_eq!(
        service
            .function(&author, "my_user_info_update", change)
            .await
            .json()["code"],
        0
    );
    for fan in [&author, &reader] {
        done(&service, fan, "article_like", id).await;
    }
    done(&service, &reader, "article_collect", id).await;
    let body = json!({ "article_id": id, "content": "好" });
    let reply = service
        .function(&reader, "article_comment_publish", body)
        .await;
    let comment_id = reply.json()["comment_id"].clone();

    let detail = async |reader: &Member| {
        let body = json!({ "article_id": id.to_string() });
        service.function(reader, "article_detail", body).await
    };
    let reply = detail(&reader).await;
    let shown = reply.json()["article_detail"].clone();
    let brief = |member: &Member, nickname: &str, avatar: Value| json!({ "uid": member.uid, "nickname": nickname, "avatar": avatar });
    let (spring, autumn) = (
        brief(&author, "春风", json!(IMAGE)),
        brief(&reader, "秋月", Value::Null),
    );
    let comment = json!({
        "comment_id": comment_id, "uid": reader.uid, "content": "好", "reply_id": null, "reply_uid": null,
        "first_reply_id": null, "first_reply_uid": null, "created_at": shown["comment_list"][0]["created_at"],
        "up_count": 0, "down_count": 0, "is_up": false, "is_down": false,
        "author": { "nickname": "秋月", "avatar": null },
    });
    let expected = json!({
        "article_id": id, "content": "一", "images": [], "created_at": shown["created_at"],
        "like_user_list": [autumn, spring], "collect_user_list": [autumn], "comment_list": [comment],
        "author": {
            "uid": author.uid, "nickname": "春风", "avatar": IMAGE, "gender": 2, "country": "86", "province": "浙江",
            "city": null, "birthday": null, "intro": "爱好汉服", "created_at": shown["author"]["created_at"],
            "is_follow": false,
        },
        "is_like": true, "is_collect": true,
    });
    assert_answer(&reply, &json!({ "code": 0, "article_detail": expected }));
    assert!(shown["created_at"].as_i64() > shown["author"]["created_at"].as_i64());

    let follow = json!({ "to_uid": author.uid });
    assert_done(&service.function(&reader, "user_follow", follow).await);
    let seen = detail(&reader).await.json()["article_detail"].clone();
    assert_eq!(seen["author"]["is_follow"], true);
    // The author sees its own flags.
    let seen = detail(&author).await.json()["article_detail"].clone();
    let flags = (
        &seen["is_like"],
        &seen["is_collect"],
        &seen["author"]["is_follow"],
    );
    assert_eq!(flags, (&json!(true), &json!(false), &json!(false)));

    let call = async |body: Value| service.function(&reader, "article_detail", body).await;
    assert_refused(&call(json!({ "article_id": 999 })).await, 404);
    assert_invalid(&call(json!({})).await, "article_id");
    assert_invalid(&call(json!({ "article_id": "x" })).await, "article_id");
}

/// What asks, of articles, comments and messages.
const QUERIES: [&str; 11] = [
    "article_comment_list",
    "article_detail",
    "article_list",
    "following_article_list",
    "game_comment_list",
    "my_article_collect_list",
    "my_article_list",
    "my_message",
    "my_message_center",
    "ticket_circle",
    "ticket_comment_list",
];
/// What does something.
const COMMANDS: [&str; 21] = [
    "article_collect",
    "article_comment_del",
    "article_comment_publish",
    "article_comment_reply",
    "article_comment_up",
    "article_del",
    "article_like",
    "article_publish",
    "article_uncollect",
    "article_unlike",
    "game_comment_del",
    "game_comment_down",
    "game_comment_publish",
    "game_comment_up",
    "message_del",
    "send_message_to_customer_service",
    "send_message_to_master",
    "send_message_to_merchant",
    "send_message_to_user",
    "ticket_comment_del",
    "ticket_comment_publish",
];

#[tokio::test]
async fn every_function_needs_a_session_and_commands_a_post() {
    let service = Service::start().await;
    let head = service.head().await;
    for name in QUERIES.into_iter().chain(COMMANDS) {
        // Nobody learns anything about parameters before saying who asks.
        assert_refused(
            &super::call(&service, name).json(&json!({})).send().await,
            401,
        );
        let path = format!("/community/api/v1/{name}");
        let by_get = service.get(&path).send().await;
        if QUERIES.contains(&name) {
            assert_refused(&by_get, 401);
        } else {
            assert_eq!(
                (by_get.status, &by_get.json()["code"]),
                (http(405), &json!(405))
            );
        }
    }
    assert_eq!(service.head().await, head);
}

fn http(status: u16) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(status).unwrap()
}
