//! The parameters of the query: what they find, and how they are refused.

use data_encoding::BASE64;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::{House, OBJ, is_failure};
use crate::api::node::answer;

/// Four teams of one creator, and its token.
async fn four() -> (House, String) {
    let house = House::start().await;
    let user = house.user("dua:辣椒帅").await;
    let team = async |code: &str, more: Value| house.team(&user, code, more).await;
    team("a", json!({"brief": "x", "private": true})).await;
    let roles = team("b", json!({"invite_only": true, "name": "乙"})).await;
    team("C", json!({"enabled": false, "avatar": "http://x/1.png"})).await;
    team("d.1", json!({"brief": "y"})).await;
    for number in 0..10 {
        let add = json!({"AddTeamRole": {"name": format!("role {number}")}});
        house.done(&format!("Team/{roles}"), add).await;
    }
    let token = house.token(&user).await;
    (house, token)
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let (house, token) = four().await;
    for (filter, expected) in [
        (json!({"private": 1}), "a"),
        (json!({"private": true, "invite_only": "0"}), "a"),
        (json!({"enabled": {"$ne": "1"}}), "C"),
        (json!({"rolec": {"$gt": 9}}), "b"),
        (json!({"rolec": {"$mod": [5, 0]}, "name": "乙"}), "b"),
        (json!({"breif": {"$in": ["x", "y"]}}), "a d.1"),
        (
            json!({"key": {"$regex": "^[a-c]$", "$options": "i"}}),
            "C a b",
        ),
        (json!({"code": {"$gt": "a"}}), "b d.1"),
        (json!({"code": {"$gt": 1}}), ""),
        (json!({"$nor": [{"code": "a"}, {"code": "b"}]}), "C d.1"),
        (json!({"avatar": {"$not": {"$eq": ""}}}), "C"),
        (json!({"creator_name": "dua:辣椒帅"}), "C a b d.1"),
        (
            json!({"ct": {"$gt": 1_500_000_000}, "ut": {"$gt": "0"}}),
            "",
        ),
        (json!({"ct": {"$gt": 1_500_000_000}}), "C a b d.1"),
        (json!({"cstamp": {"$lt": "2018-01-01 00:00:00"}}), ""),
        (json!({"x": null}), "C a b d.1"),
        (json!({"x": 1}), ""),
        (json!({"name": {"$type": "string"}}), "C a b d.1"),
    ] {
        let query = [("filter", &*filter.to_string()), ("order", "code:ASC")];
        let found = house.codes(&token, &query).await.join(" ");
        assert_eq!(found, expected, "{filter}");
    }
}

#[tokio::test]
async fn orders_are_total_and_numbers_sort_as_numbers() {
    let (house, token) = four().await;
    let codes = async |order: &str| house.codes(&token, &[("order", order)]).await.join(" ");
    assert_eq!(codes("code:ASC").await, "C a b d.1");
    assert_eq!(codes("key:desc").await, "d.1 b a C");
    assert_eq!(codes("rolec:DESC,code:asc").await, "b C a d.1");
    assert_eq!(codes(" enabled:ASC , code:DESC ").await, "C d.1 b a");
    let list = house.result(&token, &[("order", "private:ASC")]).await;
    let ids: Vec<&str> = list["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|team| team["id"].as_str().unwrap())
        .collect();
    assert!(ids[..3].is_sorted(), "{ids:?}");
    assert_eq!(codes("").await, codes("cstamp:DESC").await);
}

#[tokio::test]
async fn an_offset_skips_and_every_bound_is_kept() {
    let (house, token) = four().await;
    let codes = async |query: &[(&str, &str)]| {
        let order = ("order", "code:ASC");
        let query: Vec<_> = query.iter().copied().chain([order]).collect();
        let result = house.result(&token, &query).await;
        let list = result["list"].as_array().unwrap();
        let codes: Vec<_> = list.iter().map(|t| t["code"].as_str().unwrap()).collect();
        (codes.join(" "), result["maxpage"].as_i64().unwrap())
    };
    let found = |codes: &str, pages| (codes.to_owned(), pages);
    assert_eq!(codes(&[("offset", "3")]).await, found("d.1", 1));
    assert_eq!(
        codes(&[("offset", "1"), ("limit", "2")]).await,
        found("a b", 2)
    );
    assert_eq!(
        codes(&[("page", "2"), ("limit", "3")]).await,
        found("d.1", 2)
    );
    assert_eq!(codes(&[("page", "0"), ("limit", "1")]).await, found("C", 4));
    assert_eq!(codes(&[("page", "99"), ("limit", "1")]).await, found("", 4));
    assert_eq!(codes(&[("limit", "0")]).await, found("C a b d.1", 1));
    assert_eq!(
        codes(&[("offset", "999999999999999999999")]).await,
        found("", 1)
    );
    let none = house.result(&token, &[("filter", "nothing")]).await;
    assert_eq!(none, json!({"maxpage": 1, "list": []}));
}

#[rstest]
#[case("filter", "{", 2001, json!({"filter": "{", "position": 1}))]
#[case("filter", r#"{"code": {"$regex": "(?=a)"}}"#, 2001, Value::Null)]
#[case("filter", r#"{"code": {"$in": 1}}"#, 2001, Value::Null)]
#[case("filter", "[a", 2001, Value::Null)]
#[case("filter", r#"{"$where": "1"}"#, 2002, json!({"operator": "$where"}))]
#[case("filter", r#"{"code": {"$near": 1}}"#, 2002, json!({"operator": "$near"}))]
#[case("order", "code", 2003, json!({"order": "code"}))]
#[case("order", "code:UP", 2003, json!({"order": "code:UP"}))]
#[case("order", "nothing:ASC", 2003, json!({"order": "nothing:ASC"}))]
#[case("page", "-1", 2004, json!({"field": "page"}))]
#[case("page", "one", 2004, json!({"field": "page"}))]
#[case("offset", "1.5", 2004, json!({"field": "offset"}))]
#[case("limit", "-20", 2004, json!({"field": "limit"}))]
#[tokio::test]
async fn what_cannot_be_read_is_named(
    #[case] parameter: &str,
    #[case] value: &str,
    #[case] error: u16,
    #[case] result: Value,
) {
    let house = House::start().await;
    let user = house.user("dua:小满").await;
    let token = house.token(&user).await;
    let refused = house.obj(&token, &[(parameter, value)]).await;
    let reason = match error {
        2001 => "filter is not a valid query",
        2002 => "filter operator not supported",
        2003 => "order is not valid",
        _ => "page, offset or limit is not valid",
    };
    let result = if result.is_null() {
        let position = &refused.body["result"]["position"];
        assert!(position.is_u64(), "{}", refused.body);
        json!({"filter": value, "position": position})
    } else {
        result
    };
    is_failure(&refused, error, reason, &result);
}

#[tokio::test]
async fn a_coded_filter_is_shown_as_it_was_read() {
    let house = House::start().await;
    let user = house.user("dua:小满").await;
    let token = house.token(&user).await;
    let text = r#"{"code": }"#;
    let refused = house
        .obj(&token, &[("filter", &BASE64.encode(text.as_bytes()))])
        .await;
    is_failure(
        &refused,
        2001,
        "filter is not a valid query",
        &json!({"filter": text, "position": 9}),
    );
}

#[tokio::test]
async fn versions_positions_and_doubled_parameters_are_refused() {
    let house = House::start().await;
    let user = house.user("dua:小满").await;
    let token = house.token(&user).await;
    let with = async |name: &str, value: &str| {
        let request = house.node.request(Method::GET, OBJ);
        answer(request.header("authorization", &token).header(name, value)).await
    };
    for good in ["1.0.0", "1.9.12", "1"] {
        assert_eq!(with("apiv", good).await.body["error"], 0, "{good}");
    }
    for bad in ["2.0.0", "x", "0.1.0"] {
        let refused = with("apiv", bad).await;
        is_failure(&refused, 2005, "apiv not supported", &json!({"apiv": bad}));
    }
    let reason = "page, offset or limit is not valid";
    let refused = with("x-position", "here").await;
    is_failure(&refused, 2004, reason, &json!({"field": "X-Position"}));
    let refused = house.obj(&token, &[("limit", "1"), ("limit", "2")]).await;
    is_failure(&refused, 2004, reason, &json!({"field": "limit"}));
    // U+0000 is in no text.
    let reason = "filter is not a valid query";
    let refused = house.obj(&token, &[("filter", "a\0")]).await;
    is_failure(
        &refused,
        2001,
        reason,
        &json!({"filter": "", "position": 0}),
    );
    let within = house
        .obj(&token, &[("filter", r#"{"code": "a\u0000"}"#)])
        .await;
    assert_ne!(within.body["error"], 5000, "{}", within.body);
}

#[tokio::test]
async fn the_deepest_filters_do_not_break_anything() {
    let (house, token) = four().await;
    let clause = json!({"code": {"$regex": "(a|b)*c?.{0,50}"}, "name": {"$in": vec!["x"; 200]}});
    let many = json!({ "$or": vec![clause; 30] }).to_string();
    let answer = house.obj(&token, &[("filter", &many)]).await;
    assert!(
        [json!(0), json!(2001)].contains(&answer.body["error"]),
        "{}",
        answer.body
    );
    let deep = format!("{}{}", r#"{"$and":["#.repeat(400), "]}".repeat(400));
    assert_eq!(
        house.obj(&token, &[("filter", &deep)]).await.body["error"],
        2001
    );
}
