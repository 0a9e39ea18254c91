//! The staff commands to authors and cases: what they record, and when they refuse.

use serde_json::{Value, json};

use super::Gallery;

const NOBODY: &str = "szasc68seig9jrhqw4eaj9gu3h";
const CHOSEN: &str = "5trb5tu7tj8kfe7gwk7qakfpac";

#[tokio::test]
async fn a_case_is_published_edited_scored_and_taken_out_of_sight() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let other = gallery.author("乙").await;
    let publish =
        json!({"PublishShowcase": {"user_id": author, "industry_type": 1, "score": 89.5}});
    let published = gallery.send("Showcase/new", publish).await;
    let id = published.body["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 26);
    published.is_done("Showcase", &id, 1, &["ShowcasePublished"]);
    let to = format!("Showcase/{id}");
    let send = async |command: Value| gallery.send(&to, command).await;
    let case = gallery.shown().await;
    let updated = case["update_time"].as_i64().unwrap();
    assert_eq!(
        case,
        json!({
            "user_id": author, "username": "甲", "update_time": updated, "view_cnt": 0, "like_cnt": 0,
            "comment_cnt": 0, "score": 89.5, "task_id": id, "files": []
        })
    );

    let edit = json!({"EditShowcase": {"user_id": other, "industry_type": 6}});
    send(edit.clone())
        .await
        .is_done("Showcase", &id, 2, &["ShowcaseEdited"]);
    send(edit).await.is_done("Showcase", &id, 2, &[]);
    let case = gallery.shown().await;
    assert_eq!(
        (&case["user_id"], &case["username"]),
        (&json!(other), &json!("乙"))
    );
    let edited = case["update_time"].as_i64().unwrap();
    assert!(edited > updated);
    assert_eq!(gallery.list(&[("industry_type", "6")]).await.1, 1);
    assert_eq!(gallery.list(&[("industry_type", "1")]).await.1, 0);

    let score = json!({"ScoreShowcase": {"score": 90.0}});
    send(score.clone())
        .await
        .is_done("Showcase", &id, 3, &["ShowcaseScored"]);
    send(score).await.is_done("Showcase", &id, 3, &[]);
    let case = gallery.shown().await;
    assert_eq!(case["score"].to_string(), "90");
    let scored = case["update_time"].as_i64().unwrap();
    assert!(scored > edited);

    let withdraw = json!({"WithdrawShowcase": {}});
    send(withdraw.clone())
        .await
        .is_done("Showcase", &id, 4, &["ShowcaseWithdrawn"]);
    send(withdraw).await.is_done("Showcase", &id, 4, &[]);
    assert_eq!(gallery.list(&[]).await, (vec![], 0));
    let restore = json!({"RestoreShowcase": {}});
    send(restore.clone())
        .await
        .is_done("Showcase", &id, 5, &["ShowcaseRestored"]);
    send(restore).await.is_done("Showcase", &id, 5, &[]);
    assert_eq!(gallery.shown().await["update_time"], scored);
}

#[tokio::test]
async fn ids_may_be_chosen_once() {
    let gallery = Gallery::start().await;
    let open = json!({"OpenAccount": {"username": "1356941364390006784"}});
    let account = format!("weidu:{NOBODY}");
    let to = format!("Account/{account}");
    let opened = gallery.send(&to, open.clone()).await;
    opened.is_done("Account", &account, 1, &["NameClaimed", "AccountOpened"]);
    gallery.refused(&to, open, 409, "conflict").await;
    let other = json!({"OpenAccount": {"username": "other"}});
    gallery.refused(&to, other, 409, "conflict").await;

    let publish = json!({"PublishShowcase": {"user_id": NOBODY, "industry_type": 1}});
    let to = format!("Showcase/{CHOSEN}");
    let keyed = [("idempotency-key", "k")];
    let send = || {
        gallery
            .node
            .command_with(&gallery.clerk, &to, publish.clone(), &keyed)
    };
    let published = send().await;
    published.is_done("Showcase", CHOSEN, 1, &["ShowcasePublished"]);
    assert_eq!(send().await.body, published.body);
    gallery.refused(&to, publish.clone(), 409, "conflict").await;
    // Only ids that we could have made.
    for bad in [
        "7",
        "5trb5tu7tj8kfe7gwk7qakfpab",
        "5TRB5TU7TJ8KFE7GWK7QAKFPAC",
    ] {
        gallery
            .refused(
                &format!("Showcase/{bad}"),
                publish.clone(),
                302,
                "not_found",
            )
            .await;
    }
    let fresh = [("if-match", "\"1\"")];
    let refused = gallery
        .node
        .command_with(&gallery.clerk, "Showcase/new", publish, &fresh)
        .await;
    assert_eq!(refused.refusal(), (409, "conflict"));
}

#[tokio::test]
async fn a_name_has_one_author_and_shows_on_every_case_at_once() {
    let gallery = Gallery::start().await;
    let author = gallery.author("Weidu").await;
    gallery.case(&author, 1).await;
    let again = json!({"OpenAccount": {"username": "weidu"}});
    gallery
        .refused("Account/weidu:new", again.clone(), 300, "name_taken")
        .await;
    let other = gallery.author("other").await;
    let id = format!("weidu:{author}");
    let rename = |name: &str| json!({"RenameAccount": {"username": name}});
    gallery
        .refused(&format!("Account/{id}"), rename("Other"), 300, "name_taken")
        .await;

    let to = format!("Account/{id}");
    let events = ["AccountProfileUpdated", "NameClaimed", "NameReleased"];
    gallery
        .send(&to, rename(" 新名 "))
        .await
        .is_done("Account", &id, 2, &events);
    gallery
        .send(&to, rename("新名"))
        .await
        .is_done("Account", &id, 2, &[]);
    assert_eq!(gallery.shown().await["username"], "新名");
    // The old one is free, and letter case alone is no other name.
    let to = format!("Account/weidu:{other}");
    gallery.done(&to, rename("WEIDU")).await;
    let cased = gallery.done(&to, rename("Weidu")).await;
    assert_eq!(cased["events"], json!(["AccountProfileUpdated"]));
    gallery
        .refused("Account/weidu:new", again, 300, "name_taken")
        .await;
}

#[tokio::test]
async fn files_are_described_listed_oldest_first_and_removed() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let helper = gallery.author("乙").await;
    let id = gallery.case(&author, 1).await;
    let updated = gallery.shown().await["update_time"].clone();
    let to = format!("Showcase/{id}");
    let add = |fields: Value| {
        let command = json!({ "AddShowcaseFile": fields });
        gallery.done(&to, command)
    };
    let first = add(json!({"name": "合同 1.PDF", "size": 9_007_199_254_740_992_i64, "mime_type": "application/pdf"})).await;
    let file_id = first["file_id"].as_str().unwrap().to_owned();
    assert_eq!(first["events"], json!(["ShowcaseFileAdded"]));
    add(json!({
        "name": "timg.jpeg", "size": 403_482, "mime_type": "image/jpeg", "width": 800, "height": 1084,
        "has_pre_img": true, "user_id": helper, "file_id": CHOSEN
    }))
    .await;
    add(json!({
        "name": "a.png", "size": 0, "mime_type": "image/png", "path": "20210203/a.png", "preview_path": "20210203/p.jpg"
    }))
    .await;
    let case = gallery.shown().await;
    assert_eq!(
        case["update_time"], updated,
        "a file does not touch its case"
    );
    let files = case["files"].as_array().unwrap().clone();
    let day = shiji::commands::showcase::day(gallery.node.app.now());
    let created = files[0]["create_time"].as_i64().unwrap();
    assert_eq!(
        files[0],
        json!({
            "id": file_id, "task_id": id, "user_id": author, "create_time": created, "update_time": created,
            "path": format!("{day}/task/{id}/users/{author}/{file_id}/合同 1.PDF"), "preview_path": "",
            "name": "合同 1.PDF", "extension": "pdf", "size": 9_007_199_254_740_992_i64,
            "mime_type": "application/pdf", "width": 0, "height": 0, "has_pre_img": false
        })
    );
    let folder = format!("{day}/task/{id}/users/{helper}/{CHOSEN}");
    assert_eq!(files[1]["path"], format!("{folder}/timg.jpeg"));
    assert_eq!(
        files[1]["preview_path"],
        format!("{folder}/timg_preview.jpg")
    );
    assert_eq!(
        (&files[1]["user_id"], &files[1]["has_pre_img"]),
        (&json!(helper), &json!(true))
    );
    assert_eq!(
        (&files[2]["path"], &files[2]["preview_path"]),
        (&json!("20210203/a.png"), &json!("20210203/p.jpg"))
    );
    assert_eq!(files[2]["has_pre_img"], true);

    let same = json!({"AddShowcaseFile": {"name": "b.png", "size": 1, "mime_type": "image/png", "file_id": CHOSEN}});
    gallery.refused(&to, same, 409, "conflict").await;
    let remove = json!({"RemoveShowcaseFile": {"file_id": CHOSEN}});
    gallery
        .send(&to, remove.clone())
        .await
        .is_done("Showcase", &id, 5, &["ShowcaseFileRemoved"]);
    gallery
        .send(&to, remove)
        .await
        .is_done("Showcase", &id, 5, &[]);
    let unknown = json!({"RemoveShowcaseFile": {"file_id": "nothing"}});
    gallery
        .send(&to, unknown)
        .await
        .is_done("Showcase", &id, 5, &[]);
    assert_eq!(gallery.shown().await["files"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = format!("Showcase/{}", gallery.case(&author, 1).await);
    let file = |user: &str| json!({"AddShowcaseFile": {"name": "a.png", "size": 1, "mime_type": "image/png", "user_id": user}});
    let publish = |user: &str| json!({"PublishShowcase": {"user_id": user, "industry_type": 1}});
    for (to, command) in [
        ("Showcase/new", publish(NOBODY)),
        ("Showcase/new", publish("?")),
        (case.as_str(), json!({"EditShowcase": {"user_id": NOBODY}})),
        (case.as_str(), file(NOBODY)),
        (case.as_str(), file("")),
        ("Showcase/new", json!({"WithdrawShowcase": {}})),
        (
            &format!("Showcase/{CHOSEN}"),
            json!({"ScoreShowcase": {"score": 1}}),
        ),
        (&format!("Showcase/{CHOSEN}"), file(&author)),
        (
            &format!("Account/weidu:{NOBODY}"),
            json!({"RenameAccount": {"username": "x"}}),
        ),
        (
            "Account/weidu:?",
            json!({"RenameAccount": {"username": "x"}}),
        ),
    ] {
        gallery.refused(to, command, 302, "not_found").await;
    }
}

/// Fields that are good but for one.
async fn flawed(gallery: &Gallery, to: &str, command: &str, good: &Value, flaws: &[(&str, Value)]) {
    for (field, value) in flaws {
        let mut fields = good.clone();
        fields[field] = value.clone();
        let answer = gallery.send(to, json!({ command: fields })).await;
        let said = answer.refusal();
        assert_eq!(said, (303, "validation"), "{command} {field} {value}");
        assert!(answer.body["data"][field].is_array(), "{}", answer.body);
    }
}

#[tokio::test]
async fn bounds_of_authors_and_cases_are_kept() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = format!("Showcase/{}", gallery.case(&author, 1).await);
    let names = [
        ("username", json!("  ")),
        ("username", json!("x".repeat(65))),
        ("username", json!("a\0")),
        ("name", json!("x")),
    ];
    let fine = json!({"username": "x"});
    flawed(&gallery, "Account/weidu:new", "OpenAccount", &fine, &names).await;
    let scores = [json!(100.01), json!(-1), json!(89.999), json!("90")];
    let scores = scores.map(|value| ("score", value));
    flawed(&gallery, &case, "ScoreShowcase", &json!({}), &scores).await;
    let good = json!({"user_id": author, "industry_type": 1});
    flawed(&gallery, "Showcase/new", "PublishShowcase", &good, &scores).await;
    let industries = [json!(0), json!(7), json!("1")];
    let industries = industries.map(|value| ("industry_type", value));
    flawed(
        &gallery,
        "Showcase/new",
        "PublishShowcase",
        &good,
        &industries,
    )
    .await;
    flawed(&gallery, &case, "EditShowcase", &json!({}), &industries).await;
    // Nothing at all is no edit.
    let nothing = [("user_id", Value::Null)];
    flawed(&gallery, &case, "EditShowcase", &json!({}), &nothing).await;
    assert_eq!(gallery.node.events(&case.replace('/', ":")).await.len(), 1);
}

#[tokio::test]
async fn bounds_of_files_are_kept() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = format!("Showcase/{}", gallery.case(&author, 1).await);
    let good = json!({"name": "a.png", "size": 1, "mime_type": "image/png"});
    let flaws = [
        ("name", json!("noextension")),
        ("name", json!("a/b.png")),
        ("name", json!(format!("{}.png", "x".repeat(197)))),
        ("size", json!(-1)),
        ("size", json!(9_007_199_254_740_993_i64)),
        ("mime_type", json!("image png")),
        ("mime_type", json!("image")),
        ("width", json!(-1)),
        ("height", json!(1.5)),
        ("file_id", json!("7")),
        ("path", json!("/etc/passwd")),
        ("path", json!("a/../b")),
        ("preview_path", json!("")),
    ];
    flawed(&gallery, &case, "AddShowcaseFile", &good, &flaws).await;
    let contradiction =
        json!({"name": "a.png", "size": 1, "mime_type": "image/png", "has_pre_img": false});
    let flaws = [("preview_path", json!("a/p.jpg"))];
    flawed(&gallery, &case, "AddShowcaseFile", &contradiction, &flaws).await;
    assert_eq!(gallery.node.events(&case.replace('/', ":")).await.len(), 1);
}

#[tokio::test]
async fn only_who_holds_the_bit_may() {
    let gallery = Gallery::start().await;
    let author = gallery.author("甲").await;
    let case = gallery.case(&author, 1).await;
    let comment = json!({"PublishComment": {"target_kind": "showcase", "target_id": case, "author_id": author, "content": "好"}});
    let written = gallery.done("Comment/new", comment.clone()).await;
    let written = format!("Comment/{}", written["id"].as_str().unwrap());
    let clerk = gallery.node.staff("other", 0, !64 & ((1 << 53) - 1)).await;
    for (to, command) in [
        (
            "Account/weidu:new",
            json!({"OpenAccount": {"username": "x"}}),
        ),
        (
            &format!("Account/weidu:{author}"),
            json!({"RenameAccount": {"username": "x"}}),
        ),
        (
            "Showcase/new",
            json!({"PublishShowcase": {"user_id": author, "industry_type": 1}}),
        ),
        (
            &format!("Showcase/{CHOSEN}"),
            json!({"PublishShowcase": {"user_id": author, "industry_type": 1}}),
        ),
        (&format!("Showcase/{case}"), json!({"WithdrawShowcase": {}})),
        (
            &format!("Visit/weidu:anonymous:showcase:{case}"),
            json!({"RecordShowcaseView": {}}),
        ),
        (
            &format!("Reaction/weidu:{author}:like:showcase:{case}"),
            json!({"AddReaction": {}}),
        ),
        ("Comment/new", comment),
        (&written, json!({"DeleteComment": {}})),
    ] {
        let answer = gallery.node.command(&clerk, to, command).await;
        assert_eq!(answer.refusal(), (403, "forbidden"), "{to}");
    }
}
