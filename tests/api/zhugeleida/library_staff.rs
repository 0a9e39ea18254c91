//! The staff commands behind a company's shelf, website and case library (`contract/zhugeleida.md` 4).

use serde_json::{Value, json};

use super::library::Library;
use super::staff::{is_done, refused};

const MISSING: [(&str, &str); 5] = [
    ("Product/999", "PublishProduct"),
    ("Tag/999", "DeleteTag"),
    ("Case/999", "PublishCase"),
    ("Diary/999", "PublishDiary"),
    ("Diary/999", "DeleteDiary"),
];

fn content() -> Value {
    json!({ "cover_data": [], "article_data": [{ "type": "title", "data": ["x"] }] })
}

#[tokio::test]
async fn a_product_goes_on_the_shelf_and_off_it() {
    let library = Library::start().await;
    let house = &library.house;
    let create = json!({ "CreateProduct": {
        "company_id": library.company, "name": " 门票 ", "price": "128", "content": content()
    } });
    let made = house.done("Product/new", create.clone()).await;
    let to = format!("Product/{}", made["id"].as_str().unwrap());
    assert_eq!(
        (&made["version"], &made["events"]),
        (&json!(1), &json!(["ProductCreated"]))
    );
    for (version, command, event) in [
        (2, "PublishProduct", "ProductPublished"),
        (3, "RecommendProduct", "ProductRecommended"),
        (4, "WithdrawProduct", "ProductWithdrawn"),
    ] {
        is_done(house, &to, json!({ command: {} }), version, &[event]).await;
        is_done(house, &to, json!({ command: {} }), version, &[]).await;
    }
    let edit = || json!({ "EditProduct": { "name": "门票", "reason": "有理想-不讲究" } });
    is_done(house, &to, edit(), 5, &["ProductEdited"]).await;
    is_done(house, &to, edit(), 5, &[]).await;
    refused(house, &to, create, 409, "conflict").await;
    let nowhere = json!({ "CreateProduct": {
        "company_id": 999, "name": "x", "price": "", "content": content()
    } });
    refused(house, "Product/new", nowhere, 302, "not_found").await;
    let elsewhere = json!({ "EditProduct": { "company_id": 2 } });
    refused(house, &to, elsewhere, 303, "validation").await;
}

/// Each field with a value it cannot have, in a creation that is sound otherwise and in an edit.
async fn bounds(library: &Library, aggregate: &str, sound: Value, flaws: &[(&str, Value)]) {
    let house = &library.house;
    let (new, create) = (format!("{aggregate}/new"), format!("Create{aggregate}"));
    let made = house.done(&new, json!({ create.clone(): sound })).await;
    let to = format!("{aggregate}/{}", made["id"].as_str().unwrap());
    for (field, value) in flaws {
        let mut fields = sound.clone();
        fields[*field] = value.clone();
        let command = json!({ create.clone(): fields });
        let data = refused(house, &new, command, 303, "validation").await;
        assert!(data[*field].is_array(), "{field}: {data}");
        // What names the owner is not edited; tags have a command of their own.
        if !["company_id", "case_id", "tag_ids"].contains(field) {
            let edit = json!({ format!("Edit{aggregate}"): { *field: value } });
            let data = refused(house, &to, edit, 303, "validation").await;
            assert!(data[*field].is_array(), "{field}: {data}");
        }
    }
}

#[tokio::test]
async fn a_product_has_bounds() {
    let library = Library::start().await;
    let sound = json!({
        "company_id": library.company, "name": "语".repeat(200), "price": "语".repeat(100),
        "reason": "语".repeat(500), "content": content()
    });
    let block = |kind: &str, text: &str| json!([{ "type": kind, "data": [text] }]);
    let of = |article: Value| json!({ "cover_data": [], "article_data": article });
    let flaws = [
        ("company_id", json!("1")),
        ("name", json!(" ")),
        ("name", json!("语".repeat(201))),
        ("price", json!("语".repeat(101))),
        ("reason", json!("语".repeat(501))),
        ("content", of(block("title", &"x".repeat(64 << 10)))),
        ("content", of(block("title", "a\0"))),
        ("colour", json!("red")),
    ];
    bounds(&library, "Product", sound.clone(), &flaws).await;
    for content in [json!({}), json!("{}"), of(block("video", "x"))] {
        let mut fields = sound.clone();
        fields["content"] = content;
        let create = json!({ "CreateProduct": fields });
        refused(&library.house, "Product/new", create, 303, "validation").await;
    }
}

#[tokio::test]
async fn a_website_is_set_as_a_whole() {
    let library = Library::start().await;
    let house = &library.house;
    let to = format!("Website/{}", library.company);
    let set = |cover: Value, content: Value| json!({ "SetWebsitePictures": { "cover_picture": cover, "content_picture": content } });
    let sound = || set(json!(["a.png"]), json!(vec!["b.png"; 50]));
    is_done(house, &to, sound(), 1, &["WebsitePicturesSet"]).await;
    is_done(house, &to, sound(), 1, &[]).await;
    let none = || set(json!([]), json!([]));
    is_done(house, &to, none(), 2, &["WebsitePicturesSet"]).await;
    for cover in [
        json!(vec!["a.png"; 51]),
        json!([""]),
        json!(["x".repeat(513)]),
        json!("a.png"),
    ] {
        let data = refused(house, &to, set(cover, json!([])), 303, "validation").await;
        assert!(
            data["cover_picture"].is_array() || data["cover_picture[0]"].is_array(),
            "{data}"
        );
    }
    let missing = json!({ "SetWebsitePictures": { "cover_picture": [] } });
    refused(house, &to, missing, 303, "validation").await;
    refused(house, "Website/999", none(), 302, "not_found").await;
}

#[tokio::test]
async fn a_tag_has_a_name_of_its_own_in_its_company() {
    let library = Library::start().await;
    let house = &library.house;
    let create =
        |company: i64, name: &str| json!({ "CreateTag": { "company_id": company, "name": name } });
    let made = house
        .done("Tag/new", create(library.company, " 隆鼻 "))
        .await;
    assert_eq!(made["version"], 1);
    let mut events = made["events"].as_array().unwrap().clone();
    events.sort_by_key(ToString::to_string);
    assert_eq!(json!(events), json!(["NameClaimed", "TagCreated"]));
    let tag: i64 = made["id"].as_str().unwrap().parse().unwrap();
    let to = format!("Tag/{tag}");
    refused(
        house,
        "Tag/new",
        create(library.company, "隆鼻"),
        300,
        "name_taken",
    )
    .await;
    // Another company may call its tags as it likes.
    let (neighbour, _) = library.neighbour().await;
    house.done("Tag/new", create(neighbour, "隆鼻")).await;
    let other = library.tag("汽车").await;
    let rename = |name: &str| json!({ "RenameTag": { "name": name } });
    refused(house, &to, rename("汽车"), 300, "name_taken").await;
    let renamed = house.done(&to, rename("隆胸")).await["events"].clone();
    let mut renamed: Vec<String> = serde_json::from_value(renamed).unwrap();
    renamed.sort();
    assert_eq!(renamed, ["NameClaimed", "NameReleased", "TagRenamed"]);
    is_done(house, &to, rename("隆胸"), 2, &[]).await;
    // A name that was given up, or went with its tag, is free again.
    house.done(&format!("Tag/{other}"), rename("隆鼻")).await;
    house
        .done(&format!("Tag/{other}"), json!({ "DeleteTag": {} }))
        .await;
    let again = house
        .done(&format!("Tag/{other}"), json!({ "DeleteTag": {} }))
        .await;
    assert_eq!(again["events"], json!([]));
    house.done("Tag/new", create(library.company, "隆鼻")).await;
    refused(
        house,
        &format!("Tag/{other}"),
        rename("x"),
        302,
        "not_found",
    )
    .await;
    refused(house, "Tag/new", create(999, "x"), 302, "not_found").await;
    for name in [" ".to_owned(), "语".repeat(51), "a\0".to_owned()] {
        let new = create(library.company, &name);
        let data = refused(house, "Tag/new", new, 303, "validation").await;
        assert!(data["name"].is_array());
        refused(house, &to, rename(&name), 303, "validation").await;
    }
}

#[tokio::test]
async fn a_case_carries_tags_of_its_company_and_holds_them() {
    let library = Library::start().await;
    let house = &library.house;
    let (a, b) = (library.tag("a").await, library.tag("b").await);
    let (neighbour, _) = library.neighbour().await;
    let fields = json!({ "company_id": neighbour, "name": "x" });
    let foreign = library.make("Tag", "CreateTag", fields).await;
    let create = |tags: Value| json!({ "CreateCase": { "company_id": library.company, "customer_name": "李汉杰", "tag_ids": tags } });
    let made = house.done("Case/new", create(json!([a]))).await;
    assert_eq!(
        made["events"],
        json!(["CaseCreated", "CaseTagged", "TagAssigned"])
    );
    let case: i64 = made["id"].as_str().unwrap().parse().unwrap();
    let to = format!("Case/{case}");
    let tag = |tags: Value| json!({ "TagCase": { "tag_ids": tags } });
    let moved = house.done(&to, tag(json!([b, b]))).await;
    let mut events: Vec<String> = serde_json::from_value(moved["events"].clone()).unwrap();
    events.sort();
    assert_eq!(events, ["CaseTagged", "TagAssigned", "TagUnassigned"]);
    is_done(house, &to, tag(json!([b])), 3, &[]).await;
    let delete = || json!({ "DeleteTag": {} });
    refused(house, &format!("Tag/{b}"), delete(), 304, "has_children").await;
    house.done(&format!("Tag/{a}"), delete()).await;
    for tags in [json!([foreign]), json!([999]), json!([a])] {
        refused(house, &to, tag(tags.clone()), 302, "not_found").await;
        refused(house, "Case/new", create(tags), 302, "not_found").await;
    }
    let many: Vec<i64> = (1..=21).collect();
    let data = refused(house, &to, tag(json!(many)), 303, "validation").await;
    assert!(data["tag_ids"].is_array());
    // With the case goes its hold on them.
    let deleted = house.done(&to, json!({ "DeleteCase": {} })).await;
    let mut events: Vec<String> = serde_json::from_value(deleted["events"].clone()).unwrap();
    events.sort();
    assert_eq!(events, ["CaseDeleted", "TagUnassigned"]);
    house.done(&format!("Tag/{b}"), delete()).await;
    refused(house, &to, json!({ "PublishCase": {} }), 302, "not_found").await;
    let again = house.done(&to, json!({ "DeleteCase": {} })).await;
    assert_eq!(again["events"], json!([]));
}

#[tokio::test]
async fn a_case_is_shown_and_goes_after_its_diaries() {
    let library = Library::start().await;
    let house = &library.house;
    let case = library.draft("李汉杰").await;
    let to = format!("Case/{case}");
    for (version, command, event) in [
        (2, "PublishCase", "CasePublished"),
        (3, "WithdrawCase", "CaseWithdrawn"),
    ] {
        is_done(house, &to, json!({ command: {} }), version, &[event]).await;
        is_done(house, &to, json!({ command: {} }), version, &[]).await;
    }
    let edit = || json!({ "EditCase": { "customer_name": "李汉杰", "cover_picture": "[]" } });
    is_done(house, &to, edit(), 4, &["CaseEdited"]).await;
    is_done(house, &to, edit(), 4, &[]).await;
    let create = |case: i64| json!({ "CreateDiary": { "case_id": case, "title": "x", "diary_date": "2019-01-28 13:50:00" } });
    refused(house, "Diary/new", create(999), 302, "not_found").await;
    let made = house.done("Diary/new", create(case)).await;
    assert_eq!(made["events"], json!(["DiaryCreated", "DiaryAdded"]));
    let diary = format!("Diary/{}", made["id"].as_str().unwrap());
    let delete = || json!({ "DeleteCase": {} });
    refused(house, &to, delete(), 304, "has_children").await;
    for (version, command, event) in [
        (2, "PublishDiary", "DiaryPublished"),
        (3, "WithdrawDiary", "DiaryWithdrawn"),
    ] {
        is_done(house, &diary, json!({ command: {} }), version, &[event]).await;
        is_done(house, &diary, json!({ command: {} }), version, &[]).await;
    }
    let edit = || json!({ "EditDiary": { "title": "y", "diary_date": "2019-01-28 13:50:00" } });
    is_done(house, &diary, edit(), 4, &["DiaryEdited"]).await;
    is_done(house, &diary, edit(), 4, &[]).await;
    let gone = json!({ "DeleteDiary": {} });
    let events = house.done(&diary, gone.clone()).await["events"].clone();
    assert_eq!(events, json!(["DiaryDeleted", "DiaryRemoved"]));
    is_done(house, &diary, gone, 5, &[]).await;
    refused(
        house,
        &diary,
        json!({ "PublishDiary": {} }),
        302,
        "not_found",
    )
    .await;
    house.done(&to, delete()).await;
    refused(house, "Diary/new", create(case), 302, "not_found").await;
}

#[tokio::test]
async fn a_case_and_a_diary_have_bounds() {
    let library = Library::start().await;
    let text = |bytes: usize| json!(format!("\"{}\"", "x".repeat(bytes - 2)));
    let sound = json!({
        "company_id": library.company, "customer_name": "语".repeat(64), "headimgurl": "x".repeat(512),
        "cover_picture": text(16 << 10), "tag_ids": []
    });
    let many: Vec<i64> = (1..=21).collect();
    let flaws = [
        ("company_id", json!(null)),
        ("customer_name", json!("")),
        ("customer_name", json!("语".repeat(65))),
        ("headimgurl", json!("x".repeat(513))),
        ("cover_picture", text((16 << 10) + 1)),
        ("cover_picture", json!("{")),
        ("cover_picture", json!("")),
        ("tag_ids", json!(many)),
        ("colour", json!(1)),
    ];
    bounds(&library, "Case", sound, &flaws).await;
    let case = library.draft("a").await;
    let sound = json!({
        "case_id": case, "title": "语".repeat(100), "diary_date": "2019-01-28 13:50:00",
        "cover_picture": text(64 << 10), "content": text(64 << 10), "cover_show_type": 2
    });
    let flaws = [
        ("case_id", json!("1")),
        ("title", json!(" ")),
        ("title", json!("语".repeat(101))),
        ("diary_date", json!("2019-01-28")),
        ("diary_date", json!("2019-02-30 00:00:00")),
        ("cover_picture", text((64 << 10) + 1)),
        ("content", text((64 << 10) + 1)),
        ("content", json!("x")),
        ("cover_show_type", json!(3)),
    ];
    bounds(&library, "Diary", sound, &flaws).await;
}

#[tokio::test]
async fn nothing_is_asked_of_what_is_not_there_or_without_the_bit() {
    let library = Library::start().await;
    let service = &library.house.service;
    for (to, command) in MISSING {
        let command = json!({ command: {} });
        refused(&library.house, to, command, 302, "not_found").await;
    }
    let (product, tag) = (library.product("x").await, library.tag("x").await);
    let case = library.case("x").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    service.staff("other", 0, !32 & ((1 << 53) - 1)).await;
    let other = service.log_in("other").await;
    let head = service.head().await;
    for (to, command) in [
        (
            format!("Product/{product}"),
            json!({ "WithdrawProduct": {} }),
        ),
        (format!("Tag/{tag}"), json!({ "DeleteTag": {} })),
        (format!("Case/{case}"), json!({ "WithdrawCase": {} })),
        (format!("Diary/{diary}"), json!({ "DeleteDiary": {} })),
        (
            format!("Website/{}", library.company),
            json!({ "SetWebsitePictures": { "cover_picture": [], "content_picture": [] } }),
        ),
        (
            "Tag/new".to_owned(),
            json!({ "CreateTag": { "company_id": library.company, "name": "y" } }),
        ),
    ] {
        let call = service.post(&format!("/admin/commands/{to}")).token(&other);
        let reply = call.json(&command).send().await.json();
        assert_eq!(
            (&reply["code"], &reply["error"]),
            (&json!(403), &json!("forbidden")),
            "{to}"
        );
    }
    assert_eq!(service.head().await, head);
}

#[tokio::test]
async fn a_repeated_key_answers_what_was_made_first() {
    let library = Library::start().await;
    let case = library.draft("a").await;
    let company = library.company;
    let product = json!({ "company_id": company, "name": "x", "price": "", "content": content() });
    for (to, command) in [
        ("Product/new", json!({ "CreateProduct": product })),
        (
            "Tag/new",
            json!({ "CreateTag": { "company_id": company, "name": "x" } }),
        ),
        (
            "Case/new",
            json!({ "CreateCase": { "company_id": company, "customer_name": "x" } }),
        ),
        (
            "Diary/new",
            json!({ "CreateDiary": { "case_id": case, "title": "x", "diary_date": "2019-01-28 13:50:00" } }),
        ),
    ] {
        let send = async || {
            let call = library.house.service.post(&format!("/admin/commands/{to}"));
            let call = call
                .token(&library.house.clerk)
                .header("idempotency-key", to);
            call.json(&command).send().await.json()
        };
        let first = send().await;
        assert_eq!(first["code"], 0, "{first}");
        assert_eq!(send().await, first, "{to}");
    }
}
