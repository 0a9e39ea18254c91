//! Tasks and stored files.

use bytes::Bytes;
use serde_json::json;
use shiji::commands::media::MediaCommand;
use shiji::events::Media;
use uuid::Uuid;

use crate::api::node::Node;

#[tokio::test]
async fn a_worker_takes_a_task_up_and_finishes_it() {
    let node = Node::start().await;
    let worker = node.staff("worker", 0, 1).await;
    let task = node.task().await;
    let (to, id) = (format!("Task/{task}"), task.to_string());
    let send = async |command| node.command(&worker, &to, command).await;
    let start = || json!({"StartTask": {}});
    send(json!({"RecordTaskResult": {"result": "x"}}))
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    send(json!({"CompleteTask": {}}))
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    send(start())
        .await
        .is_done("Task", &id, 2, &["TaskStarted"]);
    send(start())
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    send(json!({"RequeueTask": {}}))
        .await
        .is_done("Task", &id, 3, &["TaskRequeued"]);
    send(start())
        .await
        .is_done("Task", &id, 4, &["TaskStarted"]);
    let record = json!({"RecordTaskResult": {"result": "half"}});
    send(record)
        .await
        .is_done("Task", &id, 5, &["TaskResultRecorded"]);
    let complete = json!({"CompleteTask": {"result": "whole"}});
    send(complete)
        .await
        .is_done("Task", &id, 7, &["TaskResultRecorded", "TaskCompleted"]);
    send(json!({"CompleteTask": {}}))
        .await
        .is_done("Task", &id, 7, &[]);
    send(json!({"CancelTask": {}}))
        .await
        .is_refusal(409, "conflict", "当前状态不允许此操作");
    let long = json!({"RecordTaskResult": {"result": "x".repeat(65_537)}});
    let flaw = json!({"result": ["must be 0 to 65536 bytes, not 65537"]});
    assert_eq!(send(long).await.body["data"], flaw);
}

#[tokio::test]
async fn of_many_workers_one_starts_the_task() {
    let node = Node::start().await;
    let worker = node.staff("worker", 0, 1).await;
    let to = format!("Task/{}", node.task().await);
    let attempts = (0..16).map(|_| node.command(&worker, &to, json!({"StartTask": {}})));
    let answers = futures::future::join_all(attempts).await;
    let codes: Vec<i64> = answers.iter().map(|answer| answer.refusal().0).collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert_eq!(
        codes.iter().filter(|code| **code == 409).count(),
        15,
        "{codes:?}"
    );
}

#[tokio::test]
async fn a_deleted_file_is_gone_with_its_bytes() {
    let node = Node::start().await;
    let keeper = node.staff("keeper", 0, 2).await;
    let id = Uuid::now_v7().to_string();
    let uri = format!("/upload/20240102/{id}.png");
    node.app
        .files()
        .put(&uri, Bytes::from_static(b"png"))
        .await
        .unwrap();
    let store = MediaCommand::Store {
        uri: uri.clone(),
        content_type: "image/png".to_owned(),
        size_bytes: 3,
        sha256: "00".to_owned(),
        by: None,
    };
    let desk = node.app.desk();
    desk.create::<Media>(
        &node.service.system(),
        &id,
        MediaCommand::Issue { to: None },
    )
    .await
    .unwrap();
    desk.execute::<Media>(&node.service.system(), &id, store)
        .await
        .unwrap();

    let to = format!("Media/{id}");
    let delete = || json!({"DeleteMedia": {}});
    node.command(&keeper, &to, delete())
        .await
        .is_done("Media", &id, 3, &["MediaDeleted"]);
    assert!(node.app.files().open(&uri).await.unwrap().is_none());
    // Bytes that stayed behind go when it is deleted again.
    node.app
        .files()
        .put(&uri, Bytes::from_static(b"png"))
        .await
        .unwrap();
    node.command(&keeper, &to, delete())
        .await
        .is_done("Media", &id, 3, &[]);
    assert!(node.app.files().open(&uri).await.unwrap().is_none());
    let unknown = format!("Media/{}", Uuid::now_v7());
    node.command(&keeper, &unknown, delete())
        .await
        .is_refusal(302, "not_found", "对应ID不存在");
}
