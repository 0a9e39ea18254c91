//! `contract/zhugeleida.md` 3.32: diaries of a company's cases.

use axum::http::Method;
use serde_json::{Value, json};

use super::is_refusal;
use super::library::{Library, column, is_noted, second};

const LIST: &str = "/admin/diary_manage/diary_list";
const ALIAS: &str = "/xiaochengxu/diary_manage/diary_list";

async fn ids(library: &Library, more: &str) -> Vec<i64> {
    column(&library.list(LIST, more).await.0, "diary_id")
}

#[tokio::test]
async fn a_diary_looks_as_documented_under_both_paths() {
    let library = Library::start().await;
    let case = library.case("李汉杰").await;
    let fields = json!({
        "case_id": case, "title": "我的美白日记1", "diary_date": "2019-01-28 13:50:00"
    });
    let diary = library.make("Diary", "CreateDiary", fields).await;
    library
        .tell("Diary", diary, "PublishDiary", json!({}))
        .await;
    let created = library.at("Diary", diary, "DiaryCreated").await;
    let mut row = json!({
        "diary_id": diary, "case_id": case, "company_id": library.company, "title": "我的美白日记1",
        "diary_date": "2019-01-28 13:50:00", "cover_picture": "{}", "content": "{}", "status": 1,
        "status_text": "已发", "interval_days": 0, "read_count": 0, "comment_count": 0, "up_count": 0,
        "is_praise_diary": 0, "is_praise_diary_text": "未点赞", "cover_show_type": 1,
        "cover_show_type_text": "只展示图片", "create_date": second(created)
    });
    let company = format!("&company_id={}", library.company);
    for path in [LIST, ALIAS] {
        is_noted(
            &library.get(path, &company).await,
            "查询成功",
            &json!([row]),
        );
    }
    let edit = json!({
        "title": "我的美白日记2", "cover_show_type": 2, "content": "[\"视频\"]", "cover_picture": "[]",
        "diary_date": "2019-01-29 00:00:00"
    });
    library.tell("Diary", diary, "EditDiary", edit).await;
    for (field, value) in [
        ("title", json!("我的美白日记2")),
        ("cover_show_type", json!(2)),
        ("cover_show_type_text", json!("只展示视频")),
        ("content", json!("[\"视频\"]")),
        ("cover_picture", json!("[]")),
        ("diary_date", json!("2019-01-29 00:00:00")),
    ] {
        row[field] = value;
    }
    is_noted(
        &library.get(LIST, &company).await,
        "查询成功",
        &json!([row]),
    );
}

#[tokio::test]
async fn opening_a_diary_counts_and_listing_does_not() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let other = library.diary(case, "2019-01-28 13:50:00").await;
    let open = format!("&diary_id={diary}");
    for (path, expected) in [(LIST, 1), (ALIAS, 2), (LIST, 3)] {
        // The answer shows the count with this reading.
        let (rows, total) = library.list(path, &open).await;
        assert_eq!((rows[0]["read_count"].as_i64(), total), (Some(expected), 1));
        assert_eq!(column(&rows, "diary_id"), [diary]);
    }
    for _ in 0..2 {
        let (rows, _) = library.list(LIST, "").await;
        assert_eq!(column(&rows, "diary_id"), [other, diary]);
        assert_eq!(column(&rows, "read_count"), [0, 3]);
    }
    let visits = library.visits(&format!("diary:{diary}")).await;
    assert_eq!(visits, ["DiaryRead"; 3]);
    let stranger = library.house.customer("s").await;
    let (rows, _) = library.list_as(&stranger, LIST, &open).await;
    assert_eq!(rows[0]["read_count"], 4);
    let signature = library.house.signature(&library.customer);
    let path = format!(
        "/zhugeleida{LIST}?{signature}&company_id={}{open}",
        library.company
    );
    library.house.service.call(Method::HEAD, &path).send().await;
    assert_eq!(library.visits(&format!("diary:{diary}")).await.len(), 3);
}

#[tokio::test]
async fn the_latest_day_comes_first_and_days_are_counted_from_the_first_one_shown() {
    let library = Library::start().await;
    let case = library.case("a").await;
    // A few minutes later, and on the next day here.
    let second = library.diary(case, "2019-01-29 00:05:00").await;
    let first = library.diary(case, "2019-01-28 23:55:00").await;
    let third = library.diary(case, "2019-03-01 12:00:00").await;
    let beside = library.case("b").await;
    let theirs = library.diary(beside, "2019-02-01 00:00:00").await;
    let before = json!({ "case_id": case, "title": "x", "diary_date": "2019-01-01 00:00:00" });
    let before = library.make("Diary", "CreateDiary", before).await;
    let (rows, total) = library.list(LIST, "").await;
    assert_eq!(
        (column(&rows, "diary_id"), total),
        (vec![third, theirs, second, first], 4)
    );
    assert_eq!(column(&rows, "interval_days"), [32, 0, 1, 0]);
    // Of this case only.
    assert_eq!(
        ids(&library, &format!("&case_id={case}")).await,
        [third, second, first]
    );
    // Once the first day is shown, all count from there.
    library
        .tell("Diary", before, "PublishDiary", json!({}))
        .await;
    let (rows, _) = library.list(LIST, &format!("&case_id={case}")).await;
    assert_eq!(column(&rows, "interval_days"), [59, 28, 27, 0]);
    // Opening one tells the same.
    let (rows, _) = library.list(LIST, &format!("&diary_id={third}")).await;
    assert_eq!(column(&rows, "interval_days"), [59]);
}

#[tokio::test]
async fn diaries_of_one_day_come_by_id_and_in_pages() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let mut diaries = Vec::new();
    for _ in 0..5 {
        diaries.insert(0, library.diary(case, "2019-01-28 13:50:00").await);
    }
    for more in ["", "&case_id=CASE"] {
        let more = more.replace("CASE", &case.to_string());
        let page = async |page: &str| {
            let (rows, total) = library.list(LIST, &format!("{more}{page}")).await;
            assert_eq!(total, 5);
            column(&rows, "diary_id")
        };
        assert_eq!(page("").await, diaries);
        assert_eq!(page("&length=2").await, diaries[..2]);
        assert_eq!(page("&length=2&current_page=3").await, diaries[4..]);
        assert_eq!(page("&length=2&current_page=4").await, diaries[5..]);
    }
}

#[tokio::test]
async fn a_diary_is_out_of_sight_with_its_case_or_by_itself() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let withdrawn = library.diary(case, "2019-01-29 13:50:00").await;
    library
        .tell("Diary", withdrawn, "WithdrawDiary", json!({}))
        .await;
    let deleted = library.diary(case, "2019-01-30 13:50:00").await;
    library
        .tell("Diary", deleted, "DeleteDiary", json!({}))
        .await;
    let (neighbour, _) = library.neighbour().await;
    let beside = library.case("b").await;
    let company = library.company;
    assert_eq!(ids(&library, "").await, [diary]);
    let gone = async |more: String| {
        is_refusal(&library.get(LIST, &more).await, 302, "对应ID不存在");
    };
    gone(format!("&company_id={company}&diary_id={withdrawn}")).await;
    gone(format!("&company_id={company}&diary_id={deleted}")).await;
    gone(format!("&company_id={company}&diary_id=999")).await;
    gone(format!("&company_id={neighbour}&diary_id={diary}")).await;
    gone(format!(
        "&company_id={company}&diary_id={diary}&case_id={beside}"
    ))
    .await;
    gone(format!("&company_id={company}&case_id=999")).await;
    gone(format!("&company_id={neighbour}&case_id={case}")).await;
    library.tell("Case", case, "WithdrawCase", json!({})).await;
    assert_eq!(library.list(LIST, "").await, (Vec::<Value>::new(), 0));
    gone(format!("&company_id={company}&diary_id={diary}")).await;
    gone(format!("&company_id={company}&case_id={case}")).await;
    library.tell("Case", case, "PublishCase", json!({})).await;
    assert_eq!(ids(&library, "").await, [diary]);
    for field in ["diary_id", "case_id"] {
        let more = format!("&company_id={company}&{field}=x");
        is_refusal(&library.get(LIST, &more).await, 301, "数据类型验证失败");
    }
    assert_eq!(library.visits(&format!("diary:{diary}")).await, [""; 0]);
}
