//! The document's own example, reproduced by the demo data, and the calls it shows.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use reqwest::Method;
use serde_json::{Value, json};
use shiji::cli::demo::teams;

use super::{House, OBJ};
use crate::api::node::answer;

/// The document's `result.list`, as it stands there.
fn documented() -> Vec<Value> {
    let avatar = "http://xdua-files.oss-cn-qingdao.aliyuncs.com/Image/default.png";
    let list = json!([{
        "enabled": "1",
        "invite_only": "0",
        "rolec": "1",
        "usroc": "0",
        "code": "children",
        "avatar": avatar,
        "creator_id": "Dt5mvrtU",
        "private": "0",
        "id": "b15f96dd",
        "cstamp": "2018-05-25 14:54:39",
        "name": "儿研所",
        "creator_name": "dua:辣椒帅",
        "brief": "给儿研所项目创建的用工队"
    }, {
        "enabled": "1",
        "invite_only": "0",
        "rolec": "2",
        "usroc": "0",
        "code": "wikicivi",
        "avatar": avatar,
        "creator_id": "Dt5mvrtU",
        "private": "0",
        "id": "83b1d782",
        "cstamp": "2018-03-25 17:42:49",
        "name": "无人阅读",
        "creator_name": "dua:辣椒帅",
        "brief": "wikcivi用工队的根用户"
    }, {
        "enabled": "1",
        "invite_only": "0",
        "rolec": "0",
        "usroc": "0",
        "code": "calathus",
        "avatar": avatar,
        "creator_id": "Dt5mvrtU",
        "private": "0",
        "id": "c0d8f537",
        "cstamp": "2018-03-25 17:50:05",
        "name": "水果篮",
        "creator_name": "dua:辣椒帅",
        "brief": "faf"
    }, {
        "enabled": "0",
        "invite_only": "0",
        "rolec": "1",
        "usroc": "0",
        "code": "test",
        "avatar": "",
        "creator_id": "Dt5mvrtU",
        "private": "0",
        "id": "fbe261e0",
        "cstamp": "2018-05-27 10:33:51",
        "name": "测试",
        "creator_name": "dua:辣椒帅",
        "brief": "测试"
    }]);
    list.as_array().unwrap().clone()
}

/// A house with the demo data, and the token of the example's creator.
async fn told() -> (House, String) {
    let house = House::start().await;
    let sent = teams::fill(house.node.app.desk()).await.unwrap();
    assert_eq!(sent.teams, 28);
    let token = house.token(teams::CREATOR.0).await;
    (house, token)
}

#[tokio::test]
async fn the_documents_example_is_answered_field_by_field() {
    let (house, token) = told().await;
    let mut expected = documented();
    // Newest first; the document's order follows no field.
    expected.sort_by_key(|team| team["cstamp"].as_str().unwrap().to_owned());
    expected.reverse();
    let body = json!({
        "error": 0,
        "reason": "Success",
        "result": {"maxpage": 1, "list": expected}
    });
    for path in [OBJ, "/xdua/obj"] {
        let request = house.node.request(Method::GET, path);
        let request = request.header("apiv", "1.0.0");
        let answered = answer(request.header("authorization", &token)).await;
        assert_eq!((answered.status, &answered.body), (200, &body), "{path}");
        assert_eq!(
            answered.header("content-type"),
            "application/json; charset=utf-8"
        );
        assert_eq!(answered.header("cache-control"), "no-store");
        assert!(!answered.header("x-as-of").is_empty());
    }
}

#[tokio::test]
async fn the_documents_calls_work() {
    let (house, token) = told().await;
    let codes = async |query: &[(&str, &str)]| house.codes(&token, query).await;
    // find({'name': {'$regex':'.s.'} })
    assert!(
        codes(&[("filter", "{'name': {'$regex':'.s.'} }")])
            .await
            .is_empty()
    );
    let single = "{'code': {'$regex':'.s.'} }";
    assert_eq!(codes(&[("filter", single)]).await, ["test"]);
    for encoded in [
        BASE64.encode(single.as_bytes()),
        BASE64URL_NOPAD.encode(single.as_bytes()),
    ] {
        assert_eq!(codes(&[("filter", &encoded)]).await, ["test"], "{encoded}");
    }
    // res = await dua.qryObj('…')
    assert_eq!(
        codes(&[("filter", "^c"), ("order", "key:DESC")]).await,
        ["children", "calathus"]
    );
    assert_eq!(
        codes(&[("order", "key:DESC")]).await,
        ["wikicivi", "test", "children", "calathus"]
    );
    assert_eq!(codes(&[("filter", "{}")]).await.len(), 4);
}

#[tokio::test]
async fn telling_it_again_sends_nothing_and_leaves_what_was_changed() {
    let (house, token) = told().await;
    house
        .done("Team/b15f96dd", json!({"RemoveTeamRole": {"role_id": 1}}))
        .await;
    house.done("Team/fbe261e0", json!({"DeleteTeam": {}})).await;
    let again = teams::fill(house.node.app.desk()).await.unwrap();
    assert_eq!(again, teams::Sent::default());
    let result = house.result(&token, &[("order", "code:asc")]).await;
    assert_eq!(result["list"].as_array().unwrap().len(), 3);
    assert_eq!(result["list"][1]["code"], "children");
    assert_eq!(result["list"][1]["rolec"], "0");
}

#[tokio::test]
async fn a_long_list_has_pages() {
    let (house, _) = told().await;
    let token = house.token("Xm3kq9Lp").await;
    let result = house.result(&token, &[]).await;
    assert_eq!(result["maxpage"], 2);
    assert_eq!(result["list"].as_array().unwrap().len(), 20);
    let mut all = Vec::new();
    for page in ["1", "2", "3", "4", "5"] {
        // A page makes the offset not count.
        let query = [("page", page), ("limit", "7"), ("offset", "3")];
        let result = house.result(&token, &query).await;
        assert_eq!(result["maxpage"], 4);
        all.extend(result["list"].as_array().unwrap().clone());
    }
    let whole = house.result(&token, &[("limit", "1000")]).await;
    assert_eq!(whole["maxpage"], 1);
    assert_eq!(whole["list"], Value::Array(all));
    let stamps: Vec<&str> = whole["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|team| team["cstamp"].as_str().unwrap())
        .collect();
    assert_eq!(stamps.len(), 24);
    assert!(stamps.is_sorted_by(|a, b| a >= b), "{stamps:?}");
    let members = house
        .codes(&token, &[("filter", r#"{"usroc": {"$gte": "2"}}"#)])
        .await;
    assert_eq!(members.len(), 8);
}
