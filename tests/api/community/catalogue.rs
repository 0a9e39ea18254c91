//! Banners, cloths, games, masters and merchants: every function field by field, and each documented error.

use std::time::Duration;

use serde_json::{Value, json};

use super::shelf::{IMAGE, Shelf, ids};
use super::{assert_answer, assert_done, assert_invalid, assert_refused};

/// The time a row shows; that it is one is checked on the way.
#[track_caller]
fn time(row: &Value) -> Value {
    assert!(
        row["created_at"].as_i64().unwrap() > 1_700_000_000_000,
        "{row}"
    );
    row["created_at"].clone()
}

#[tokio::test]
async fn banners_stand_where_they_are_put_in_the_order_of_their_places() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let second = shelf
        .banner(json!({ "position": 2, "url": "https://example.com/a" }))
        .await;
    let first = shelf.banner(json!({ "position": -1 })).await;
    let third = shelf.banner(json!({ "position": 2 })).await;
    let hidden = shelf.banner(json!({})).await;
    shelf
        .put("WithdrawBanner", &format!("Banner/{hidden}"))
        .await;
    assert_answer(
        &shelf.function(&me, "home_banner", json!({})).await,
        &json!({ "code": 0, "home_banner": [
            { "banner_id": first, "image": IMAGE, "url": "" },
            { "banner_id": second, "image": IMAGE, "url": "https://example.com/a" },
            { "banner_id": third, "image": IMAGE, "url": "" },
        ] }),
    );
    let of = async |placement: &str| shelf.banner(json!({ "placement": placement })).await;
    let (design, game, ticket) = (
        of("design_circle").await,
        of("game").await,
        of("ticket").await,
    );
    let row = |id: i64| json!([{ "banner_id": id, "image": IMAGE, "url": "" }]);
    for (function, body) in [
        (
            "design_circle_banner",
            json!({ "code": 0, "design_circle_banner": row(design) }),
        ),
        // The document's key, and the one that every sibling has.
        (
            "game_banner",
            json!({ "code": 0, "design_circle_banner": row(game), "game_banner": row(game) }),
        ),
        (
            "ticket_banner",
            json!({ "code": 0, "ticket_banner": row(ticket) }),
        ),
    ] {
        assert_answer(&shelf.function(&me, function, json!({})).await, &body);
        let path = format!("/community/api/v1/{function}?token={}", me.token);
        assert_answer(&shelf.get(&path).send().await, &body);
        assert_refused(
            &shelf
                .post(&format!("/community/api/v1/{function}"))
                .json(&json!({}))
                .send()
                .await,
            401,
        );
    }
    shelf
        .put("RestoreBanner", &format!("Banner/{hidden}"))
        .await;
    let reply = shelf.function(&me, "home_banner", json!({})).await;
    assert_eq!(
        ids(&reply, "home_banner", "banner_id"),
        [first, hidden, second, third]
    );
}

#[tokio::test]
async fn a_cloth_of_the_design_circle_is_listed_shown_and_collected() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let old = shelf
        .cloth(json!({ "intro": "服饰简介19", "dynasty": 1, "designer_intro": "师从苏绣" }))
        .await;
    let new = shelf.cloth(json!({ "name": "马面裙" })).await;
    let hidden = shelf.cloth(json!({})).await;
    shelf.put("WithdrawCloth", &format!("Cloth/{hidden}")).await;
    let merchant = shelf.merchant(json!({})).await;
    let foreign = shelf
        .cloth(json!({ "collection": "merchant", "merchant_id": merchant }))
        .await;

    let list = shelf
        .function(&me, "design_circle_cloth_list", json!({}))
        .await;
    let rows = list.json()["design_circle_cloth_list"].clone();
    assert_answer(
        &list,
        &json!({ "code": 0, "design_circle_cloth_list": [
        { "cloth_id": new, "name": "马面裙", "image": IMAGE, "intro": "", "price": 2999, "dynasty": 0, "created_at": time(&rows[0]) },
        { "cloth_id": old, "name": "服饰名称19", "image": IMAGE, "intro": "服饰简介19", "price": 2999, "dynasty": 1, "created_at": time(&rows[1]) },
    ] }),
    );
    let page = shelf
        .function(
            &me,
            "design_circle_cloth_list",
            json!({ "limit": "1", "offset": 1 }),
        )
        .await;
    assert_eq!(ids(&page, "design_circle_cloth_list", "cloth_id"), [old]);

    let detail = async || {
        shelf
            .function(
                &me,
                "design_circle_cloth_detail",
                json!({ "cloth_id": old }),
            )
            .await
    };
    let expected = |is_collect: bool| {
        json!({ "code": 0, "design_circle_cloth_detail": {
            "cloth_id": old, "name": "服饰名称19", "image": IMAGE, "intro": "服饰简介19", "price": 2999, "dynasty": 1,
            "created_at": rows[1]["created_at"], "designer_intro": "师从苏绣", "is_collect": is_collect } })
    };
    assert_answer(&detail().await, &expected(false));
    let call = async |function: &str, id: i64| {
        shelf
            .function(&me, function, json!({ "cloth_id": id }))
            .await
    };
    for _ in 0..2 {
        assert_done(&call("design_circle_cloth_collect", old).await);
    }
    let key = format!("member:{}:collect:cloth:{old}", me.uid);
    assert_eq!(shelf.events("Reaction", &key).await, ["ReactionAdded"]);
    assert_answer(&detail().await, &expected(true));
    // Taking back works on what is withdrawn; beginning does not.
    shelf.put("WithdrawCloth", &format!("Cloth/{old}")).await;
    assert_refused(&detail().await, 404);
    for _ in 0..2 {
        assert_done(&call("design_circle_cloth_uncollect", old).await);
    }
    assert_refused(&call("design_circle_cloth_collect", old).await, 404);
    for function in [
        "design_circle_cloth_detail",
        "design_circle_cloth_collect",
        "design_circle_cloth_uncollect",
    ] {
        for id in [foreign, 999] {
            assert_refused(&call(function, id).await, 404);
        }
        assert_invalid(
            &shelf
                .function(&me, function, json!({ "cloth_id": "x" }))
                .await,
            "cloth_id",
        );
        assert_invalid(&shelf.function(&me, function, json!({})).await, "cloth_id");
    }
    assert_invalid(
        &shelf
            .function(&me, "design_circle_cloth_list", json!({ "limit": 0 }))
            .await,
        "limit",
    );
}

#[tokio::test]
async fn a_cloth_of_a_merchant_comes_with_its_merchant() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let merchant = shelf
        .merchant(
            json!({ "logo": IMAGE, "intro": "商户简介9", "address": "北京市海淀区中关村9号" }),
        )
        .await;
    let more = json!({ "collection": "merchant", "merchant_id": merchant });
    let plain = shelf.cloth(more.clone()).await;
    let praised = shelf
        .cloth(super::with(&more, &json!({ "recommended": true })))
        .await;
    let design = shelf.cloth(json!({})).await;

    let call = async |function: &str, id: i64| {
        shelf
            .function(&me, function, json!({ "cloth_id": id }))
            .await
    };
    assert_done(&call("merchant_cloth_collect", praised).await);
    assert_done(
        &shelf
            .function(&me, "merchant_follow", json!({ "merchant_id": merchant }))
            .await,
    );

    let beside = json!({ "merchant_id": merchant, "name": "商户9", "logo": IMAGE, "intro": "商户简介9",
        "address": "北京市海淀区中关村9号", "is_follow": true });
    let row = |id: i64, at: &Value, is_collect: bool| {
        json!({ "cloth_id": id, "name": "服饰名称19", "image": IMAGE, "intro": "", "price": 2999, "dynasty": 0,
            "created_at": at, "is_collect": is_collect, "merchant": beside })
    };
    let list = shelf.function(&me, "merchant_cloth_list", json!({})).await;
    let rows = list.json()["merchant_cloth_list"].clone();
    let praised_row = row(praised, &time(&rows[0]), true);
    assert_answer(
        &list,
        &json!({ "code": 0, "merchant_cloth_list": [praised_row, row(plain, &time(&rows[1]), false)] }),
    );
    let recommended = shelf
        .function(&me, "merchant_cloth_recommend_list", json!({}))
        .await;
    assert_answer(
        &recommended,
        &json!({ "code": 0, "merchant_cloth_list": [praised_row] }),
    );

    let detail = call("merchant_cloth_detail", praised).await;
    let mut counted = praised_row.clone();
    counted["merchant"]["follow_count"] = json!(1);
    assert_answer(
        &detail,
        &json!({ "code": 0, "merchant_cloth_detail": counted }),
    );
    for function in [
        "merchant_cloth_detail",
        "merchant_cloth_collect",
        "merchant_cloth_uncollect",
    ] {
        for id in [design, 999] {
            assert_refused(&call(function, id).await, 404);
        }
    }
    assert_done(&call("merchant_cloth_uncollect", praised).await);
    // A merchant takes its cloths out of sight.
    shelf
        .put("WithdrawMerchant", &format!("Merchant/{merchant}"))
        .await;
    for function in ["merchant_cloth_list", "merchant_cloth_recommend_list"] {
        assert_answer(
            &shelf.function(&me, function, json!({})).await,
            &json!({ "code": 0, "merchant_cloth_list": [] }),
        );
    }
    assert_refused(&call("merchant_cloth_detail", praised).await, 404);
    assert_refused(&call("merchant_cloth_collect", praised).await, 404);
    assert_done(&call("merchant_cloth_uncollect", praised).await);
}

#[tokio::test]
async fn merchants_are_followed_and_listed_last_followed_first() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let full = shelf
        .merchant(json!({ "logo": IMAGE, "phone": "18888888888", "email": "xxx@163.com" }))
        .await;
    let bare = shelf.merchant(json!({})).await;
    let call = async |function: &str, id: &str| {
        shelf
            .function(&me, function, json!({ "merchant_id": id }))
            .await
    };
    for id in [&bare, &full] {
        assert_done(&call("merchant_follow", id).await);
        assert_done(&call("merchant_follow", id).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let list = async || {
        shelf
            .function(&me, "my_following_merchants", json!({}))
            .await
    };
    let rows = list().await.json()["my_following_merchants"].clone();
    assert_answer(
        &list().await,
        &json!({ "code": 0, "my_following_merchants": [
        { "merchant_id": full, "name": "商户9", "logo": IMAGE, "intro": "", "address": "", "phone": "18888888888",
          "email": "xxx@163.com", "created_at": time(&rows[0]) },
        { "merchant_id": bare, "name": "商户9", "logo": null, "intro": "", "address": "", "phone": null,
          "email": null, "created_at": time(&rows[1]) },
    ] }),
    );
    shelf
        .put("WithdrawMerchant", &format!("Merchant/{full}"))
        .await;
    assert_eq!(
        ids(&list().await, "my_following_merchants", "merchant_id"),
        [bare.as_str()]
    );
    assert_refused(&call("merchant_follow", &full).await, 404);
    assert_done(&call("merchant_unfollow", &full).await);
    assert_done(&call("merchant_unfollow", &bare).await);
    assert_eq!(
        ids(&list().await, "my_following_merchants", "merchant_id"),
        [json!(null); 0]
    );
    for function in ["merchant_follow", "merchant_unfollow"] {
        assert_refused(&call(function, &"0".repeat(32)).await, 404);
        assert_invalid(&call(function, "0F").await, "merchant_id");
    }
}

#[tokio::test]
async fn games_are_liked_and_collected() {
    let shelf = Shelf::open().await;
    let (me, other) = (shelf.member("春风").await, shelf.member("秋水").await);
    let game = shelf.game(json!({ "intro": "游戏简介0" })).await;
    let plain = shelf.game(json!({ "recommended": false })).await;
    let call = async |function: &str| {
        shelf
            .function(&me, function, json!({ "game_id": game }))
            .await
    };
    let shown = async || call("game_detail").await.json()["game_detail"].clone();
    let at = time(&shown().await);
    let row = |likes: i64, is_like: bool, is_collect: bool| {
        json!({ "game_id": game, "name": "游戏名称0", "image": IMAGE, "intro": "游戏简介0", "created_at": at,
            "is_collect": is_collect, "is_like": is_like, "like_count": likes })
    };
    assert_answer(
        &call("game_detail").await,
        &json!({ "code": 0, "game_detail": row(0, false, false) }),
    );
    assert_done(
        &shelf
            .function(&other, "game_like", json!({ "game_id": game }))
            .await,
    );
    for (function, then) in [
        ("game_like", row(2, true, false)),
        ("game_like", row(2, true, false)),
        ("game_collect", row(2, true, true)),
        ("game_unlike", row(1, false, true)),
        ("game_unlike", row(1, false, true)),
        ("game_uncollect", row(1, false, false)),
    ] {
        assert_done(&call(function).await);
        assert_eq!(shown().await, then, "{function}");
    }
    let list = shelf.function(&me, "game_recommend_list", json!({})).await;
    assert_answer(
        &list,
        &json!({ "code": 0, "game_recommend_list": [row(1, false, false)] }),
    );
    let like = format!("member:{}:like:game:{game}", me.uid);
    assert_eq!(
        shelf.events("Reaction", like).await,
        ["ReactionAdded", "ReactionRemoved"]
    );

    shelf.put("WithdrawGame", &format!("Game/{game}")).await;
    for function in ["game_detail", "game_like", "game_collect"] {
        assert_refused(&call(function).await, 404);
    }
    assert_done(
        &shelf
            .function(&other, "game_unlike", json!({ "game_id": game }))
            .await,
    );
    assert_answer(
        &shelf.function(&me, "game_recommend_list", json!({})).await,
        &json!({ "code": 0, "game_recommend_list": [] }),
    );
    for function in [
        "game_detail",
        "game_like",
        "game_unlike",
        "game_collect",
        "game_uncollect",
    ] {
        assert_refused(
            &shelf
                .function(&me, function, json!({ "game_id": 999 }))
                .await,
            404,
        );
        assert_invalid(
            &shelf.function(&me, function, json!({ "game_id": 0 })).await,
            "game_id",
        );
        assert_refused(
            &shelf
                .post(&format!("/community/api/v1/{function}"))
                .json(&json!({ "game_id": plain }))
                .send()
                .await,
            401,
        );
    }
}

#[tokio::test]
async fn masters_are_shown_in_both_spellings_and_followed() {
    let shelf = Shelf::open().await;
    let (me, linked) = (shelf.member("春风").await, shelf.member("秋水").await);
    let master = shelf
        .master(
            json!({ "avatar": IMAGE, "intro": "达人简介0", "address": "北京市海淀区中关村0号",
        "birthday": "1990-01-01", "recommended": true, "uid": linked.uid }),
        )
        .await;
    let bare = shelf.master(json!({ "name": "无名" })).await;
    // The linked member follows somebody: that is the master's `follow_count`.
    assert_done(
        &shelf
            .function(&linked, "user_follow", json!({ "to_uid": me.uid }))
            .await,
    );
    let call = async |function: &str, id: &str| {
        shelf
            .function(&me, function, json!({ "master_id": id }))
            .await
    };
    let list = async || shelf.function(&me, "master_list", json!({})).await;
    let rows = list().await.json()["master_list"].clone();
    let (at, bare_at) = (time(&rows[1]), time(&rows[0]));
    let listed = |is_follow: bool| {
        json!({ "uid": master, "nickname": "达人0", "avatar": IMAGE, "intro": "达人简介0", "is_follow": is_follow,
            "created_at": at, "master_id": master, "name": "达人0" })
    };
    let second = json!({ "uid": bare, "nickname": "无名", "avatar": null, "intro": "", "is_follow": false,
        "created_at": bare_at, "master_id": bare, "name": "无名" });
    assert_answer(
        &list().await,
        &json!({ "code": 0, "master_list": [second, listed(false)] }),
    );
    for _ in 0..2 {
        assert_done(&call("master_follow", &master).await);
    }
    assert_eq!(
        shelf
            .events("Follow", format!("member:{}:master:{master}", me.uid))
            .await,
        ["Followed"]
    );
    assert_answer(
        &list().await,
        &json!({ "code": 0, "master_list": [second, listed(true)] }),
    );
    // Without `is_follow`, as documented.
    let mut recommended = listed(true);
    recommended.as_object_mut().unwrap().remove("is_follow");
    let reply = shelf
        .function(&me, "master_recommend_list", json!({}))
        .await;
    assert_answer(&reply, &json!({ "code": 0, "master_list": [recommended] }));

    let card = json!({ "master_id": master, "name": "达人0", "avatar": IMAGE, "intro": "达人简介0",
        "address": "北京市海淀区中关村0号", "birthday": "1990-01-01", "created_at": at });
    let detail = super::with(
        &card,
        &json!({ "is_follow": true, "follow_count": 1, "article_count": 0, "follower_count": 1 }),
    );
    assert_answer(
        &call("master_detail", &master).await,
        &json!({ "code": 0, "master_detail": detail }),
    );
    let bare_detail = json!({ "master_id": bare, "name": "无名", "avatar": null, "intro": "", "address": "", "birthday": null,
        "created_at": bare_at, "is_follow": false, "follow_count": 0, "article_count": 0, "follower_count": 0 });
    assert_answer(
        &call("master_detail", &bare).await,
        &json!({ "code": 0, "master_detail": bare_detail }),
    );
    let following = async || shelf.function(&me, "my_following_masters", json!({})).await;
    assert_answer(
        &following().await,
        &json!({ "code": 0, "my_following_masters": [card] }),
    );
    // The caller's own count is of members only.
    let info = shelf.function(&me, "my_user_info", json!({})).await.json();
    assert_eq!(info["my_user_info"]["follow_count"], 0);

    shelf
        .put("WithdrawMaster", &format!("Master/{master}"))
        .await;
    assert_refused(&call("master_detail", &master).await, 404);
    assert_refused(&call("master_follow", &master).await, 404);
    assert_answer(
        &following().await,
        &json!({ "code": 0, "my_following_masters": [] }),
    );
    assert_answer(
        &list().await,
        &json!({ "code": 0, "master_list": [second] }),
    );
    for _ in 0..2 {
        assert_done(&call("master_unfollow", &master).await);
    }
    shelf
        .put("RestoreMaster", &format!("Master/{master}"))
        .await;
    let back = call("master_detail", &master).await.json();
    assert_eq!(back["master_detail"]["follower_count"], 0);
    for function in ["master_detail", "master_follow", "master_unfollow"] {
        assert_refused(&call(function, &"0".repeat(32)).await, 404);
        assert_invalid(&call(function, "达人").await, "master_id");
    }
}
