//! A day's work over HTTP, as `backend.md` shows it.

use reqwest::Method;
use serde_json::json;

use super::client::Client;
use super::node::Node;
use super::{Folder, answer, shiji, words};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_created_started_completed_listed_and_deleted() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let client = node.client().await;

    let create = client.request(Method::POST, "/task").json(&json!({
        "type": "image", "priority": 5, "input": "羊绒围巾:制作白底主图", "note": "周五前完成",
    }));
    let (status, body) = Client::send(create).await;
    assert_eq!(
        (status, &body),
        (
            200,
            &json!({ "code": 0, "msg": "ok", "error": "", "data": { "id": 1 } })
        )
    );

    for to in [2, 1] {
        let change = client
            .request(Method::PUT, "/task/status")
            .json(&json!({ "id": 1, "status": to }));
        let (status, body) = Client::send(change).await;
        assert_eq!(
            (status, body),
            (200, json!({ "code": 0, "msg": "ok", "error": "" }))
        );
    }
    assert_eq!(
        client.task(1).await.unwrap(),
        json!({
            "id": 1, "status": 1, "type": "image", "priority": 5,
            "input": "羊绒围巾:制作白底主图", "result": "", "note": "周五前完成",
        })
    );
    let list = Client::send(client.request(Method::GET, "/tasks")).await;
    assert_eq!(
        list.1,
        json!({
            "code": 0, "msg": "", "error": "", "total": 1,
            "items": [{
                "id": 1, "status": 1, "type": "image", "priority": 5, "note": "周五前完成",
                "user": { "uid": 1, "name": "admin" },
            }],
        })
    );
    let delete = client
        .request(Method::DELETE, "/task")
        .json(&json!({ "ids": [1] }));
    assert_eq!(
        Client::send(delete).await.1,
        json!({ "code": 0, "msg": "ok", "error": "" })
    );
    assert_eq!(client.list(20).await, (0, vec![]));

    for (path, says) in [
        ("/metrics", "shiji_http_requests_total"),
        ("/openapi.json", "/backend/api/v1/tasks"),
        ("/docs/", "swagger"),
    ] {
        let page = reqwest::get(format!("http://{}{path}", node.ops))
            .await
            .unwrap();
        assert_eq!(page.status(), 200, "{path}");
        assert!(page.text().await.unwrap().contains(says), "{path}");
    }

    let verify = answer(shiji(&folder.data()).args(["audit", "verify"]));
    assert!(verify.status.success(), "{}", words(&verify.stdout));
    let stream = answer(shiji(&folder.data()).args(["audit", "stream", "Task:1", "--json"]));
    let types: Vec<String> = words(&stream.stdout)
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        types,
        ["TaskCreated", "TaskStarted", "TaskCompleted", "TaskDeleted"]
    );
    node.stop().await;
    // After a restore the operator says so, and positions tell the generations apart.
    let restored = answer(shiji(&folder.data()).args(["restored", "--json"]));
    assert_eq!(words(&restored.stdout), "{\"generation\":2}\n");
    let head = answer(shiji(&folder.data()).args(["audit", "head"]));
    assert!(
        words(&head.stdout).starts_with("2-"),
        "{}",
        words(&head.stdout)
    );
    // Without a running service the command line starts the server for itself.
    let verify = answer(shiji(&folder.data()).args(["audit", "verify"]));
    assert!(verify.status.success(), "{}", words(&verify.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_data_comes_once_however_often_it_is_sent() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let demo = |size: &str| {
        let filled = answer(shiji(&folder.data()).args(["demo", "--json", "--size", size]));
        assert!(filled.status.success(), "{}", words(&filled.stderr));
        serde_json::from_slice::<serde_json::Value>(&filled.stdout).unwrap()
    };
    assert_eq!(demo("40")["tasks_created"], 40);
    assert_eq!(demo("40")["commands"], 0);
    assert_eq!(demo("60")["tasks_created"], 20);
    let client = node.client().await;
    crate::support::processes::eventually("the list shows them", async || {
        let (total, items) = client.list(100).await;
        i64::try_from(items.len()).unwrap() == total && (45..60).contains(&total)
    })
    .await;
    node.stop().await;
}
