//! `contract/zhugeleida.md` 3.36: praise of a diary, which goes back and forth.

use std::time::Duration;

use serde_json::{Value, json};

use super::library::Library;
use super::{Customer, is_form_refusal, is_refusal, is_success};

const DIARIES: &str = "/admin/diary_manage/diary_list";

fn praise(diary: impl std::fmt::Display) -> String {
    format!("/xiaochengxu/diary_manage/praise_diary/{diary}")
}

/// A request that was never sent before.
async fn send(library: &Library, customer: &Customer, diary: i64, more: &str) -> Value {
    library.house.service.sleep(Duration::from_millis(1));
    let reply = library.post_as(customer, &praise(diary), more).send().await;
    let json = reply.json();
    assert_eq!((&json["code"], &json["data"]), (&json!(200), &json!({})));
    json["msg"].clone()
}

/// How often the diary is praised, and whether by this customer.
async fn stands(library: &Library, customer: &Customer) -> (i64, i64, Value) {
    let (rows, _) = library.list_as(customer, DIARIES, "").await;
    let number = |field: &str| rows[0][field].as_i64().unwrap();
    let text = rows[0]["is_praise_diary_text"].clone();
    (number("up_count"), number("is_praise_diary"), text)
}

async fn diary(library: &Library) -> i64 {
    let case = library.case("a").await;
    library.diary(case, "2019-01-28 13:50:00").await
}

#[tokio::test]
async fn praise_of_a_diary_goes_back_and_forth() {
    let library = Library::start().await;
    let diary = diary(&library).await;
    let (me, other) = (library.customer.clone(), library.house.customer("o").await);
    assert_eq!(stands(&library, &me).await, (0, 0, json!("未点赞")));
    assert_eq!(send(&library, &me, diary, "").await, "点赞成功");
    assert_eq!(send(&library, &other, diary, "").await, "点赞成功");
    assert_eq!(stands(&library, &me).await, (2, 1, json!("已点赞")));
    assert_eq!(send(&library, &me, diary, "").await, "取消点赞成功");
    assert_eq!(stands(&library, &me).await, (1, 0, json!("未点赞")));
    assert_eq!(stands(&library, &other).await, (1, 1, json!("已点赞")));
    let stream = format!("customer:{}:praise:diary:{diary}", me.id);
    let events = library.house.service.events("Reaction", stream).await;
    assert_eq!(events, ["ReactionAdded", "ReactionRemoved"]);
}

#[tokio::test]
async fn a_status_sets_instead_of_flipping() {
    let library = Library::start().await;
    let diary = diary(&library).await;
    let me = library.customer.clone();
    for (status, msg, expected) in [
        (0, "取消点赞成功", 0),
        (1, "点赞成功", 1),
        (1, "点赞成功", 1),
        (0, "取消点赞成功", 0),
    ] {
        let more = format!("&company_id={}&status={status}", library.company);
        assert_eq!(send(&library, &me, diary, &more).await, msg);
        assert_eq!(stands(&library, &me).await.0, expected);
    }
    let reply = library
        .post(&praise(diary), "")
        .json(&json!({ "status": "1" }));
    is_success(&reply.send().await, "点赞成功", &json!({}));
    let reply = library.post(&praise(diary), "&status=2").send().await;
    is_form_refusal(&reply, &[("status", "is out of bounds")]);
    assert_eq!(stands(&library, &me).await.0, 1);
}

#[tokio::test]
async fn the_very_same_request_within_two_seconds_flips_nothing() {
    let library = Library::start().await;
    let diary = diary(&library).await;
    let signature = library.house.signature(&library.customer);
    let path = format!("/zhugeleida{}?{signature}", praise(diary));
    let post = async || library.house.service.post(&path).send().await.json()["msg"].clone();
    assert_eq!(post().await, "点赞成功");
    assert_eq!(post().await, "点赞成功");
    assert_eq!(stands(&library, &library.customer).await.0, 1);
    library.house.service.sleep(Duration::from_millis(2100));
    assert_eq!(post().await, "取消点赞成功");
    assert_eq!(stands(&library, &library.customer).await.0, 0);
}

#[tokio::test]
async fn what_is_out_of_sight_is_praised_no_more_but_praise_can_be_taken_back() {
    let library = Library::start().await;
    let diary = diary(&library).await;
    let me = library.customer.clone();
    send(&library, &me, diary, "").await;
    library
        .tell("Diary", diary, "WithdrawDiary", json!({}))
        .await;
    let reply = library
        .post_as(&library.house.customer("o").await, &praise(diary), "")
        .send()
        .await;
    is_refusal(&reply, 302, "对应ID不存在");
    assert_eq!(
        send(&library, &me, diary, "&status=0").await,
        "取消点赞成功"
    );
    library.house.service.sleep(Duration::from_millis(1));
    let reply = library.post(&praise(diary), "").send().await;
    is_refusal(&reply, 302, "对应ID不存在");
    library
        .tell("Diary", diary, "PublishDiary", json!({}))
        .await;
    assert_eq!(stands(&library, &me).await.0, 0);
    let (neighbour, _) = library.neighbour().await;
    for (path, more, code, msg) in [
        (praise("x"), String::new(), 301, "数据类型验证失败"),
        (praise(999), String::new(), 302, "对应ID不存在"),
        (
            praise(diary),
            format!("&company_id={neighbour}"),
            302,
            "对应ID不存在",
        ),
        (
            praise(diary),
            "&company_id=x".to_owned(),
            301,
            "数据类型验证失败",
        ),
    ] {
        is_refusal(&library.post(&path, &more).send().await, code, msg);
    }
}
