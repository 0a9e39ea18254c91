//! An evening of several members: what one does is what the others see, step by step.

use serde_json::{Value, json};

use super::articles::{article, done};
use super::comments::{on_article, reply};
use super::messages::to_user;
use super::shelf::{Shelf, ids};
use super::{assert_done, assert_refused};
use crate::support::service::{Member, Service};

async fn info(service: &Service, by: &Member, of: &Member) -> (i64, i64, bool) {
    let body = json!({ "to_uid": of.uid });
    let reply = service.function(by, "user_info", body).await.json();
    let info = &reply["user_info"];
    (
        info["article_count"].as_i64().unwrap(),
        info["follower_count"].as_i64().unwrap(),
        info["is_follow"].as_bool().unwrap(),
    )
}

async fn detail(service: &Service, by: &Member, article_id: i64) -> Value {
    let body = json!({ "article_id": article_id });
    let reply = service.function(by, "article_detail", body).await.json();
    assert_eq!(reply["code"], 0, "{reply}");
    reply["article_detail"].clone()
}

fn uids(list: &Value) -> Vec<&str> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row["uid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_evening_in_the_community() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let (writer, fan, critic) = (
        service.member("春风").await,
        service.member("秋月").await,
        service.member("夏雨").await,
    );

    // The writer has one follower and publishes twice; the follower finds both.
    let follow = json!({ "to_uid": writer.uid });
    assert_done(&service.function(&fan, "user_follow", follow).await);
    let first = article(service, &writer, "晨雾里的西湖").await;
    let second = article(service, &writer, "傍晚的断桥").await;
    assert_eq!(info(service, &fan, &writer).await, (2, 1, true));
    assert_eq!(info(service, &critic, &writer).await, (2, 1, false));
    let feed = service.function(&fan, "following_article_list", json!({}));
    assert_eq!(
        ids(&feed.await, "following_article_list", "article_id"),
        [second, first]
    );

    // Both like it, one keeps it; the newest stands first.
    for member in [&fan, &critic] {
        done(service, member, "article_like", second).await;
    }
    done(service, &fan, "article_collect", second).await;
    let shown = detail(service, &critic, second).await;
    assert_eq!(uids(&shown["like_user_list"]), [&critic.uid, &fan.uid]);
    assert_eq!(uids(&shown["collect_user_list"]), [&fan.uid]);
    assert_eq!(
        (&shown["is_like"], &shown["is_collect"]),
        (&json!(true), &json!(false))
    );

    // A quarrel below it: the writer tidies up, the thread's beginning goes, the answer stays.
    let rude = on_article(service, &critic, second, "不怎么样").await;
    let answer = reply(service, &fan, second, rude, json!({})).await;
    let vote = json!({ "article_comment_id": answer });
    assert_done(&service.function(&writer, "article_comment_up", vote).await);
    let delete = json!({ "article_comment_id_list": [rude] });
    let by_fan = service.function(&fan, "article_comment_del", delete.clone());
    assert_refused(&by_fan.await, 403);
    assert_done(
        &service
            .function(&writer, "article_comment_del", delete)
            .await,
    );
    let shown = detail(service, &writer, second).await;
    let said = shown["comment_list"].as_array().unwrap();
    assert_eq!(said.len(), 1);
    assert_eq!(
        (
            &said[0]["comment_id"],
            &said[0]["up_count"],
            &said[0]["is_up"]
        ),
        (&json!(answer), &json!(1), &json!(true))
    );
    assert_eq!(said[0]["reply_author"]["nickname"], "夏雨");

    // They go on in private; the critic changes the nickname, and everybody sees the new one at once.
    let asked = to_user(service, &critic, &writer, "为什么删我的评论").await;
    let told = to_user(service, &writer, &critic, "请好好说话").await;
    let change = json!({ "nickname": "夏天的雨" });
    let changed = service.function(&critic, "my_user_info_update", change);
    assert_eq!(changed.await.json()["code"], 0);
    let body = json!({ "to_id": critic.uid });
    let talk = service.function(&writer, "my_message", body).await;
    assert_eq!(ids(&talk, "my_message", "message_id"), [told, asked]);
    assert_eq!(talk.json()["other_side"]["nickname"], "夏天的雨");
    let shown = detail(service, &fan, second).await;
    assert_eq!(shown["like_user_list"][0]["nickname"], "夏天的雨");
    assert_eq!(
        shown["comment_list"][0]["first_reply_author"]["nickname"],
        "夏天的雨"
    );

    // The staff takes the article down: gone from every list, also from the collection; the other one stays.
    let command = json!({ "DeleteArticle": { "reason": "争吵" } });
    shelf.done(&format!("Article/{second}"), command).await;
    for (reader, function) in [
        (&critic, "article_list"),
        (&fan, "following_article_list"),
        (&writer, "my_article_list"),
    ] {
        let list = service.function(reader, function, json!({})).await;
        assert_eq!(ids(&list, function, "article_id"), [first], "{function}");
    }
    let kept = service.function(&fan, "my_article_collect_list", json!({}));
    assert!(ids(&kept.await, "my_article_collect_list", "article_id").is_empty());
    assert_eq!(info(service, &fan, &writer).await, (1, 1, true));
    let vote = json!({ "article_comment_id": answer });
    let late = service.function(&critic, "article_comment_up", vote).await;
    assert_refused(&late, 404);
}
