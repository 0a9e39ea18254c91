//! `contract/zhugeleida.md` 3.29–3.31: a company's tags, those a customer looked for, and those that are looked for most.

use serde_json::{Value, json};

use super::library::{Library, column, encoded, is_noted};
use super::{Customer, is_form_refusal, is_refusal, is_success};

const CASES: &str = "/xiaochengxu/case_manage/case_list";
const LIST: &str = "/xiaochengxu/case_tag/case_list";
const HISTORY: &str = "/xiaochengxu/case_tag/history_case_list";
const HOT: &str = "/xiaochengxu/case_tag/top_search_tag_list";

async fn tags(library: &Library, names: &[&str]) -> Vec<i64> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(library.tag(name).await);
    }
    ids
}

async fn search(library: &Library, customer: &Customer, tag: i64) {
    let more = format!("&search_tag_id={tag}");
    library.list_as(customer, CASES, &more).await;
}

async fn ids(library: &Library, path: &str) -> Vec<i64> {
    column(&library.list(path, "").await.0, "id")
}

#[tokio::test]
async fn the_tags_of_a_company_come_by_id() {
    let library = Library::start().await;
    let names = ["家装知识", "汽车", "金融", "美食"];
    let ids = tags(&library, &names).await;
    let rows: Vec<Value> = ids
        .iter()
        .zip(names)
        .map(|(id, name)| json!({ "id": id, "name": name }))
        .collect();
    let (neighbour, _) = library.neighbour().await;
    // This list has no note.
    let reply = library
        .get(LIST, &format!("&company_id={}", library.company))
        .await;
    is_success(&reply, "", &json!({ "ret_data": rows, "data_count": 4 }));
    let reply = library.get(LIST, &format!("&company_id={neighbour}")).await;
    is_success(&reply, "", &json!({ "ret_data": [], "data_count": 0 }));
    library.tell("Tag", ids[1], "DeleteTag", json!({})).await;
    assert_eq!(self::ids(&library, LIST).await, [ids[0], ids[2], ids[3]]);
}

#[tokio::test]
async fn a_search_finds_a_part_of_the_name_in_any_letter_case_and_takes_it_literally() {
    let library = Library::start().await;
    let names = ["隆胸", "隆鼻", "100%纯棉", "A_b", "Straße", "ÉTÉ"];
    let ids = tags(&library, &names).await;
    let found = async |text: &str| {
        let (rows, total) = library
            .list(LIST, &format!("&name={}", encoded(text)))
            .await;
        assert_eq!(i64::try_from(rows.len()).unwrap(), total);
        column(&rows, "id")
    };
    assert_eq!(found("隆").await, ids[..2]);
    assert_eq!(found("鼻").await, [ids[1]]);
    assert_eq!(found("%").await, [ids[2]]);
    assert_eq!(found("a_B").await, [ids[3]]);
    assert_eq!(found("_").await, [ids[3]]);
    assert_eq!(found("STRA").await, [ids[4]]);
    assert_eq!(found("été").await, [ids[5]]);
    assert_eq!(found("\\").await, [0; 0]);
    assert_eq!(found(" ").await, ids);
    assert_eq!(found(&"隆".repeat(50)).await, [0; 0]);
    let company = format!("&company_id={}", library.company);
    let long = format!("{company}&name={}", encoded(&"隆".repeat(51)));
    is_form_refusal(
        &library.get(LIST, &long).await,
        &[("name", "is out of bounds")],
    );
    // Typing is no search: choosing a tag is.
    assert_eq!(self::ids(&library, HISTORY).await, [0; 0]);
    assert_eq!(self::ids(&library, HOT).await, [0; 0]);
}

#[tokio::test]
async fn the_history_has_each_tag_once_the_last_first() {
    let library = Library::start().await;
    let ids = tags(&library, &["家装知识", "隆鼻", "金融"]).await;
    let me = &library.customer;
    search(&library, me, ids[1]).await;
    let company = format!("&company_id={}", library.company);
    let row = json!([{ "id": ids[1], "name": "隆鼻" }]);
    is_noted(&library.get(HISTORY, &company).await, "", &row);
    for tag in [ids[0], ids[2], ids[1], ids[0]] {
        search(&library, me, tag).await;
    }
    assert_eq!(self::ids(&library, HISTORY).await, [ids[0], ids[1], ids[2]]);
    library.tell("Tag", ids[1], "DeleteTag", json!({})).await;
    assert_eq!(self::ids(&library, HISTORY).await, [ids[0], ids[2]]);
    let stranger = library.house.customer("s").await;
    let (rows, _) = library.list_as(&stranger, HISTORY, "").await;
    assert_eq!(rows, Vec::<Value>::new());
}

#[tokio::test]
async fn the_history_ends_after_twenty_tags_and_the_hot_ones_after_ten() {
    let library = Library::start().await;
    let names: Vec<String> = (0..21).map(|number| format!("标签{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut ids = tags(&library, &names).await;
    for tag in &ids {
        search(&library, &library.customer, *tag).await;
    }
    ids.reverse();
    assert_eq!(self::ids(&library, HISTORY).await, ids[..20]);
    // All were looked for once: the last ones come first.
    assert_eq!(self::ids(&library, HOT).await, ids[..10]);
}

#[tokio::test]
async fn hot_tags_are_those_that_everybody_looks_for_most() {
    let library = Library::start().await;
    let ids = tags(&library, &["家装知识", "隆鼻", "金融", "美食"]).await;
    let other = library.house.customer("o").await;
    for (customer, tag) in [
        (&other, ids[1]),
        (&library.customer, ids[2]),
        (&library.customer, ids[1]),
        (&other, ids[0]),
    ] {
        search(&library, customer, tag).await;
    }
    let rows = json!([
        { "id": ids[1], "name": "隆鼻" },
        { "id": ids[0], "name": "家装知识" },
        { "id": ids[2], "name": "金融" }
    ]);
    let company = format!("&company_id={}", library.company);
    is_noted(&library.get(HOT, &company).await, "", &rows);
    library.tell("Tag", ids[1], "DeleteTag", json!({})).await;
    assert_eq!(self::ids(&library, HOT).await, [ids[0], ids[2]]);
    let (neighbour, _) = library.neighbour().await;
    let reply = library.get(HOT, &format!("&company_id={neighbour}")).await;
    is_noted(&reply, "", &json!([]));
    let reply = library.get(HOT, "&company_id=999").await;
    is_refusal(&reply, 302, "对应ID不存在");
}
