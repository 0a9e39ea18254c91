//! Who may ask: tokens, sessions, accounts; and what is nobody's business.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use shiji::api::identity::session_id;

use super::{House, OBJ, is_failure};
use crate::api::node::answer;

#[tokio::test]
async fn without_a_token_nothing_is_answered() {
    let house = House::start().await;
    let bare = answer(house.node.request(Method::GET, OBJ)).await;
    is_failure(&bare, 1001, "Authorization required", &json!({}));
    for empty in ["", " ", "Bearer", "Bearer "] {
        let refused = house.obj(empty, &[]).await;
        is_failure(&refused, 1001, "Authorization required", &json!({}));
    }
    // Who is calling comes before what is asked.
    let refused = house.obj("nobody", &[("limit", "x")]).await;
    is_failure(&refused, 1002, "Authorization invalid", &json!({}));
    // A token of the staff is none of this surface.
    let refused = house.obj(&house.clerk.token, &[]).await;
    is_failure(&refused, 1002, "Authorization invalid", &json!({}));
}

#[tokio::test]
async fn a_token_is_good_with_or_without_bearer_until_it_expires_or_is_closed() {
    let house = House::start().await;
    let user = house.user("dua:小满").await;
    let (short, closed) = (house.token(&user).await, house.token(&user).await);
    for value in [
        short.clone(),
        format!("Bearer {short}"),
        format!("bearer {short}"),
    ] {
        assert_eq!(house.obj(&value, &[]).await.body["error"], 0, "{value}");
    }
    let close = format!("Session/{}", session_id(&closed));
    house
        .send(&close, json!({"CloseSession": {}}))
        .await
        .is_done("Session", &session_id(&closed), 2, &["SessionClosed"]);
    let refused = house.obj(&closed, &[]).await;
    is_failure(&refused, 1002, "Authorization invalid", &json!({}));

    let day = Duration::from_secs(86_400);
    house.node.service.sleep(29 * day);
    assert_eq!(house.obj(&short, &[]).await.body["error"], 0);
    house.node.service.sleep(day);
    let refused = house.obj(&short, &[]).await;
    is_failure(&refused, 1002, "Authorization invalid", &json!({}));
}

#[tokio::test]
async fn a_disabled_account_is_told_so_and_its_sessions_do_not_come_back() {
    let house = House::start().await;
    let user = house.user("dua:小满").await;
    let token = house.token(&user).await;
    let to = format!("Account/xdua:{user}");
    let id = format!("xdua:{user}");
    house
        .send(&to, json!({"DisableAccount": {}}))
        .await
        .is_done("Account", &id, 2, &["AccountDisabled", "SessionClosed"]);
    house
        .send(&to, json!({"DisableAccount": {}}))
        .await
        .is_done("Account", &id, 2, &[]);
    let refused = house.obj(&token, &[]).await;
    is_failure(&refused, 1003, "Account disabled", &json!({}));
    let open = json!({"OpenSession": {"realm": "xdua", "account_id": user}});
    house
        .send("Session/new", open)
        .await
        .is_refusal(306, "account_disabled", "账户未启用");

    house.send(&to, json!({"EnableAccount": {}})).await.is_done(
        "Account",
        &id,
        3,
        &["AccountEnabled"],
    );
    let refused = house.obj(&token, &[]).await;
    is_failure(&refused, 1002, "Authorization invalid", &json!({}));
    let token = house.token(&user).await;
    assert_eq!(house.obj(&token, &[]).await.body["error"], 0);
}

#[tokio::test]
async fn everybody_sees_their_own_teams_whatever_the_filter_says() {
    let house = House::start().await;
    let (mine, other) = (house.user("dua:我").await, house.user("dua:她").await);
    house.team(&mine, "mine", json!({})).await;
    house.team(&other, "other", json!({})).await;
    let token = house.token(&mine).await;
    let codes = async |filter: &str| house.codes(&token, &[("filter", filter)]).await;
    assert_eq!(codes("").await, ["mine"]);
    let filter = json!({"creator_id": mine}).to_string();
    assert_eq!(codes(&filter).await, ["mine"]);
    for filter in [
        json!({"creator_id": other}),
        json!({"$or": [{"creator_id": other}, {"code": "other"}]}),
        json!({"creator_id": {"$ne": mine}}),
    ] {
        assert!(codes(&filter.to_string()).await.is_empty(), "{filter}");
    }
    let all = json!({"$or": [{"creator_id": {"$exists": true}}, {"x": null}]});
    assert_eq!(codes(&all.to_string()).await, ["mine"]);
}

#[tokio::test]
async fn paths_and_methods_fail_in_this_surfaces_words() {
    let house = House::start().await;
    for path in ["/obj/1", "/xdua", "/xdua/other"] {
        let unknown = answer(house.node.request(Method::GET, path)).await;
        let expected = json!({"error": 4040, "reason": "Not found", "result": {}});
        assert_eq!((unknown.status, unknown.body), (404, expected), "{path}");
    }
    for path in [OBJ, "/xdua/obj"] {
        let wrong = answer(house.node.request(Method::POST, path)).await;
        let expected = json!({"error": 4050, "reason": "Method not allowed", "result": {}});
        assert_eq!((wrong.status, wrong.body), (405, expected), "{path}");
    }
}
