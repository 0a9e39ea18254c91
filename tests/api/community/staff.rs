//! Staff commands to members and their images (`community.md` section 5).

use axum::body::Bytes;
use reqwest::Method;
use serde_json::{Value, json};

use super::{API, assert_refused};
use crate::api::node::{Node, answer};
use crate::support::service::Member;

async fn mine(node: &Node, member: &Member) -> Value {
    let request = node.request(Method::POST, &format!("{API}/my_user_info"));
    answer(request.json(&json!({ "token": member.token })))
        .await
        .body
}

#[tokio::test]
async fn a_member_is_disabled_with_its_sessions_and_enabled_again() {
    let node = Node::start().await;
    let clerk = node.staff("clerk", 0, 8).await;
    let member = node.service.member("甲").await;
    let id = format!("community:{}", member.uid);
    let to = format!("Account/{id}");
    let disable = json!({"DisableAccount": {"reason": "刷屏"}});
    let done = node.command(&clerk, &to, disable.clone()).await;
    done.is_done("Account", &id, 2, &["AccountDisabled", "SessionClosed"]);
    assert_eq!(
        mine(&node, &member).await,
        json!({ "code": 423, "msg": "账户未启用" })
    );
    let again = node.command(&clerk, &to, disable).await;
    again.is_done("Account", &id, 2, &[]);
    let stored = node.service.stored().await;
    assert!(!stored.iter().any(|stored| stored.contains("刷屏")));

    // Others see it all the same.
    let other = node.service.member("乙").await;
    let see = json!({ "to_uid": member.uid });
    let seen = node.service.function(&other, "user_info", see).await.json();
    assert_eq!(seen["user_info"]["nickname"], "甲");

    let enable = json!({"EnableAccount": {}});
    let done = node.command(&clerk, &to, enable).await;
    done.is_done("Account", &id, 3, &["AccountEnabled"]);
    // The session stays closed.
    assert_refused(
        &node
            .service
            .function(&member, "my_user_info", json!({}))
            .await,
        401,
    );
}

#[tokio::test]
async fn a_standing_is_adjusted_and_shown() {
    let node = Node::start().await;
    let clerk = node.staff("clerk", 0, 8).await;
    let member = node.service.member("甲").await;
    let id = format!("community:{}", member.uid);
    let to = format!("Account/{id}");
    let adjust = |fields: Value| json!({"AdjustStanding": fields});
    let fields = json!({"category": 1, "score": 120, "level": 2, "exp": 40, "invitation_code": "A7K2", "inviter": "乙"});
    let done = node.command(&clerk, &to, adjust(fields.clone())).await;
    done.is_done("Account", &id, 2, &["AccountStandingAdjusted"]);
    let shown = mine(&node, &member).await["my_user_info"].clone();
    for (field, value) in fields.as_object().unwrap() {
        assert_eq!(shown[field], *value, "{field}");
    }
    let done = node
        .command(&clerk, &to, adjust(json!({"score": 120, "inviter": null})))
        .await;
    done.is_done("Account", &id, 3, &["AccountStandingAdjusted"]);
    let shown = mine(&node, &member).await["my_user_info"].clone();
    assert_eq!(
        (&shown["inviter"], &shown["invitation_code"]),
        (&json!(null), &json!("A7K2"))
    );
    let done = node.command(&clerk, &to, adjust(json!({}))).await;
    done.is_done("Account", &id, 3, &[]);
    for (field, bad) in [
        ("score", json!(-1)),
        ("exp", json!(1_u64 << 53)),
        ("inviter", json!("x".repeat(65))),
        ("invitation_code", json!("")),
    ] {
        let refused = node
            .command(&clerk, &to, adjust(json!({ field: bad })))
            .await;
        assert_eq!(refused.refusal(), (303, "validation"), "{field}");
        assert!(refused.body["data"][field].is_array(), "{}", refused.body);
    }
}

#[tokio::test]
async fn members_are_behind_a_bit_of_their_own() {
    let node = Node::start().await;
    let stranger = node.staff("stranger", 0, !8 & ((1 << 53) - 1)).await;
    let member = node.service.member("甲").await;
    let to = format!("Account/community:{}", member.uid);
    for command in ["DisableAccount", "EnableAccount", "AdjustStanding"] {
        let refused = node.command(&stranger, &to, json!({ command: {} })).await;
        refused.is_refusal(403, "forbidden", "无权操作");
        let unknown = format!("Account/community:{}", "0".repeat(32));
        let refused = node
            .command(&stranger, &unknown, json!({ command: {} }))
            .await;
        refused.is_refusal(302, "not_found", "对应ID不存在");
    }
}

#[tokio::test]
async fn staff_enters_a_file_whose_id_was_given_out() {
    let node = Node::start().await;
    let keeper = node.staff("keeper", 0, 2).await;
    let member = node.service.member("甲").await;
    let issued = node
        .service
        .function(&member, "get_media_id", json!({}))
        .await;
    let id = issued.json()["media_id"].as_str().unwrap().to_owned();
    let to = format!("Media/{id}");
    let store = |extension: &str, mime_type: &str| json!({"StoreMedia": {"extension": extension, "size": 3, "mime_type": mime_type}});
    for (extension, mime_type, field) in [
        ("", "image/png", "extension"),
        ("a.b", "image/png", "extension"),
        ("svg", "image", "mime_type"),
        ("svg", "image/x\r\ny", "mime_type"),
    ] {
        let refused = node
            .command(&keeper, &to, store(extension, mime_type))
            .await;
        assert_eq!(refused.refusal(), (303, "validation"));
        assert!(refused.body["data"][field].is_array(), "{}", refused.body);
    }
    let done = node.command(&keeper, &to, store("html", "text/html")).await;
    done.is_done("Media", &id, 2, &["MediaStored"]);
    let again = node.command(&keeper, &to, store("html", "text/html")).await;
    again.is_refusal(409, "conflict", "当前状态不允许此操作");
    let key = format!("/media/{id}.html");
    assert_eq!(node.service.get(&key).send().await.status, 404);
    let files = node.app.files();
    files.put(&key, Bytes::from_static(b"<b>")).await.unwrap();
    let served = node.service.get(&key).send().await;
    assert_eq!(served.header("content-type"), Some("text/html"));
    assert_eq!(served.header("content-disposition"), Some("attachment"));

    let small = format!("/media/{id}.thumb.jpg");
    files.put(&small, Bytes::from_static(b"jpg")).await.unwrap();
    let done = node.command(&keeper, &to, json!({"DeleteMedia": {}})).await;
    done.is_done("Media", &id, 3, &["MediaDeleted"]);
    assert_eq!(node.service.get(&key).send().await.status, 404);
    for key in [key, small] {
        assert!(files.open(&key).await.unwrap().is_none(), "{key}");
    }
}
