//! Views, likes and comments: what counts, and how often.

use serde_json::{Value, json};

use super::Gallery;

const NOBODY: &str = "szasc68seig9jrhqw4eaj9gu3h";

fn counts(case: &Value) -> [i64; 3] {
    ["view_cnt", "like_cnt", "comment_cnt"].map(|field| case[field].as_i64().unwrap())
}

#[tokio::test]
async fn every_view_counts_and_listing_is_none() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let view = || json!({"RecordShowcaseView": {}});
    let anybody = format!("weidu:anonymous:showcase:{case}");
    let to = format!("Visit/{anybody}");
    for version in 1..=3 {
        let viewed = gallery.send(&to, view()).await;
        viewed.is_done("Visit", &anybody, version, &["ShowcaseViewed"]);
    }
    let mine = format!("weidu:{author}:showcase:{case}");
    let viewed = gallery.send(&format!("Visit/{mine}"), view()).await;
    viewed.is_done("Visit", &mine, 1, &["ShowcaseViewed"]);
    assert_eq!(counts(&gallery.shown().await), [4, 0, 0]);
    assert_eq!(counts(&gallery.shown().await), [4, 0, 0]);
    // All at once, on one stream.
    let all = (0..20).map(|_| gallery.done(&to, view()));
    futures::future::join_all(all).await;
    assert_eq!(counts(&gallery.shown().await), [24, 0, 0]);

    let keyed = [("idempotency-key", "k")];
    let send = || {
        gallery
            .node
            .command_with(&gallery.clerk, &to, view(), &keyed)
    };
    assert_eq!(send().await.body["code"], 0);
    assert_eq!(send().await.body["code"], 0);
    assert_eq!(counts(&gallery.shown().await), [25, 0, 0]);
    for (version, code) in [("\"7\"", 409), ("\"24\"", 0)] {
        let condition = [("if-match", version)];
        let answer = gallery
            .node
            .command_with(&gallery.clerk, &to, view(), &condition)
            .await;
        assert_eq!(answer.body["code"], code, "{version}");
    }

    gallery
        .done(&format!("Showcase/{case}"), json!({"WithdrawShowcase": {}}))
        .await;
    gallery.refused(&to, view(), 302, "not_found").await;
    for (to, code, error) in [
        (
            format!("Visit/weidu:{NOBODY}:showcase:{case}"),
            302,
            "not_found",
        ),
        (
            format!("Visit/weidu:anonymous:showcase:{NOBODY}"),
            302,
            "not_found",
        ),
        ("Visit/weidu:new".to_owned(), 302, "not_found"),
        (
            format!("Visit/customer:2:showcase:{case}"),
            404,
            "unknown_aggregate",
        ),
    ] {
        gallery.refused(&to, view(), code, error).await;
    }
}

#[tokio::test]
async fn an_author_likes_a_case_once() {
    let gallery = Gallery::start().await;
    let (one, two) = (gallery.author("甲").await, gallery.author("乙").await);
    let case = gallery.case(&one, 1).await;
    let like = |author: &str| format!("weidu:{author}:like:showcase:{case}");
    let (add, remove) = (
        || json!({"AddReaction": {}}),
        || json!({"RemoveReaction": {}}),
    );
    let id = like(&one);
    let to = format!("Reaction/{id}");
    gallery
        .send(&to, remove())
        .await
        .is_done("Reaction", &id, 0, &[]);
    gallery
        .send(&to, add())
        .await
        .is_done("Reaction", &id, 1, &["ReactionAdded"]);
    gallery
        .send(&to, add())
        .await
        .is_done("Reaction", &id, 1, &[]);
    gallery
        .done(&format!("Reaction/{}", like(&two)), add())
        .await;
    assert_eq!(counts(&gallery.shown().await), [0, 2, 0]);
    gallery
        .send(&to, remove())
        .await
        .is_done("Reaction", &id, 2, &["ReactionRemoved"]);
    gallery
        .send(&to, remove())
        .await
        .is_done("Reaction", &id, 2, &[]);
    assert_eq!(counts(&gallery.shown().await), [0, 1, 0]);

    for (to, code, error) in [
        (format!("Reaction/{}", like(NOBODY)), 302, "not_found"),
        (
            format!("Reaction/weidu:{one}:like:showcase:{NOBODY}"),
            302,
            "not_found",
        ),
        (
            format!("Reaction/weidu:{one}:praise:showcase:{case}"),
            302,
            "not_found",
        ),
        (
            format!("Reaction/member:{one}:like:showcase:{case}"),
            404,
            "unknown_aggregate",
        ),
    ] {
        gallery.refused(&to, add(), code, error).await;
    }
    // Of what is withdrawn a like can be taken back, and none is new.
    let showcase = format!("Showcase/{case}");
    gallery
        .done(&showcase, json!({"WithdrawShowcase": {}}))
        .await;
    gallery.refused(&to, add(), 302, "not_found").await;
    gallery
        .done(&format!("Reaction/{}", like(&two)), remove())
        .await;
    gallery
        .done(&showcase, json!({"RestoreShowcase": {}}))
        .await;
    assert_eq!(counts(&gallery.shown().await), [0, 0, 0]);
}

#[tokio::test]
async fn a_comment_counts_until_it_is_deleted() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let comment = |field: &str, value: &str| {
        let mut fields = json!({"target_kind": "showcase", "target_id": case, "author_id": author, "content": " 配色很舒服 "});
        fields[field] = json!(value);
        json!({ "PublishComment": fields })
    };
    let plain = comment("target_kind", "showcase");
    let keyed = [("idempotency-key", "k")];
    let send = || {
        gallery
            .node
            .command_with(&gallery.clerk, "Comment/new", plain.clone(), &keyed)
    };
    let published = send().await;
    let id = published.body["data"]["id"].as_str().unwrap().to_owned();
    published.is_done("Comment", &id, 1, &["CommentPublished"]);
    assert_eq!(send().await.body, published.body);
    gallery
        .done("Comment/new", comment("content", &"字".repeat(1000)))
        .await;
    assert_eq!(counts(&gallery.shown().await), [0, 0, 2]);

    let to = format!("Comment/{id}");
    let long = json!({"DeleteComment": {"reason": "x".repeat(201)}});
    gallery.refused(&to, long, 303, "validation").await;
    let delete = json!({"DeleteComment": {"reason": "广告"}});
    gallery
        .send(&to, delete.clone())
        .await
        .is_done("Comment", &id, 2, &["CommentDeleted"]);
    gallery
        .send(&to, delete.clone())
        .await
        .is_done("Comment", &id, 2, &[]);
    assert_eq!(counts(&gallery.shown().await), [0, 0, 1]);

    for (field, value) in [
        ("content", " "),
        ("content", &"x".repeat(1001)),
        ("target_kind", "article"),
    ] {
        gallery
            .refused("Comment/new", comment(field, value), 303, "validation")
            .await;
    }
    for (field, value) in [
        ("target_id", NOBODY),
        ("target_id", "7"),
        ("author_id", NOBODY),
    ] {
        gallery
            .refused("Comment/new", comment(field, value), 302, "not_found")
            .await;
    }
    gallery
        .refused("Comment/999999", delete, 302, "not_found")
        .await;
    gallery.refused(&to, plain.clone(), 409, "conflict").await;
    gallery
        .done(&format!("Showcase/{case}"), json!({"WithdrawShowcase": {}}))
        .await;
    gallery
        .refused("Comment/new", plain, 302, "not_found")
        .await;
}
