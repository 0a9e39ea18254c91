//! What staff may do about articles, comments and messages (`contract/community.md` section 5), and what not.

use serde_json::{Value, json};

use super::articles::{article, done};
use super::comments::{on_article, reply};
use super::shelf::{Shelf, ids};
use super::{assert_answer, assert_refused, with};

#[tokio::test]
async fn staff_deletes_an_article_and_says_why() {
    let shelf = Shelf::open().await;
    let author = shelf.member("春风").await;
    let id = article(&shelf, &author, "广告").await;
    let to = format!("Article/{id}");
    let delete = |reason: Value| json!({ "DeleteArticle": { "reason": reason } });
    let data = shelf
        .refused(&to, delete(json!("字".repeat(201))), 303, "validation")
        .await;
    assert!(data["reason"].is_array(), "{data}");
    let more = json!({ "DeleteArticle": { "why": "广告" } });
    shelf.refused(&to, more, 303, "validation").await;
    let data = shelf.done(&to, delete(json!(" 广告 "))).await;
    assert_eq!(
        data,
        json!({ "aggregate": "Article", "id": id.to_string(), "version": 2, "events": ["ArticleDeleted"] })
    );
    let stored = shelf.since(shelf.head().await - 1).await;
    let payload: Value = serde_json::from_str(&stored[0].payload).unwrap();
    assert_eq!(payload["ArticleDeleted"]["reason"], "广告");
    assert_eq!(payload["ArticleDeleted"]["author"], author.uid);
    let again = shelf.done(&to, delete(json!(null))).await;
    assert_eq!(again["events"], json!([]));
    let feed = shelf.function(&author, "article_list", json!({})).await;
    assert_answer(&feed, &json!({ "code": 0, "article_list": [] }));
    let info = shelf.function(&author, "my_user_info", json!({})).await;
    assert_eq!(info.json()["my_user_info"]["article_count"], 0);
    shelf
        .refused("Article/999", delete(json!(null)), 302, "not_found")
        .await;
    shelf
        .refused("Article/07", delete(json!(null)), 302, "not_found")
        .await;
}

#[tokio::test]
async fn staff_deletes_a_comment_and_its_answers_stay() {
    let shelf = Shelf::open().await;
    let (host, guest) = (shelf.member("春风").await, shelf.member("秋月").await);
    let article_id = article(&shelf, &host, "一").await;
    let top = on_article(&shelf, &guest, article_id, "骂人").await;
    let below = reply(&shelf, &host, article_id, top, json!({})).await;
    let to = format!("Comment/{top}");
    let delete = |fields: Value| json!({ "DeleteComment": fields });
    let long = delete(json!({ "reason": "字".repeat(201) }));
    let data = shelf.refused(&to, long, 303, "validation").await;
    assert!(data["reason"].is_array(), "{data}");
    let data = shelf.done(&to, delete(json!({ "reason": "辱骂" }))).await;
    assert_eq!(
        data,
        json!({ "aggregate": "Comment", "id": top.to_string(), "version": 2, "events": ["CommentDeleted"] })
    );
    assert_eq!(
        shelf.done(&to, delete(json!({}))).await["events"],
        json!([])
    );
    let list = json!({ "article_id": article_id });
    let list = shelf.function(&guest, "article_comment_list", list).await;
    assert_eq!(ids(&list, "article_comment_list", "comment_id"), [below]);
    shelf
        .refused("Comment/999", delete(json!({})), 302, "not_found")
        .await;
}

#[tokio::test]
async fn staff_answers_for_masters_merchants_and_the_customer_service() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({})).await;
    let merchant = shelf.merchant(json!({})).await;
    let send = |more: Value| {
        let fields = json!({ "to_kind": "user", "to_id": me.uid, "content": " 还有票 " });
        json!({ "SendMessage": with(&fields, &more) })
    };
    for (from, id, kind) in [
        (
            json!({ "from_kind": "master", "from_id": master }),
            master.as_str(),
            "master",
        ),
        (
            json!({ "from_kind": "merchant", "from_id": merchant }),
            merchant.as_str(),
            "merchant",
        ),
        (
            json!({ "from_kind": "customer_service" }),
            "customer_service",
            "customer_service",
        ),
        (
            json!({ "from_kind": "customer_service", "from_id": "customer_service" }),
            "customer_service",
            "customer_service",
        ),
    ] {
        let data = shelf.done("Message/new", send(from)).await;
        let message: i64 = data["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(
            data,
            json!({ "aggregate": "Message", "id": message.to_string(), "version": 1, "events": ["MessageSent"] })
        );
        let body = json!({ "to_id": id });
        let shown = shelf.function(&me, "my_message", body).await.json();
        let row = &shown["my_message"][0];
        assert_eq!(
            *row,
            json!({
                "message_id": message, "from_id": id, "to_id": me.uid, "content": "还有票",
                "created_at": row["created_at"],
            })
        );
        let body = json!({ "types": kind });
        let center = shelf.function(&me, "my_message_center", body).await.json();
        assert_eq!(center["my_message_center"][0]["last_message"], *row);
    }
    // Also what staff writes is nothing that can be read in the log.
    let stored = shelf.stored().await;
    assert!(!stored.iter().any(|stored| stored.contains("还有票")));
}

#[tokio::test]
async fn staff_cannot_write_for_nobody_or_to_nobody() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({})).await;
    let send = |more: Value| {
        let fields = json!({ "to_kind": "user", "to_id": me.uid, "content": "还有票" });
        json!({ "SendMessage": with(&fields, &more) })
    };
    let first = send(json!({ "from_kind": "customer_service" }));
    let first = shelf.done("Message/new", first).await["id"].clone();
    let head = shelf.head().await;
    let nobody = "0".repeat(32);
    for (more, field) in [
        (json!({ "from_kind": "master" }), "from_id"),
        (json!({ "from_kind": "master", "from_id": "7" }), "from_id"),
        (
            json!({ "from_kind": "customer_service", "from_id": master }),
            "from_id",
        ),
        (
            json!({ "from_kind": "customer_service", "to_id": "7" }),
            "to_id",
        ),
        (
            json!({ "from_kind": "customer_service", "content": " " }),
            "content",
        ),
        (
            json!({ "from_kind": "customer_service", "content": "字".repeat(2_001) }),
            "content",
        ),
    ] {
        let data = shelf
            .refused("Message/new", send(more), 303, "validation")
            .await;
        assert!(data[field].is_array(), "{field}: {data}");
    }
    for more in [
        json!({ "from_kind": "user", "from_id": me.uid }),
        json!({ "from_kind": "customer_service", "to_kind": "master" }),
    ] {
        shelf
            .refused("Message/new", send(more), 303, "validation")
            .await;
    }
    for more in [
        json!({ "from_kind": "master", "from_id": nobody }),
        json!({ "from_kind": "merchant", "from_id": master }),
        json!({ "from_kind": "customer_service", "to_id": nobody }),
    ] {
        shelf
            .refused("Message/new", send(more), 302, "not_found")
            .await;
    }
    let fine = send(json!({ "from_kind": "customer_service" }));
    shelf
        .refused("Message/999", fine.clone(), 302, "not_found")
        .await;
    let to = format!("Message/{}", first.as_str().unwrap());
    shelf.refused(&to, fine, 409, "conflict").await;
    assert_eq!(shelf.head().await, head);
}

#[tokio::test]
async fn each_command_is_behind_its_bit() {
    let shelf = Shelf::open().await;
    let author = shelf.member("春风").await;
    let article_id = article(&shelf, &author, "一").await;
    let comment_id = on_article(&shelf, &author, article_id, "好").await;
    done(&shelf, &author, "article_like", article_id).await;
    let every = (1_u64 << 53) - 1;
    let message = json!({ "SendMessage": {
        "from_kind": "customer_service", "to_kind": "user", "to_id": author.uid, "content": "您好" } });
    let head = shelf.head().await;
    for (to, command, bit) in [
        (
            format!("Article/{article_id}"),
            json!({ "DeleteArticle": {} }),
            8,
        ),
        (
            format!("Comment/{comment_id}"),
            json!({ "DeleteComment": {} }),
            8,
        ),
        ("Message/new".to_owned(), message, 16),
    ] {
        let name = format!("not-{}", &to[..7]);
        shelf.staff(&name, 0, every & !bit).await;
        let token = shelf.log_in(&name).await;
        let call = shelf.post(&format!("/admin/commands/{to}"));
        let refused = call.token(&token).json(&command).send().await.json();
        assert_eq!(
            (&refused["code"], &refused["error"]),
            (&json!(403), &json!("forbidden")),
            "{to}"
        );
    }
    let events = shelf.since(head).await;
    let touched = |event: &shiji::ledger::Recorded| {
        ["Article", "Comment", "Message"].contains(&&*event.stream.aggregate)
    };
    assert!(!events.iter().any(touched));
    // Whose article it is does not matter to staff, but a member has no business here.
    let call = shelf.post(&format!("/admin/commands/Article/{article_id}"));
    let call = call.token(&author.token);
    let refused = call.json(&json!({ "DeleteArticle": {} })).send().await;
    assert_eq!(refused.json()["code"], 401);
    let missing = json!({ "article_id": 999 });
    assert_refused(&shelf.function(&author, "article_like", missing).await, 404);
}
