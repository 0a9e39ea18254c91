//! `contract/zhugeleida.md` 3.35, 3.37, 3.38: the cases that a customer opened, and those they collected.

use serde_json::{Value, json};

use super::library::{Library, column, is_noted, second};
use super::{is_form_refusal, is_refusal, is_success};

const LIST: &str = "/xiaochengxu/case_manage/case_list";
const BROWSED: &str = "/xiaochengxu/case_manage/browse_case_list_record";
const COLLECT: &str = "/xiaochengxu/case_manage/collection_case";
const COLLECTED: &str = "/xiaochengxu/case_manage/collection_case_list_record";

async fn open(library: &Library, case: i64) {
    library.list(LIST, &format!("&case_id={case}")).await;
}

/// Lets a case be collected or not; answers the text.
async fn collect(library: &Library, case: i64, status: i64) -> Value {
    let more = format!("&company_id={}", library.company);
    let body = json!({ "case_id": case, "status": status });
    let reply = library.post(COLLECT, &more).json(&body).send().await.json();
    assert_eq!((&reply["code"], &reply["data"]), (&json!(200), &json!({})));
    reply["msg"].clone()
}

async fn ids(library: &Library, path: &str) -> Vec<i64> {
    column(&library.list(path, "").await.0, "case_id")
}

#[tokio::test]
async fn the_history_has_a_row_for_each_time_a_case_was_opened() {
    let library = Library::start().await;
    let company_id = library.company;
    let case = library.case("李汉杰").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let tag = library.tag("隆鼻").await;
    library
        .tell("Case", case, "TagCase", json!({ "tag_ids": [tag] }))
        .await;
    open(&library, case).await;
    let written = library.at("Diary", diary, "DiaryCreated").await;
    let stream = format!("customer:{}:case:{case}", library.customer.id);
    let stream = shiji::ledger::StreamId::new("Visit", stream);
    let ledger = &library.house.service.ledger;
    let visit = ledger.stream(&stream).await.unwrap().pop().unwrap();
    // As in the library, but with the time of the visit and without that of the last change.
    let row = json!({
        "case_id": case, "company_id": company_id, "customer_name": "李汉杰", "headimgurl": "", "cover_picture": "{}",
        "status": 1, "status_text": "已发", "tag_list": [{ "id": tag, "name": "隆鼻" }],
        "last_diary_data": {
            "diary_id": diary, "case_id": case, "company_id": company_id, "title": "日记",
            "diary_date": "2019-01-28 13:50:00", "cover_picture": "{}", "content": "{}", "status": 1,
            "status_text": "已发", "cover_show_type": 1, "cover_show_type_text": "只展示图片",
            "create_date": second(written)
        },
        "create_date": second(visit.recorded_at)
    });
    let company = format!("&company_id={company_id}");
    is_noted(
        &library.get(BROWSED, &company).await,
        "查询成功",
        &json!([row]),
    );
    let other = library.case("b").await;
    open(&library, other).await;
    open(&library, case).await;
    assert_eq!(ids(&library, BROWSED).await, [case, other, case]);
    let (rows, total) = library.list(BROWSED, "&length=2&current_page=2").await;
    assert_eq!((column(&rows, "case_id"), total), (vec![case], 3));
    library.tell("Case", case, "WithdrawCase", json!({})).await;
    let (rows, total) = library.list(BROWSED, "").await;
    assert_eq!((column(&rows, "case_id"), total), (vec![other], 1));
}

#[tokio::test]
async fn a_history_is_its_customers_own_and_a_companys() {
    let library = Library::start().await;
    let case = library.case("a").await;
    open(&library, case).await;
    collect(&library, case, 1).await;
    let stranger = library.house.customer("s").await;
    let (neighbour, _) = library.neighbour().await;
    for path in [BROWSED, COLLECTED] {
        assert_eq!(ids(&library, path).await, [case]);
        let (rows, total) = library.list_as(&stranger, path, "").await;
        assert_eq!((rows.len(), total), (0, 0), "{path}");
        let reply = library.get(path, &format!("&company_id={neighbour}")).await;
        is_noted(&reply, "查询成功", &json!([]));
    }
}

#[tokio::test]
async fn a_collection_holds_each_case_once() {
    let library = Library::start().await;
    let (a, b) = (library.case("a").await, library.case("b").await);
    assert_eq!(collect(&library, a, 1).await, "收藏成功");
    assert_eq!(collect(&library, b, 1).await, "收藏成功");
    assert_eq!(collect(&library, a, 1).await, "收藏成功");
    assert_eq!(ids(&library, COLLECTED).await, [b, a]);
    let stream = format!("customer:{}:collect:case:{a}", library.customer.id);
    let reactions = async || library.house.service.events("Reaction", &stream).await;
    assert_eq!(reactions().await, ["ReactionAdded"]);
    for _ in 0..2 {
        assert_eq!(collect(&library, a, 0).await, "取消收藏成功");
    }
    assert_eq!(reactions().await, ["ReactionAdded", "ReactionRemoved"]);
    assert_eq!(ids(&library, COLLECTED).await, [b]);
    // Collected anew it comes first, with the new time.
    collect(&library, a, 1).await;
    let (rows, total) = library.list(COLLECTED, "").await;
    assert_eq!((column(&rows, "case_id"), total), (vec![a, b], 2));
    let id = shiji::ledger::StreamId::new("Reaction", stream.clone());
    let last = library.house.service.ledger.stream(&id).await.unwrap();
    let at = last.last().unwrap().recorded_at;
    assert_eq!(rows[0]["create_date"], second(at));
    assert_eq!(rows[0].get("update_date"), None);
    let (rows, total) = library.list(COLLECTED, "&length=1&current_page=2").await;
    assert_eq!((column(&rows, "case_id"), total), (vec![b], 2));
}

#[tokio::test]
async fn the_fields_of_a_collection_come_in_the_query_or_in_any_body() {
    let library = Library::start().await;
    let case = library.case("a").await;
    let company = format!("&company_id={}", library.company);
    let collected = async || ids(&library, COLLECTED).await.len();
    // Without a status it is collected.
    let more = format!("{company}&case_id={case}");
    let reply = library.post(COLLECT, &more).send().await;
    is_success(&reply, "收藏成功", &json!({}));
    assert_eq!(collected().await, 1);
    let more = format!("{company}&case_id={case}&status=0");
    let reply = library.post(COLLECT, &more).send().await;
    is_success(&reply, "取消收藏成功", &json!({}));
    assert_eq!(collected().await, 0);
    let form = format!("case_id={case}&status=1");
    let reply = library
        .post(COLLECT, &company)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    is_success(&reply.send().await, "收藏成功", &json!({}));
    assert_eq!(collected().await, 1);
    // The body wins.
    let more = format!("{company}&case_id=999&status=1");
    let body = json!({ "case_id": case.to_string(), "status": "0" });
    let reply = library.post(COLLECT, &more).json(&body).send().await;
    is_success(&reply, "取消收藏成功", &json!({}));
    assert_eq!(collected().await, 0);
}

#[tokio::test]
async fn what_is_gone_can_leave_a_collection_and_not_enter_it() {
    let library = Library::start().await;
    let (case, draft) = (library.case("a").await, library.draft("b").await);
    collect(&library, case, 1).await;
    library.tell("Case", case, "WithdrawCase", json!({})).await;
    assert_eq!(ids(&library, COLLECTED).await, [0; 0]);
    assert_eq!(collect(&library, case, 0).await, "取消收藏成功");
    let (neighbour, _) = library.neighbour().await;
    let company = library.company;
    for (company, case) in [(company, case), (company, draft), (company, 999)] {
        let more = format!("&company_id={company}&case_id={case}");
        let reply = library.post(COLLECT, &more).send().await;
        is_refusal(&reply, 302, "对应ID不存在");
    }
    library.tell("Case", case, "PublishCase", json!({})).await;
    let more = format!("&company_id={neighbour}&case_id={case}");
    let reply = library.post(COLLECT, &more).send().await;
    is_refusal(&reply, 302, "对应ID不存在");
    let more = format!("&company_id={company}&case_id={case}&status=2");
    let reply = library.post(COLLECT, &more).send().await;
    is_form_refusal(&reply, &[("status", "is out of bounds")]);
    let more = format!("&company_id={company}");
    let reply = library.post(COLLECT, &more).send().await;
    is_refusal(&reply, 301, "数据类型验证失败");
    let stream = format!("customer:{}:collect:case:{case}", library.customer.id);
    let events = library.house.service.events("Reaction", stream).await;
    assert_eq!(events, ["ReactionAdded", "ReactionRemoved"]);
}
