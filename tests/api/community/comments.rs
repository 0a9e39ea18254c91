//! What is said about articles, games and tickets, and votes on it.

use std::time::Duration;

use serde_json::{Value, json};

use super::articles::article;
use super::shelf::{IMAGE, Shelf, ids};
use super::{assert_answer, assert_done, assert_invalid, assert_refused, with};
use crate::support::service::{Member, Service};

/// Comments by a function, later than every one before; answers the id.
async fn say(service: &Service, by: &Member, function: &str, body: Value) -> i64 {
    service.sleep(Duration::from_millis(5));
    let reply = service.function(by, function, body).await;
    let id = reply.json()["comment_id"].as_i64();
    let id = id.unwrap_or_else(|| panic!("{reply:?}"));
    assert_answer(&reply, &json!({ "code": 0, "comment_id": id }));
    id
}

/// Comments on an article.
pub async fn on_article(service: &Service, by: &Member, article_id: i64, content: &str) -> i64 {
    let body = json!({ "article_id": article_id, "content": content });
    say(service, by, "article_comment_publish", body).await
}

/// Answers a comment on an article.
pub async fn reply(
    service: &Service,
    by: &Member,
    article_id: i64,
    reply_id: i64,
    more: Value,
) -> i64 {
    let body = json!({ "article_id": article_id, "reply_id": reply_id, "content": "同感" });
    say(service, by, "article_comment_reply", with(&body, &more)).await
}

async fn comment_count(service: &Service, reader: &Member, article_id: i64) -> i64 {
    let feed = service.function(reader, "article_list", json!({})).await;
    let rows = feed.json()["article_list"].as_array().unwrap().clone();
    let mut found = rows.iter().filter(|row| row["article_id"] == article_id);
    found.next().unwrap()["comment_count"].as_i64().unwrap()
}

async fn comments(service: &Service, reader: &Member, article_id: i64) -> Vec<Value> {
    let body = json!({ "article_id": article_id });
    let list = service.function(reader, "article_comment_list", body).await;
    let rows = list.json()["article_comment_list"].clone();
    assert_answer(&list, &json!({ "code": 0, "article_comment_list": rows }));
    rows.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_thread_is_listed_flat_and_knows_where_it_begins() {
    let service = Service::start().await;
    let (author, reader) = (service.member("春风").await, service.member("秋月").await);
    let id = article(&service, &author, "一").await;
    let top = on_article(&service, &reader, id, " 写得真好 ").await;
    let second = reply(&service, &author, id, top, json!({})).await;
    // A beginning that is sent counts for nothing but belonging to the article.
    let third = reply(
        &service,
        &reader,
        id,
        second,
        json!({ "first_reply_id": second }),
    )
    .await;
    assert_eq!(service.events("Comment", third).await, ["CommentPublished"]);
    assert_eq!(comment_count(&service, &author, id).await, 3);

    let rows = comments(&service, &author, id).await;
    let tiny = |nickname: &str| json!({ "nickname": nickname, "avatar": null });
    let row = |place: usize, id: i64, by: &Member, nickname: &str, content: &str| {
        json!({
            "comment_id": id, "uid": by.uid, "content": content, "created_at": rows[place]["created_at"],
            "reply_id": null, "reply_uid": null, "first_reply_id": null, "first_reply_uid": null,
            "up_count": 0, "down_count": 0, "is_up": false, "is_down": false, "author": tiny(nickname),
        })
    };
    let answer = |reply_id: i64, by: &Member, nickname: &str| {
        json!({
            "reply_id": reply_id, "reply_uid": by.uid, "reply_author": tiny(nickname),
            "first_reply_id": top, "first_reply_uid": reader.uid, "first_reply_author": tiny("秋月"),
        })
    };
    let expected = [
        with(
            &row(0, third, &reader, "秋月", "同感"),
            &answer(second, &author, "春风"),
        ),
        with(
            &row(1, second, &author, "春风", "同感"),
            &answer(top, &reader, "秋月"),
        ),
        row(2, top, &reader, "秋月", "写得真好"),
    ];
    assert_eq!(rows, expected);
    assert!(rows[0]["created_at"].as_i64() > rows[1]["created_at"].as_i64());
    let body = json!({ "article_id": id, "limit": 1, "offset": 1 });
    let page = service
        .function(&author, "article_comment_list", body)
        .await;
    assert_eq!(ids(&page, "article_comment_list", "comment_id"), [second]);
    let body = json!({ "article_id": id, "offset": 100 });
    let beyond = service.function(&author, "article_comment_list", body);
    assert_answer(
        &beyond.await,
        &json!({ "code": 0, "article_comment_list": [] }),
    );

    // The top goes, the answers stay and still name it.
    let delete = json!({ "article_comment_id_list": [top] });
    assert_done(
        &service
            .function(&reader, "article_comment_del", delete)
            .await,
    );
    let left = comments(&service, &author, id).await;
    assert_eq!(left, expected[..2]);
    assert_eq!(comment_count(&service, &author, id).await, 2);
}

#[tokio::test]
async fn what_is_answered_must_stand_under_the_same_article() {
    let service = Service::start().await;
    let me = service.member("春风").await;
    let (one, two) = (
        article(&service, &me, "一").await,
        article(&service, &me, "二").await,
    );
    let (under_one, under_two) = (
        on_article(&service, &me, one, "甲").await,
        on_article(&service, &me, two, "乙").await,
    );
    let deleted = on_article(&service, &me, one, "丙").await;
    let delete = json!({ "article_comment_id_list": deleted });
    assert_done(&service.function(&me, "article_comment_del", delete).await);
    let answer = async |more: Value| {
        let body = json!({ "article_id": one, "reply_id": under_one, "content": "好" });
        let body = with(&body, &more);
        service.function(&me, "article_comment_reply", body).await
    };
    let head = service.head().await;
    for more in [
        json!({ "reply_id": under_two }),
        json!({ "reply_id": deleted }),
        json!({ "reply_id": 999 }),
        json!({ "article_id": two }),
        json!({ "article_id": 999 }),
        json!({ "first_reply_id": under_two }),
        json!({ "first_reply_id": deleted }),
        json!({ "first_reply_id": 999 }),
    ] {
        assert_refused(&answer(more).await, 404);
    }
    for (more, field) in [
        (json!({ "article_id": null }), "article_id"),
        (json!({ "reply_id": "x" }), "reply_id"),
        (json!({ "content": " " }), "content"),
        (json!({ "content": "字".repeat(1_001) }), "content"),
        (json!({ "first_reply_id": -1 }), "first_reply_id"),
    ] {
        assert_invalid(&answer(more).await, field);
    }
    let publish = async |body: Value| service.function(&me, "article_comment_publish", body).await;
    let missing = json!({ "article_id": 999, "content": "好" });
    assert_refused(&publish(missing).await, 404);
    assert_invalid(&publish(json!({ "content": "好" })).await, "article_id");
    assert_invalid(&publish(json!({ "article_id": one })).await, "content");
    let list = async |body: Value| service.function(&me, "article_comment_list", body).await;
    assert_refused(&list(json!({ "article_id": 999 })).await, 404);
    assert_invalid(&list(json!({})).await, "article_id");
    let page = json!({ "article_id": one, "limit": 0 });
    assert_invalid(&list(page).await, "limit");
    assert_eq!(service.head().await, head);
    on_article(&service, &me, one, &"字".repeat(1_000)).await;
}

#[tokio::test]
async fn a_comment_is_deleted_by_its_author_or_the_articles() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let (host, guest, third) = (
        service.member("春风").await,
        service.member("秋月").await,
        service.member("夏雨").await,
    );
    let id = article(service, &host, "一").await;
    let game = shelf.game(json!({})).await;
    let mut said = Vec::new();
    for content in ["甲", "乙", "丙"] {
        said.push(on_article(service, &guest, id, content).await);
    }
    let by_host = on_article(service, &host, id, "丁").await;
    let on_game = json!({ "game_id": game, "content": "好玩" });
    let under_game = say(service, &third, "game_comment_publish", on_game).await;
    let delete = async |by: &Member, ids: Value| {
        let body = json!({ "article_comment_id_list": ids });
        service.function(by, "article_comment_del", body).await
    };
    let head = service.head().await;
    // Neither is somebody else's to delete: nothing goes.
    assert_refused(&delete(&third, json!([said[0]])).await, 403);
    assert_refused(&delete(&guest, json!([said[0], by_host])).await, 403);
    for bad in [json!([]), json!(null), json!((1..=101).collect::<Vec<_>>())] {
        assert_invalid(&delete(&guest, bad).await, "article_comment_id_list");
    }
    // A game's comment is none here, nor is one that never was.
    assert_done(&delete(&guest, json!([under_game, 999])).await);
    assert_eq!(service.head().await, head);
    assert_done(&delete(&guest, json!([said[0]])).await);
    // Under one's own article one tidies up.
    assert_done(&delete(&host, json!([said[0], said[1], by_host])).await);
    let events = ["CommentPublished", "CommentDeleted"];
    for comment in [said[0], said[1], by_host] {
        assert_eq!(service.events("Comment", comment).await, events);
    }
    let left = comments(service, &host, id).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["comment_id"], said[2]);
    assert_eq!(comment_count(service, &host, id).await, 1);
}

#[tokio::test]
async fn votes_on_comments_move_and_never_count_twice() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let (me, other) = (service.member("春风").await, service.member("秋月").await);
    let game = shelf.game(json!({})).await;
    let body = json!({ "game_id": game, "content": "好玩" });
    let id = say(service, &other, "game_comment_publish", body).await;
    let vote = async |by: &Member, function: &str| {
        let body = json!({ "comment_id": id });
        assert_done(&service.function(by, function, body).await);
    };
    let votes = async |reader: &Member| {
        let body = json!({ "game_id": game });
        let list = service.function(reader, "game_comment_list", body).await;
        let row = list.json()["game_comment_list"][0].clone();
        (
            row["up_count"].as_i64().unwrap(),
            row["down_count"].as_i64().unwrap(),
            row["is_up"].as_bool().unwrap(),
            row["is_down"].as_bool().unwrap(),
        )
    };
    for _ in 0..2 {
        vote(&me, "game_comment_down").await;
    }
    assert_eq!(votes(&me).await, (0, 1, false, true));
    for _ in 0..2 {
        vote(&me, "game_comment_up").await;
    }
    assert_eq!(votes(&me).await, (1, 0, true, false));
    assert_eq!(votes(&other).await, (1, 0, false, false));
    // One's own comment, too.
    vote(&other, "game_comment_up").await;
    assert_eq!(votes(&other).await, (2, 0, true, false));
    let key = format!("member:{}:vote:comment:{id}", me.uid);
    assert_eq!(
        service.events("Reaction", key).await,
        ["ReactionAdded", "ReactionRemoved", "ReactionAdded"]
    );
}

#[tokio::test]
async fn a_vote_fits_what_the_comment_stands_under() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let me = service.member("春风").await;
    let id = article(service, &me, "一").await;
    let game = shelf.game(json!({})).await;
    let ticket = shelf.for_sale(1, 1999).await[0];
    let on_article = on_article(service, &me, id, "好").await;
    let body = json!({ "game_id": game, "content": "好玩" });
    let on_game = say(service, &me, "game_comment_publish", body).await;
    let body = json!({ "ticket_id": ticket, "content": "求票" });
    let on_ticket = say(service, &me, "ticket_comment_publish", body).await;
    let vote = async |function: &str, id: Value| {
        let field = if function == "article_comment_up" {
            "article_comment_id"
        } else {
            "comment_id"
        };
        service.function(&me, function, json!({ field: id })).await
    };
    let head = service.head().await;
    for foreign in [on_game, on_ticket, 999] {
        assert_refused(&vote("article_comment_up", json!(foreign)).await, 404);
    }
    for function in ["game_comment_up", "game_comment_down"] {
        for foreign in [on_article, on_ticket, 999] {
            assert_refused(&vote(function, json!(foreign)).await, 404);
        }
        assert_invalid(&vote(function, json!(null)).await, "comment_id");
    }
    assert_invalid(
        &vote("article_comment_up", json!("x")).await,
        "article_comment_id",
    );
    assert_eq!(service.head().await, head);

    assert_done(&vote("article_comment_up", json!(on_article)).await);
    let row = comments(service, &me, id).await.remove(0);
    assert_eq!(
        (&row["up_count"], &row["is_up"], &row["down_count"]),
        (&json!(1), &json!(true), &json!(0))
    );
    // Deleted, it takes no more votes; nor does what stands under a withdrawn game.
    let delete = json!({ "article_comment_id_list": on_article });
    assert_done(&service.function(&me, "article_comment_del", delete).await);
    assert_refused(&vote("article_comment_up", json!(on_article)).await, 404);
    shelf.put("WithdrawGame", &format!("Game/{game}")).await;
    assert_refused(&vote("game_comment_up", json!(on_game)).await, 404);
}

#[tokio::test]
async fn comments_on_games_are_listed_and_deleted_one_or_many() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let (me, other) = (service.member("春风").await, service.member("秋月").await);
    let game = shelf.game(json!({})).await;
    let on_game = async |by: &Member, content: &str| {
        let body = json!({ "game_id": game, "content": content });
        say(service, by, "game_comment_publish", body).await
    };
    let (one, two) = (on_game(&me, "好玩").await, on_game(&other, " 一般 ").await);
    let list = async |more: Value| {
        let body = with(&json!({ "game_id": game }), &more);
        service.function(&me, "game_comment_list", body).await
    };
    let whole = list(json!({})).await;
    let rows = whole.json()["game_comment_list"].clone();
    let row = |place: usize, id: i64, by: &Member, content: &str| {
        json!({
            "comment_id": id, "uid": by.uid, "content": content, "reply_id": null,
            "created_at": rows[place]["created_at"],
            "up_count": 0, "down_count": 0, "is_up": false, "is_down": false,
        })
    };
    let expected = json!([row(0, two, &other, "一般"), row(1, one, &me, "好玩")]);
    assert_answer(&whole, &json!({ "code": 0, "game_comment_list": expected }));
    let page = list(json!({ "limit": 1, "offset": 1 })).await;
    assert_eq!(ids(&page, "game_comment_list", "comment_id"), [one]);

    let delete = async |body: Value| service.function(&me, "game_comment_del", body).await;
    assert_refused(&delete(json!({ "comment_id": [one, two] })).await, 403);
    assert_invalid(&delete(json!({})).await, "comment_id");
    assert_invalid(&delete(json!({ "comment_id": [] })).await, "comment_id");
    assert_invalid(
        &delete(json!({ "comment_id_list": "x" })).await,
        "comment_id_list",
    );
    let more = [on_game(&me, "再来").await, on_game(&me, "还来").await];
    assert_done(&delete(json!({ "comment_id": one })).await);
    assert_done(&delete(json!({ "comment_id": more[0].to_string() })).await);
    assert_done(&delete(json!({ "comment_id_list": [one, more[1], 999] })).await);
    assert_eq!(
        ids(&list(json!({})).await, "game_comment_list", "comment_id"),
        [two]
    );

    let publish = async |body: Value| service.function(&me, "game_comment_publish", body).await;
    let unknown = json!({ "game_id": 999, "content": "好玩" });
    assert_refused(&publish(unknown).await, 404);
    assert_invalid(&publish(json!({ "content": "好玩" })).await, "game_id");
    let long = json!({ "game_id": game, "content": "字".repeat(1_001) });
    assert_invalid(&publish(long).await, "content");
    assert_refused(&list(json!({ "game_id": 999 })).await, 404);
    assert_invalid(&list(json!({ "game_id": 0 })).await, "game_id");
    assert_invalid(&list(json!({ "offset": -1 })).await, "offset");
    // With the game its comments are out of reach, and back with it; deleting one works all the while.
    shelf.put("WithdrawGame", &format!("Game/{game}")).await;
    let body = json!({ "game_id": game, "content": "好玩" });
    assert_refused(&publish(body).await, 404);
    assert_refused(&list(json!({})).await, 404);
    let its_own = json!({ "comment_id": two });
    assert_done(&service.function(&other, "game_comment_del", its_own).await);
    shelf.put("RestoreGame", &format!("Game/{game}")).await;
    assert_answer(
        &list(json!({})).await,
        &json!({ "code": 0, "game_comment_list": [] }),
    );
}

#[tokio::test]
async fn comments_on_tickets_make_the_circle() {
    let shelf = Shelf::open().await;
    let service = &shelf.service;
    let (me, other) = (service.member("春风").await, service.member("秋月").await);
    let tickets = shelf.for_sale(3, 1999).await;
    let on_ticket = async |by: &Member, ticket: i64, content: &str| {
        let body = json!({ "ticket_id": ticket, "content": content });
        say(service, by, "ticket_comment_publish", body).await
    };
    let circle = async |page: Value| service.function(&me, "ticket_circle", page).await;
    let none = json!({ "code": 0, "ticket_circle": [] });
    assert_answer(&circle(json!({})).await, &none);

    let first = on_ticket(&me, tickets[0], "求票").await;
    let second = on_ticket(&other, tickets[1], "已买").await;
    let third = on_ticket(&other, tickets[0], " 几点开场 ").await;
    let change = json!({ "city": "杭州", "birthday": 946_684_800_000_i64 });
    let changed = service
        .function(&other, "my_user_info_update", change)
        .await;
    assert_eq!(changed.json()["code"], 0);
    let shown = circle(json!({ "limit": 1 })).await;
    let item = shown.json()["ticket_circle"][0].clone();
    assert_answer(
        &shown,
        &json!({ "code": 0, "ticket_circle": [{
            "ticket": {
                "ticket_id": tickets[0], "name": "票名称0", "image": IMAGE, "intro": "票简介0",
                "created_at": item["ticket"]["created_at"],
            },
            "last_comment": {
                "comment_id": third, "content": "几点开场", "created_at": item["last_comment"]["created_at"],
                "author": {
                    "uid": other.uid, "nickname": "秋月", "avatar": null, "gender": 0, "country": "86",
                    "province": null, "city": "杭州", "birthday": 946_684_800_000_i64, "intro": null,
                    "created_at": item["last_comment"]["author"]["created_at"], "score": 0, "level": 0, "exp": 0,
                },
            },
        }] }),
    );
    let of = |reply: &crate::support::service::Reply| -> Vec<(i64, i64)> {
        let body = reply.json();
        let rows = body["ticket_circle"].as_array().unwrap().iter();
        rows.map(|row| {
            let id = |value: &Value| value.as_i64().unwrap();
            (
                id(&row["ticket"]["ticket_id"]),
                id(&row["last_comment"]["comment_id"]),
            )
        })
        .collect()
    };
    let whole = circle(json!({})).await;
    assert_eq!(of(&whole), [(tickets[0], third), (tickets[1], second)]);
    let page = circle(json!({ "limit": 1, "offset": 1 })).await;
    assert_eq!(of(&page), [(tickets[1], second)]);
    assert_invalid(&circle(json!({ "limit": 0 })).await, "limit");

    // The list of one ticket.
    let list = async |body: Value| service.function(&me, "ticket_comment_list", body).await;
    let whole = list(json!({ "ticket_id": tickets[0] })).await;
    let rows = whole.json()["ticket_comment_list"].clone();
    assert_answer(
        &whole,
        &json!({ "code": 0, "ticket_comment_list": [
            { "ticket_comment_id": third, "uid": other.uid, "content": "几点开场", "created_at": rows[0]["created_at"] },
            { "ticket_comment_id": first, "uid": me.uid, "content": "求票", "created_at": rows[1]["created_at"] },
        ] }),
    );
    assert_answer(
        &list(json!({ "ticket_id": tickets[2] })).await,
        &json!({ "code": 0, "ticket_comment_list": [] }),
    );
    assert_refused(&list(json!({ "ticket_id": 999 })).await, 404);
    assert_invalid(&list(json!({})).await, "ticket_id");

    // The last one moves back; a ticket nobody talks about any more leaves.
    let delete = async |by: &Member, ids: Value| {
        let body = json!({ "ticket_comment_id_list": ids });
        service.function(by, "ticket_comment_del", body).await
    };
    assert_refused(&delete(&me, json!([first, third])).await, 403);
    assert_invalid(&delete(&me, json!([])).await, "ticket_comment_id_list");
    assert_done(&delete(&other, json!([third, 999])).await);
    let back = circle(json!({})).await;
    assert_eq!(of(&back), [(tickets[1], second), (tickets[0], first)]);
    assert_done(&delete(&me, json!([first])).await);
    assert_eq!(of(&circle(json!({})).await), [(tickets[1], second)]);

    // Withdrawn, a ticket is in no list; sold, it is still talked about.
    let to = format!("Ticket/{}", tickets[1]);
    shelf.put("WithdrawTicket", &to).await;
    assert_answer(&circle(json!({})).await, &none);
    assert_refused(&list(json!({ "ticket_id": tickets[1] })).await, 404);
    let publish = async |body: Value| service.function(&me, "ticket_comment_publish", body).await;
    let gone = json!({ "ticket_id": tickets[1], "content": "在吗" });
    assert_refused(&publish(gone).await, 404);
    assert_invalid(&publish(json!({ "content": "在吗" })).await, "ticket_id");
    assert_invalid(
        &publish(json!({ "ticket_id": tickets[0] })).await,
        "content",
    );
    shelf.put("RestoreTicket", &to).await;
    let order = shelf.order(&me, &tickets[1..2]).await;
    let paid = json!({ "ConfirmPayment": {} });
    shelf.done(&format!("Order/{order}"), paid).await;
    assert_eq!(of(&circle(json!({})).await), [(tickets[1], second)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_counted() {
    let service = Service::start().await;
    let host = service.member("春风").await;
    let id = article(&service, &host, "一").await;
    let mut guests = Vec::new();
    for number in 0..12 {
        guests.push(service.member(&format!("客{number}")).await);
    }
    let calls = guests.iter().flat_map(|guest| {
        let publish = json!({ "article_id": id, "content": "好" });
        let like = json!({ "article_id": id });
        [
            service.function(guest, "article_comment_publish", publish),
            service.function(guest, "article_like", like.clone()),
            // The same again counts once.
            service.function(guest, "article_like", like),
        ]
    });
    for reply in futures::future::join_all(calls).await {
        assert_eq!(reply.json()["code"], 0, "{reply:?}");
    }
    let feed = service.function(&host, "article_list", json!({})).await;
    let row = feed.json()["article_list"][0].clone();
    assert_eq!(
        (&row["comment_count"], &row["like_count"]),
        (&json!(12), &json!(12))
    );
    assert_eq!(comments(&service, &host, id).await.len(), 12);
}
