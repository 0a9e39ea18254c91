//! `contract/zhugeleida.md` 3.33, 3.34: what customers say about a diary.

use serde_json::{Value, json};
use shiji::commands::comment::CommentCommand;
use shiji::events::Comment;

use super::library::{Library, column, is_noted, second};
use super::{Customer, is_form_refusal, is_refusal, is_success};

const DIARIES: &str = "/admin/diary_manage/diary_list";

fn review(diary: impl std::fmt::Display) -> String {
    format!("/xiaochengxu/diary_manage/review_diary/{diary}")
}

fn reviews(diary: impl std::fmt::Display) -> String {
    format!("/xiaochengxu/diary_manage/diary_id_review_list/{diary}")
}

/// Says something; answers the comment's id.
async fn say(library: &Library, customer: &Customer, diary: i64, content: &str) -> i64 {
    let head = library.house.service.head().await;
    let call = library.post_as(customer, &review(diary), "");
    let reply = call.json(&json!({ "content": content })).send().await;
    is_success(&reply, "成功", &json!({}));
    let written = library.house.service.since(head).await;
    let stream = &written.last().unwrap().stream;
    assert_eq!(stream.aggregate, "Comment");
    stream.id.parse().unwrap()
}

async fn introduce(library: &Library, customer: &Customer, name: &str, picture: &str) {
    let body = json!({
        "username": name, "headimgurl": picture, "city": "", "country": "", "province": "", "language": ""
    });
    let call = library.house.post(customer, "/login/send_user_info");
    assert_eq!(call.json(&body).send().await.json()["code"], 200);
}

async fn comment_count(library: &Library) -> Value {
    library.list(DIARIES, "").await.0[0]["comment_count"].clone()
}

#[tokio::test]
async fn comments_come_newest_first_with_who_wrote_them() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let me = library.customer.clone();
    introduce(&library, &me, "做自己", "https://wx.qlogo.cn/132").await;
    let mine = say(&library, &me, diary, " 不错的日记。。。。 ").await;
    let stranger = library.house.customer("s").await;
    let theirs = say(&library, &stranger, diary, "我是你大爷").await;
    let row = async |comment: i64,
                     customer: &Customer,
                     name: &str,
                     picture: &str,
                     content: &str| {
        let at = library.at("Comment", comment, "CommentPublished").await;
        json!({
            "from_customer_id": customer.id, "from_customer_name": name, "from_customer_headimgurl": picture,
            "content": content, "create_time": second(at)
        })
    };
    let unknown = "statics/imgs/setAvator.jpg";
    let rows = json!([
        row(theirs, &stranger, "", unknown, "我是你大爷").await,
        row(
            mine,
            &me,
            "做自己",
            "https://wx.qlogo.cn/132",
            "不错的日记。。。。"
        )
        .await,
    ]);
    is_noted(&library.get(&reviews(diary), "").await, "查询成功", &rows);
    assert_eq!(comment_count(&library).await, 2);
    // Who is called otherwise is called so everywhere.
    introduce(&library, &stranger, "小满", "x.jpg").await;
    let (rows, _) = library.list(&reviews(diary), "").await;
    assert_eq!(rows[0]["from_customer_name"], "小满");
    assert_eq!(rows[0]["from_customer_headimgurl"], "x.jpg");
    // What staff deletes is neither shown nor counted.
    let service = &library.house.service;
    let delete = CommentCommand::Delete { reason: None };
    let id = theirs.to_string();
    let (desk, system) = (service.app.desk(), service.system());
    let deleted = desk.execute::<Comment>(&system, &id, delete).await;
    deleted.unwrap();
    let (rows, total) = library.list(&reviews(diary), "").await;
    assert_eq!((column(&rows, "from_customer_id"), total), (vec![me.id], 1));
    assert_eq!(comment_count(&library).await, 1);
}

#[tokio::test]
async fn comments_come_in_pages_and_are_their_diarys_own() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let beside = library.diary(case, "2019-01-27 13:50:00").await;
    let me = library.customer.clone();
    for number in 0..3 {
        say(&library, &me, diary, &number.to_string()).await;
    }
    let page = async |more: &str| {
        let (rows, total) = library.list(&reviews(diary), more).await;
        let said = rows
            .iter()
            .map(|row| row["content"].as_str().unwrap().to_owned());
        (said.collect::<Vec<_>>(), total)
    };
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(page("").await, (texts(&["2", "1", "0"]), 3));
    assert_eq!(page("&length=2").await, (texts(&["2", "1"]), 3));
    assert_eq!(page("&length=2&current_page=2").await, (texts(&["0"]), 3));
    assert_eq!(page("&length=2&current_page=3").await, (texts(&[]), 3));
    is_noted(
        &library.get(&reviews(beside), "").await,
        "查询成功",
        &json!([]),
    );
    let reply = library.get(&reviews(diary), "&length=0").await;
    is_form_refusal(&reply, &[("length", "is out of bounds")]);
}

#[tokio::test]
async fn a_comment_has_bounds_and_a_diary_that_is_shown() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let me = library.customer.clone();
    say(&library, &me, diary, &"语".repeat(500)).await;
    let post = async |path: String, more: &str, body: Value| {
        library.post(&path, more).json(&body).send().await
    };
    for (content, flaw) in [
        (json!({}), "is missing"),
        (json!({ "content": null }), "is missing"),
        (json!({ "content": "  " }), "is out of bounds"),
        (json!({ "content": "语".repeat(501) }), "is out of bounds"),
        (json!({ "content": "a\0" }), "is out of bounds"),
    ] {
        let reply = post(review(diary), "", content).await;
        is_form_refusal(&reply, &[("content", flaw)]);
    }
    let sound = || json!({ "content": "好" });
    let (neighbour, _) = library.neighbour().await;
    let foreign = format!("&company_id={neighbour}");
    is_refusal(
        &post(review("x"), "", sound()).await,
        301,
        "数据类型验证失败",
    );
    is_refusal(&post(review(999), "", sound()).await, 302, "对应ID不存在");
    is_refusal(
        &post(review(diary), &foreign, sound()).await,
        302,
        "对应ID不存在",
    );
    is_refusal(
        &post(review(diary), "&company_id=x", sound()).await,
        301,
        "数据类型验证失败",
    );
    is_refusal(
        &library.get(&reviews("x"), "").await,
        301,
        "数据类型验证失败",
    );
    is_refusal(&library.get(&reviews(999), "").await, 302, "对应ID不存在");
    is_refusal(
        &library.get(&reviews(diary), &foreign).await,
        302,
        "对应ID不存在",
    );
    library
        .tell("Diary", diary, "WithdrawDiary", json!({}))
        .await;
    is_refusal(&post(review(diary), "", sound()).await, 302, "对应ID不存在");
    is_refusal(&library.get(&reviews(diary), "").await, 302, "对应ID不存在");
    library
        .tell("Diary", diary, "PublishDiary", json!({}))
        .await;
    library.tell("Case", case, "WithdrawCase", json!({})).await;
    is_refusal(&post(review(diary), "", sound()).await, 302, "对应ID不存在");
    is_refusal(&library.get(&reviews(diary), "").await, 302, "对应ID不存在");
    // Nothing of all this was written, and what was is there again with its case.
    library.tell("Case", case, "PublishCase", json!({})).await;
    assert_eq!(comment_count(&library).await, 1);
    let own = format!("&company_id={}", library.company);
    let reply = post(review(diary), &own, sound()).await;
    is_success(&reply, "成功", &json!({}));
}

#[tokio::test]
async fn only_a_key_keeps_a_comment_from_being_written_twice() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let send = async |key: Option<&str>, content: &str| {
        let mut call = library.post(&review(diary), "");
        if let Some(key) = key {
            call = call.header("idempotency-key", key);
        }
        call.json(&json!({ "content": content })).send().await
    };
    for _ in 0..2 {
        is_success(&send(None, "好").await, "成功", &json!({}));
    }
    assert_eq!(comment_count(&library).await, 2);
    for _ in 0..2 {
        is_success(&send(Some("k"), "好").await, "成功", &json!({}));
    }
    assert_eq!(comment_count(&library).await, 3);
    let reply = send(Some("k"), "another").await.json();
    assert_eq!(reply["code"], 409);
    assert_eq!(comment_count(&library).await, 3);
}
