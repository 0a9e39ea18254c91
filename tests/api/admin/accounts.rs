//! Staff accounts and their sessions.

use reqwest::Method;
use serde_json::json;
use shiji::api::identity::session_id;

use crate::api::node::{Caller, Node, answer};

async fn may_enter(node: &Node, caller: &Caller) -> bool {
    let hola = node.request(Method::GET, "/backend/api/v1/hola");
    answer(hola.bearer_auth(&caller.token)).await.body["code"] == 0
}

#[tokio::test]
async fn an_account_is_opened_under_a_name_of_its_own_and_can_log_in() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let open =
        |name: &str| json!({"OpenAccount": {"name": name, "password": "12345678", "perm": 1}});
    let to = "Account/backend:new";
    let opened = node.command(&admin, to, open("Wáng")).await;
    let id = opened.body["data"]["id"].as_str().unwrap().to_owned();
    opened.is_done(
        "Account",
        &id,
        2,
        &["NameClaimed", "AccountOpened", "PasswordSet"],
    );
    let uid: i64 = id.strip_prefix("backend:").unwrap().parse().unwrap();
    assert!(uid > admin.uid);
    for name in ["Wáng", "wÁNG", "ADMIN"] {
        let taken = node.command(&admin, to, open(name)).await;
        taken.is_refusal(300, "name_taken", "名称已存在");
    }
    let login = node.request(Method::POST, "/backend/api/v1/login");
    let login = answer(login.json(&json!({"name": "wáng", "password": "12345678"}))).await;
    assert_eq!(
        login.body["data"],
        json!({"uid": uid, "name": "Wáng", "role": 0, "perm": 1})
    );
}

#[tokio::test]
async fn an_id_that_exists_is_a_conflict_and_ids_are_not_the_callers_to_choose() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let open = json!({"OpenAccount": {"name": "x", "password": "12345678"}});
    let to = format!("Account/backend:{}", admin.uid);
    let exists = node.command(&admin, &to, open.clone()).await;
    exists.is_refusal(409, "conflict", "当前状态不允许此操作");
    let unknown = node
        .command(&admin, "Account/backend:99", open.clone())
        .await;
    unknown.is_refusal(302, "not_found", "对应ID不存在");
    let nonsense = node.command(&admin, "Account/backend:x", open).await;
    nonsense.is_refusal(302, "not_found", "对应ID不存在");
    let new = node
        .command(&admin, "Account/backend:new", json!({"EnableAccount": {}}))
        .await;
    new.is_refusal(302, "not_found", "对应ID不存在");
}

#[tokio::test]
async fn a_new_password_ends_every_session_at_once() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let worker = node.staff("worker", 0, 1).await;
    let other = node.session(worker.uid).await;
    assert!(may_enter(&node, &worker).await && may_enter(&node, &other).await);
    let to = format!("Account/backend:{}", worker.uid);
    let set = json!({"SetPassword": {"password": "another one"}});
    let done = node.command(&admin, &to, set).await;
    let events = ["PasswordSet", "SessionClosed", "SessionClosed"];
    done.is_done("Account", &format!("backend:{}", worker.uid), 3, &events);
    assert!(!may_enter(&node, &worker).await && !may_enter(&node, &other).await);
    assert!(may_enter(&node, &admin).await);
    let login = node.request(Method::POST, "/backend/api/v1/login");
    let login = answer(login.json(&json!({"name": "worker", "password": "another one"}))).await;
    assert_eq!(login.body["code"], 0);
}

#[tokio::test]
async fn disabling_ends_sessions_and_enabling_does_not_bring_them_back_when_their_end_is_recorded()
{
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let worker = node.staff("worker", 0, 1).await;
    let to = format!("Account/backend:{}", worker.uid);
    let disable = || json!({"DisableAccount": {}});
    let done = node.command(&admin, &to, disable()).await;
    let events = ["AccountDisabled", "SessionClosed"];
    done.is_done("Account", &format!("backend:{}", worker.uid), 3, &events);
    assert!(!may_enter(&node, &worker).await);
    let again = node.command(&admin, &to, disable()).await;
    again.is_done("Account", &format!("backend:{}", worker.uid), 3, &[]);
    let enable = || json!({"EnableAccount": {}});
    let enabled = node.command(&admin, &to, enable()).await;
    enabled.is_done(
        "Account",
        &format!("backend:{}", worker.uid),
        4,
        &["AccountEnabled"],
    );
    let again = node.command(&admin, &to, enable()).await;
    again.is_done("Account", &format!("backend:{}", worker.uid), 4, &[]);
    assert!(!may_enter(&node, &worker).await);
    let fresh = node.session(worker.uid).await;
    assert!(may_enter(&node, &fresh).await);
}

#[tokio::test]
async fn nobody_disables_or_demotes_itself() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let to = format!("Account/backend:{}", admin.uid);
    for command in [
        json!({"DisableAccount": {}}),
        json!({"ChangeRole": {"role": 0, "perm": 0}}),
    ] {
        let refused = node.command(&admin, &to, command).await;
        refused.is_refusal(305, "self_forbidden", "不允许删除自己");
    }
    let password = json!({"SetPassword": {"password": "12345678"}});
    assert_eq!(node.command(&admin, &to, password).await.body["code"], 0);
    assert!(!may_enter(&node, &admin).await);
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let worker = node.staff("worker", 0, 0).await;
    let task = format!("Task/{}", node.task().await);
    let start = || json!({"StartTask": {}});
    assert_eq!(node.command(&worker, &task, start()).await.refusal().0, 403);
    let to = format!("Account/backend:{}", worker.uid);
    let change = || json!({"ChangeRole": {"role": 0, "perm": 1}});
    let id = format!("backend:{}", worker.uid);
    node.command(&admin, &to, change())
        .await
        .is_done("Account", &id, 3, &["AccountRoleChanged"]);
    node.command(&admin, &to, change())
        .await
        .is_done("Account", &id, 3, &[]);
    assert_eq!(node.command(&worker, &task, start()).await.refusal().0, 0);
}

#[tokio::test]
async fn a_session_is_closed_by_its_hash() {
    let node = Node::start().await;
    let admin = node.staff("admin", 1, 0).await;
    let worker = node.staff("worker", 0, 1).await;
    let id = session_id(&worker.token);
    let to = format!("Session/{id}");
    let close = || json!({"CloseSession": {}});
    node.command(&admin, &to, close())
        .await
        .is_done("Session", &id, 2, &["SessionClosed"]);
    assert!(!may_enter(&node, &worker).await);
    node.command(&admin, &to, close())
        .await
        .is_done("Session", &id, 2, &[]);
    let unknown = format!("Session/{}", session_id("unknown"));
    node.command(&admin, &unknown, close())
        .await
        .is_refusal(302, "not_found", "对应ID不存在");
    node.command(&admin, "Session/x", close())
        .await
        .is_refusal(302, "not_found", "对应ID不存在");
}
