//! What all functions of the catalogue and the shop have in common, and what the demo data shows in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shiji::cli::demo::market;

use super::shelf::Shelf;
use super::{API, assert_invalid, assert_refused, call};
use crate::support::service::{Member, Service};

/// Queries that are a list, with the key of it.
const LISTS: [(&str, &str); 16] = [
    ("design_circle_cloth_list", "design_circle_cloth_list"),
    ("game_recommend_list", "game_recommend_list"),
    ("master_list", "master_list"),
    ("master_recommend_list", "master_list"),
    ("merchant_cloth_list", "merchant_cloth_list"),
    ("merchant_cloth_recommend_list", "merchant_cloth_list"),
    ("my_following_masters", "my_following_masters"),
    (
        "my_following_masters_project_list",
        "my_following_masters_project_list",
    ),
    (
        "my_following_masters_ticket_list",
        "my_following_masters_ticket_list",
    ),
    ("my_following_merchants", "my_following_merchants"),
    ("my_order_list", "my_order_list"),
    ("my_ticket_list", "my_ticket_list"),
    ("project_list", "project_list"),
    ("project_recommend_list", "project_recommend_list"),
    ("ticket_list", "ticket_list"),
    // It has no pages, and passes over what it does not know.
    ("shopping_cart_info", "shopping_cart_info"),
];

/// Queries of one thing, with the parameter that names it.
const DETAILS: [(&str, &str); 8] = [
    ("design_circle_cloth_detail", "cloth_id"),
    ("game_detail", "game_id"),
    ("master_detail", "master_id"),
    ("merchant_cloth_detail", "cloth_id"),
    ("order_detail", "order_id"),
    ("project_detail", "project_id"),
    ("ticket_detail", "ticket_id"),
    ("ticket_list", "project_id"),
];

const BANNERS: [&str; 4] = [
    "home_banner",
    "design_circle_banner",
    "game_banner",
    "ticket_banner",
];

const COMMANDS: [&str; 18] = [
    "design_circle_cloth_collect",
    "design_circle_cloth_uncollect",
    "game_collect",
    "game_like",
    "game_uncollect",
    "game_unlike",
    "master_follow",
    "master_unfollow",
    "merchant_cloth_collect",
    "merchant_cloth_uncollect",
    "merchant_follow",
    "merchant_unfollow",
    "order_cancel",
    "order_create",
    "order_create_by_shopping_cart",
    "order_pay",
    "shopping_cart_add",
    "shopping_cart_del",
];

#[tokio::test]
async fn every_function_is_for_members() {
    let service = Service::start().await;
    let me = service.member("春风").await;
    let head = service.head().await;
    let lists = LISTS.iter().map(|(name, _)| *name);
    let details = DETAILS.iter().map(|(name, _)| *name);
    let queries: BTreeSet<&str> = lists.chain(details).chain(BANNERS).collect();
    for name in queries.iter().copied().chain(COMMANDS) {
        let reply = call(&service, name).json(&json!({})).send().await;
        assert_refused(&reply, 401);
    }
    for name in queries {
        let by_get = service.get(&format!("{API}/{name}?token={}", me.token));
        let by_get = by_get.send().await.json();
        assert_eq!(
            by_get,
            service.function(&me, name, json!({})).await.json(),
            "{name}"
        );
        assert!(by_get["code"] == 0 || by_get["code"] == 400, "{by_get}");
    }
    for name in COMMANDS {
        let by_get = service.get(&format!("{API}/{name}?token={}", me.token));
        assert_eq!(by_get.send().await.status, 405, "{name}");
    }
    assert_eq!(service.head().await, head);
}

#[tokio::test]
async fn every_list_has_pages_with_bounds() {
    let service = Service::start().await;
    let me = service.member("春风").await;
    for (name, key) in &LISTS[..LISTS.len() - 1] {
        for (field, bad) in [
            ("limit", json!(0)),
            ("limit", json!("many")),
            ("offset", json!(-1)),
        ] {
            let reply = service.function(&me, name, json!({ field: bad })).await;
            assert_invalid(&reply, field);
        }
        let wide = json!({ "limit": 1_000, "offset": 7 });
        let reply = service.function(&me, name, wide).await.json();
        assert_eq!((&reply["code"], &reply[key]), (&json!(0), &json!([])));
    }
}

#[tokio::test]
async fn somebody_who_is_disabled_buys_nothing() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(1, 1999).await;
    let disable = json!({ "DisableAccount": {} });
    shelf
        .done(&format!("Account/community:{}", me.uid), disable)
        .await;
    let order = json!({ "ticket_id_list": tickets });
    let reply = shelf.function(&me, "order_create", order).await.json();
    // Its session ended with it.
    assert!([401, 423].contains(&reply["code"].as_u64().unwrap()));
    assert_eq!(shelf.events("Ticket", tickets[0]).await, ["TicketCreated"]);
}

/// The demo data's member of that nickname, with a session.
async fn told(service: &Service, nickname: &str) -> Member {
    let uid = sqlx::query_scalar("SELECT uid FROM members WHERE nickname = $1").bind(nickname);
    let uid: String = uid.fetch_one(service.app.reads()).await.unwrap();
    service.enter(uid, String::new()).await
}

#[tokio::test]
async fn the_demo_data_shows_something_in_every_function_and_comes_once() {
    let service = Service::start().await;
    let desk = service.app.desk();
    let sent = market::fill(desk).await.unwrap();
    assert_eq!((sent.orders, sent.things), (14, 301));
    let head = service.head().await;
    let again = market::fill(desk).await.unwrap();
    assert_eq!(again, market::Sent::default());
    assert_eq!(service.head().await, head);

    let me = told(&service, "阿蛮").await;
    let list = async |name: &str, key: &str| {
        let reply = service.function(&me, name, json!({})).await.json();
        assert_eq!(reply["code"], 0, "{name}: {reply}");
        let rows = reply[key].as_array().unwrap().clone();
        assert!(!rows.is_empty(), "{name} is empty");
        rows
    };
    for (name, key) in LISTS {
        if name != "shopping_cart_info" {
            list(name, key).await;
        }
    }
    for name in BANNERS {
        list(name, name).await;
    }
    let cart = told(&service, "一只橘猫").await;
    let cart = service
        .function(&cart, "shopping_cart_info", json!({}))
        .await;
    assert_eq!(
        cart.json()["shopping_cart_info"].as_array().unwrap().len(),
        3
    );

    // Orders in every state, and not one ticket in two hands.
    let orders = sqlx::query_scalar::<_, i16>("SELECT status FROM orders");
    let orders = orders.fetch_all(service.app.reads()).await.unwrap();
    let count = |status: i16| orders.iter().filter(|found| **found == status).count();
    assert_eq!([count(0), count(1), count(2)], [3, 8, 3]);
    let game = list("game_recommend_list", "game_recommend_list").await;
    let liked = |game: &Value| game["like_count"].as_i64().unwrap() > 0;
    assert!(game.iter().any(liked));
}
