//! Every `return:` line of the document (`tests/fixtures/community_returns.json`, as it stands there, its slips of syntax
//! mended): a member who has done everything once gets an answer with those fields of those types.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::shelf::{IMAGE, Shelf};
use super::with;
use crate::support::service::Member;

const RETURNS: &str = include_str!("../../fixtures/community_returns.json");

/// What of `expected` is missing in an answer or of another type. Fields beyond the document are no flaw.
fn flaws(expected: &Value, got: &Value, at: &str, flaws: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(fields), Value::Object(there)) => {
            for (name, value) in fields {
                match there.get(name) {
                    Some(got) => self::flaws(value, got, &format!("{at}.{name}"), flaws),
                    None => flaws.push(format!("{at}.{name} is missing")),
                }
            }
        }
        (Value::Array(expected), Value::Array(rows)) => match (expected.first(), rows.first()) {
            (None, _) => {}
            (Some(_), None) => flaws.push(format!("{at} is empty")),
            (Some(row), Some(_)) => {
                for got in rows {
                    self::flaws(row, got, at, flaws);
                }
            }
        },
        // The sample's member has none; ours may.
        (Value::Null, _)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        // `{"ticket_id": "ticket_id"}` names a value; other lines show that it is a number.
        (Value::String(word), Value::Number(_)) if at.ends_with(&format!(".{word}")) => {}
        (_, _) => flaws.push(format!("{at} is {got}, documented as {expected}")),
    }
}

/// Somebody who has done everything once, and what they did it to.
struct Scene {
    shelf: Shelf,
    me: Member,
    /// Parameters by name, for every function.
    known: Value,
    answers: BTreeMap<&'static str, Value>,
}

impl Scene {
    /// Calls a function with parameters beside the known ones; keeps the answer.
    async fn does(&mut self, name: &'static str, more: Value) -> Value {
        let body = with(&self.known, &more);
        let answer = self.shelf.function(&self.me, name, body).await.json();
        assert_eq!(answer["code"], 0, "{name}: {answer}");
        self.answers.insert(name, answer.clone());
        answer
    }

    async fn all(&mut self, names: &[&'static str]) {
        for name in names {
            self.does(name, json!({})).await;
        }
    }
}

async fn scene() -> Scene {
    let shelf = Shelf::open().await;
    let me = shelf.member("nick-18682222222").await;
    let friend = shelf.member("nick-18683333333").await;
    let texts = json!({ "avatar": IMAGE, "intro": "达人简介0", "address": "北京市海淀区中关村0号",
        "birthday": "1990-01-01", "recommended": true });
    let master = shelf.master(texts).await;
    let texts = json!({ "logo": IMAGE, "intro": "商户简介9", "address": "北京市海淀区中关村9号",
        "phone": "18888888888", "email": "xxx@163.com" });
    let merchant = shelf.merchant(texts).await;
    for placement in ["home", "design_circle", "game", "ticket"] {
        let url = json!({ "placement": placement, "url": "https://example.com" });
        shelf.banner(url).await;
    }
    let game = shelf.game(json!({ "intro": "游戏简介0" })).await;
    let design = shelf.cloth(json!({ "dynasty": 1 })).await;
    let cloth = json!({ "collection": "merchant", "merchant_id": merchant, "recommended": true });
    let cloth = shelf.cloth(cloth).await;
    let project = shelf.project(&master, json!({ "recommended": true })).await;
    let tickets = shelf.tickets(project, 5, 1999).await;
    shelf
        .function(&friend, "user_follow", json!({ "to_uid": me.uid }))
        .await;
    let theirs = json!({ "content": "qwertyuiopasdfghjklzxcvbnnm-9", "images": [IMAGE] });
    shelf.function(&friend, "article_publish", theirs).await;
    let known = json!({ "master_id": master, "merchant_id": merchant, "game_id": game, "project_id": project,
        "ticket_id": tickets[0], "to_uid": friend.uid, "uid": friend.uid, "to_id": master,
        "cloth_id": design, "merchant_cloth": cloth, "tickets": tickets, "content": "test", "images": [IMAGE] });
    let answers = BTreeMap::new();
    Scene {
        shelf,
        me,
        known,
        answers,
    }
}

#[tokio::test]
async fn every_return_line_of_the_document_is_answered() {
    let mut scene = scene().await;
    people(&mut scene).await;
    articles(&mut scene).await;
    catalogue(&mut scene).await;
    shop(&mut scene).await;
    sessions(&mut scene).await;

    let returns: BTreeMap<String, Value> = serde_json::from_str(RETURNS).unwrap();
    assert_eq!(returns.len(), 91);
    let mut found = Vec::new();
    for (name, expected) in &returns {
        match scene.answers.get(name.as_str()) {
            Some(answer) => flaws(expected, answer, name, &mut found),
            None => found.push(format!("{name} was not called")),
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

async fn people(scene: &mut Scene) {
    let profile = json!({ "gender": 1, "province": "广东省", "city": "深圳市", "birthday": 1_701_074_685_929_i64,
        "avatar": "image_id", "email": "xxx@163.com", "intro": "test_intro" });
    scene.does("my_user_info_update", profile).await;
    scene
        .all(&[
            "user_follow",
            "my_user_info",
            "my_follower",
            "my_following_users",
        ])
        .await;
    let me = json!({ "to_uid": scene.me.uid });
    scene.does("user_info", me).await;
    scene
        .all(&[
            "user_unfollow",
            "user_follow",
            "current_time",
            "get_media_id",
        ])
        .await;
}

async fn articles(scene: &mut Scene) {
    let published = scene.does("article_publish", json!({})).await;
    let id = json!({ "article_id": published["article_id"] });
    scene.known = with(&scene.known, &id);
    let said = scene.does("article_comment_publish", json!({})).await["comment_id"].clone();
    let reply = json!({ "reply_id": said, "first_reply_id": said });
    let replied = scene.does("article_comment_reply", reply).await["comment_id"].clone();
    let comment = json!({ "article_comment_id": replied });
    scene.does("article_comment_up", comment).await;
    scene
        .all(&["article_like", "article_collect", "article_list"])
        .await;
    scene
        .all(&[
            "following_article_list",
            "my_article_list",
            "my_article_collect_list",
        ])
        .await;
    scene.does("article_detail", json!({})).await;
    // Of the thread, the reply shows every field.
    let list = scene.does("article_comment_list", json!({})).await;
    let rows = list["article_comment_list"].as_array().unwrap();
    let reply = rows
        .iter()
        .find(|row| row["comment_id"] == replied)
        .unwrap();
    let one = json!({ "article_comment_list": [reply], "code": 0 });
    scene.answers.insert("article_comment_list", one);
    scene.all(&["article_unlike", "article_uncollect"]).await;
    let ids = json!({ "article_comment_id_list": [said, replied] });
    scene.does("article_comment_del", ids).await;
    let ids = json!({ "article_id_list": [published["article_id"]] });
    scene.does("article_del", ids).await;
}

async fn catalogue(scene: &mut Scene) {
    scene
        .all(&[
            "home_banner",
            "design_circle_banner",
            "game_banner",
            "ticket_banner",
        ])
        .await;
    scene
        .all(&[
            "design_circle_cloth_collect",
            "design_circle_cloth_list",
            "design_circle_cloth_detail",
        ])
        .await;
    scene.does("design_circle_cloth_uncollect", json!({})).await;
    let cloth = json!({ "cloth_id": scene.known["merchant_cloth"] });
    for name in [
        "merchant_cloth_collect",
        "merchant_cloth_list",
        "merchant_cloth_recommend_list",
        "merchant_cloth_detail",
        "merchant_cloth_uncollect",
    ] {
        scene.does(name, cloth.clone()).await;
    }
    scene
        .all(&[
            "game_like",
            "game_collect",
            "game_detail",
            "game_recommend_list",
            "game_unlike",
            "game_uncollect",
        ])
        .await;
    let said = scene.does("game_comment_publish", json!({})).await["comment_id"].clone();
    scene.does("game_comment_list", json!({})).await;
    for vote in ["game_comment_up", "game_comment_down"] {
        scene.does(vote, json!({ "comment_id": said })).await;
    }
    scene
        .does("game_comment_del", json!({ "comment_id": said }))
        .await;
    scene
        .all(&[
            "master_follow",
            "merchant_follow",
            "master_list",
            "master_recommend_list",
            "master_detail",
        ])
        .await;
    scene
        .all(&[
            "my_following_masters",
            "my_following_merchants",
            "my_following_masters_project_list",
        ])
        .await;
    scene
        .does("my_following_masters_ticket_list", json!({}))
        .await;
    let sent = scene.does("send_message_to_master", json!({})).await["message_id"].clone();
    scene
        .all(&[
            "send_message_to_merchant",
            "send_message_to_user",
            "send_message_to_customer_service",
        ])
        .await;
    scene.all(&["my_message", "my_message_center"]).await;
    scene
        .does("message_del", json!({ "message_id_list": [sent] }))
        .await;
    scene.all(&["master_unfollow", "merchant_unfollow"]).await;
}

async fn shop(scene: &mut Scene) {
    scene
        .all(&[
            "project_list",
            "project_recommend_list",
            "project_detail",
            "ticket_list",
            "ticket_detail",
        ])
        .await;
    scene
        .all(&[
            "shopping_cart_add",
            "shopping_cart_info",
            "shopping_cart_del",
        ])
        .await;
    scene.does("shopping_cart_add", json!({})).await;
    let first = json!({ "ticket_id_list": [scene.known["tickets"][0]] });
    let placed = scene.does("order_create_by_shopping_cart", first).await["order_id"].clone();
    scene.does("order_pay", json!({ "order_id": placed })).await;
    let second = json!({ "ticket_id_list": [scene.known["tickets"][1]] });
    let other = scene.does("order_create", second).await["order_id"].clone();
    scene
        .does("order_cancel", json!({ "order_id": other }))
        .await;
    scene
        .does("order_detail", json!({ "order_id": placed }))
        .await;
    scene.all(&["my_order_list", "my_ticket_list"]).await;
    let said = scene.does("ticket_comment_publish", json!({})).await["comment_id"].clone();
    scene.all(&["ticket_comment_list", "ticket_circle"]).await;
    scene
        .does(
            "ticket_comment_del",
            json!({ "ticket_comment_id_list": [said] }),
        )
        .await;
}

async fn sessions(scene: &mut Scene) {
    let phone = "18685555555";
    let code = async |scene: &mut Scene| {
        scene.shelf.sleep(std::time::Duration::from_secs(61));
        scene.does("send_sms_code", json!({ "phone": phone })).await;
        let (_, code) = scene.shelf.sms.last();
        code
    };
    let signing = json!({ "phone": phone, "code": code(scene).await, "password": "secret1" });
    scene.does("user_signup", signing).await;
    let again = json!({ "phone": phone, "code": code(scene).await, "password": "secret2" });
    scene.does("user_password_update", again).await;
    scene
        .does(
            "user_login",
            json!({ "phone": phone, "password": "secret2" }),
        )
        .await;
    scene.does("user_logout", json!({})).await;
}
