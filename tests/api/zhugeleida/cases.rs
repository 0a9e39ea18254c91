//! `contract/zhugeleida.md` 3.28: the case library, one case of it, and looking cases up by a tag.

use axum::http::Method;
use serde_json::{Value, json};

use super::library::{Library, column, is_noted, second};
use super::{is_form_refusal, is_refusal};

const LIST: &str = "/xiaochengxu/case_manage/case_list";

async fn ids(library: &Library, more: &str) -> Vec<i64> {
    column(&library.list(LIST, more).await.0, "case_id")
}

#[tokio::test]
async fn a_case_looks_as_documented() {
    let library = Library::start().await;
    let company_id = library.company;
    let fields = json!({
        "company_id": company_id, "customer_name": "李汉杰-就是我，不一样的暗火", "headimgurl": "xxx.jpg"
    });
    let case_id = library.make("Case", "CreateCase", fields).await;
    library
        .tell("Case", case_id, "PublishCase", json!({}))
        .await;
    let fields = json!({
        "case_id": case_id, "title": "我的美白日记1", "diary_date": "2019-01-28 13:50:00"
    });
    let diary_id = library.make("Diary", "CreateDiary", fields).await;
    library
        .tell("Diary", diary_id, "PublishDiary", json!({}))
        .await;
    let created = library.at("Diary", diary_id, "DiaryCreated").await;
    let diary = json!({
        "diary_id": diary_id, "case_id": case_id, "company_id": company_id, "title": "我的美白日记1",
        "diary_date": "2019-01-28 13:50:00", "cover_picture": "{}", "content": "{}", "status": 1,
        "status_text": "已发", "cover_show_type": 1, "cover_show_type_text": "只展示图片",
        "create_date": second(created)
    });
    let updated = library.at("Diary", diary_id, "DiaryPublished").await;
    let created = library.at("Case", case_id, "CaseCreated").await;
    let mut case = json!({
        "case_id": case_id, "company_id": company_id, "customer_name": "李汉杰-就是我，不一样的暗火",
        "headimgurl": "xxx.jpg", "cover_picture": "{}", "status": 1, "status_text": "已发", "tag_list": [],
        "last_diary_data": diary, "update_date": second(updated), "create_date": second(created)
    });
    let company = format!("&company_id={company_id}");
    is_noted(
        &library.get(LIST, &company).await,
        "查询成功",
        &json!([case]),
    );
    let single = format!("{company}&case_id={case_id}");
    is_noted(
        &library.get(LIST, &single).await,
        "查询成功",
        &json!([case]),
    );
    // Tags come by id, whatever the order they were given in, under the names they have now.
    let (two, one) = (library.tag("隆鼻").await, library.tag("隆胸").await);
    library
        .tell("Case", case_id, "TagCase", json!({ "tag_ids": [one, two] }))
        .await;
    library
        .tell("Tag", one, "RenameTag", json!({ "name": "美白" }))
        .await;
    case["tag_list"] = json!([{ "id": two, "name": "隆鼻" }, { "id": one, "name": "美白" }]);
    let updated = library.at("Case", case_id, "CaseTagged").await;
    case["update_date"] = json!(second(updated));
    let tagged = format!("{company}&search_tag_id={one}");
    is_noted(
        &library.get(LIST, &tagged).await,
        "查询成功",
        &json!([case]),
    );
}

#[tokio::test]
async fn whatever_changes_comes_first() {
    let library = Library::start().await;
    let a = library.case("a").await;
    let b = library.case("b").await;
    let c = library.case("c").await;
    library.draft("nobody sees it").await;
    assert_eq!(ids(&library, "").await, [c, b, a]);
    let fields = json!({ "case_id": a, "title": "x", "diary_date": "2019-01-28 13:50:00" });
    let diary = library.make("Diary", "CreateDiary", fields).await;
    // What nobody sees yet is no news.
    assert_eq!(ids(&library, "").await, [c, b, a]);
    library
        .tell("Diary", diary, "PublishDiary", json!({}))
        .await;
    assert_eq!(ids(&library, "").await, [a, c, b]);
    library
        .tell("Case", b, "EditCase", json!({ "headimgurl": "y.jpg" }))
        .await;
    assert_eq!(ids(&library, "").await, [b, a, c]);
    let tag = library.tag("隆鼻").await;
    library
        .tell("Case", c, "TagCase", json!({ "tag_ids": [tag] }))
        .await;
    assert_eq!(ids(&library, "").await, [c, b, a]);
    library
        .tell("Diary", diary, "EditDiary", json!({ "title": "y" }))
        .await;
    assert_eq!(ids(&library, "").await, [a, c, b]);
    // Nor is what goes away; what comes back is.
    library
        .tell("Diary", diary, "WithdrawDiary", json!({}))
        .await;
    library.tell("Diary", diary, "DeleteDiary", json!({})).await;
    library.tell("Case", b, "WithdrawCase", json!({})).await;
    assert_eq!(ids(&library, "").await, [a, c]);
    library.tell("Case", b, "PublishCase", json!({})).await;
    assert_eq!(ids(&library, "").await, [b, a, c]);
    // The same again changes nothing.
    library
        .tell("Case", a, "EditCase", json!({ "customer_name": "a" }))
        .await;
    assert_eq!(ids(&library, "").await, [b, a, c]);
}

#[tokio::test]
async fn the_last_diary_is_that_of_the_latest_day() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let last = async || {
        let (rows, _) = library.list(LIST, "").await;
        rows[0]["last_diary_data"].clone()
    };
    assert_eq!(last().await, json!({}));
    let late = library.diary(case, "2019-01-30 08:00:00").await;
    let early = library.diary(case, "2019-01-28 13:50:00").await;
    assert_eq!(last().await["diary_id"], late, "not {early}");
    let same_day = library.diary(case, "2019-01-30 08:00:00").await;
    assert_eq!(last().await["diary_id"], same_day);
    let video = json!({ "cover_show_type": 2, "content": "[\"视频\"]" });
    library.tell("Diary", same_day, "EditDiary", video).await;
    let shown = last().await;
    assert_eq!(
        (
            &shown["cover_show_type"],
            &shown["cover_show_type_text"],
            &shown["content"]
        ),
        (&json!(2), &json!("只展示视频"), &json!("[\"视频\"]"))
    );
    library
        .tell("Diary", same_day, "WithdrawDiary", json!({}))
        .await;
    library.tell("Diary", late, "DeleteDiary", json!({})).await;
    assert_eq!(last().await["diary_id"], early);
}

#[tokio::test]
async fn the_library_comes_in_pages() {
    let library = Library::start().await;
    let mut cases = Vec::new();
    for number in 0..5 {
        cases.insert(0, library.case(&number.to_string()).await);
    }
    let page = async |more: &str| {
        let (rows, total) = library.list(LIST, more).await;
        assert_eq!(total, 5, "{more}");
        column(&rows, "case_id")
    };
    assert_eq!(page("").await, cases);
    assert_eq!(page("&length=2").await, cases[..2]);
    assert_eq!(page("&length=2&current_page=3").await, cases[4..]);
    assert_eq!(page("&length=2&current_page=4").await, cases[5..]);
    let company = format!("&company_id={}", library.company);
    for field in ["length", "current_page"] {
        let reply = library.get(LIST, &format!("{company}&{field}=-1")).await;
        is_form_refusal(&reply, &[(field, "is out of bounds")]);
    }
    let (neighbour, _) = library.neighbour().await;
    let reply = library.get(LIST, &format!("&company_id={neighbour}")).await;
    is_noted(&reply, "查询成功", &json!([]));
}

#[tokio::test]
async fn opening_a_case_is_recorded_each_time() {
    let library = Library::start().await;
    let (case, other) = (library.case("a").await, library.case("b").await);
    for _ in 0..2 {
        let more = format!("&case_id={case}");
        assert_eq!(ids(&library, &more).await, [case]);
    }
    ids(&library, "").await;
    let visits = library.visits(&format!("case:{case}")).await;
    assert_eq!(visits, ["CaseBrowsed", "CaseBrowsed"]);
    assert_eq!(library.visits(&format!("case:{other}")).await, [""; 0]);
    // A browser that only looks ahead records nothing.
    let signature = library.house.signature(&library.customer);
    let path = format!(
        "/zhugeleida{LIST}?{signature}&company_id={}&case_id={case}",
        library.company
    );
    let reply = library.house.service.call(Method::HEAD, &path).send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(library.visits(&format!("case:{case}")).await.len(), 2);
}

#[tokio::test]
async fn a_case_out_of_sight_or_of_another_company_is_none() {
    let library = Library::start().await;
    let (neighbour, _) = library.neighbour().await;
    let (case, draft) = (library.case("a").await, library.draft("b").await);
    let gone = library.case("c").await;
    library.tell("Case", gone, "DeleteCase", json!({})).await;
    let company = library.company;
    for more in [
        format!("&company_id={company}&case_id={draft}"),
        format!("&company_id={company}&case_id={gone}"),
        format!("&company_id={company}&case_id=999"),
        format!("&company_id={neighbour}&case_id={case}"),
    ] {
        is_refusal(&library.get(LIST, &more).await, 302, "对应ID不存在");
    }
    let more = format!("&company_id={company}&case_id=x");
    is_refusal(&library.get(LIST, &more).await, 301, "数据类型验证失败");
    library.tell("Case", case, "WithdrawCase", json!({})).await;
    let more = format!("&company_id={company}&case_id={case}");
    is_refusal(&library.get(LIST, &more).await, 302, "对应ID不存在");
}

#[tokio::test]
async fn looking_cases_up_by_a_tag_counts_once_for_all_its_pages() {
    let library = Library::start().await;
    let (tag, bare) = (library.tag("隆鼻").await, library.tag("汽车").await);
    let a = library.case("a").await;
    library.case("untagged").await;
    let b = library.case("b").await;
    for case in [a, b] {
        library
            .tell("Case", case, "TagCase", json!({ "tag_ids": [tag] }))
            .await;
    }
    let by = |tag: i64, more: &str| format!("&search_tag_id={tag}{more}");
    assert_eq!(ids(&library, &by(tag, "")).await, [b, a]);
    let (rows, total) = library
        .list(LIST, &by(tag, "&length=1&current_page=2"))
        .await;
    assert_eq!((column(&rows, "case_id"), total), (vec![a], 2));
    assert_eq!(library.visits(&format!("tag:{tag}")).await, ["TagSearched"]);
    assert_eq!(ids(&library, &by(bare, "")).await, [0; 0]);
    assert_eq!(
        library.visits(&format!("tag:{bare}")).await,
        ["TagSearched"]
    );
    // Both at once: this case, if it carries the tag.
    let (rows, total) = library.list(LIST, &by(tag, &format!("&case_id={a}"))).await;
    assert_eq!((column(&rows, "case_id"), total), (vec![a], 1));
    let (rows, total) = library
        .list(LIST, &by(bare, &format!("&case_id={a}")))
        .await;
    assert_eq!((rows, total), (Vec::<Value>::new(), 0));
    library
        .tell("Case", a, "TagCase", json!({ "tag_ids": [] }))
        .await;
    assert_eq!(ids(&library, &by(tag, "")).await, [b]);
}

#[tokio::test]
async fn a_tag_that_is_gone_or_of_another_company_is_none() {
    let library = Library::start().await;
    let (neighbour, _) = library.neighbour().await;
    let (tag, gone) = (library.tag("隆鼻").await, library.tag("汽车").await);
    library.tell("Tag", gone, "DeleteTag", json!({})).await;
    let company = library.company;
    for page in ["", "&current_page=2"] {
        for more in [
            format!("&company_id={neighbour}&search_tag_id={tag}{page}"),
            format!("&company_id={company}&search_tag_id={gone}{page}"),
            format!("&company_id={company}&search_tag_id=999{page}"),
        ] {
            is_refusal(&library.get(LIST, &more).await, 302, "对应ID不存在");
        }
    }
    let more = format!("&company_id={company}&search_tag_id=x");
    is_refusal(&library.get(LIST, &more).await, 301, "数据类型验证失败");
}
